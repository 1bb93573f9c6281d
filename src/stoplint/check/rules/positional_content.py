from __future__ import annotations

from stoplint.check.events import PositionRead, Report

TEXT = frozenset({"text"})
GUARDS = frozenset({"AttributeError", "Exception", "BaseException", ""})
INPUT = (
    "A tool call is taken by its position, but `content` can be empty (IndexError), and text or thinking may stand in front "
    "of the call. Look for the block whose type is `tool_use`"
)


def positional_content(event: PositionRead) -> Report | None:
    """`content[k]` is read as text where there may be no such block, or one of another kind."""
    request = event.request
    if event.what != "text":
        return (
            Report(event.where, INPUT, "may not be there", request=request, profile="strict")
            if event.may_be_empty
            else None
        )
    others = request.tools or request.server_tools or request.thinking or request.fallbacks
    certain = event.kinds is not None and event.kinds <= TEXT
    other_kind = bool(others) and not certain and not event.guards & GUARDS
    if not event.may_be_empty and not other_kind:
        return None
    why = []
    if event.may_be_empty:
        why.append("`content` can be empty (IndexError)")
    if other_kind:
        why.append("this block can be thinking or a tool call (no text in it)")
    message = (
        f"Block {event.position} is read as text, but {' and '.join(why)}. "
        'Take the text by type: `"".join(b.text for b in content if b.type == "text")`'
    )
    return Report(event.where, message, "may not be a text block", request=request)
