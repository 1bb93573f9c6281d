from __future__ import annotations

from stoplint.check.events import Converted, Report, TurnAppended

MESSAGE = (
    "Every tool_result goes into a user message of its own: the model learns to call one tool at a time, and some "
    "platforms reject it. Collect the results of a turn in one list and append one message"
)


def split_tool_results(event: TurnAppended | Converted) -> Report | None:
    """One user message for each result of a turn."""
    if isinstance(event, Converted):
        split = event.what == "split"
        return Report(event.where, MESSAGE, "one message for each result", profile="strict") if split else None
    if event.turn.role != "user" or "tool_result" not in event.turn.blocks or not (event.many or event.again):
        return None
    requests = [request for request in event.answered if not request.one_tool]
    if not requests:
        return None
    return Report(event.where, MESSAGE, "one message for each result", request=requests[0], in_owner=True)
