from __future__ import annotations

from stoplint.check.events import Report, RequestMade
from stoplint.reasons import REFUSAL


def refusal_resent(event: RequestMade) -> Report | None:
    """After a refusal the same conversation goes to the same model."""
    for sent in event.again:
        if sent.known.remaining == REFUSAL and sent.unchanged:
            message = (
                "The model refused this conversation, and here it is sent to the same model again: it will be refused again. "
                "Ask another model, or change the messages"
            )
            return Report(event.where, message, "refused before", REFUSAL, sent.request, in_owner=True)
    return None
