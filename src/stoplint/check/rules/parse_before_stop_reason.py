from __future__ import annotations

from stoplint.check.events import LOOKED_AFTER, LOST, READ_LATER, Report, ResponseEnded


def parse_before_stop_reason(event: ResponseEnded) -> tuple[Report, ...]:
    """The text is parsed first: a cut answer ends in the parser's error, and the look comes too late."""
    request = event.request
    reports: list[Report] = []
    for where, seen in event.parses:
        if seen & (LOST | READ_LATER | LOOKED_AFTER) == LOST | READ_LATER:
            message = (
                "The text is parsed here before anything looks at `stop_reason`: an answer cut at max_tokens, or refused, "
                "ends in a parse error and the look further down is never reached. Look first, or in the error's handler"
            )
            reports.append(Report(where, message, "parsed before the look", request=request, in_owner=True))
    if request.parses and not request.guarded and event.looked:
        message = (
            "The SDK parses this answer before the program can look at `stop_reason`: an answer that is cut or refused "
            "raises a ValidationError and is lost. Catch the error around the request"
        )
        reports.append(Report(request.where, message, "parsed inside the SDK", request=request, profile="strict"))
    return tuple(reports)
