"""How a request relates to the turns before it.  Pure: the turns are looked up by the caller's function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stoplint.trace import canonical, digest
from stoplint.trace.answer import PAUSED, TRUNCATED
from stoplint.trace.request import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import TypeAlias

    from stoplint.trace.chains import Chain, TurnState
    from stoplint.trace.records import Relation
    from stoplint.trace.request import RequestView

    Find: TypeAlias = Callable[[Hashable], TurnState | None]
    Over: TypeAlias = Callable[[Chain], bool]

_ADDED_LIMIT: Final = 4
"""How many added blocks at the end of a user turn are looked past to find the request it was before."""
_WHITE_SPACE: Final = b" \n\r\t"
_DISTINCT: Final = 48
"""Characters from which on an answer and the user turn before it name a turn."""
_NAMES_ITSELF: Final = 400
"""Characters from which on an answer alone does."""


class Decision(NamedTuple):
    """`parent` is the turn the relation is to.  `changed` names what a changed retry changed, `echoed` whether the
    request holds the parent's answer, `rebuilt` whether it holds it altered, `extended` whether the request is the
    parent's own with something added to its user turn.  `switched` are the parameters that differ from the parent's.
    """

    relation: Relation
    parent: TurnState | None
    changed: tuple[str, ...] = ()
    echoed: bool = False
    rebuilt: bool = False
    extended: bool = False
    switched: tuple[str, ...] = ()


NEW: Final = Decision("new", None)


def decide(view: RequestView, find: Find, over: Over) -> Decision:
    """The relation of a request.  `find` knows the turns, `over` says of a chain whether nothing was going on in it.

    The definitions decide; the order of evidence (thread id, answered tool_use ids, digests) only says which turn is
    the parent.  The same conversation again comes first: it is a retry whatever it answers.
    """
    if not view.readable:
        return NEW
    retried = find(view.key)
    if (
        retried is not None
        and (view.tail.user.kinds or view.ends_with_assistant or view.thread)
        and _again(view, retried, find, over)
    ):
        return _retry(view, retried)
    parent = find(view.parent_key) if view.point is not None and not view.tail.user.results else None
    exact = parent is not None
    if parent is None:
        parent = _parent(view, find)
    if parent is None:
        return _extension(view, find, over)
    sibling = _sibling(parent, find)
    if sibling is not None and not sibling.failed:
        return _beside(view, parent, sibling, find, over)
    return _onward(view, parent, exact=exact)


def _again(view: RequestView, retried: TurnState, find: Find, over: Over) -> bool:
    """Whether a request with the messages of `retried` is another try at it.

    A program that runs twice asks everything twice.  What was carried on is not asked again because of its answer, nor
    is what was left long ago; and where the turn before is of another run, so is the request.
    """
    if retried.carried_on or over(retried.chain):
        return False
    before = find(view.parent_key) if view.parent_key is not None else _shorter(view, find, over)
    return before is None or before.chain is retried.chain


def _retry(view: RequestView, parent: TurnState) -> Decision:
    different = changed(parent.parameters, view.parameters)
    return Decision("retry_changed" if different else "retry_unchanged", parent, changed=different, switched=different)


def _parent(view: RequestView, find: Find) -> TurnState | None:
    if view.previous_id is not None:
        return find(view.previous_id)
    tail = view.tail
    for identity, _ in tail.user.results:
        found = find(identity)
        if found is not None:
            return found
    if view.point is None:
        return None
    found = find(view.parent_key) if tail.user.results else None
    if found is None:
        key = loose_key(tail.assistant, tail.before, tail.opening)
        found = find(key) if key is not None else None
    return found


def loose_key(assistant: canonical.Scan, before: canonical.Scan, opening: tuple[str, ...]) -> int | None:
    """A key for an assistant turn that survives an edited echo: thinking dropped, blocks joined, white space changed.
    Made of all of its text and the tool_use ids; None where there is neither.

    An application that trims a history keeps the last answer, and mostly what was asked before it.  So the shorter
    an answer is, the more of what stands before it has to be the same: few people write a page twice, many answers
    are "Done." and in a batch of extractions many are the same JSON.
    """
    texts, tool_ids = assistant.texts, assistant.tool_ids
    text = texts[0] if len(texts) == 1 else "".join(texts)
    # Where blocks were joined, the white space between them is the application's.
    words = text.encode("utf-8", "surrogatepass").translate(None, _WHITE_SPACE)
    if tool_ids or len(words) >= _NAMES_ITSELF:
        return hash((words, tool_ids))
    if len(words) >= _DISTINCT:
        return hash((words, before.blocks))
    return hash((words, before.blocks, opening)) if words else None


def _onward(view: RequestView, parent: TurnState, *, exact: bool = False) -> Decision:
    """`exact` is whether the parent was found by all of its content."""
    blocks = view.tail.assistant.blocks
    rebuilt = (
        not exact
        and view.previous_id is None
        and bool(blocks)
        and parent.exact
        and hash(blocks) not in parent.answer_keys
    )
    switched = () if parent.parameters == view.parameters else changed(parent.parameters, view.parameters)
    relation = _onward_relation(view, parent)
    retry = relation == "retry_unchanged" and bool(switched)
    if retry:
        relation = "retry_changed"
    return canonical.made(Decision, (relation, parent, switched if retry else (), True, rebuilt, False, switched))


def _onward_relation(view: RequestView, parent: TurnState) -> Relation:
    reason = parent.stop_reason
    if reason in PAUSED:
        return "resume"
    if view.ends_with_assistant or not view.tail.user.kinds:
        # Nothing new stands after the answer: a truncated one is carried on, a finished one sent back.
        return "continue" if reason in TRUNCATED or reason == "stop_sequence" else "retry_unchanged"
    if view.tail.user.results and parent.tool_ids:
        return "tool_result"
    return "continue" if reason in TRUNCATED else "reply"


def _sibling(parent: TurnState, find: Find) -> TurnState | None:
    """The last request that carried the parent on, in its last try."""
    sibling = parent.child
    if sibling is None:
        return None
    latest = find(sibling.request_key)
    return sibling if latest is None or latest.chain is not sibling.chain else latest


def _beside(view: RequestView, parent: TurnState, sibling: TurnState, find: Find, over: Over) -> Decision:
    """The parent was carried on before, by `sibling`, whose answer is not in this request.

    More said after an answer that could not be used is another try at the same step, and so are other words where the
    answer asked for them.  Else it is another branch.
    """
    if view.tail.user.kinds:
        tried = _shorter(view, find, over)
        if tried is not None and tried.chain is parent.chain and _bad(tried):
            return _tried_again(view, tried, extended=True)
        if _asks_for_other_words(view, sibling) and not sibling.carried_on and not over(sibling.chain):
            return _tried_again(view, sibling, extended=False)
    return _onward(view, parent)._replace(relation="fork", changed=())


def _bad(turn: TurnState) -> bool:
    return turn.empty or turn.stop_reason in TRUNCATED or turn.stop_reason in PAUSED or turn.stop_reason == "refusal"


def _asks_for_other_words(view: RequestView, turn: TurnState) -> bool:
    """Whether another question instead of the one of `turn` is likely to be the same one put in another way.  After an
    answer that was cut it is so where the limit was raised too: of many questions to one document some are cut.
    """
    if turn.stop_reason == "max_tokens":
        return (view.parameters.max_tokens or 0) > (turn.parameters.max_tokens or 0)
    return turn.empty or turn.stop_reason == "refusal"


def _tried_again(view: RequestView, sibling: TurnState, *, extended: bool) -> Decision:
    switched = changed(sibling.parameters, view.parameters)
    if sibling.empty and extended:
        return Decision("reply", sibling, extended=True, switched=switched)
    return Decision("retry_changed", sibling, changed=("messages", *switched), extended=extended, switched=switched)


def _key_without(view: RequestView, added: int) -> int:
    return digest.request_key(view.tail, view.parent_key, view.parameters.system, without=added)


def _shorter(view: RequestView, find: Find, over: Over) -> TurnState | None:
    """The turn that this request is with more said in it: not one that was carried on by its answer."""
    for added in range(1, min(_ADDED_LIMIT, len(view.tail.user.blocks) - 1) + 1):
        found = find(_key_without(view, added))
        if found is not None:
            return None if over(found.chain) or (found.carried_on and not found.empty) else found
    return None


def _extension(view: RequestView, find: Find, over: Over) -> Decision:
    """The opening turn again, with more said in it."""
    found = None if view.thread else _shorter(view, find, over)
    return NEW if found is None else _tried_again(view, found, extended=True)
