from __future__ import annotations

from stoplint import sdk
from stoplint.check.events import ErrorCompared, ErrorRead, ReasonCompared, Report

REASONS = frozenset({"end_turn", "pause_turn", "refusal", "model_context_window_exceeded"})
"""Stop reasons that no error message speaks of; `max_tokens` and `tool_use` are words of the API's own messages."""

REFUSING = ("refusal", "refused to", "model refused")
"""How people expect an error to speak of a refusal; "refused" alone is said of connections."""


def stop_reason_as_error(event: ReasonCompared | ErrorCompared | ErrorRead) -> Report | None:
    """A stop reason is looked for in an exception, an error in stop_reason, a status where there is none."""
    if isinstance(event, ErrorRead):
        return _status(event)
    if isinstance(event, ErrorCompared):
        found = sorted(one for one in event.values if one in REASONS or one.startswith(REFUSING))
        if not found or not all(name.startswith("anthropic.") for name in event.classes):
            return None
        message = (
            f'A stop reason ("{found[0]}") is looked for in an exception: it comes with a successful answer, so this test '
            "is never true. Look at `stop_reason` of the message"
        )
        return Report(event.where, message, "never in an exception")
    wrong = [value for value in event.values if value in sdk.ERROR_TYPES]
    if not wrong or event.kept:
        return None
    message = (
        f'"{wrong[0]}" is the type of an error: a request that fails raises an exception and has no message, so '
        "`stop_reason` is never that. Catch `anthropic.APIStatusError`"
    )
    return Report(event.where, message, "never a stop reason", request=event.request)


def _status(event: ErrorRead) -> Report | None:
    if (
        event.attribute != "status_code"
        or "anthropic.APIError" not in event.classes
        or "AttributeError" in event.guards
    ):
        return None
    message = (
        "Connection errors and timeouts are APIErrors as well and have no `status_code`: this handler fails with an "
        "AttributeError when the network is down. Catch `anthropic.APIStatusError` for the status"
    )
    return Report(event.where, message, "not every APIError has a status")
