"""A user's mistake: shown as one message, never as a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can put right; ends the run with code 2.  The message says what and how."""


class NothingToCheckError(Exception):
    """There was nothing to check at the given paths; ends the run with code 3."""
