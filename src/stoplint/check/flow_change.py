"""What makes a value another one: what was sent with it is not what it was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint.check.knowledge import ANY, DictObj, ListObj, State, changed
from stoplint.check.values import Atom, Value, value

if TYPE_CHECKING:
    from collections.abc import Hashable

    from stoplint.check.run import Run

VOID = value(ANY)
"""An option of which it is known that it may be another one by now."""


def void(run: Run, changing: Atom, state: State) -> None:
    """A value becomes another one: lists that were sent with it, and options, are not what they were."""
    if not run.sending:
        return
    for key, obj in list(state.heap.items()):
        if isinstance(obj, ListObj):
            if obj.sent and mentions(run, obj.members, changing, state):
                state.heap[key] = replace(obj, sent=changed(obj.sent))
        elif isinstance(key, tuple) and key and key[0] == "options":
            items = tuple((k, VOID if mentions(run, v, changing, state) else v) for k, v in obj.items)
            if items != obj.items:
                state.heap[key] = DictObj(items)


def void_unknown(state: State) -> None:
    """Something was set: options of which nothing is known may be made of it."""
    for key, obj in list(state.heap.items()):
        if isinstance(key, tuple) and key and key[0] == "options" and isinstance(obj, DictObj):
            state.heap[key] = DictObj(tuple((name, val or VOID) for name, val in obj.items))


def altered(run: Run, owner: Atom, state: State) -> None:
    """Something inside a value is set: what was sent with it is not what it was."""
    void(run, owner, state)
    root = root_of(owner.ref)
    obj = state.heap.get(root)
    if root != owner.ref and isinstance(obj, ListObj):
        state.heap[root] = replace(obj, sent=changed(obj.sent), turns=())


def mentions(run: Run, val: Value, changing: Atom, state: State, depth: int = 4) -> bool:
    """Whether a value is, holds or was read off another."""
    for atom in val:
        if atom == changing or (atom.kind == "symbol" and root_of(atom.ref) == changing.ref):
            return True
        if atom.kind in ("mix", "choice") and isinstance(atom.ref, tuple):
            if depth and mentions(run, frozenset(atom.ref), changing, state, depth - 1):
                return True
            continue
        obj = run.obj(state, atom.ref) if atom.kind in ("list", "dict") and depth else None
        if obj is None:
            continue
        inner = obj.members if isinstance(obj, ListObj) else frozenset(a for _, item in obj.items for a in item)
        if mentions(run, inner, changing, state, depth - 1):
            return True
    return False


def root_of(ref: Hashable) -> Hashable:
    """What an attribute, or an item, of an attribute ... belongs to."""
    while isinstance(ref, tuple) and len(ref) == 3 and ref[0] in ("attr", "item"):
        ref = ref[1]
    return ref
