from __future__ import annotations

from stoplint import sdk
from stoplint.check.events import ReasonCompared, Report
from stoplint.reasons import BIT, names, nearest


def unknown_stop_reason(event: ReasonCompared) -> tuple[Report, ...]:
    """A value that the Messages API never sends; a table, Enum or Literal that lacks some that it does."""
    if event.how == "attribute":
        message = "A Message has no `finish_reason`: reading it raises AttributeError. Read `stop_reason`"
        return (Report(event.where, message, "no such attribute", request=event.request),)
    found = [_never_sent(event, place) for place in _strange(event)]
    if event.missing:
        listed = ", ".join(names(event.missing))
        message = (
            f"This {event.how} has no entry for {listed}, and nothing deals with what it lacks: the day such a reason "
            "comes, it fails here or passes unknown. Add the entries, or a default"
        )
        report = Report(event.where, message, f"lacks {listed}", event.missing, event.request, profile="strict")
        found.append(report)
    return tuple(found)


def _strange(event: ReasonCompared) -> list[int]:
    """Which values are certainly wrong.  Beside right ones, a single word of another vendor may be, several are a table
    that serves both, and a word that no vendor knows is the program's own.
    """
    strange = [i for i, value in enumerate(event.values) if value not in BIT and value not in sdk.ERROR_TYPES]
    if (event.how == "==" or len(strange) == len(event.values)) and not event.kept:
        return strange[:1]
    likely = [i for i in strange if nearest(event.values[i]) is not None]
    meant = [event.values[i].lower().replace("-", "_") for i in likely]
    misspelt = [i for i, word in zip(likely, meant, strict=True) if word in BIT and word not in event.values]
    return likely if len(strange) == 1 and not event.kept else misspelt


def _never_sent(event: ReasonCompared, place: int) -> Report:
    value = event.values[place]
    meant = nearest(value)
    hint = f"Did you mean `{meant}`?" if meant else "Compare with a value of `StopReason`"
    message = f'The Messages API never answers with the stop reason "{value}": this test is always false. {hint}'
    return Report(
        (event.spots[place] if event.spots else None) or event.where, message, "never sent", request=event.request
    )
