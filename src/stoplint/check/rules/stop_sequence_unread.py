from __future__ import annotations

from stoplint.check.events import Report, ResponseEnded


def stop_sequence_unread(event: ResponseEnded) -> Report | None:
    """Several sequences may have ended the answer, and nobody asks which."""
    request = event.request
    if request.stop_sequences < 2 or event.stop_sequence_read or event.exposed_whole or not event.uses:
        return None
    message = (
        f"The request passes {request.stop_sequences} stop_sequences, and nothing reads `stop_sequence`, which says which "
        "of them ended the answer. Read it where they mean different things"
    )
    return Report(request.where, message, "which one came up is never asked", request=request)
