from __future__ import annotations

from stoplint.check.events import Converted, Report, Request, RequestMade, TurnKept
from stoplint.check.knowledge import EMPTY, Knowledge, Turn
from stoplint.reasons import REFUSAL, WITH_CONTENT

KEPT = (
    "This assistant turn may be empty, and it is kept in a history that is sent again: from then on every request is "
    "a 400. Keep it only when there is content in it"
)
CONVERTED = (
    "A message without text becomes a turn without content here, which the API rejects (400). Leave it out where nothing "
    "is in it"
)


def empty_turn_kept(event: RequestMade | TurnKept | Converted) -> tuple[Report, ...]:
    """A turn that may be empty, or was refused, stays in a history that is sent again."""
    if isinstance(event, Converted):
        said = {"empty": CONVERTED, "kept": KEPT}.get(event.what)
        return (Report(event.where, said, "may be empty"),) if said else ()
    if isinstance(event, TurnKept):
        return _judged(event.request, event.known, event.turn)
    reports: list[Report] = []
    for sent in event.again:
        for tail in sent.tails if sent.related else ():
            answered = any("tool_result" in turn.blocks for turn in tail or ())  # then there is a tool_use in it
            for turn in tail or ():
                if turn.role == "assistant" and sent.request.token in turn.owners and not answered:
                    reports += _judged(sent.request, sent.known, turn)
    return tuple(reports)


def _judged(request: Request, known: Knowledge, turn: Turn) -> tuple[Report, ...]:
    if turn.where is None or not known.remaining & ~WITH_CONTENT:
        return ()
    if known.remaining == REFUSAL:
        message = (
            "A refused turn is kept in the history: as long as it is there, further requests are refused. "
            "Take it and the message that led to it out"
        )
        return (Report(turn.where, message, "refused, and kept", REFUSAL, request, in_owner=True),)
    if not known.content & EMPTY or known.indexed:
        return ()
    return (Report(turn.where, KEPT, "may be empty", 0, request, in_owner=True),)
