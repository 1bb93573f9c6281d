"""Slices of lists: what is known of a part, and histories that are cut by position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_core import callee_name
from stoplint.check.flow_turns import RESULT, blocks_of, fields
from stoplint.check.knowledge import ANY, START, ListObj, State, changed
from stoplint.check.values import UNKNOWN, Atom, Value, Where, value

if TYPE_CHECKING:
    from collections.abc import Hashable

    from stoplint.check.run import Run


def sliced(run: Run, atom: Atom, key: ir.Slice, at: int, state: State) -> Value:
    """`items[a:b]`: a list of its own.  Without bounds it is a copy; a part that reaches to the end ends as the whole."""
    obj = run.obj(state, atom.ref)
    if not isinstance(obj, ListObj):
        return UNKNOWN
    ref = run.token(at, "slice")
    if key.lower is None and key.upper is None and key.step is None:
        state.heap[ref] = obj
    elif key.upper is None and key.step is None:
        cut = run.where(at) if _from_the_end(key.lower) and _holds_results(run, obj, state) else None
        state.heap[ref] = ListObj(None, obj.last, obj.members, obj.open, changed(obj.sent), obj.turns, cut or obj.cut)
        if cut is not None:
            run.cuts[cut] = looked_at(atom.ref, run)
    else:
        state.heap[ref] = ListObj(None, obj.members | {START, ANY}, obj.members, obj.open, changed(obj.sent))
    return value(Atom("list", ref))


def _from_the_end(lower: ir.Expr | None) -> bool:
    """Whether a lower bound counts from the end: -20, -n, len(items) - 20."""
    if isinstance(lower, ir.Const):
        return isinstance(lower.value, int) and lower.value < -1
    if isinstance(lower, ir.BinOp) and lower.op == "-" and isinstance(lower.parts[0], ir.Call):
        return callee_name(lower.parts[0].func) == "len"
    return isinstance(lower, ir.Opaque) and len(lower.parts) == 1


def _holds_results(run: Run, obj: ListObj, state: State) -> bool:
    """Whether a list is a history with tool results in it."""
    for member in obj.members:
        turn = fields(run, member, state)
        content = turn.get("content") if turn is not None and turn.get("role") is not None else None
        if content is not None and RESULT in blocks_of(run, content, state):
            return True
    return False


def looked_at(ref: Hashable, run: Run) -> Hashable:
    """The excuse that the function at hand looks at what is in a list: then it may know where to cut."""
    return ("looked", ref, run.frame.qualname)


def cut_histories(run: Run, val: Value, state: State) -> tuple[Where, ...]:
    """Where the history that a request sends was cut by position."""
    found = (run.obj(state, atom.ref) for atom in val if atom.kind in ("list", "symbol"))
    return tuple(sorted({obj.cut for obj in found if isinstance(obj, ListObj) and obj.cut is not None}))
