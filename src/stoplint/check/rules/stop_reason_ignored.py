from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.events import Report, ResponseEnded

if TYPE_CHECKING:
    from stoplint.findings import Profile

WHAT = {"text": "content", "tool_input": "tool input"}


def stop_reason_ignored(event: ResponseEnded) -> Report | None:
    """Content went on and nobody ever looked at the reason."""
    if event.looked or event.exposed or event.early_only:
        return None
    taken = [(use.taken.seen_from(event.request.where), use.taken, use.kind) for use, _ in event.uses]
    if not taken:
        return None
    _, where, kind = min(taken)
    streamed = event.request.surface in ("stream", "raw_stream")
    source = "stream" if streamed else "answer"
    message = (
        f"The {WHAT.get(kind, kind)} of this {source} is used, but nothing looks at its `stop_reason`: "
        "an answer cut at max_tokens, refused or empty passes here as complete. "
        + ("Look at `stop_reason` of the final message" if streamed else "Look at `stop_reason` before using it")
    )
    label = "used without looking at `stop_reason`"
    # a parameter's response may have been looked at by a caller out of view: only careful teams want to hear of it
    profile: Profile | None = "strict" if event.request.surface == "unknown" else None
    return Report(where, message, label, request=event.request, in_owner=True, profile=profile)
