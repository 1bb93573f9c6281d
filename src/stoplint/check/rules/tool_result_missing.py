from __future__ import annotations

from stoplint.check.events import CallLost, Converted, Report, TurnAppended
from stoplint.check.values import BlockInfo, Where

PICKED = (
    "Only one tool_use block is picked and answered, but an answer may hold several: the next request is a 400. "
    "Answer every tool_use block, or set `disable_parallel_tool_use`"
)
SWALLOWED = (
    "When something fails before this result is written, the handler goes on without one: the call stays unanswered, and "
    "the next request is a 400. Write a result with `is_error` there, or in `finally`"
)
HOW = {
    "skipped": (
        "A tool call that is left out here gets no tool_result: the next request is a 400. "
        "Answer it too, with `is_error`"
    ),
    "left": (
        "Leaving the loop over the blocks here leaves the calls behind it without a tool_result: the next request is a "
        "400. Answer every tool_use block first"
    ),
    "asked": (
        "This request is made for each tool_use block with the result of that block alone: the others in the turn before are "
        "unanswered, which is a 400. Collect all results, and ask once behind the loop"
    ),
    "raises": (
        "When this raises, the history keeps the tool_use turn without its results, and every later request is a 400. "
        "Catch it and answer with `is_error`, or keep the turn together with its results"
    ),
    "swallowed": SWALLOWED,
    "interrupted": (
        "When Ctrl-C comes while a tool of this turn runs, a handler goes on with a history that ends with its calls: every "
        "later request is a 400. Answer the open calls where the tools run, or take the turn back in the handler"
    ),
    "cut": (
        "The history is cut by position, and tool results are in it: the cut may fall between a tool_use and its result, "
        "and then every request is a 400. Cut in front of a user message that answers no call"
    ),
}


CONVERTED = {
    "swallowed": SWALLOWED,
    "first": (
        "Only one of the turn's `tool_calls` becomes a tool_use block: the others, and their results, are lost, or answer "
        "nothing (400). Convert every call"
    ),
    "together": (
        "The tool calls and their results stand in one assistant turn: no user turn answers the calls, and the request is a "
        "400. Put the results into the user turn behind it"
    ),
    "shape": (
        "The content of this tool_result is a dict: the API takes a string or a list of blocks and rejects the request, so "
        "that the call stays unanswered. Write it as text"
    ),
}


def tool_result_missing(event: TurnAppended | CallLost | Converted) -> Report | None:
    """A tool call can stay without its result."""
    if isinstance(event, Converted):
        message = CONVERTED.get(event.what)
        return Report(event.where, message, "calls without results", profile="strict") if message else None
    if isinstance(event, CallLost):
        if event.request.one_tool and event.how in ("skipped", "left", "asked"):
            return None
        label = "cuts calls from their results" if event.how == "cut" else "a call without its result"
        return Report(event.where, HOW[event.how], label, request=event.request, in_owner=event.how != "cut")
    where = _chosen(event)
    requests = [request for request in event.answered if not request.one_tool and request.tools is not False]
    if where is None or not requests:
        return None
    # whoever makes a request that is not in view may have switched parallel calls off
    unseen = all(request.surface == "unknown" for request in requests) and not _filtered(event)
    label = "the one call that is answered"
    return Report(where, PICKED, label, request=requests[0], in_owner=True, profile="strict" if unseen else None)


def _chosen(event: TurnAppended) -> Where | None:
    """Where the only block that the turn answers was picked, or others were filtered out."""
    filtered = _filtered(event)
    if filtered is not None:
        return filtered
    infos = [atom.info for atom in event.turn.answers if isinstance(atom.info, BlockInfo)]
    if len({info.picked for info in infos}) != 1 or event.turn.blocks != ("tool_result",) or event.many:
        return None
    before = event.before[-1] if event.before else None
    if before is None or before.role != "assistant" or not before.owners or before.how == "rebuilt":
        return None
    return infos[0].picked or (infos[0].where if infos[0].position is not None else None)


def _filtered(event: TurnAppended) -> Where | None:
    """Where calls beside the answered ones were filtered out; what one filter leaves, another one may take."""
    lost = {atom.info.lost for atom in event.turn.answers if isinstance(atom.info, BlockInfo)}
    return lost.pop() if len(lost) == 1 else None
