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
        "asyncio",
        "concurrent",
        "contextlib",
        "contextvars",
        "functools",
        "threading",
        "uvloop",
    }
)
_LIMIT: Final = 4096
# By the identity of code objects, which are kept for it: their hash reads all of a function's constants.
_between: dict[int, CodeType] = {}
_known: dict[tuple[int, int], tuple[CodeType, CallSite]] = {}


def capture(start: int = 1) -> CallSite | None:
    """The innermost frame outside `anthropic`, `stoplint` and the layers between, None where there is none.

    `start` counts the callers to leave out.  Frames, not tracebacks: no source is read.
    """
    frame: FrameType | None = sys._getframe(start)  # noqa: SLF001 - the only cheap way to the caller
    for _ in range(_DEPTH):
        if frame is None:
            return None
        code = frame.f_code
        if id(code) not in _between:
            found = _known.get((id(code), frame.f_lineno))
            if found is not None:
                return found[1]
            if not _is_between(frame):
                return _remember(code, frame.f_lineno)
            _between[id(code)] = code
        frame = frame.f_back
    return None


def _is_between(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.partition(".")[0] in _SKIPPED


def _remember(code: CodeType, line: int) -> CallSite:
    if len(_known) >= _LIMIT:
        _known.clear()
        _between.clear()
    # `co_qualname` is new in 3.11; before it only the bare name is to be had.
    site = CallSite(path=code.co_filename, function=getattr(code, "co_qualname", code.co_name), line=line)
    _known[id(code), line] = (code, site)
    return site
