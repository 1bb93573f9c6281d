"""Runs code that recurses deeply, parser and interpreter alike, where there is stack enough for it.

Generated code nests without measure.  libcst's parser recurses on the C stack and overruns a usual one at some 2,000
open parentheses, which ends the process; Python's own limit of 1,000 frames is met by a sum of 300 terms.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

STACK_BYTES: Final = 512 * 1024 * 1024
"""Address space, not memory: only what is used is ever backed."""

FRAMES: Final = 20_000

_lock = threading.RLock()
_here = threading.local()
_limits: list[int] = []
"""The recursion limits that were found, one for each call under way."""


def call(function: Callable[[], T]) -> T:
    """The result of `function`, called on a thread with a large stack; what it raises is raised here.

    Within such a call it is an ordinary call.  Where the system grants no such thread, too: then the usual limits hold.
    """
    if getattr(_here, "deep", False):
        return function()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        _here.deep = True
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it belongs
            errors.append(error)

    thread = _start(run)
    if thread is None:
        return function()
    try:
        thread.join()
    finally:
        _restore()
    if errors:
        raise errors[0]
    return results[0]


def _start(run: Callable[[], None]) -> threading.Thread | None:
    """Start a daemon thread: an interrupted run must not wait for a parser that hangs."""
    thread = threading.Thread(target=run, name="stoplint", daemon=True)
    with _lock:
        # The limit is the interpreter's, not the thread's: it is put back when the last call has returned.
        _limits.append(sys.getrecursionlimit())
        sys.setrecursionlimit(max(FRAMES, _limits[-1]))
        before = threading.stack_size()
        try:
            threading.stack_size(STACK_BYTES)
            thread.start()
        except (ValueError, RuntimeError):
            _restore()
            return None
        finally:
            threading.stack_size(before)
    return thread


def _restore() -> None:
    with _lock:
        limit = min(_limits)
        _limits.pop()
        if not _limits:
            sys.setrecursionlimit(limit)
