from __future__ import annotations

from stoplint.check.events import ReasonCompared, Report
from stoplint.reasons import BIT, nearest


def unknown_stop_reason(event: ReasonCompared) -> Report | None:
    """A value that the Messages API never sends."""
    if event.how == "attribute":
        message = "A Message has no `finish_reason`: reading it raises AttributeError. Read `stop_reason`"
        return Report(event.where, message, "no such attribute", request=event.request)
    strange = [value for value in event.values if value not in BIT]
    if not strange or (event.how != "==" and len(strange) < len(event.values) and not _misspelt(strange)):
        return None
    value = strange[0]
    meant = nearest(value)
    hint = f"Did you mean `{meant}`?" if meant else "Compare with a value of `StopReason`"
    message = f'The Messages API never answers with the stop reason "{value}": this test is always false. {hint}'
    return Report(event.where, message, "never sent", request=event.request)


def _misspelt(values: list[str]) -> bool:
    """Beside right values, only another spelling of one is certainly wrong: a table may serve several vendors."""
    return any(value.lower().replace("-", "_") in BIT for value in values)
