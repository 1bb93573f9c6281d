from __future__ import annotations

from stoplint.check.events import PositionRead, Report
from stoplint.check.knowledge import EMPTY
from stoplint.reasons import TOOL_USE

TEXT = frozenset({"text"})
EMPTY_GUARDS = frozenset({"IndexError", "LookupError", "Exception", "BaseException", ""})
KIND_GUARDS = frozenset({"AttributeError", "Exception", "BaseException", ""})


def positional_content(event: PositionRead) -> Report | None:
    """`content[k]` is read as text where there may be no such block, or one of another kind."""
    request = event.request
    may_be_empty = bool(event.known.content & EMPTY) and event.known.remaining != TOOL_USE
    may_be_empty = may_be_empty and event.kinds is None and not event.guards & EMPTY_GUARDS
    plain = request.tools is False and request.server_tools is False and request.thinking is False
    certain = event.kinds is not None and event.kinds <= TEXT
    other_kind = not certain and not plain and not event.guards & KIND_GUARDS
    if not may_be_empty and not other_kind:
        return None
    why = []
    if may_be_empty:
        why.append("`content` can be empty (IndexError)")
    if other_kind:
        why.append("this block can be thinking or a tool call (no text in it)")
    message = (
        f"Block {event.position} is read as text, but {' and '.join(why)}. "
        'Take the text by type: `"".join(b.text for b in content if b.type == "text")`'
    )
    return Report(event.where, message, "may not be a text block", request=request)
