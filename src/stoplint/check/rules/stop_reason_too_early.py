from __future__ import annotations

from stoplint.check.events import ReasonReadEarly, Report


def stop_reason_too_early(event: ReasonReadEarly) -> Report | None:
    """The reason is read where the stream has not told it yet."""
    if not event.what:
        message = (
            "`stop_reason` is read before there is an answer: at this point the name may still hold what it held before, "
            "which has no such attribute. Give the answer a name of its own, or ask whether there is one"
        )
        return Report(event.where, message, "not an answer yet", request=event.request)
    message = (
        f"`stop_reason` is read from {event.what}, where it is always None: a stream tells it in `message_delta` only. "
        "Read `event.delta.stop_reason` of message_delta, or `stop_reason` of the final message"
    )
    return Report(event.where, message, "always None here", request=event.request)
