"""The rules as the tracer sees them: one small pure function a code, from what a request shows to a message or None.

Messages hold reasons, counts and parameter names only, never text of the conversation.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from stoplint.trace.answer import TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stoplint.findings import Profile, Severity
    from stoplint.trace.canonical import Scan
    from stoplint.trace.chains import TurnState
    from stoplint.trace.relation import Decision
    from stoplint.trace.request import RequestView

CONTINUATION_LIMIT: Final = 10
"""SL209: how many continuations of one kind in a row are still bounded."""


class Rule(NamedTuple):
    """The head of a rule's page.  Kept here too, as the pages must not be read in the host's requests."""

    name: str
    severity: Severity
    profile: Profile


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "SL101": Rule("stop-reason-ignored", "error", "default"),
        "SL102": Rule("stop-reason-unhandled", "warning", "default"),
        "SL103": Rule("truncated-tool-call", "error", "default"),
        "SL201": Rule("text-after-tool-result", "warning", "default"),
        "SL202": Rule("text-before-tool-result", "error", "default"),
        "SL203": Rule("empty-turn-retried", "error", "default"),
        "SL204": Rule("completed-turn-resent", "error", "default"),
        "SL205": Rule("pause-turn-altered", "error", "default"),
        "SL206": Rule("truncated-turn-dropped", "warning", "default"),
        "SL207": Rule("same-limit-retry", "error", "default"),
        "SL208": Rule("refusal-resent", "error", "default"),
        "SL209": Rule("unbounded-continuation", "warning", "default"),
        "SL210": Rule("tool-result-missing", "error", "default"),
        "SL211": Rule("split-tool-results", "warning", "default"),
        "SL212": Rule("empty-turn-kept", "warning", "strict"),
        "SL213": Rule("rebuilt-turn", "warning", "strict"),
    }
)


class Evidence(NamedTuple):
    """A request beside the turn it relates to.  `parent` is `decision.parent`; `streak` how many turns in a row,
    this one included, carried the chain on in the same way.
    """

    view: RequestView
    decision: Decision
    parent: TurnState | None
    streak: int

    @property
    def retried(self) -> bool:
        """The parent's request again, without its answer."""
        return self.parent is not None and not self.decision.echoed and self.decision.relation != "reply"


def truncated_tool_call(seen: Evidence) -> str | None:
    parent = seen.parent
    if parent is None or not parent.tool_ids or parent.stop_reason not in TRUNCATED:
        return None
    answered = [identity for identity, is_error in seen.view.tail.user.results if not is_error]
    if not any(identity in parent.tool_ids for identity in answered):
        return None
    return (
        f"a tool_result answers a tool_use of an answer cut at {parent.stop_reason}: its input may be incomplete; "
        "send the request again with a higher max_tokens instead of running the tool"
    )


def text_after_tool_result(seen: Evidence) -> str | None:
    messages = seen.view.tail.user.kinds
    last = max((number for number, kinds in enumerate(messages) if "tool_result" in kinds), default=None)
    if last is None:
        return None
    kinds = messages[last]
    inside = "text" in kinds[len(kinds) - kinds[::-1].index("tool_result") :]
    # A message of its own is the remedy for an empty answer, so it counts only after the tool_use turn itself.
    beside = seen.decision.echoed and any("text" in later for later in messages[last + 1 :])
    if not inside and not beside:
        return None
    return "user text follows a tool_result: the model learns to end its turn empty; send the results alone"


def text_before_tool_result(seen: Evidence) -> str | None:
    kinds = [kind for message in seen.view.tail.user.kinds for kind in message]
    if "tool_result" not in kinds:
        return None
    before = next(
        (kind for kind in kinds[: len(kinds) - kinds[::-1].index("tool_result")] if kind != "tool_result"), ""
    )
    if not before:
        return None
    return f"a {before} block stands before a tool_result: the API answers 400; put the tool_results first"


