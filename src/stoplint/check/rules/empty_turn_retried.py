from __future__ import annotations

from stoplint.check.events import Report, RequestMade
from stoplint.check.knowledge import EMPTY
from stoplint.reasons import END_TURN


def empty_turn_retried(event: RequestMade) -> Report | None:
    """The answer was found empty, and the same messages go out again."""
    for sent in event.again:
        if sent.known.content == EMPTY and sent.known.remaining & END_TURN and sent.unchanged:
            message = (
                "The answer was found empty, and here the same messages are sent again: the model has ended its turn, so "
                "it will most likely answer with nothing again. Append a user message that asks it to go on, or stop"
            )
            return Report(event.where, message, "sent again unchanged", request=sent.request, in_owner=True)
    return None
