from __future__ import annotations

from stoplint.check.events import Report, RequestMade, Sent
from stoplint.check.knowledge import NONEMPTY
from stoplint.reasons import END_TURN, MAX_TOKENS


def completed_turn_resent(event: RequestMade) -> Report | None:
    """A finished answer is sent back, and nothing new from the user.  Where it may be cut, it may be a continuation."""
    for sent in event.again:
        if (
            not sent.known.remaining & MAX_TOKENS
            and sent.known.remaining & END_TURN
            and sent.known.content & NONEMPTY
            and _only_the_answer(sent)
        ):
            message = (
                "The conversation that is sent here ends with the model's own finished answer (end_turn): it has nothing to "
                "add, and current models reject such a request. Leave the loop on end_turn, or append what the user says"
            )
            return Report(event.where, message, "ends with a finished answer", request=sent.request, in_owner=True)
    return None


def _only_the_answer(sent: Sent) -> bool:
    return bool(sent.tails) and all(
        tail is not None and len(tail) == 1 and tail[0].role == "assistant" and sent.request.token in tail[0].owners
        for tail in sent.tails
    )
