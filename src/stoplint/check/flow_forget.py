"""What a call made and nothing holds any more: it is dropped, so that long call chains stay cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.flow_blocks import INTERRUPTED
from stoplint.check.knowledge import Knowledge, ListObj, Obj, State
from stoplint.check.values import Atom, Token, Value

if TYPE_CHECKING:
    from collections.abc import Hashable
    from collections.abc import Set as AbstractSet

    from stoplint.check.run import Run


def forget(run: Run, result: Value, state: State, heap: dict[Hashable, Obj], know: dict[Token, Knowledge]) -> None:
    """Drop what a call made and nothing holds any more, so that long call chains stay cheap; a response that nobody
    holds is settled.
    """
    new = state.heap.keys() - heap.keys()
    if not new and state.know.keys() == know.keys():
        return
    todo = [*result, *(atom for val in state.env.values() for atom in val if atom.ref in new)]
    for ref, obj in heap.items():
        now = state.heap.get(ref)
        if now is not obj and now is not None:
            todo += _members(now)
    live: set[Hashable] = set()
    tokens = _live(todo, live, new, state)
    held = tokens | know.keys()
    told = [ref for ref in new - live if ref in run.program.heap or _told(ref, state.heap[ref], held)]
    # What was sent holds what it was made of: when that changes, it is not the same any more.
    _live([atom for ref in told for atom in _members(state.heap[ref])], live, new, state)
    for ref in new - live - set(told):
        del state.heap[ref]
    sent = {one.token for obj in state.heap.values() if isinstance(obj, ListObj) for one in obj.sent}
    for token in [token for token in state.know if token not in know and token not in tokens and token not in sent]:
        run.settle(token, state.know.pop(token))


def _live(todo: list[Atom], live: set[Hashable], new: AbstractSet[Hashable], state: State) -> set[Hashable]:
    """Add to `live` the `new` heap entries that values lead to; return what the values refer to."""
    refs: set[Hashable] = set()
    while todo:
        atom = todo.pop()
        refs.add(atom.ref)
        if isinstance(atom.info, frozenset):
            todo += [inner for inner in atom.info if isinstance(inner, Atom)]
        if atom.ref in live or atom.ref not in new:
            continue
        live.add(atom.ref)
        todo += _members(state.heap[atom.ref])
    return refs


def _told(ref: Hashable, obj: Obj, held: set[Hashable]) -> bool:
    """Whether a heap entry says what a request sent whose answer is still held."""
    if isinstance(ref, tuple) and len(ref) == 2 and ref[0] in ("options", INTERRUPTED):
        return ref[1] in held
    return isinstance(obj, ListObj) and any(one.token in held for one in obj.sent)


def _members(obj: Obj) -> list[Atom]:
    if isinstance(obj, ListObj):
        return [*obj.members, *obj.last, *(atom for item in obj.items or () for atom in item)]
    return [atom for _, val in obj.items for atom in val]
