"""Many answers of one request site: what a filter or a loop finds out of each is known of those that are left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.flow_cond import split
from stoplint.check.flow_core import Arguments, call
from stoplint.check.flow_escape import reach
from stoplint.check.flow_lists import iterate
from stoplint.check.values import UNKNOWN, Atom, Token, Value, value

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from stoplint.check.knowledge import Knowledge, State
    from stoplint.check.run import Run


def filtered(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    """`filter(is_complete, answers)`."""
    items, asked = iterate(run, arguments.get(1) or UNKNOWN, state), arguments.get(0) or UNKNOWN
    if any(atom.kind in ("func", "partial") for atom in asked):
        passed, _ = split(run, call(run, asked, Arguments((items,)), state, at), None, state)
        state.become(passed)
    return value(Atom("iterator", run.token(at), items))


ONES = frozenset({"message", "batch_item", "batch_result"})


def keep_learned(run: Run, items: Value, paths: Sequence[State], state: State) -> None:
    """Behind a comprehension over answers: the reasons that they may have on its paths, which are those that it kept."""
    tokens = {atom.ref for atom in reach(run, items, state, 2) if atom.kind in ONES}
    for token in state.know.keys() & tokens:
        left = 0
        for path in paths:
            left |= path.know[token].remaining if token in path.know else 0
        state.know[token] = state.know[token].narrowed(left) or state.know[token]


def without_unvisited(over: Iterable[Hashable], begun: Mapping[Token, Knowledge], after: list[State]) -> list[State]:
    """Behind a loop over answers that found something out of each: the path on which there were none is no path to what
    is done with them.
    """
    for token in over:
        before = begun.get(token) if isinstance(token, Token) else None
        if before is None or not isinstance(token, Token):
            continue
        visited = [state for state in after if token not in state.know or state.know[token] != before]
        narrowed = any(token in state.know and state.know[token].remaining != before.remaining for state in visited)
        after = visited if narrowed else after
    return after


def set_aside(run: Run, val: Value, at: int, state: State) -> Value:
    """An answer that a loop puts into a collection is no longer the one that the loop is at: what is known of it stays
    true when the next one comes.
    """
    if not run.frame.loops:
        return val
    found: set[Atom] = set()
    for atom in val:
        known = state.know.get(atom.ref) if atom.kind == "message" and isinstance(atom.ref, Token) else None
        if known is None or not isinstance(atom.ref, Token) or atom.ref.mode == ASIDE:
            found.add(atom)
            continue
        token = Token(run.site(at), atom.ref.path, ASIDE)
        run.tracks.setdefault(token, run.tracks[atom.ref])
        before = state.know.get(token)
        state.know[token] = known if before is None else before.join(known)
        found.add(atom._replace(ref=token))
    return frozenset(found)


ASIDE = "aside"
