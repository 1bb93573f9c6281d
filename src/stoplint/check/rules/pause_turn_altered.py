from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.events import Report, RequestMade, Sent
from stoplint.reasons import PAUSE_TURN

if TYPE_CHECKING:
    from stoplint.check.values import Where

MESSAGES = {
    "added": (
        "The model's turn is only paused, and this user message ends it: the server cannot go on where it stopped. "
        "Append the paused content and send it with nothing else"
    ),
    "rebuilt": (
        "The paused content is put back changed: what the server tools found so far is lost. "
        "Append `response.content` as it came"
    ),
    "dropped": (
        "After pause_turn the request goes out without the paused content, so everything starts again. "
        "Append `response.content` as an assistant message first"
    ),
    "tools": (
        "The request that resumes a paused turn has no server tools any more: the open tool call has no tool (400). "
        "Send the same tools as before"
    ),
}
LABELS = {
    "added": "ends the paused turn",
    "rebuilt": "not the content that came",
    "dropped": "without the paused turn",
    "tools": "the server tools are missing",
}


def pause_turn_altered(event: RequestMade) -> Report | None:
    """On pause_turn the next request is another one."""
    for sent in event.again:
        if sent.known.remaining != PAUSE_TURN or not sent.related:
            continue
        what, where = _altered(sent)
        if not what and sent.request.server_tools and event.request.server_tools is False:
            what = "tools"
        if what:
            place = where or event.where
            return Report(place, MESSAGES[what], LABELS[what], PAUSE_TURN, sent.request, in_owner=True)
    return None


def _altered(sent: Sent) -> tuple[str, Where | None]:
    """What is wrong with the turns behind the messages, on every way; "" when something may be right."""
    found: list[tuple[str, Where | None]] = []
    for tail in sent.tails:
        own = [turn for turn in tail or () if sent.request.token in turn.owners and turn.role == "assistant"]
        spoken = [turn for turn in tail or () if turn.role == "user" and set(turn.blocks) == {"text"}]
        if tail == ():
            found.append(("dropped", None))
        elif own and own[-1].how in ("text", "rebuilt"):
            found.append(("rebuilt", own[-1].where))
        elif own and spoken:
            found.append(("added", spoken[-1].where))
        else:
            return "", None
    return found[0] if found else ("", None)
