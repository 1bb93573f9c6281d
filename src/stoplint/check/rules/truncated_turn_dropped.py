from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stoplint.check.events import Report, RequestMade, Sent
from stoplint.check.knowledge import EMPTY
from stoplint.reasons import CONTEXT_WINDOW, MAX_TOKENS

if TYPE_CHECKING:
    from stoplint.check.knowledge import Turn

GOING_ON = re.compile(
    r"\b(contin\w+|go on|carry on|keep (going|writing)|proceed|resume|pick up|where (you|it) (stopped|left)|the rest)\b",
    re.IGNORECASE,
)


def truncated_turn_dropped(event: RequestMade) -> Report | None:
    """After max_tokens the model is asked to go on with what it is not shown."""
    for sent in event.again:
        if sent.known.remaining & ~(MAX_TOKENS | CONTEXT_WINDOW) or not sent.known.remaining & MAX_TOKENS:
            continue
        if sent.known.content == EMPTY:
            continue  # nothing was dropped
        asking = _asking(sent)
        if asking is None or asking.where is None:
            continue
        message = (
            "The answer was cut at max_tokens, and this asks the model to continue, but the partial answer is not in the "
            "messages: it does not know what it said. Append it as an assistant message first"
        )
        return Report(asking.where, message, "continue what?", MAX_TOKENS, sent.request, in_owner=True)
    return None


def _asking(sent: Sent) -> Turn | None:
    """The user turn that asks to go on, when on no way the answer is among the turns."""
    asking = None
    for tail in sent.tails:
        if tail is None or any(turn.owners or turn.role != "user" for turn in tail):
            return None
        asked = [turn for turn in tail if GOING_ON.search(turn.words)]
        if not asked:
            return None
        asking = asked[-1]
    return asking
