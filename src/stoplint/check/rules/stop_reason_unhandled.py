from __future__ import annotations

from stoplint.check.events import Report, ResponseEnded
from stoplint.reasons import MAX_TOKENS, PAUSE_TURN, TOOL_USE, names

WATCHED = MAX_TOKENS | TOOL_USE | PAUSE_TURN


def stop_reason_unhandled(event: ResponseEnded) -> Report | None:
    """The reason is looked at, yet the content goes on as complete while some reason was never asked about."""
    streamed = event.request.surface in ("stream", "raw_stream")
    if not event.looked or event.exposed_freely or (streamed and event.exposed):
        return None
    unasked = WATCHED & event.request.sure & ~event.named
    found = [(use.gone, mask & unasked) for use, mask in event.open_uses if use.kind == "text" and mask & unasked]
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
    return Report(where, message, f"may be {listed}", missing, event.request, in_owner=True)
