from __future__ import annotations

from stoplint import sdk
from stoplint.check.events import Report, Request, ResponseEnded
from stoplint.check.pins import shown
from stoplint.reasons import CONTEXT_WINDOW, MAX_TOKENS, names


def truncated_tool_call(event: ResponseEnded) -> tuple[Report, ...]:
    """A tool's input is run although it may be cut off."""
    if event.request.surface in ("tool_runner", "runner_stream"):
        return _by_the_runner(event.request)
    reports: list[Report] = []
    if event.request.guessed:
        return ()  # a function that looks like it is often one that only translates
    for where, mask, _what in event.executions:
        left = mask & (MAX_TOKENS | CONTEXT_WINDOW)
        if not left & MAX_TOKENS:
            continue
        message = (
            "This runs a tool call whose answer may have been cut at max_tokens: its input can be partial or empty. "
            'Run tools only when `stop_reason == "tool_use"`, and ask again with a higher max_tokens otherwise'
        )
        reports.append(Report(where, message, f"may be {' or '.join(names(left))}", left, event.request))
    return tuple(reports)


def _by_the_runner(request: Request) -> tuple[Report, ...]:
    if request.sdk_version is None or request.sdk_version >= sdk.RUNNER_FIX or request.tools is False:
        return ()
    message = (
        f"The tool runner of the SDK that this project pins ({shown(request.sdk_version)}) runs the tools of an answer that was cut at "
        "max_tokens: their input can be partial or empty. Use anthropic 1.1 or newer"
    )
    return (Report(request.where, message, "runs truncated tool calls", MAX_TOKENS, request),)
