from __future__ import annotations

from stoplint.check.events import Report, RequestMade
from stoplint.check.knowledge import EMPTY
from stoplint.reasons import CONTEXT_WINDOW, MAX_TOKENS


def same_limit_retry(event: RequestMade) -> Report | None:
    """After max_tokens the same request goes out with the same limit."""
    for sent in event.again:
        if sent.known.content == EMPTY:
            continue  # with something in it, it may well go along
        left = sent.known.remaining
        if left & MAX_TOKENS and not left & ~(MAX_TOKENS | CONTEXT_WINDOW) and sent.unchanged:
            message = (
                "The answer was cut at max_tokens, and here the same request goes out with the same limit: it is cut again. "
                "Raise `max_tokens`, continue from the partial answer, or ask for less"
            )
            return Report(event.where, message, "the same limit again", MAX_TOKENS, sent.request, in_owner=True)
    return None
