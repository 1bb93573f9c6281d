"""What lasts of a value that an attribute, a global or a class constant is given: tables that do not know the order of things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.knowledge import ANY, START, DictObj, ListObj, State, leads_on
from stoplint.check.values import UNKNOWN, Atom, Token, Value, ordered, value

if TYPE_CHECKING:
    from stoplint.check.knowledge import Obj
    from stoplint.check.program import Program


def keep(
    program: Program,
    table: dict[tuple[str, str], Value],
    key: tuple[str, str],
    val: Value,
    state: State,
    *,
    changing: bool = False,
) -> None:
    """Add what lasts of a value to a table; `changing`: its lists and dicts may hold other things later, as those that
    start empty will.
    """
    changing = changing or _starts_empty(program, val, state)
    kept = (_lasting(program, atom, state, changing=changing) for atom in val)
    lasting = frozenset(atom for atom in kept if atom is not None)
    old = table.get(key)
    if changing:
        lasting = _one_list(program, lasting, old or UNKNOWN)
    if lasting and (old is None or not lasting <= old):
        table[key] = lasting if old is None else old | lasting
        if any(leads_on(atom, program.heap) for atom in lasting):
            program.changed.add(key)


def _starts_empty(program: Program, val: Value, state: State) -> bool:
    """A list or dict that starts empty is there to be filled."""
    objs = [state.heap.get(atom.ref) or program.heap.get(atom.ref) for atom in val if atom.kind in ("list", "dict")]
    return any(
        (isinstance(obj, ListObj) and obj.items == ()) or (isinstance(obj, DictObj) and not obj.items) for obj in objs
    )


def _one_list(program: Program, val: Value, old: Value) -> Value:
    """What is given one list after another (`self.history = []` in a `reset`) is one list, whatever becomes of it."""
    lists = [atom for atom in (*ordered(old), *ordered(val - old)) if atom.kind == "list" and atom.ref in program.heap]
    if len(lists) < 2:
        return val
    first = lists[0].ref
    for atom in lists[1:]:
        mine, theirs = program.heap[first], program.heap[atom.ref]
        if isinstance(mine, ListObj) and isinstance(theirs, ListObj):
            program.heap[first] = mine.join(theirs)
    return val.difference(lists[1:]) | {lists[0]}


def _lasting(program: Program, atom: Atom, state: State, *, changing: bool, depth: int = 4) -> Atom | None:
    if atom.kind == "object":
        return Atom("object", ("instance", atom.info), atom.info)
    if atom.kind in ("list", "dict"):
        obj = state.heap.get(atom.ref) or program.heap.get(atom.ref)
        if obj is None:
            return None
        if depth:
            _keep_object(program, atom, obj, state, changing=changing, depth=depth - 1)
        return atom
    if atom.kind == "partial" and isinstance(atom.info, tuple):
        return atom
    if isinstance(atom.ref, Token) or atom.kind in ("symbol", "mix", "choice", "iterator", "mock", "given"):
        return None
    return atom


def _keep_object(program: Program, atom: Atom, obj: Obj, state: State, *, changing: bool, depth: int) -> None:
    def last(val: Value) -> Value:
        kept = (_lasting(program, one, state, changing=False, depth=depth) for one in val)
        return frozenset(one for one in kept if one is not None)

    kept: Obj
    if isinstance(obj, DictObj):
        kept = DictObj(tuple((key, last(val)) for key, val in obj.items), obj.open or changing)
    elif changing:
        kept = ListObj(None, value(ANY, START), last(obj.members), open=True)
    else:
        items = None if obj.items is None else tuple(last(item) for item in obj.items)
        kept = ListObj(items, last(obj.last) or value(START), last(obj.members), obj.open)
    program.heap.setdefault(atom.ref, kept)
