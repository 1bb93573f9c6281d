from __future__ import annotations

from stoplint.check.events import Converted, Report, Request, TurnAppended
from stoplint.reasons import PAUSE_TURN, TOOL_USE

NULLS = (
    "`model_dump()` writes out fields that the API did not send, as null, and the API may reject them. "
    "Send `response.content` itself, or dump with `exclude_none=True`"
)
LOST = (
    "The assistant turn is put back without its {}: it is not the turn that came, and the API may reject what follows. "
    "Send `response.content` itself"
)
TYPE = (
    'The block is given the type "{}", which is not that of its class: building it fails, or the API rejects the turn. '
    "Leave `type` as the class has it"
)


def rebuilt_turn(event: TurnAppended | Converted) -> Report | None:
    """The assistant turn that goes back is not the one that came."""
    if isinstance(event, Converted):
        message = TYPE.format(event.detail)
        return Report(event.where, message, "no such type") if event.what == "type" else None
    if event.owner is None or event.remaining == PAUSE_TURN:
        return None
    if event.turn.how == "nulls":
        return Report(event.where, NULLS, "nulls in it", request=event.owner, in_owner=True)
    if event.turn.how not in ("text", "rebuilt"):
        return None
    lost = _lost(event.owner, event.remaining, set(event.turn.blocks))
    if not lost:
        return None
    return Report(event.where, LOST.format(" and ".join(lost)), "not as it came", request=event.owner, in_owner=True)


def _lost(request: Request, remaining: int, blocks: set[str]) -> list[str]:
    """What the answer may hold and the turn does not."""
    if "?" in blocks:
        return []
    lost: list[str] = []
    if request.thinking and "thinking" not in blocks:
        lost.append("thinking")
    if request.tools and remaining & TOOL_USE and "tool_use" not in blocks:
        lost.append("tool calls")
    if request.server_tools and "server_tool_use" not in blocks:
        lost.append("server tool results")
    return lost
