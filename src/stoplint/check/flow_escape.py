"""What leaves view: a value is returned, yielded, printed, stored or handed to code that cannot be read.

The stop reason or the whole response going out discharges every duty; text going out without them is a use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check.knowledge import ANY, DictObj, ListObj, State, changed
from stoplint.check.values import (
    BLOCK_KINDS,
    REASON_KINDS,
    RESPONSE_KINDS,
    UNKNOWN,
    Atom,
    BlockInfo,
    Token,
    Value,
    ordered,
    text_of,
    value,
)
from stoplint.reasons import tells_the_end

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Sequence

    from stoplint.check.run import Run

MAX_DEPTH = 5

STREAM_PARTS = frozenset({"event", "delta"})


def reach(run: Run, val: Value, state: State, depth: int = MAX_DEPTH) -> frozenset[Atom]:
    """Every atom that a value holds, itself and through lists, dicts and objects; assistant turns are not entered:
    sending content back to the API is not a use of it.
    """
    seen: set[Atom] = set()
    todo = [(atom, depth) for atom in val]
    while todo:
        atom, left = todo.pop()
        if atom in seen:
            continue
        seen.add(atom)
        if atom.kind == "iterator" and isinstance(atom.info, frozenset):
            todo += [(inner, left - 1) for inner in atom.info]
        if atom.kind not in ("list", "dict", "object") or not left:
            continue
        obj = run.obj(state, atom.ref)
        if isinstance(obj, ListObj):
            todo += [(inner, left - 1) for inner in obj.members]
        elif isinstance(obj, DictObj) and not is_assistant_turn(obj):
            todo += [(inner, left - 1) for _, item in obj.items for inner in item]
    return frozenset(seen)


def is_assistant_turn(obj: DictObj) -> bool:
    return text_of(obj.get("role") or UNKNOWN) == "assistant" or text_of(obj.get("type") or UNKNOWN) == "tool_result"


def exposes(atom: Atom) -> bool:
    """Whether an atom that goes out of view takes the stop reason along."""
    if (
        atom.kind in RESPONSE_KINDS
        or atom.kind in REASON_KINDS
        or atom.kind in ("batch_item", "batch_result", "runner")
    ):
        return True
    if atom.kind in STREAM_PARTS:
        types = atom.info if isinstance(atom.info, frozenset) else None
        return types is None or bool(types & sdk.LATE_EVENTS)
    return atom.kind == "batch_results" or _tells_the_end(atom)


def _tells_the_end(atom: Atom) -> bool:
    """A truth value that keeps a finished answer and a cut one apart: `complete=message.stop_reason == "end_turn"`."""
    return atom.kind == "test" and isinstance(atom.info, int) and tells_the_end(atom.info)


def escape(run: Run, val: Value, at: int, state: State, *, shown: bool = False) -> None:
    """A value leaves view.  `shown`: it is only displayed, which does not change lists and does not execute."""
    atoms = show(run, val, state)
    for atom in atoms:
        use_atom(run, atom, at, state)
    if not shown:
        loosen(run, atoms, state)


def show(run: Run, val: Value, state: State) -> Sequence[Atom]:
    """The reasons in a value go where others see them; return all that is in it."""
    atoms = ordered(reach(run, val, state))
    for atom in atoms:
        if exposes(atom):
            run.expose(atom.ref, state, "verdict" if atom.kind == "test" else atom.kind)
    return atoms


def use_atom(run: Run, atom: Atom, at: int, state: State) -> None:
    if atom.kind == "text":
        run.use(atom, at, state)
    elif atom.kind in ("content", "text_stream", "text_test"):
        run.use(Atom("text", atom.ref, atom.info), at, state)
    elif atom.kind in BLOCK_KINDS:
        kinds = atom.info.kinds if isinstance(atom.info, BlockInfo) else None
        if kinds is None or kinds & {"text", "other"}:
            run.use(Atom("text", atom.ref, atom.info.where if isinstance(atom.info, BlockInfo) else None), at, state)
        elif "tool_use" in kinds:
            run.use(Atom("text", atom.ref), at, state, "tool_input")
    elif atom.kind == "tool_input":
        run.use(atom, at, state, "tool_input")
    elif atom.kind in STREAM_PARTS:
        run.use(Atom("text", atom.ref), at, state)


def put_away(run: Run, val: Value, at: int, state: State, into: Collection[Hashable]) -> None:
    """Text of one of many responses goes into a collection, or to the end of a longer text (`into`: heap keys or names):
    where the answer is finished that is known of it, and not of the next one.
    """
    for atom in ordered(val):
        request = run.request_of(atom.ref) if atom.kind == "text" else None
        if request is None:
            continue
        if request.surface in ("batch", "tool_runner"):
            run.use(atom, at, state)
        elif any(request.token in loop.requests and not loop.kept.isdisjoint(into) for loop in run.frame.loops):
            run.use_complete(atom, at, state)


def loosen(run: Run, atoms: Iterable[Atom], state: State) -> None:
    """Lists and dicts that code out of view may have changed."""
    for atom in atoms:
        if atom.kind not in ("list", "dict", "symbol"):
            continue
        obj = run.obj(state, atom.ref)
        if isinstance(obj, ListObj):
            state.heap[atom.ref] = ListObj(None, value(ANY), obj.members, open=True, sent=changed(obj.sent))
        elif isinstance(obj, DictObj) and atom.kind == "dict":
            state.heap[atom.ref] = DictObj(obj.items, open=True)


def discharge(run: Run, val: Value, state: State) -> None:
    """Look at whatever reasons a value holds, without any of it leaving view."""
    for atom in reach(run, val, state):
        if atom.kind in REASON_KINDS and isinstance(atom.ref, Token):
            run.look(atom.ref)
