"""Whether the garbage collector is at work.

It runs in the middle of anything: of a metric that is counted, of a queue that is filled, with their locks held.  What
is dropped then is only noted; what has to be told of it, under locks that are not ours, waits for a quiet moment.
"""

from __future__ import annotations

import gc

_users = 0
_at_work = False


def at_work() -> bool:
    """Whether a collection is under way; then the caller may be a finalizer that it runs."""
    return _at_work


def attend() -> None:
    """Listen to the collector, until `leave` was called as often."""
    global _users  # noqa: PLW0603 - one collector a process
    _users += 1
    if _users == 1:
        gc.callbacks.append(_told)


def leave() -> None:
    """Listen no longer."""
    global _users, _at_work  # noqa: PLW0603 - one collector a process
    _users -= 1
    if _users == 0:
        gc.callbacks.remove(_told)
        _at_work = False


def _told(phase: str, info: dict[str, int]) -> None:  # noqa: ARG001 - the collector's signature
    global _at_work  # noqa: PLW0603 - one collector a process
    _at_work = phase == "start"
