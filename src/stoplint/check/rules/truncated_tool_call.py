from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check.events import Report, Request, ResponseEnded
from stoplint.check.pins import shown
from stoplint.reasons import CONTEXT_WINDOW, MAX_TOKENS, names

if TYPE_CHECKING:
    from stoplint.check.values import Where


def truncated_tool_call(event: ResponseEnded) -> tuple[Report, ...]:
    """A tool's input is run although it may be cut off.  A dispatch over many tools is one place: one test mends it."""
    if event.request.surface in ("tool_runner", "runner_stream"):
        return _by_the_runner(event.request)
    if event.request.guessed:
        return ()  # a function that looks like it is often one that only translates
    places: dict[tuple[object, str], list[tuple[Where, int]]] = {}
    for where, mask, _what in event.executions:
        if mask & MAX_TOKENS:
            left = mask & (MAX_TOKENS | CONTEXT_WINDOW)
            places.setdefault((where.path, where.site.function), []).append((where, left))
    return tuple(_report(event.request, *runs[0], len(runs) - 1) for runs in places.values())


def _report(request: Request, where: Where, left: int, others: int) -> Report:
    also = f" (so do {others} more calls in this function)" if others > 1 else " (so does one more)" if others else ""
    message = (
        f"This runs a tool call{also} whose answer may have been cut at max_tokens: its input can be partial or empty. "
        'Run tools only when `stop_reason == "tool_use"`, and ask again with a higher max_tokens otherwise'
    )
    return Report(where, message, f"may be {' or '.join(names(left))}", left, request)


def _by_the_runner(request: Request) -> tuple[Report, ...]:
    if request.sdk_version is None or request.sdk_version >= sdk.RUNNER_FIX or request.tools is False:
        return ()
    message = (
        f"The tool runner of the SDK that this project pins ({shown(request.sdk_version)}) runs the tools of an answer that was cut at "
        "max_tokens: their input can be partial or empty. Use anthropic 1.1 or newer"
    )
    return (Report(request.where, message, "runs truncated tool calls", MAX_TOKENS, request),)
