"""Lists: displays, copies, mutation; what the turns and blocks in them say is `flow_turns`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.flow_blocks import note_after_interrupt
from stoplint.check.flow_convert import turn_converted
from stoplint.check.flow_core import evaluate
from stoplint.check.flow_kinds import put_by
from stoplint.check.flow_reasons import note_entries
from stoplint.check.flow_turns import check_blocks, describe, put_behind
from stoplint.check.knowledge import ANY, START, DictObj, ListObj, Sending, State, Turn, changed, grown
from stoplint.check.values import STEADY, UNKNOWN, Atom, BlockInfo, Token, Value, Where, only, ordered, union, value

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from stoplint.check.run import Run

MAX_ITEMS = 24
"""Longer lists are known by their members only."""


# ------------------------------------------------------------------ making lists


def literal_list(run: Run, expr: ir.Seq, state: State) -> Value:
    """`[a, *b, c]`: when it is made again of the same things, it is the same list that was sent before."""
    built = ListObj((), value(START))
    apart = expr.kind == "tuple"  # results given together are no conversation
    for number, item in enumerate(expr.items):
        val = evaluate(run, item, state)
        at = _at(item) or expr.at
        run.unsure += apart
        if isinstance(item, ir.Star):
            inner = as_list(run, val, state)
            built = inner if not number and inner.sent else extended(run, built, inner, at, state)
        else:
            built = appended(run, built, val, at, state, again=True)
        run.unsure -= apart
    ref = run.token(expr.at)
    old = run.obj(state, ref)
    if (
        isinstance(old, ListObj)
        and old.items is not None
        and old.items == built.items
        and stable(run, built.members, state)
    ):
        built = old
    state.heap[ref] = built
    if old is None:
        state.heap[ref] = replace(built, sent=_sent_by_caller(run, ref, state) or built.sent)
    note_entries(run, ref, expr.items)
    return value(Atom("list", ref))


def _sent_by_caller(run: Run, ref: Token, state: State) -> frozenset[Sending]:
    """Of a list in a function that calls itself: the requests to which a call around this one sent the same."""
    for frame in run.frames[:-1]:
        before = Token(ref.site, frame.path)
        known = state.heap.get(before)
        if isinstance(known, ListObj) and _equal(run, value(Atom("list", before)), value(Atom("list", ref)), state):
            return known.sent
    return frozenset()


def _alike(run: Run, before: Sequence[Value], now: Sequence[Value], state: State, depth: int) -> bool:
    """Whether values are sure to be, one by one, equal to others."""
    return len(before) == len(now) and all(
        _equal(run, one, other, state, depth) for one, other in zip(before, now, strict=True)
    )


def _equal(run: Run, one: Value, other: Value, state: State, depth: int = 4) -> bool:
    if one == other:
        return is_one(one) and stable(run, one, state)
    first, second = only(one, "list", "dict"), only(other, "list", "dict")
    if first is None or second is None or not depth:
        return False
    left, right = state.heap.get(first.ref), state.heap.get(second.ref)
    if isinstance(left, ListObj) and isinstance(right, ListObj):
        return None not in (left.items, right.items) and _alike(
            run, left.items or (), right.items or (), state, depth - 1
        )
    if isinstance(left, DictObj) and isinstance(right, DictObj) and not left.open and not right.open:
        before, now = dict(left.items), dict(right.items)
        return before.keys() == now.keys() and _alike(
            run, [*before.values()], [now[key] for key in before], state, depth - 1
        )
    return False


def _at(expr: ir.Expr) -> int:
    return getattr(expr, "at", 0)


def stable(run: Run, members: Value, state: State, depth: int = 3) -> bool:
    """Whether values are sure to be what they were when the same expression was evaluated before."""
    for atom in members:
        if atom.kind in STEADY:
            continue
        obj = run.obj(state, atom.ref) if atom.kind in ("list", "dict") and depth else None
        if obj is None and depth and atom.kind in ("list", "dict"):
            continue  # too deep in a constant to be kept, and nothing has touched it here
        parts: tuple[Value, ...] | None = None
        if isinstance(obj, DictObj) and not obj.open:
            parts = tuple(val for _, val in obj.items)
        elif isinstance(obj, ListObj) and not obj.open:
            parts = obj.items
        if parts is None or not all(is_one(val) and stable(run, val, state, depth - 1) for val in parts):
            return False
    return True


def is_one(val: Value) -> bool:
    """Whether a value is one thing, or one that was chosen by what does not change by itself."""
    return len(val) == 1 or any(atom.kind == "choice" for atom in val)


def as_list(run: Run, val: Value, state: State) -> ListObj:
    """What is known of a value as a list."""
    atom = only(val, "list", "symbol", "dict", "iterator")
    obj = run.obj(state, atom.ref) if atom else None
    if isinstance(obj, ListObj):
        return obj
    content = only(val, "content")
    if content is not None:
        block = value(Atom("block", content.ref, BlockInfo(where=taken_at(content))))
        return ListObj(None, block | {START}, block, open=True)
    if atom is not None and atom.kind == "iterator" and atom.info:
        members = iterate(run, val, state)
        return ListObj(None, members | {START}, members)
    return ListObj(None, value(ANY, START), UNKNOWN, open=True)


def fresh_list(run: Run, at: int, members: Value, state: State, *, kind: str = "list") -> Value:
    """The list that a comprehension makes: any number of these members."""
    ref = run.token(at, kind)
    members = put_by(members, state)
    state.heap[ref] = ListObj(None, (members or value(ANY)) | {START}, members, open=not members)
    for atom in ordered(members):
        if atom.kind == "dict":
            turn_converted(run, ref, value(atom), describe(run, value(atom), run.where(at), state), state, again=True)
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
    """`left` with everything of `right` behind it."""
    if right.items is not None and len(right.items) <= MAX_ITEMS:
        for item in right.items:
            left = appended(run, left, item, at, state, again=True)
        return replace(left, open=left.open or right.open)
    if right.members:
        check_blocks(run, left.last, right.members, at, state)
    turn = describe(run, right.members, run.where(at), state) if right.members and not right.open else Turn()
    last = right.last if START not in right.last else (right.last - {START}) | left.last
    sent = grown(left.sent, turn) if turn.role else changed(left.sent)
    turns = put_behind(run, left, turn, state, many=True) if turn.role else right.turns
    cut = left.cut or right.cut
    return ListObj(None, last, left.members | right.members, left.open or right.open, sent, turns, cut)


def appended(
    run: Run, obj: ListObj, item: Value, at: int, state: State, *, again: bool = False, into: Hashable = None
) -> ListObj:
    """A list with one more item; in a loop, where it is the last one once more, only `again` puts it in twice.  `into`
    is the heap key of a list that is changed.
    """
    check_blocks(run, obj.last, item, at, state)
    turn = describe(run, item, run.where(at), state)
    item = put_by(item, state)
    items = None
    if obj.items is not None and len(obj.items) < MAX_ITEMS:
        twice = not again and obj.items and obj.items[-1] == item and item
        items = obj.items if twice else (*obj.items, item)
    loop = run.frame.loops[-1] if run.frame.loops else None
    anew = loop is not None and bool(loop.requests) and not loop.blocks  # each round has an answer of its own
    repeated = bool(item) and item <= obj.last and not anew
    turns = put_behind(run, obj, turn, state, again=repeated)
    if into is not None:
        run.excused.add(("grown", into))
        turn_converted(run, into, item, turn, state, again=repeated)
        note_after_interrupt(run, obj, turn, state)
    sent = grown(obj.sent, turn)
    return ListObj(items, item or value(ANY), obj.members | item, obj.open or not item, sent, turns, obj.cut)


def inserted(run: Run, obj: ListObj, position: object, item: Value, at: int, state: State) -> ListObj:
    if obj.items is not None and position == len(obj.items):
        return appended(run, obj, item, at, state)
    if position == 0:
        check_blocks(run, item, obj.items[0] if obj.items else obj.members, at, state)
    elif isinstance(position, int) and position > 0:
        check_blocks(run, obj.last, item, at, state)
    items = (item, *obj.items) if position == 0 and obj.items is not None and len(obj.items) < MAX_ITEMS else None
    last = obj.last if START not in obj.last else (obj.last - {START}) | (item or value(ANY))
    return ListObj(items, last, obj.members | item, obj.open or not item, changed(obj.sent))


def take_item(run: Run, atom: Atom, position: Hashable, state: State) -> Value:
    obj = run.obj(state, atom.ref)
    if not isinstance(obj, ListObj):
        return UNKNOWN
    inspect(run, atom)
    if isinstance(position, int) and not isinstance(position, bool):
        if obj.items is not None and -len(obj.items) <= position < len(obj.items):
            return obj.items[position]
        if position == -1:
            return obj.last - {START, ANY}
    if position is None and not obj.members:
        return UNKNOWN
    return obj.members


def as_row(run: Run, atom: Atom, state: State) -> ListObj | None:
    """A list or tuple, or an object of a NamedTuple of the program's own, as what stands at its places."""
    obj = run.obj(state, atom.ref)
    if atom.kind == "list":
        return obj if isinstance(obj, ListObj) else None
    if atom.kind != "object" or not isinstance(obj, DictObj) or not run.program.is_row(str(atom.info)):
        return None
    items = tuple(obj.get(name) or UNKNOWN for name in run.program.field_names(str(atom.info)))
    return ListObj(items, items[-1] if items else value(START), union(items))


def inspect(run: Run, atom: Atom) -> None:
    """The function at hand looks at what is in a list."""
    run.excused |= {("looked", atom.ref), ("looked", atom.ref, run.frame.qualname)}


def iterate(run: Run, val: Value, state: State) -> Value:
    """What a loop over a value sees."""
    found: list[Value] = []
    for atom in ordered(val):
        if atom.kind == "list":
            inspect(run, atom)
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
    if following in ("batch_item", "runner_item") and isinstance(atom.ref, Token):
        # each item is a response of its own: what was asked of the one before says nothing of it
        run.renew(atom.ref, state)
    if following == "runner_item":
        request = run.request_of(atom.ref)
        return value(
            Atom("stream" if request is not None and request.surface == "runner_stream" else "message", atom.ref)
        )
    return value(Atom(following, atom.ref))
