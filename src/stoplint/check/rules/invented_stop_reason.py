from __future__ import annotations

from stoplint.check.events import ReasonInvented, Report


def invented_stop_reason(event: ReasonInvented) -> Report | None:
    """The handler of a failed request writes the stop reason of a finished answer."""
    if event.value != "end_turn":
        return None
    message = (
        'The request failed, and its handler writes `stop_reason="end_turn"`: from here on the failure looks like a '
        "finished answer. Raise, or say that it failed in a field of its own"
    )
    return Report(event.where, message, "made up")
