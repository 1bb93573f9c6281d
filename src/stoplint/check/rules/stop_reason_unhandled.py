from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.events import Report, ResponseEnded
from stoplint.reasons import COMPACTION, CONTEXT_WINDOW, MAX_TOKENS, PAUSE_TURN, REFUSAL, STOP_SEQUENCE, TOOL_USE, names

if TYPE_CHECKING:
    from stoplint.findings import Profile

WATCHED = MAX_TOKENS | TOOL_USE | PAUSE_TURN
STRICT = REFUSAL | CONTEXT_WINDOW | STOP_SEQUENCE | COMPACTION


def _asked_of(kind: str) -> int:
    """A tool call that goes on is what tool_use asks for."""
    return ~0 if kind == "text" else ~TOOL_USE


def stop_reason_unhandled(event: ResponseEnded) -> Report | None:
    """The reason is looked at, yet the content goes on as complete while some reason was never asked about."""
    streamed = event.request.surface in ("stream", "raw_stream")
    if not event.looked or event.exposed_freely or (streamed and event.exposed):
        return None
    required = event.request.required & event.request.possible
    return _report(event, WATCHED & event.request.sure | required) or _report(
        event, STRICT & event.request.sure, "strict"
    )


def _report(event: ResponseEnded, asked: int, profile: Profile | None = None) -> Report | None:
    unasked = asked & ~(event.named | event.reported)
    found = [(use.gone, left) for use, mask in event.open_uses if (left := mask & unasked & _asked_of(use.kind))]
    if not found:
        return None
    where, _ = min(found)
    missing = 0
    for _, mask in found:
        missing |= mask
    listed = " and ".join(names(missing))
    message = (
        f"The content goes on here as if complete, but `stop_reason` may still be {listed}, which nothing on the way "
        f"asks about. Handle {listed}, or let the reason go along with the content"
    )
    return Report(where, message, f"may be {listed}", missing, event.request, in_owner=True, profile=profile)
