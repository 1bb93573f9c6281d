"""Expressions: names, literals, displays, attributes, subscripts, comprehensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.events import PositionRead, ReasonCompared
from stoplint.check.flow_bind import bind
from stoplint.check.flow_blocks import note_index, picked
from stoplint.check.flow_change import void
from stoplint.check.flow_cond import branch
from stoplint.check.flow_convert import block_written
from stoplint.check.flow_core import evaluate, evaluate_ways, evaluates, path_of, read_path
from stoplint.check.flow_errors import built_as_dict, error_member
from stoplint.check.flow_escape import escape
from stoplint.check.flow_execute import note_named
from stoplint.check.flow_kinds import input_of, put_by
from stoplint.check.flow_lists import as_row, iterate, literal_list, take_item
from stoplint.check.flow_mix import chosen
from stoplint.check.flow_names import closure, global_value, member, object_attribute, read_off, symbol_attribute
from stoplint.check.flow_reasons import beside_words, literal_type, look_up_reason, looked_up, note_entries
from stoplint.check.flow_reports import note_told, set_apart
from stoplint.check.flow_slices import sliced
from stoplint.check.flow_streams import before_answer, ended, is_too_early, merged, note_foreign, stream_reason
from stoplint.check.flow_turns import display_built
from stoplint.check.flow_ways import come_out, joined
from stoplint.check.knowledge import EMPTY, ONE, DictObj, Knowledge, ListObj, State
from stoplint.check.run import ASSERTED
from stoplint.check.values import (
    REASON_KINDS,
    UNKNOWN,
    Atom,
    BlockInfo,
    Token,
    Value,
    Where,
    const,
    in_part,
    literal,
    of_kind,
    only,
    ordered,
    text_of,
    union,
    value,
)
from stoplint.reasons import TOOL_USE

if TYPE_CHECKING:
    from stoplint.check.run import Run


@evaluates(ir.Name)
def _name(run: Run, expr: ir.Name, state: State) -> Value:
    found = state.env.get(expr.id)
    if found is not None:
        return found
    found = run.frame.closure.get(expr.id)
    if found is not None:
        return found
    return global_value(run, run.frame.module, expr.id)


@evaluates(ir.Const)
def _const(_run: Run, expr: ir.Const, _state: State) -> Value:
    return const(expr.value)


@evaluates(ir.Seq)
def _seq(run: Run, expr: ir.Seq, state: State) -> Value:
    return literal_list(run, expr, state)


@evaluates(ir.Dict)
def _dict(run: Run, expr: ir.Dict, state: State) -> Value:
    items: dict[object, Value] = {}
    is_open = False
    for key, item in expr.items:
        val = evaluate(run, item, state)
        if key is not None:
            name = literal(evaluate(run, key, state))
            if name is None:
                is_open = True
            else:
                items[name] = put_by(val, state)
            continue
        known = only(val, "dict")
        inner = run.obj(state, known.ref) if known else None
        if isinstance(inner, DictObj):
            items.update(inner.items)
            is_open = is_open or inner.open
        else:
            is_open = True
            spread = frozenset(atom for atom in val if atom.kind in ("message", "dump"))
            if spread:  # under a key that no program has: what the dict holds, the answer goes along with
                items["**", expr.at] = spread
    built_as_dict(run, expr, items)
    ref = run.token(expr.at)
    fresh = DictObj(tuple(items.items()), is_open)
    old = state.heap.get(ref)
    if isinstance(old, DictObj) and old.items == fresh.items and not is_open:
        fresh = old
    elif old is not None:
        void(run, Atom("dict", ref), state)
    state.heap[ref] = fresh
    display_built(ref, state)
    block_written(run, ref, expr.at, state)
    note_entries(run, ref, (key for key, _ in expr.items))
    return value(Atom("dict", ref))


@evaluates(ir.Attr)
def _attr(run: Run, expr: ir.Attr, state: State) -> Value:
    path = path_of(expr)
    if path is not None:
        learned = read_path(path, state)
        if learned is not None:
            return learned
    base = evaluate(run, expr.obj, state)
    note_foreign(run, base, expr.name, expr.at)
    return step(run, base, "." + expr.name, state, expr.at, expr.obj)


@evaluates(ir.Index)
def _index(run: Run, expr: ir.Index, state: State) -> Value:
    path = path_of(expr)
    base = evaluate(run, expr.obj, state)
    key = evaluate(run, expr.key, state)
    note_named(key, state)
    if not any(atom.kind == "dict" for atom in base):
        for atom in of_kind(key, "reason", "reason_like"):
            run.expose(atom.ref, state)  # a table out of view has an entry for it
    learned = read_path(path, state) if path is not None else None
    if learned is None and (noted := literal_type(base, expr.key)):
        return noted
    if learned is not None:
        return frozenset(_taken_again(run, atom, expr.at, state) for atom in learned)
    name = text_of(key)
    if name is not None:
        return step(run, base, "." + name, state, expr.at, expr.obj)
    return union(_item(run, atom, key, expr, state) for atom in base)


EMPTY_GUARDS = frozenset({"IndexError", "LookupError", "Exception", "BaseException", ""})
"""What a handler must catch to be a way out when `content[k]` finds nothing."""


def _may_be_missing(run: Run, atom: Atom, position: int, state: State) -> bool:
    """Whether `content[k]` may fail here: nothing says that there is a block, and no handler falls back."""
    known = state.know.get(atom.ref) if isinstance(atom.ref, Token) else None
    missing = EMPTY if position in (0, -1) else EMPTY | ONE
    if known is None or not known.content & missing or (known.remaining == TOOL_USE and position in (0, -1)):
        return False
    return not any(guard & EMPTY_GUARDS for frame in run.frames for guard in frame.guards)


def _taken_again(run: Run, atom: Atom, at: int, state: State) -> Atom:
    """A block that a test has spoken of is subscripted again: the first risky place counts, else this one."""
    info = atom.info
    if atom.kind != "block" or not isinstance(info, BlockInfo) or info.position is None or info.risky:
        return atom
    return Atom(
        "block", atom.ref, info._replace(where=run.where(at), risky=_may_be_missing(run, atom, info.position, state))
    )


def _item(run: Run, atom: Atom, key: Value, expr: ir.Index, state: State) -> Value:
    position = literal(key)
    if atom.kind == "content" and isinstance(position, int):
        run.may_raise("IndexError", atom.ref, EMPTY if position in (0, -1) else EMPTY | ONE, state)
        note_index(atom.ref, state)
        return value(
            Atom(
                "block",
                atom.ref,
                BlockInfo(position, None, run.where(expr.at), _may_be_missing(run, atom, position, state)),
            )
        )
    if atom.kind == "content" and isinstance(expr.key, ir.Slice):
        return value(atom)
    if isinstance(expr.key, ir.Slice) and isinstance(run.obj(state, atom.ref), ListObj):
        return sliced(run, atom, expr.key, expr.at, state)
    if atom.kind == "object" and isinstance(position, int):
        row = as_row(run, atom, state)
        items = row.items if row is not None else None
        return read_off(run, items[position], expr.at) if items and -len(items) <= position < len(items) else UNKNOWN
    if atom.kind in ("list", "tuple"):
        taken, obj = take_item(run, atom, position, state), run.obj(state, atom.ref)
        alone = isinstance(obj, ListObj) and obj.items is None and atom.ref not in run.counted
        return picked(taken, run.where(expr.at)) if alone and isinstance(position, int) else taken
    if atom.kind == "dict":
        return _lookup(run, atom, key, expr.at, state)
    if atom.kind in ("text", "exception_text"):
        return in_part(value(atom))
    if atom.kind == "symbol":
        return value(Atom("symbol", ("item", atom.ref, position))) if position is not None else UNKNOWN
    following = sdk.STEPS.get((atom.kind, "[]"))
    return value(Atom(following, atom.ref, BlockInfo(None, None, None) if following == "block" else atom.info)) if following else UNKNOWN  # fmt: skip


def _lookup(run: Run, atom: Atom, key: Value, at: int, state: State) -> Value:
    """`mapping[stop_reason]`: every key is named; the result carries the reason on."""
    reasons = [a for a in key if a.kind in REASON_KINDS]
    if reasons:
        look_up_reason(run, atom, reasons, at, state, None)
        return looked_up(run, atom, reasons, at, state, None)
    obj = run.obj(state, atom.ref)
    if not isinstance(obj, DictObj):
        return UNKNOWN
    return (obj.get(literal(key)) or UNKNOWN) if literal(key) is not None else union(val for _, val in obj.items)


# ------------------------------------------------------------------ one step


def step(run: Run, base: Value, name: str, state: State, at: int, source: ir.Expr | None = None) -> Value:
    """Follow ".name" from every atom of a value."""
    if name == ".stop_reason":
        before_answer(run, base, at)
    found = [_step(run, atom, name, state, at, source) for atom in ordered(merged(base))]
    return union(found)


def _step(run: Run, atom: Atom, name: str, state: State, at: int, source: ir.Expr | None) -> Value:
    kind = atom.kind
    following = sdk.STEPS.get((kind, name))
    if following is not None:
        return _sdk_step(run, atom, following, state, at, source)
    if kind == "mock":
        return value(atom)
    if kind == "symbol":
        return symbol_attribute(run, atom, name[1:], state)
    if kind == "object":
        return object_attribute(run, atom, name[1:], state, at)
    if kind == "dict":
        obj = run.obj(state, atom.ref)
        known = obj.get(name[1:]) if isinstance(obj, DictObj) else None
        return read_off(run, known, at) if known is not None else value(Atom("symbol", ("item", atom.ref, name[1:])))
    if kind in ("module", "external", "class"):
        return member(run, atom, name[1:], state)
    if kind == "const" and name in (".value", ".name"):
        return value(atom)
    if kind in ("text", "tool_input", "reason", "reason_like", "dump"):
        return value(atom)
    if kind in ("exception", "exception_text"):
        return error_member(run, atom, name, state, at, path_of(source) if source is not None else None)
    return UNKNOWN


def _sdk_step(run: Run, atom: Atom, following: str, state: State, at: int, source: ir.Expr | None) -> Value:
    info = atom.info
    if following == "text":
        return _text(run, atom, state, at)
    if following == "tool_input":
        found = input_of(atom, run.where(at))
        if found:
            _read_by_position(run, atom, state, "tool_input")
        return found
    if following in ("block_type", "event_type"):
        return value(Atom(following, atom.ref, (path_of(source) if source is not None else None, atom)))
    if following in ("early_reason", "event_reason", "delta_reason"):
        return stream_reason(run, atom, following, state, at)
    if following == "stop_sequence":
        track = run.tracks.get(atom.ref) if isinstance(atom.ref, Token) else None
        if track is not None:
            track.stop_sequence_read = True
        return value(Atom("stop_sequence", atom.ref))
    if following == "event_block":
        return value(Atom("event_block", atom.ref, BlockInfo(where=run.where(at))))
    if following in ("content", "text_stream"):
        if atom.info == "nulls":
            run.with_nulls.add(run.where(at))
        return value(Atom(following, atom.ref, run.where(at)))
    if following == "foreign_reason":
        request = run.request_of(atom.ref)
        if request is not None:
            run.emit(ReasonCompared(request, run.where(at), ("finish_reason",), "attribute"))
        return UNKNOWN
    if following in ("delta", "event_message", "event_call", "event_dump", "event", "block_call", "block_id"):
        return value(Atom(following, atom.ref, info))
    if following == "reason":
        if atom.kind == "snapshot" and is_too_early(atom, state):
            run.early(atom, at, "the snapshot of a stream that is still coming")
            return UNKNOWN
        run.read_reason(atom.ref, state)
    if following in ("final_message", "final_text"):
        run.waits += 1
        ended(atom, state)
    return value(Atom(following, atom.ref, info if atom.ref is None else None))


def _text(run: Run, atom: Atom, state: State, at: int) -> Value:
    info = atom.info
    taken: Where | None = run.where(at)
    if isinstance(info, BlockInfo):
        taken = info.where or taken
        if info.kinds is not None and not info.kinds & {"text", "other"}:
            return UNKNOWN
        _read_by_position(run, atom, state, "text")
    return value(Atom("text", atom.ref, taken))


def _read_by_position(run: Run, block: Atom, state: State, what: str) -> None:
    """Something is read off a block that was taken by its position."""
    info, request = block.info, run.request_of(block.ref)
    if request is None or not isinstance(info, BlockInfo) or info.position is None or info.where is None:
        return
    known = state.know.get(request.token, Knowledge())
    guards = frozenset().union(*(g for frame in run.frames for g in frame.guards))
    event = PositionRead(request, info.where, info.position, info.kinds, info.risky, known.remaining, guards, what)
    # A test that asserts something fails with an IndexError as it should.
    run.emit_unless(event, (ASSERTED,), None if what == "text" else ("used", request.token))


# ------------------------------------------------------------------ the rest


@evaluates(ir.Await)
def _await(run: Run, expr: ir.Await, state: State) -> Value:
    return evaluate(run, expr.value, state)


@evaluates(ir.Star)
def _star(run: Run, expr: ir.Star, state: State) -> Value:
    return evaluate(run, expr.value, state)


@evaluates(ir.Cond)
def _cond(run: Run, expr: ir.Cond, state: State) -> Value:
    yes, no = branch(run, expr.test, state)
    if isinstance(expr.body, ir.Const) and isinstance(expr.orelse, ir.Const) and expr.body.value != expr.orelse.value:
        for unfinished in set_apart(yes, no):
            note_told(run, unfinished)
    ends = evaluate_ways(run, ((side, path) for side, paths in ((expr.body, yes), (expr.orelse, no)) for path in paths))
    return chosen(run, joined(come_out(run, beside_words(ends), state, expr.at)), expr.test, state)


@evaluates(ir.Lambda)
def _lambda(run: Run, expr: ir.Lambda, state: State) -> Value:
    return closure(run, expr.func, state)


@evaluates(ir.Bind)
def _bind(run: Run, expr: ir.Bind, state: State) -> Value:
    val = evaluate(run, expr.value, state)
    bind(run, expr.target, val, state)
    if isinstance(expr.target, ir.Name):
        return state.env.get(expr.target.id, val)
    return val


@evaluates(ir.Yield)
def _yield(run: Run, expr: ir.Yield, state: State) -> Value:
    if expr.value is None:
        return UNKNOWN
    val = evaluate(run, expr.value, state)
    if expr.is_from:
        val = iterate(run, val, state) or val
    run.frame.yielded |= val
    if len(run.frames) == 1:
        escape(run, val, expr.at, state)
    return UNKNOWN
