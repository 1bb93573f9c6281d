"""Types of blocks and events: what a test of them leaves."""

from __future__ import annotations

from typing import cast

from stoplint import sdk
from stoplint.check.values import UNKNOWN, Atom, BlockInfo, Value, value

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


def is_tool_call(atom: Atom) -> bool:
    """A block that is certainly a client's tool call."""
    return atom.kind == "block" and isinstance(atom.info, BlockInfo) and atom.info.kinds == frozenset({"tool_use"})
