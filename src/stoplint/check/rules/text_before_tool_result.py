from __future__ import annotations

from stoplint.check.events import Report, TurnAppended, TurnBuilt


def text_before_tool_result(event: TurnBuilt | TurnAppended) -> Report | None:
    """Text ahead of tool results in the turn that answers a tool_use: the API answers 400."""
    if isinstance(event, TurnBuilt):
        if event.block == "tool_result" and event.before == frozenset({"text"}):
            message = (
                "A text block stands before a tool_result in the same user message: the API rejects the request (400). "
                "Put the tool_results first"
            )
            return Report(event.where, message, "tool_result after text")
        return None
    if event.role != "user" or "tool_result" not in event.blocks:
        return None
    text_first = all(role == "user" and blocks == ("text",) for role, blocks in event.previous)
    if text_first and event.earlier and all(role == "assistant" for role, _ in event.earlier):
        message = (
            "A user message stands between the tool_use turn and its results: the API rejects the request (400). "
            "Answer a tool_use with its tool_results at once"
        )
        return Report(event.where, message, "results come too late")
    return None
