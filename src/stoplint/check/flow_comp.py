"""Comprehensions and generator expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_bind import bind
from stoplint.check.flow_blocks import enter_blocks, note_filter
from stoplint.check.flow_cond import branch
from stoplint.check.flow_core import evaluate, evaluates
from stoplint.check.flow_lists import fresh_list, iterate
from stoplint.check.flow_loops import Loop
from stoplint.check.flow_many import as_kept
from stoplint.check.flow_mix import carried
from stoplint.check.run import Stop
from stoplint.check.values import UNKNOWN, Atom, Value, in_part, union, value

if TYPE_CHECKING:
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run


@evaluates(ir.Comp)
def _comp(run: Run, expr: ir.Comp, state: State) -> Value:
    inner, asked = state.copy(), run.free_tests
    paths = [inner]
    whole: Value = UNKNOWN
    for loop in expr.loops:
        entered: list[State] = []
        for path in paths:
            items = iterate(run, evaluate(run, loop.iter, path), path)
            if not any(_leaves_out(test, "stop_reason") for test in loop.ifs):
                whole |= {Atom("message", atom.ref) for atom in items if atom.kind == "message_item"}
            bind(run, loop.target, items, path)
            kept = [path]
            over = enter_blocks(run, Loop(run.where(expr.at)), items, path)
            for test in loop.ifs:
                sides = [branch(run, test, one) for one in kept]
                kept = [yes for side in sides for yes in side[0]]
                note_filter(run, over, expr.at, kept, [no for side in sides for no in side[1]])
            entered += kept
        paths = entered
    values = _values(run, expr, paths)
    if run.free_tests > asked:
        values = [in_part(val) for val in values]
    values = as_kept(run, values, paths, expr.at, state)
    state.heap.update({ref: obj for path in paths for ref, obj in path.heap.items()})
    for path in paths:
        for token, known in path.know.items():
            state.know.setdefault(token, known)
            if known.exposed and not state.know[token].exposed:
                state.know[token] = state.know[token].shown()
    if expr.kind == "dict":
        keys = union(values[::2])
        answers = any(atom.kind == "message" for atom in keys)  # `{pool.submit(ask, q): q for q in questions}`
        return value(Atom("iterator", run.token(expr.at, "keys"), keys)) if answers else carried(values) | whole
    return fresh_list(run, expr.at, union(values) | whole, state, kind=expr.kind)


def _values(run: Run, expr: ir.Comp, paths: list[State]) -> list[Value]:
    try:
        return [evaluate(run, part, path) for path in paths for part in expr.parts]
    except Stop:  # there may be no items
        return [UNKNOWN for _ in paths for _ in expr.parts]


def _leaves_out(test: ir.Expr, key: str) -> bool:
    """Whether the filter of a copied dict names a key: it stays behind, or only the others do."""
    if not isinstance(test, ir.Compare):
        return False
    named = [part for _, right in test.ops for part in (right.items if isinstance(right, ir.Seq) else (right,))]
    listed = any(isinstance(part, ir.Const) and part.value == key for part in named)
    return listed == any(op in ("not in", "!=") for op, _ in test.ops)
