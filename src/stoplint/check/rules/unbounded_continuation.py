from __future__ import annotations

from stoplint.check.events import GoesOn, LoopContinued, Report
from stoplint.check.knowledge import EMPTY, NONEMPTY
from stoplint.reasons import CONTEXT_WINDOW, END_TURN, MAX_TOKENS, PAUSE_TURN, TOOL_USE, names

CONTINUED = MAX_TOKENS | PAUSE_TURN | CONTEXT_WINDOW


def unbounded_continuation(event: LoopContinued) -> Report | None:
    """A loop goes on because of what the answers say, and nothing else ends it."""
    if event.bounded or any(_finished(way) for way in event.goes_on):
        return None
    because = [way for way in event.goes_on if not way.answered and (not way.remaining & ~CONTINUED or _empty(way))]
    tools = [way for way in event.goes_on if not way.remaining & ~TOOL_USE or way.answered]
    if not because and not tools:
        return None
    request = (because or tools)[0].request
    reasons = 0
    for way in because:
        reasons |= way.remaining & CONTINUED
    what = " or ".join([*names(reasons), *(["empty"] if any(_empty(way) for way in because) else [])]) or "tool_use"
    message = (
        f"This goes on as long as the answers are {what}, and nothing else ends it: it may send requests for ever. "
        "Bound the number of attempts"
    )
    return Report(event.where, message, "no bound", reasons, request, profile="default" if because else "strict")


def _empty(way: GoesOn) -> bool:
    return way.content == EMPTY and bool(way.remaining & END_TURN)


def _finished(way: GoesOn) -> bool:
    """It goes on after a finished answer as well: then something else keeps it going."""
    return bool(way.remaining & END_TURN and way.content & NONEMPTY and not way.answered)
