"""Binding: names, attributes, subscripts and unpacking as targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_change import altered, void
from stoplint.check.flow_core import evaluate, forget_paths, path_of, set_path
from stoplint.check.flow_escape import escape, put_away, show
from stoplint.check.flow_lists import as_row, iterate
from stoplint.check.flow_many import set_aside
from stoplint.check.flow_names import read_off
from stoplint.check.flow_paths import renewed
from stoplint.check.knowledge import DictObj, ListObj, State, changed
from stoplint.check.values import UNKNOWN, Atom, Token, Value, in_part, literal, ordered, value

if TYPE_CHECKING:
    from collections.abc import Hashable

    from stoplint.check.run import Run


def bind(run: Run, target: ir.Expr, val: Value, state: State, source: ir.Expr | None = None) -> None:
    """Let a target be a value; a value of which nothing is known gets an identity of its own."""
    if isinstance(target, ir.Name):
        _bind_name(run, target, val, state)
    elif isinstance(target, ir.Attr):
        _bind_attribute(run, target, val, state)
    elif isinstance(target, ir.Index):
        _bind_item(run, target, val, state)
    elif isinstance(target, ir.Seq):
        _unpack(run, target, val, state)
    elif isinstance(target, ir.Star):
        bind(run, target.value, UNKNOWN, state)
    del source


def _bind_name(run: Run, target: ir.Name, val: Value, state: State) -> None:
    if target.id in run.frame.shared:
        run.program.set_global(run, target.id, val, state)
    if target.id in run.frame.outer:
        show(run, val, state)
    forget_paths(target.id, state)
    state.env[target.id] = val or fresh_symbol(run, target.at, state)


def fresh_symbol(run: Run, at: int, state: State) -> Value:
    """A value of which nothing is known but that it stays the same until it is bound again."""
    ref = run.token(at, "symbol")
    symbol = Atom("symbol", ref)
    void(run, symbol, state)
    renewed(ref, state)
    state.heap.pop(ref, None)
    return value(symbol)


def _bind_attribute(run: Run, target: ir.Attr, val: Value, state: State) -> None:
    owners = evaluate(run, target.obj, state)
    path = path_of(target)
    if path is not None:
        forget_paths(path, state)
        state.env.pop("@" + path, None)
    for owner in owners:
        if owner.kind in ("object", "symbol", "class"):
            _store(run, owner, target.name, val, target.at, state)
    if path is not None and not owners:
        set_path(path, val or fresh_symbol(run, target.at, state), state)


def _store(run: Run, owner: Atom, name: str, val: Value, at: int, state: State) -> None:
    obj = run.obj(state, owner.ref)
    known = obj if isinstance(obj, DictObj) else DictObj(open=True)
    state.heap[owner.ref] = known.having(name, val or fresh_symbol(run, at, state))
    if owner.kind in ("object", "class"):
        run.program.set_attribute(run, owner, name, val, state)
    if owner.kind == "symbol" or not isinstance(owner.ref, Token):
        escape(run, val, at, state, shown=True)


def _bind_item(run: Run, target: ir.Index, val: Value, state: State) -> None:
    owners = evaluate(run, target.obj, state)
    key_value = evaluate(run, target.key, state)
    key: Hashable = literal(key_value)
    val = set_aside(run, val, target.at, state, state) if run.frame.loops else val
    put_away(run, val, target.at, state, [owner.ref for owner in owners])
    for atom in ordered(key_value):
        if atom.kind == "tool_input" and any(owner.kind in ("symbol", "object") for owner in owners):
            run.execute(atom, target.at, state, "[]")  # what the model named is overwritten
    for owner in owners:
        if key != "cache_control":  # says how to bill, not what is asked
            altered(run, owner, state)
        if owner.kind == "symbol" or (owner.kind == "object" and key is not None):
            _store(run, owner, str(key), val, target.at, state) if key is not None else escape(
                run, val, target.at, state
            )
            continue
        obj = run.obj(state, owner.ref)
        if owner.ref not in state.heap:
            escape(run, val, target.at, state, shown=True)
        if owner.kind == "dict" and isinstance(obj, DictObj):
            if key is not None:
                state.heap[owner.ref] = obj.having(key, val or fresh_symbol(run, target.at, state))
            else:
                state.heap[owner.ref] = DictObj((*obj.items, (("any", target.at), val)), open=True)
        elif owner.kind == "list" and isinstance(obj, ListObj):
            sent = changed(obj.sent)
            state.heap[owner.ref] = ListObj(None, obj.last | val, obj.members | val, open=True, sent=sent)
    if not owners:
        escape(run, val, target.at, state, shown=True)


def _unpack(run: Run, target: ir.Seq, val: Value, state: State) -> None:
    """Each name gets what stands at its place in the lists that have as many items; of others it may be any item."""
    columns: list[tuple[Value, ...]] = []
    rest = set(val)
    for atom in val if not any(isinstance(item, ir.Star) for item in target.items) else ():
        obj = as_row(run, atom, state)
        if isinstance(obj, ListObj) and obj.items is not None and len(obj.items) == len(target.items):
            told = any(one.kind == "reason" for item in obj.items for one in item)  # here it is dropped, if it is
            columns.append(tuple(read_off(run, item, target.at) for item in obj.items) if told else obj.items)
            rest.discard(atom)
    inner = iterate(run, frozenset(rest), state)
    inner = in_part(inner)
    for index, item in enumerate(target.items):
        bind(run, item, inner.union(*(column[index] for column in columns)), state)
