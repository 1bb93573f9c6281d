"""Where in the application a request was made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from stoplint.trace.records import CallSite

if TYPE_CHECKING:
    from types import CodeType

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
_known: dict[tuple[CodeType, int], CallSite] = {}
_KNOWN_LIMIT: Final = 4096


def capture(start: int = 1) -> CallSite | None:
    """The innermost frame outside `anthropic`, `stoplint` and the layers between, None where there is none.

    `start` counts the callers to leave out.  Frames, not tracebacks: no source is read.
    """
    frame = sys._getframe(start)  # noqa: SLF001 - the only way to the caller that costs less than a microsecond
    for _ in range(_DEPTH):
        name = frame.f_globals.get("__name__")
        if type(name) is str and (name in _SKIPPED or name.partition(".")[0] in _SKIPPED):
            following = frame.f_back
            if following is None:
                return None
            frame = following
            continue
        key = (frame.f_code, frame.f_lineno)
        site = _known.get(key)
        if site is None:
            if len(_known) >= _KNOWN_LIMIT:
                _known.clear()
            site = _known[key] = _site(frame.f_code, frame.f_lineno)
        return site
    return None


def _site(code: CodeType, line: int) -> CallSite:
    # `co_qualname` is new in 3.11; before it only the bare name is to be had.
    name = getattr(code, "co_qualname", code.co_name)
    return CallSite(path=code.co_filename, function=name, line=line)
