from __future__ import annotations

from stoplint.check.events import Report, TurnAppended, TurnBuilt
from stoplint.check.values import Where

SAME = (
    "A text block follows a tool_result in the same user message: it teaches the model to end its turns empty. "
    "Send the tool results alone; say more in a later user message"
)
NEXT = (
    "A user message with text directly follows the tool results: the API joins both into one turn, which teaches the "
    "model to end its turns empty. Send the tool results alone and wait for the answer"
)


def text_after_tool_result(event: TurnBuilt | TurnAppended) -> Report | None:
    """Text behind tool results, in one message or in the next one."""
    if isinstance(event, TurnBuilt):
        if event.block == "text" and event.before == frozenset({"tool_result"}):
            return Report(event.where, SAME, "text after tool_result")
        return None
    if event.turn.role != "user" or set(event.turn.blocks) != {"text"} or event.found_empty or not event.before:
        return None
    before = event.before[-1]
    if before.role == "user" and "tool_result" in before.blocks:
        where = _told(event.where, before.where) if event.given else event.where
        return Report(where, NEXT, "text right after the tool results")
    return None


def _told(where: Where, before: Where | None) -> Where:
    """In the function that appends both: one that appends whatever it is given is not where it is put right."""
    return where if before is None else Where((), where.seen_from(before))