def empty_turn_retried(seen: Evidence) -> str | None:
    parent = seen.parent
    if parent is None or not parent.empty or parent.stop_reason != "end_turn":
        return None
    if seen.decision.echoed and seen.view.tail.user.kinds:
        return None
    if not seen.decision.echoed and (not seen.retried or {"messages", "model"} & set(seen.decision.changed)):
        return None
    what = "the same messages go out again" if seen.decision.changed else "the request goes out again unchanged"
    return f"{what} after an empty answer: the model answers the same again; add a user message"


def completed_turn_resent(seen: Evidence) -> str | None:
    parent = seen.parent
    if parent is None or parent.stop_reason != "end_turn" or parent.empty:
        return None
    if not seen.decision.echoed or seen.view.tail.user.kinds:
        return None
    return "an answer that ended with end_turn is sent back with nothing new from the user; add a user message or stop"


def pause_turn_altered(seen: Evidence) -> str | None:
    parent = seen.parent
    if parent is None or parent.stop_reason != "pause_turn":
        return None
    if not seen.decision.echoed:
        what = "drops the paused assistant content"
    elif seen.view.tail.user.kinds:
        what = "adds user content"
    elif seen.decision.rebuilt:
        what = "changes the paused assistant content"
    elif "tools" in seen.decision.switched and not seen.view.thread:
        what = "changes the tools"
    else:
        return None
    return f"the request after a pause_turn {what}; send the paused content back unchanged, with the same tools and nothing else"


def truncated_turn_dropped(seen: Evidence) -> str | None:
    parent = seen.parent
    # A cut tool call cannot be sent back: its turn has to be dropped.
    if parent is None or parent.stop_reason not in TRUNCATED or parent.tool_ids or not seen.decision.extended:
        return None
    return (
        f"the conversation goes on after {parent.stop_reason} without the partial answer: the model starts anew; "
        "keep the partial assistant turn in the messages"
    )


def same_limit_retry(seen: Evidence) -> str | None:
    parent = seen.parent
    if parent is None or parent.stop_reason != "max_tokens" or not seen.retried or seen.decision.changed:
        return None
    limit = seen.view.parameters.max_tokens
    return f"the same request goes out again with max_tokens={limit}, which cut it before; raise the limit or continue"


def refusal_resent(seen: Evidence) -> str | None:
    parent = seen.parent
    if parent is None or parent.stop_reason != "refusal" or "model" in seen.decision.switched:
        return None
    if not seen.decision.echoed and "messages" in seen.decision.changed:
        return None
    return "a refused conversation goes to the same model again; take the refused turn out or use another model"


def unbounded_continuation(seen: Evidence) -> str | None:
    # Said once, when the limit is passed, not with every turn after it.
    if seen.streak != CONTINUATION_LIMIT + 1:
        return None
    return f"more than {CONTINUATION_LIMIT} turns in a row of the same kind ({seen.decision.relation}); bound the loop"


def tool_result_missing(seen: Evidence) -> str | None:
    tail = seen.view.tail
    expected = tail.assistant.tool_ids
    if seen.view.thread and not expected and seen.parent is not None and seen.decision.echoed:
        expected = seen.parent.tool_ids
    if not expected or not tail.user.kinds:
        return None
    answered = {identity for identity, _ in tail.user.results}
    missing = sum(identity not in answered for identity in expected)
    if not missing:
        return None
    return f"{missing} of {len(expected)} tool_use blocks have no tool_result in the next user message: the API answers 400"


def split_tool_results(seen: Evidence) -> str | None:
    holding = sum("tool_result" in kinds for kinds in seen.view.tail.user.kinds)
    if holding < 2:
        return None
    return f"the results of one turn's tools come in {holding} user messages; put them into one"


def empty_turn_kept(seen: Evidence) -> str | None:
    assistant = seen.view.tail.assistant
    if not assistant.kinds:
        return None
    # As the last message the API takes it.
    if seen.view.tail.user.kinds and _has_blank_message(assistant):
        return "an assistant turn without content is kept in the messages: later requests are refused; leave it out"
    if seen.parent is not None and seen.parent.stop_reason == "refusal" and seen.decision.echoed:
        return "a refused assistant turn is kept in the messages; leave it out"
    return None


