"""Types of blocks and events: what a test of them leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from stoplint import sdk
from stoplint.check.knowledge import DictObj
from stoplint.check.values import UNKNOWN, Atom, BlockInfo, Token, Value, Where, Whole, value
from stoplint.reasons import CONTEXT_WINDOW, MAX_TOKENS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from stoplint.check.knowledge import Obj, State

CUT = MAX_TOKENS | CONTEXT_WINDOW
"""The reasons for which a tool call may be cut off."""

API_KINDS = frozenset(kind for kind, _ in sdk.STEPS) - {"anthropic"}

TELLING = (API_KINDS - {"text", "tool_input"}) | {"partial", "dump", "reason_like", "test"}
"""Kinds that mean something to a caller.  Text alone does not: without its reason it has been judged in the function that
let it go."""

BLOCK_UNIVERSE = frozenset({*sdk.BLOCK_CLASSES.values(), "other"})
EVENT_UNIVERSE = frozenset(sdk.EVENT_TYPES)


def meet(now: Value, left: Value) -> Value | None:
    """What is left of a value that earlier tests have narrowed already; None when the two do not speak of one thing."""
    kinds = {(atom.kind, atom.ref): kinds_of(atom) for atom in left}
    if not all((atom.kind, atom.ref) in kinds for atom in now):
        return now & left or None
    met: set[Atom] = set()
    for atom in now:
        mine, theirs = kinds_of(atom), kinds[atom.kind, atom.ref]
        if mine is None or theirs is None:
            met |= _with_kinds(atom, theirs) if theirs is not None else {atom}
        else:
            met |= _with_kinds(atom, mine & theirs)
    return frozenset(met)


def kinds_of(atom: Atom) -> frozenset[str] | None:
    """The types that a block or event may have; None: any."""
    found = atom.info.kinds if isinstance(atom.info, BlockInfo) else atom.info
    return found if isinstance(found, frozenset) else None


def narrowing(
    path: str, owners: Value, wanted: frozenset[str], universe: frozenset[str], *, exact: bool, negated: bool
) -> Value:
    """A test that narrows the blocks or events kept at `path` to the types in `wanted`."""
    when_true: Value = UNKNOWN
    when_false: Value = UNKNOWN
    for owner in owners:
        old = owner.info.kinds if isinstance(owner.info, BlockInfo) else owner.info
        kinds = old if isinstance(old, frozenset) else universe
        when_true |= _with_kinds(owner, kinds & wanted)
        when_false |= _with_kinds(owner, kinds - wanted if exact else kinds)
    if negated:
        when_true, when_false = when_false, when_true
    return value(Atom("path_test", path, (owners, when_true, when_false)))


def _with_kinds(owner: Atom, kinds: frozenset[str]) -> Value:
    if not kinds:
        return UNKNOWN
    if isinstance(owner.info, BlockInfo):
        return value(Atom(owner.kind, owner.ref, owner.info._replace(kinds=kinds)))
    if owner.kind == "event":
        return value(Atom(owner.kind, owner.ref, kinds))
    return value(Atom(owner.kind, owner.ref, BlockInfo(None, kinds, None)))


def sides(test: Atom) -> tuple[Value, Value, Value]:
    """Of a "path_test": the value when it was made, what is left of it where the test is true, and where it is false."""
    return cast("tuple[Value, Value, Value]", test.info)


def put_by(val: Value, state: State) -> Value:
    """A value as a list, dict or object keeps it: tool calls stay whole that were put there after a test of the reason."""
    if not any(atom.kind in ("tool_input", "block") for atom in val):
        return val
    return frozenset(_put_by(atom, state) for atom in val)


def _put_by(atom: Atom, state: State) -> Atom:
    known = state.know.get(atom.ref) if isinstance(atom.ref, Token) else None
    if known is None or known.remaining & CUT:
        return atom
    if atom.kind == "tool_input" and not isinstance(atom.info, Whole):
        return Atom("tool_input", atom.ref, Whole(atom.info if isinstance(atom.info, Where) else None))
    if is_tool_call(atom) and isinstance(atom.info, BlockInfo):
        return Atom("block", atom.ref, atom.info._replace(whole=True))
    return atom


def input_of(atom: Atom, where: Where) -> Value:
    """The input of a block that may be a tool call, read off it at `where`; none of another block."""
    info = atom.info if isinstance(atom.info, BlockInfo) else BlockInfo()
    if info.kinds is not None and "tool_use" not in info.kinds:
        return UNKNOWN
    taken = info.where or where
    return value(Atom("tool_input", atom.ref, Whole(taken) if info.whole else taken))


def is_whole(atom: Atom) -> bool:
    """Whether a tool call, or its input, is known to be whole whatever is possible now."""
    return isinstance(atom.info, Whole) or (isinstance(atom.info, BlockInfo) and atom.info.whole)


def is_tool_call(atom: Atom) -> bool:
    """A block that is certainly a client's tool call."""
    return atom.kind == "block" and isinstance(atom.info, BlockInfo) and atom.info.kinds == frozenset({"tool_use"})


CALL_WORDS = frozenset({"block_name", "block_id"})


def with_reason(held: AbstractSet[Atom]) -> bool:
    """Text and reason side by side: who takes the one has to look at the other."""
    return {"text", "reason"} <= {atom.kind for atom in held}


def is_call(obj: Obj | None) -> bool:
    """A tool call of the program's own kind: what has the input of one, and its name or id beside it."""
    fields = [{atom.kind for atom in val} for _, val in obj.items] if isinstance(obj, DictObj) else []
    return any("tool_input" in kinds for kinds in fields) and any(kinds & CALL_WORDS for kinds in fields)


def entered(val: Value) -> Value:
    """What `with val as x` binds."""
    found: set[Atom] = set()
    for atom in val:
        following = sdk.STEPS.get((atom.kind, "with"))
        if following is not None:
            found.add(Atom(following, atom.ref))
        elif atom.kind == "iterator" and isinstance(atom.info, frozenset):
            found |= atom.info
        elif atom.kind in ("object", "symbol"):
            found.add(atom)
    return frozenset(found)
