"""The ways that one expression may come out, where they tell different things of a response.

A helper that gives the text for `end_turn` and None for the rest says with what it gives which of them it was.  Joining
the two would lose that, and an expression has but one state to go on with.  So the statement around it is run once for
each way: the expression comes out the first way, then, from the state before the statement, the second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from stoplint.check.knowledge import START, ListObj, State
from stoplint.check.run import Stop
from stoplint.check.values import Value, union

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from stoplint.check.run import Run
    from stoplint.check.values import Atom, Token, Where

T = TypeVar("T")
Ends: TypeAlias = list[tuple[Value, State]]
"""What an expression may be, each with the state in which it is."""

MAX_RUNS = 4
"""How often one statement is run at most; ways beyond that are joined."""


@dataclass(slots=True)
class Ways:
    """The partings of a statement, some with one way only: where each is, with the ends of each of its ways, and which way is gone this time;
    how many were met so far, and how often the statement has been run.
    """

    taken: list[int] = field(default_factory=list)
    partings: list[tuple[Where, list[Ends]]] = field(default_factory=list)
    met: int = 0
    runs: int = 1

    def part(self, where: Where, groups: list[Ends]) -> Ends | None:
        """The way to go at the next parting; None where there is no room for another."""
        if self.met < len(self.taken):
            return self.known(where)
        runs = len(groups)
        for _, others in self.partings:
            runs *= len(others)
        if runs > MAX_RUNS:
            return None
        self.taken.append(0)
        self.partings.append((where, [[(val, end.copy()) for val, end in group] for group in groups]))
        self.met += 1
        return groups[0]

    def known(self, where: Where) -> Ends | None:
        """The way to go at a parting that was met in an earlier run; None where it is none."""
        if self.met == len(self.taken) or self.partings[self.met][0] != where:
            return None
        group = self.partings[self.met][1][self.taken[self.met]]
        self.met += 1
        return [(val, end.copy()) for val, end in group]

    def again(self) -> bool:
        """Turn to the next way; False when all have been gone."""
        self.met = 0
        while self.taken and self.taken[-1] + 1 == len(self.partings[-1][1]):
            self.taken.pop()
            self.partings.pop()
        if not self.taken or self.runs == MAX_RUNS:
            return False
        self.runs += 1
        self.taken[-1] += 1
        return True


def each_way(run: Run, state: State, go: Callable[[State], T]) -> list[T]:
    """What `go` makes of a state, once for each way that its expressions may come out.  Raises Stop where none ends."""
    if not run.max_depth:  # the survey enters no calls, and asks what there is, not when
        return [go(state)]
    outer, ways = run.ways, Ways()
    before = state.copy()
    found: list[T] = []
    run.ways = ways
    try:
        while True:
            try:  # noqa: SIM105 - once a statement: a context manager takes as long as the statement
                found.append(go(state))
            except Stop:
                pass
            if not ways.again():
                break
            state = before.copy()
    finally:
        run.ways = outer
    if not found:
        raise Stop
    return found


def come_out(run: Run, ends: Ends, state: State, at: int) -> Ends:
    """Let the expression at a place come out in one of its ways, or in all at once; return the ends of those, with
    `state` as they leave it.
    """
    kept = None
    if run.ways is not None:
        kept = run.ways.part(run.where(at), _told_apart(ends) if len(ends) > 1 else [ends])
    kept = ends if kept is None else kept
    state.become([end for _, end in kept])
    return kept


def came_out(run: Run, state: State, at: int) -> Value | None:
    """What the call at a place comes out as where the statement is run again, without looking into it once more."""
    kept = run.ways.known(run.where(at)) if run.ways is not None and run.ways.taken else None
    if kept is None:
        return None
    state.become([end for _, end in kept])
    return joined(kept)


def joined(ends: Ends) -> Value:
    """What a value may be that comes out in several ways."""
    return union(val for val, _ in ends)


def _told_apart(ends: Ends) -> list[Ends]:
    """The ends by what can be seen of their values; one group where that says nothing of any response."""
    groups: dict[frozenset[Hashable], Ends] = {}
    for val, end in ends:
        groups.setdefault(frozenset(_seen(atom, end) for atom in val), []).append((val, end))
    found = list(groups.values())
    known = [_known([end for _, end in group]) for group in found]
    pairs = [(bits, one[token]) for one in known[1:] for token, bits in known[0].items() if token in one]
    told = any(mine[0] != theirs[0] for mine, theirs in pairs)
    if not told and any(mine[1] != theirs[1] for mine, theirs in pairs):
        # Whether there is content decides over many things that are not worth it: a list of its blocks, for one.
        told = any(all(atom.kind == "const" for val, _ in group for atom in val) for group in found)
        told = told or len({_holds_reason(group) for group in found}) > 1
    return found if told else [ends]


def _holds_reason(ends: Ends) -> bool:
    """`text or f"no answer: {reason}"`: the reason goes along where there is no text, and only there."""
    return any(atom.kind in ("reason", "reason_like") for val, _ in ends for atom in val)


def _seen(atom: Atom, state: State) -> Hashable:
    """What a test of a value can see of an atom."""
    if atom.kind == "list":
        obj = state.heap.get(atom.ref)
        last = obj.last if isinstance(obj, ListObj) else frozenset()
        return ("list", START in last, bool(last - {START}))
    return (atom.kind, atom.ref if atom.kind in ("const", "object", "dict", "func", "class", "external") else "")


def _known(ends: list[State]) -> dict[Token, tuple[int, int]]:
    """The reasons and sizes of content that are possible at any of these ends, for the responses known at all of them."""
    found: dict[Token, tuple[int, int]] = {}
    for token in ends[0].know:
        known = [end.know.get(token) for end in ends]
        here = [one for one in known if one is not None]
        if len(here) == len(known):
            remaining = content = 0
            for one in here:
                remaining, content = remaining | one.remaining, content | one.content
            if all(one.exposed for one in here):
                remaining = 0  # it is no longer asked for
            found[token] = (remaining, content)
    return found
