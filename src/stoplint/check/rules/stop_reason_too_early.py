from __future__ import annotations

from stoplint.check.events import ReasonReadEarly, Report


def stop_reason_too_early(event: ReasonReadEarly) -> Report | None:
    """The reason is read where the stream has not told it yet."""
    message = (
        f"`stop_reason` is read from {event.what}, where it is always None: a stream tells it in `message_delta` only. "
        "Read `event.delta.stop_reason` of message_delta, or `stop_reason` of the final message"
    )
    return Report(event.where, message, "always None here", request=event.request)