def _has_blank_message(turn: Scan) -> bool:
    """Whether one of a turn's messages holds nothing, or empty texts only.  A tool call beside one is content."""
    start = 0
    for kinds in turn.kinds:
        end = start + len(kinds)
        if not any(turn.blocks[start:end]):
            return True
        start = end
    return False


def rebuilt_turn(seen: Evidence) -> str | None:
    parent = seen.parent
    if parent is None or not seen.decision.echoed:
        return None
    # The API gives some fields as null itself; those come back with any faithful echo.
    if seen.view.tail.assistant.nulls > parent.nulls:
        return "the assistant turn is sent back with null fields, as model_dump() writes them; send response.content"
    if not seen.decision.rebuilt or parent.stop_reason == "pause_turn":
        return None
    if not (seen.view.thinking or seen.view.has_tools or parent.tool_ids):
        return None
    return "the assistant turn is sent back changed while thinking or tools are on; send response.content as it came"


IN_REQUEST: Final[Mapping[str, Callable[[Evidence], str | None]]] = MappingProxyType(
    {
        "SL201": text_after_tool_result,
        "SL202": text_before_tool_result,
        "SL210": tool_result_missing,
        "SL211": split_tool_results,
        "SL212": empty_turn_kept,
        "SL213": rebuilt_turn,
    }
)
"""What the request itself shows.  Not asked again for the same request sent again."""

AFTER_TURN: Final[Mapping[str, Callable[[Evidence], str | None]]] = MappingProxyType(
    {
        "SL103": truncated_tool_call,
        "SL203": empty_turn_retried,
        "SL204": completed_turn_resent,
        "SL205": pause_turn_altered,
        "SL206": truncated_turn_dropped,
        "SL207": same_limit_retry,
        "SL208": refusal_resent,
        "SL209": unbounded_continuation,
    }
)
"""What only the turn before gives a meaning."""


def unremarkable(view: RequestView, decision: Decision, streak: int) -> bool:
    """Whether a request is so plain that no rule can have a word on it: an opening, text after a finished answer, or the
    results of exactly the tools that the turn before asked for.
    """
    user, assistant, parent = view.tail.user, view.tail.assistant, decision.parent
    if not user.kinds or assistant.nulls or decision.rebuilt or () in assistant.kinds or "" in assistant.blocks:
        return False
    if user.results or assistant.tool_ids:
        answered = tuple([identity for identity, _ in user.results])
        if len(user.kinds) != 1 or len(answered) != len(user.kinds[0]) or answered != assistant.tool_ids:
            return False
        expected = "tool_use" if decision.echoed else None
    else:
        expected = "end_turn"
    if parent is None:
        return expected == "end_turn"
    return parent.stop_reason == expected and not parent.empty and streak <= CONTINUATION_LIMIT


def of_request(seen: Evidence) -> list[tuple[str, str]]:
    """The codes and messages of all findings on a request, in the order of the codes."""
    found = []
    tail = seen.view.tail
    if (tail.assistant.kinds or tail.user.results) and not seen.retried:
        found += [(code, message) for code, rule in IN_REQUEST.items() if (message := rule(seen)) is not None]
    if seen.parent is not None:
        found += [(code, message) for code, rule in AFTER_TURN.items() if (message := rule(seen)) is not None]
    found.sort()
    return found


def unhandled(stop_reason: str | None, *, branch: bool = False) -> str:
    """SL102, said of each open end of a chain that is over.  A forced tool call is none: that is how structured data
    is asked for, its input is the result, and nothing has to follow.
    """
    what = "a branch of the conversation" if branch else "the conversation"
    return f"{what} ended on {stop_reason} and nothing carried it on"


def ignored(stop_reason: str | None) -> str:
    """SL101, said when a response died unread."""
    return f"the content was read and stop_reason ({stop_reason}) never was; look at it before using the answer"


def profile_of(code: str, relation: str) -> Profile:
    """The profile a finding is reported under.  A long tool loop is only worth a word in the strict one."""
    return "strict" if code == "SL209" and relation == "tool_result" else RULES[code].profile
