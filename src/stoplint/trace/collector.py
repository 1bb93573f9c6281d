"""Whether the garbage collector is at work.

It runs in the middle of anything: of a metric that is counted, of a queue that is filled, with their locks held.  What
is dropped then is only noted; what has to be told of it, under locks that are not ours, waits for a quiet moment.
"""

from __future__ import annotations

import gc
from threading import get_ident

_users = 0
_thread = 0
"""The thread that collects, 0 for none.  What others do meanwhile is no finalizer's work: a collection lets go of the
interpreter where it runs Python code, and they go on.
"""


def at_work() -> bool:
    """Whether this thread is collecting; then the caller may be a finalizer that it runs."""
    return _thread == get_ident()


def attend() -> None:
    """Listen to the collector, until `leave` was called as often."""
    global _users  # noqa: PLW0603 - one collector a process
    _users += 1
    if _users == 1:
        gc.callbacks.append(_told)


def leave() -> None:
    """Listen no longer."""
    global _users, _thread  # noqa: PLW0603 - one collector a process
    _users -= 1
    if _users == 0:
        gc.callbacks.remove(_told)
        _thread = 0


def _told(phase: str, info: dict[str, int]) -> None:  # noqa: ARG001 - the collector's signature
    global _thread  # noqa: PLW0603 - one collector a process
    _thread = get_ident() if phase == "start" else 0
