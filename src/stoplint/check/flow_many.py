"""Many answers of one request site: what a filter or a loop finds out of each is known of those that are left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.flow_cond import split
from stoplint.check.flow_core import Arguments, call_perhaps
from stoplint.check.flow_lists import iterate
from stoplint.check.values import UNKNOWN, Atom, Token, Value, ordered, value

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from stoplint.check.knowledge import Knowledge, State
    from stoplint.check.run import Run

ASIDE = "aside"
"""With what it was before the mode of the token of an answer that was put into a collection."""


def filtered(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    """`filter(is_complete, answers)`."""
    items, asked = iterate(run, arguments.get(1) or UNKNOWN, state), arguments.get(0) or UNKNOWN
    if any(atom.kind in ("func", "partial") for atom in asked):
        other = state.copy()
        passed, _ = split(run, call_perhaps(run, asked, Arguments((items,)), other, at), None, other)
        items = frozenset().union(*(set_aside(run, items, at, one, state) for one in passed)) or items
    return value(Atom("iterator", run.token(at), items))


def as_kept(run: Run, values: Sequence[Value], paths: Sequence[State], at: int, state: State) -> list[Value]:
    """What a comprehension over answers holds (`values`, one after the other for each of its paths): the answers that it
    kept are those of which its paths know what they know, and their texts are used with that.
    """
    found: list[Value] = []
    each = len(values) // len(paths) if paths else 0
    for number, val in enumerate(values):
        path = paths[number // each]
        for atom in ordered(val):
            if atom.kind == "text" and _narrower(atom, path, state):
                run.use_complete(atom, at, path)
        narrowed = any(atom.kind == "message" and _narrower(atom, path, state) for atom in val)
        found.append(set_aside(run, val, at, path, state) if narrowed else val)
    return found


def _narrower(atom: Atom, path: State, state: State) -> bool:
    here, there = (one.know.get(atom.ref) if isinstance(atom.ref, Token) else None for one in (path, state))
    return here is not None and there is not None and here.remaining != there.remaining


def without_unvisited(over: set[Hashable], begun: Mapping[Token, Knowledge], after: Sequence[State]) -> None:
    """Behind a loop over answers that found something out of each: where there were none, nothing is used either, so that
    path may know the same of them.
    """
    for token, before in sorted(begun.items()):
        if token not in over:
            continue
        visited = [
            state.know[token] for state in after if token in state.know and not state.facts.get(_unvisited(token))
        ]
        left = 0
        for one in visited:
            left |= one.remaining
        for state in after:
            known = state.know.get(token)
            if (
                left
                and known is not None
                and state.facts.get(_unvisited(token))
                and known.remaining == before.remaining
            ):
                state.know[token] = known.narrowed(left) or known


def note_unvisited(items: Value, past: State) -> None:
    """A path on which a loop over answers had no round: a fact, so that it is lost where paths meet."""
    past.facts.update((_unvisited(atom.ref), True) for atom in items if atom.kind == "message")


def _unvisited(token: Hashable) -> frozenset[Hashable]:
    return frozenset({("unvisited", token)})


def set_aside(run: Run, val: Value, at: int, known: State, state: State) -> Value:
    """An answer that a loop or a comprehension puts into a collection is no longer the one that is at hand: what is
    `known` of it stays true of it in `state` when the next one comes.
    """
    found: set[Atom] = set()
    for atom in val:
        now = known.know.get(atom.ref) if atom.kind == "message" and isinstance(atom.ref, Token) else None
        if now is None or not isinstance(atom.ref, Token) or atom.ref.mode.startswith(ASIDE):
            found.add(atom)
            continue
        old = atom.ref
        token = Token(run.site(at), old.path, f"{ASIDE} {old.site.module} {old.site.at} {old.mode}")
        run.tracks.setdefault(token, run.tracks[old])
        before = state.know.get(token)
        state.know[token] = now if before is None else before.join(now)
        found.add(atom._replace(ref=token))
    return frozenset(found)
