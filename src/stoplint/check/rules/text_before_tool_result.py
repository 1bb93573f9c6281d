from __future__ import annotations

from stoplint.check.events import Report, TurnAppended, TurnBuilt

FIRST = (
    "A text block stands before a tool_result in the same user message: the API rejects the request (400). "
    "Put the tool_results first"
)
BETWEEN = (
    "A message stands between the tool_use turn and its results: the API rejects the request (400). "
    "Answer a tool_use with its tool_results at once"
)


def text_before_tool_result(event: TurnBuilt | TurnAppended) -> Report | None:
    """Text ahead of tool results, in their message or between the call and them."""
    if isinstance(event, TurnBuilt):
        if event.block == "tool_result" and event.before == frozenset({"text"}):
            return Report(event.where, FIRST, "text in front of a tool_result")
        return None
    if event.turn.role != "user" or event.turn.blocks[:1] != ("tool_result",) or len(event.before) < 2:
        return None
    call, between = event.before[-2:]
    called = "tool_use" in call.blocks or call.how in ("content", "nulls")
    if call.role == "assistant" and called and set(between.blocks) == {"text"} and between.where is not None:
        return Report(between.where, BETWEEN, "between the call and its result")
    return None
