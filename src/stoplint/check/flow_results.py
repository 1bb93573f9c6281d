"""Results that a failing tool never gets: a handler goes on, and the call that the body would have answered stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.effects import mends
from stoplint.check.events import CallLost, Converted
from stoplint.check.knowledge import DictObj, ListObj
from stoplint.check.values import UNKNOWN, Atom, Token, text_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from stoplint.check import ir
    from stoplint.check.events import Event
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run
    from stoplint.check.values import Value, Where

BROAD = frozenset({"Exception", "BaseException", ""})


def note_result(run: Run, called: Value, at: int) -> None:
    """A tool_result is written; `called` is the id in it."""
    run.answers += [(atom, run.where(at)) for atom in called if atom.kind in ("symbol", "block_id")]


def note_handed(run: Run, given: Iterable[Atom]) -> None:
    """Code that may write a result gets hold of a call, or of what it belongs to."""
    run.handed += [_root(atom) for atom in given if atom.kind in ("symbol", "block", "block_id")]


def _root(atom: Atom) -> Hashable:
    ref = atom.ref
    while isinstance(ref, tuple) and not isinstance(ref, Token) and len(ref) == 3 and ref[0] in ("attr", "item"):
        ref = ref[1]
    return ref


class Body:
    """The body of a `try`, before and after it ran: which calls that were there before it does it answer?"""

    def __init__(self, run: Run, node: ir.Try, state: State) -> None:
        atoms = [a for val in state.env.values() for a in val if a.kind in ("symbol", "block")]
        self.known = run.tried.setdefault(run.where(node.at), frozenset(_root(atom) for atom in atoms))
        self.mending = mends(node)
        run.frame.mending += self.mending
        self.start = len(run.answers)
        self.answered: dict[Atom, set[Where]] = {}

    def close(self, run: Run) -> None:
        run.frame.mending -= self.mending
        for atom, where in run.answers[self.start :]:
            if _root(atom) in self.known:
                self.answered.setdefault(atom, set()).add(where)


def note_swallowed(run: Run, body: Body, names: frozenset[str], before: tuple[int, int]) -> None:
    """A handler of these classes has gone on; `before` it so many results were written and calls handed over."""
    if not names & BROAD:
        return
    answers, handed = before
    dealt = {_root(atom) for atom, _ in run.answers[answers:]} | set(run.handed[handed:])
    for atom, places in body.answered.items():
        if _root(atom) not in dealt:
            run.swallowed.append((atom, frozenset(places)))


def lost_results(run: Run) -> list[Event]:
    """What handlers have swallowed and nothing else answers."""
    found: dict[Event, None] = {}
    for atom, places in run.swallowed:
        if all(where in places for other, where in run.answers if other == atom):
            request, where = run.request_of(atom.ref), min(places)
            found[CallLost(request, where, "swallowed") if request is not None else Converted(where, "swallowed")] = (
                None
            )
    return list(found)


def holds_results(run: Run, atom: Atom, state: State) -> bool:
    """A list that was filled here with turns of tool results: whoever gets it may put them together."""
    obj = run.obj(state, atom.ref) if atom.kind == "list" else None
    if not isinstance(obj, ListObj):
        return False
    turns = (run.obj(state, member.ref) for member in obj.members if member.kind == "dict")
    contents = (turn.get("content") or UNKNOWN for turn in turns if isinstance(turn, DictObj) and turn.get("role"))
    listed = (run.obj(state, item.ref) for content in contents for item in content if item.kind == "list")
    blocks = (run.obj(state, one.ref) for held in listed if isinstance(held, ListObj) for one in held.members)
    return any(isinstance(one, DictObj) and text_of(one.get("type") or UNKNOWN) == "tool_result" for one in blocks)
