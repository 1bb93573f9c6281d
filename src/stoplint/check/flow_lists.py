"""Lists and dicts: displays, copies, mutation, and the turns and blocks that message lists are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.events import TurnAppended, TurnBuilt
from stoplint.check.flow_core import evaluate
from stoplint.check.knowledge import ANY, EMPTY, START, DictObj, ListObj, State
from stoplint.check.run import Run
from stoplint.check.values import UNKNOWN, Atom, BlockInfo, Value, Where, only, ordered, text_of, union, value

if TYPE_CHECKING:
    from collections.abc import Hashable

MAX_ITEMS = 24
"""Longer lists are known by their members only."""

Turn = tuple[str, tuple[str, ...]]


# ------------------------------------------------------------------ making lists


def literal_list(run: Run, expr: ir.Seq, state: State) -> Value:
    """`[a, *b, c]`: when it is made again of the same things, it is the same list that was sent before."""
    items: list[Value] | None = []
    members: Value = UNKNOWN
    last: Value = value(START)
    is_open = False
    for item in expr.items:
        val = evaluate(run, item, state)
        if isinstance(item, ir.Star):
            inner = as_list(run, val, state)
            _check_blocks(run, last, [inner.last], expr.at, state)
            members |= inner.members
            is_open = is_open or inner.open
            items = [*items, *inner.items] if items is not None and inner.items is not None else None
            last = (inner.last - {START}) | last if START in inner.last else inner.last
            continue
        _check_blocks(run, last, [val], _at(item) or expr.at, state)
        members |= val
        last = val or value(ANY)
        if items is not None:
            items.append(val)
    if items is not None and len(items) > MAX_ITEMS:
        items, is_open = None, True
    _check_turns(run, items, expr, state)
    ref = run.token(expr.at)
    fresh = ListObj(None if items is None else tuple(items), last, members, is_open)
    old = run.obj(state, ref)
    if (
        isinstance(old, ListObj)
        and old.items is not None
        and old.items == fresh.items
        and _stable(run, fresh.members, state)
    ):
        fresh = old
    state.heap[ref] = fresh
    return value(Atom("list", ref))


def _at(expr: ir.Expr) -> int:
    return getattr(expr, "at", 0)


def _stable(run: Run, members: Value, state: State, depth: int = 3) -> bool:
    """Whether values are sure to be what they were when the same expression was evaluated before."""
    for atom in members:
        if atom.kind in ("const", "symbol", "mix"):
            continue
        obj = run.obj(state, atom.ref) if atom.kind in ("list", "dict") and depth else None
        if isinstance(obj, DictObj) and not obj.open:
            if all(len(val) == 1 and _stable(run, val, state, depth - 1) for _, val in obj.items):
                continue
        elif isinstance(obj, ListObj) and obj.items is not None and not obj.open:
            if all(len(val) == 1 and _stable(run, val, state, depth - 1) for val in obj.items):
                continue
        return False
    return True


def as_list(run: Run, val: Value, state: State) -> ListObj:
    """What is known of a value as a list."""
    atom = only(val, "list", "symbol", "dict")
    obj = run.obj(state, atom.ref) if atom else None
    if isinstance(obj, ListObj):
        return obj
    content = only(val, "content")
    if content is not None:
        block = value(Atom("block", content.ref, BlockInfo(where=taken_at(content))))
        return ListObj(None, block | {START}, block, open=True)
    return ListObj(None, value(ANY, START), UNKNOWN, open=True)


def fresh_list(run: Run, at: int, members: Value, state: State, *, kind: str = "list") -> Value:
    """The list that a comprehension makes: any number of these members."""
    ref = run.token(at, kind)
    state.heap[ref] = ListObj(None, (members or value(ANY)) | {START}, members, open=not members)
    return value(Atom("list", ref))


def join_lists(run: Run, parts: list[Value], at: int, state: State) -> Value | None:
    """`a + b + c` of lists; None when they are not lists."""
    if not any(only(part, "list") for part in parts):
        return None
    whole = as_list(run, parts[0], state)
    for part in parts[1:]:
        whole = extended(run, whole, as_list(run, part, state), at, state)
    ref = run.token(at, "+")
    state.heap[ref] = whole
    return value(Atom("list", ref))


def extended(run: Run, left: ListObj, right: ListObj, at: int, state: State) -> ListObj:
    firsts = [right.items[0]] if right.items else [right.members] if right.members else []
    _check_blocks(run, left.last, firsts, at, state)
    if right.items:
        _check_appended(run, left, right.items[0], at, state)
    items = None
    if left.items is not None and right.items is not None and len(left.items) + len(right.items) <= MAX_ITEMS:
        items = left.items + right.items
    last = right.last if START not in right.last else (right.last - {START}) | left.last
    unchanged = right.items == ()
    return ListObj(
        items, last, left.members | right.members, left.open or right.open, left.sent if unchanged else frozenset()
    )


def appended(run: Run, obj: ListObj, item: Value, at: int, state: State) -> ListObj:
    _check_blocks(run, obj.last, [item], at, state)
    _check_appended(run, obj, item, at, state)
    items = None
    if obj.items is not None and len(obj.items) < MAX_ITEMS:
        items = obj.items if obj.items and obj.items[-1] == item and item else (*obj.items, item)
    return ListObj(items, item or value(ANY), obj.members | item, obj.open or not item)


def inserted(run: Run, obj: ListObj, position: object, item: Value, at: int, state: State) -> ListObj:
    if position == 0 and obj.items:
        _check_blocks(run, item, [obj.items[0]], at, state)
    elif position == 0 and obj.members:
        _check_blocks(run, item, [obj.last - {START}], at, state)
    items = (item, *obj.items) if position == 0 and obj.items is not None and len(obj.items) < MAX_ITEMS else None
    last = obj.last if START not in obj.last else (obj.last - {START}) | (item or value(ANY))
    return ListObj(items, last, obj.members | item, obj.open or not item)


def take_item(run: Run, atom: Atom, position: Hashable, state: State) -> Value:
    obj = run.obj(state, atom.ref)
    if not isinstance(obj, ListObj):
        return UNKNOWN
    if isinstance(position, int) and not isinstance(position, bool):
        if obj.items is not None and -len(obj.items) <= position < len(obj.items):
            return obj.items[position]
        if position == -1:
            return obj.last - {START, ANY}
    if position is None and not obj.members:
        return UNKNOWN
    return obj.members


def iterate(run: Run, val: Value, state: State) -> Value:
    """What a loop over a value sees."""
    found: list[Value] = []
    for atom in ordered(val):
        if atom.kind == "list":
            obj = run.obj(state, atom.ref)
            found.append(obj.members if isinstance(obj, ListObj) else UNKNOWN)
        elif atom.kind == "iterator":
            found.append(atom.info if isinstance(atom.info, frozenset) else UNKNOWN)
        elif atom.kind == "dict":
            obj = run.obj(state, atom.ref)
            if isinstance(obj, DictObj):
                found.append(frozenset(Atom("const", key, type(key).__name__) for key, _ in obj.items))
        elif atom.kind == "text":
            found.append(value(atom))
        else:
            following = sdk.STEPS.get((atom.kind, "iter"))
            if following == "block":
                found.append(value(Atom("block", atom.ref, BlockInfo(where=taken_at(atom)))))
            elif following is not None:
                found.append(_iterated(run, atom, following, state))
    return union(found)


def taken_at(content: Atom) -> Where | None:
    """Where a content list was read off its response."""
    return content.info if isinstance(content.info, Where) else None


def _iterated(run: Run, atom: Atom, following: str, state: State) -> Value:
    if following == "text":
        return value(Atom("text", atom.ref, atom.info))
    if following == "tool_input":
        return value(Atom("tool_input", atom.ref, atom.info))
    if following == "runner_item":
        request = run.request_of(atom.ref)
        return value(
            Atom("stream" if request is not None and request.surface == "runner_stream" else "message", atom.ref)
        )
    del state
    return value(Atom(following, atom.ref))


# ------------------------------------------------------------------ blocks and turns


def block_type(run: Run, val: Value, state: State) -> str:
    """The `type` of a block written as a dict, "" when unknown."""
    kinds = {_block_type(run, atom, state) for atom in val}
    return kinds.pop() if len(kinds) == 1 else ""


def _block_type(run: Run, atom: Atom, state: State) -> str:
    obj = run.obj(state, atom.ref) if atom.kind == "dict" else None
    if isinstance(obj, DictObj):
        return text_of(obj.get("type") or UNKNOWN) or ""
    if atom.kind == "block" and isinstance(atom.info, BlockInfo) and atom.info.kinds and len(atom.info.kinds) == 1:
        return next(iter(atom.info.kinds))
    return ""


def turn_of(run: Run, atom: Atom, state: State) -> Turn | None:
    """Role and block types of a turn written as a dict; "?" stands for blocks that cannot be read."""
    if atom.kind == "assistant_turn":
        return ("assistant", ("?",))
    obj = run.obj(state, atom.ref) if atom.kind == "dict" else None
    if not isinstance(obj, DictObj):
        return None
    role = text_of(obj.get("role") or UNKNOWN)
    content = obj.get("content")
    if role is None or content is None:
        return None
    return (role, _blocks(run, content, state))


def _blocks(run: Run, content: Value, state: State) -> tuple[str, ...]:
    atom = only(content)
    if atom is None:
        return ("?",)
    if atom.kind in ("text", "mix") or (atom.kind == "const" and isinstance(atom.ref, str)):
        return ("text",)
    obj = run.obj(state, atom.ref) if atom.kind == "list" else None
    if not isinstance(obj, ListObj):
        return ("?",)
    if obj.items is not None:
        return tuple(block_type(run, item, state) or "?" for item in obj.items)
    return tuple(sorted({_block_type(run, member, state) or "?" for member in obj.members} or {"?"}))


def _types(run: Run, last: Value, state: State) -> set[str]:
    return {_block_type(run, atom, state) or "?" for atom in last if atom != START}


def _check_blocks(run: Run, before: Value, after: list[Value], at: int, state: State) -> None:
    """Blocks of one turn: emit what stands before what, when both are certain."""
    earlier = _types(run, before, state)
    if len(earlier) != 1 or "?" in earlier:
        return
    for val in after:
        kind = block_type(run, val - {START}, state)
        if kind in ("text", "tool_result") and earlier & {"text", "tool_result"} and kind not in earlier:
            run.emit(TurnBuilt(run.where(at), kind, frozenset(earlier), frozenset()))


def _check_appended(run: Run, obj: ListObj, item: Value, at: int, state: State) -> None:
    atom = only(item)
    turn = turn_of(run, atom, state) if atom else None
    if turn is None:
        return
    previous = [turn_of(run, before, state) for before in obj.last if before != START]
    if not previous or None in previous or ANY in obj.last:
        return
    before_that = only(obj.items[-2]) if obj.items is not None and len(obj.items) > 1 else None
    earlier = turn_of(run, before_that, state) if before_that else None
    found_empty = any(known.content == EMPTY for known in state.know.values())
    kept = tuple(sorted({turn for turn in previous if turn is not None}))
    run.emit(TurnAppended(run.where(at), turn[0], turn[1], kept, (earlier,) if earlier else (), found_empty))


def _check_turns(run: Run, items: list[Value] | None, expr: ir.Seq, state: State) -> None:
    """The turns of a message list written in one display."""
    obj = ListObj((), value(START))
    for item, source in zip(items or (), expr.items, strict=False):
        if isinstance(source, ir.Star):
            return
        atom = only(item)
        if atom is None or turn_of(run, atom, state) is None:
            return
        _check_appended(run, obj, item, _at(source), state)
        obj = ListObj((*(obj.items or ()), item), item)


def display_built(_run: Run, _obj: DictObj, _expr: ir.Dict, _state: State) -> None:
    """A dict display is complete: nothing to ask yet; turns are judged where they enter a list."""
