from __future__ import annotations

from stoplint.check.events import Report, ResponseEnded
from stoplint.reasons import CONTEXT_WINDOW, MAX_TOKENS, names


def truncated_tool_call(event: ResponseEnded) -> tuple[Report, ...]:
    """A tool's input is run although it may be cut off."""
    if event.request.surface in ("tool_runner", "runner_stream"):
        return ()
    reports: list[Report] = []
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
