"""Our own faults: swallowed where they happen and counted here, so that the application never sees one."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

from stoplint.trace import collector

if TYPE_CHECKING:
    from collections.abc import Callable

_log: Final = logging.getLogger(__name__)
_lock = threading.Lock()
_counts: dict[str, int] = {}
_listeners: list[Callable[[str], None]] = []
_waiting: deque[str] = deque()


def note(place: str) -> None:
    """Count the fault being handled, under the name of the hook it happened in.  Never raises.

    The log line says where, not what: an exception's text may hold content.
    """
    if collector.at_work():
        _waiting.append(place)  # whatever lock this interrupts, the next fault or a look at the counts tells of it
        return
    _tell_waiting()
    _count(place)


def _count(place: str) -> None:
    try:
        # A finalizer can fault while the same thread counts: then the count is given up, not the thread.
        if _lock.acquire(timeout=0.1):
            try:
                _counts[place] = _counts.get(place, 0) + 1
            finally:
                _lock.release()
        _log.debug("stoplint swallowed a fault of its own in %s", place)
        for listener in _listeners:
            listener(place)
    except Exception:  # noqa: BLE001, S110 - nothing is left to tell
        pass


def counts() -> dict[str, int]:
    """How many faults were swallowed in each hook so far, in this process."""
    _tell_waiting()
    with _lock:
        return dict(_counts)


def _tell_waiting() -> None:
    while _waiting:
        with contextlib.suppress(IndexError):  # another thread may take the last one
            _count(_waiting.popleft())


def listen(listener: Callable[[str], None]) -> None:
    """Tell `listener` the place of every later fault."""
    _listeners.append(listener)


def ignore(listener: Callable[[str], None]) -> None:
    """Stop telling `listener`."""
    if listener in _listeners:
        _listeners.remove(listener)


def after_fork() -> None:
    """Replace the lock, which another thread may have held when the process forked."""
    global _lock  # noqa: PLW0603 - the child needs a lock of its own
    _lock = threading.Lock()
