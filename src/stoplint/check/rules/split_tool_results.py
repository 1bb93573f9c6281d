from __future__ import annotations

from stoplint.check.events import Report, TurnAppended


def split_tool_results(event: TurnAppended) -> Report | None:
    """One user message for each result of a turn."""
    if event.turn.role != "user" or "tool_result" not in event.turn.blocks or not (event.many or event.again):
        return None
    requests = [request for request in event.answered if not request.one_tool]
    if not requests:
        return None
    message = (
        "Every tool_result goes into a user message of its own: the model learns to call one tool at a time, and some "
        "platforms reject it. Collect the results of a turn in one list and append one message"
    )
    return Report(event.where, message, "one message for each result", request=requests[0], in_owner=True)
