"""Where in the application a request was made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from stoplint.trace.records import CallSite

if TYPE_CHECKING:
    from types import CodeType, FrameType

_DEPTH: Final = 64
_SKIPPED: Final = frozenset(
    {
        "anthropic",
        "stoplint",
        # Layers that instrument the same call stand between it and the application.
        "agento11y",
        "ddtrace",
        "langfuse",
        "logfire",
        "openinference",
        "opentelemetry",
        "sentry_sdk",
        "wrapt",
        # A task or a worker runs the request: its loop is not where it was made.
        "anyio",
        "asyncio",
        "concurrent",
        "contextlib",
        "contextvars",
        "functools",
        "threading",
        "trio",
        "uvloop",
    }
)
_LOOPS: Final = frozenset({"anyio", "asyncio", "trio", "uvloop"})
_LOOPING: Final = frozenset({"_run", "_run_once", "run", "run_forever", "run_until_complete", "unrolled_run"})
"""The functions of event loops that run the tasks.  What called them started the loop, and made no request."""
_LIMIT: Final = 4096
# By the identity of code objects, which are kept for it: their hash reads all of a function's constants.
_between: dict[int, CodeType] = {}
_known: dict[tuple[int, int], tuple[CodeType, CallSite]] = {}


def capture(start: int = 1) -> CallSite | None:
    """The innermost frame outside `anthropic`, `stoplint` and the layers between, None where there is none: a request
    that is a task of its own (`asyncio.gather(client.messages.create(...))`) first runs when nobody waits for it in a frame.

    `start` counts the callers to leave out.  Frames, not tracebacks: no source is read.
    """
    frame: FrameType | None = sys._getframe(start)  # noqa: SLF001 - the only cheap way to the caller
    for _ in range(_DEPTH):
        if frame is None:
            return None
        code = frame.f_code
        if id(code) not in _between:
            # By the instruction, which is at hand: the number of its line is counted up from the function's first.
            found = _known.get((id(code), frame.f_lasti))
            if found is not None:
                return found[1]
            package = _package(frame)
            if package not in _SKIPPED:
                return _remember(frame)
            if package in _LOOPS and code.co_name in _LOOPING:
                return None
            _between[id(code)] = code
        frame = frame.f_back
    return None


def _package(frame: FrameType) -> str:
    name = frame.f_globals.get("__name__")
    return name.partition(".")[0] if isinstance(name, str) else ""


def _remember(frame: FrameType) -> CallSite:
    code = frame.f_code
    if len(_known) >= _LIMIT:
        _known.clear()
        _between.clear()
    # `co_qualname` is new in 3.11; before it only the bare name is to be had.
    site = CallSite(path=code.co_filename, function=getattr(code, "co_qualname", code.co_name), line=frame.f_lineno)
    _known[id(code), frame.f_lasti] = (code, site)
    return site
