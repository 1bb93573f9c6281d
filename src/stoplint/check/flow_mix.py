"""What several values are mixed into: format strings, operators, slices and whatever else only carries its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_core import evaluate, evaluates
from stoplint.check.flow_errors import as_text
from stoplint.check.flow_lists import join_lists
from stoplint.check.values import UNKNOWN, Atom, Value, only, union, value

if TYPE_CHECKING:
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run


@evaluates(ir.Format)
def _format(run: Run, expr: ir.Format, state: State) -> Value:
    parts = [evaluate(run, part, state) for part in expr.parts]
    return carried(parts)


@evaluates(ir.BinOp)
def _binop(run: Run, expr: ir.BinOp, state: State) -> Value:
    parts = [evaluate(run, part, state) for part in expr.parts]
    if expr.op == "+":
        joined = join_lists(run, parts, expr.at, state)
        if joined is not None:
            return joined
    if expr.op == "|" and all(only(part, "dict", "class", "external") for part in parts):
        return union(parts)
    return carried(parts)


@evaluates(ir.Opaque)
def _opaque(run: Run, expr: ir.Opaque, state: State) -> Value:
    return carried([evaluate(run, part, state) for part in expr.parts])


@evaluates(ir.Slice)
def _slice(run: Run, expr: ir.Slice, state: State) -> Value:
    for part in (expr.lower, expr.upper, expr.step):
        if part is not None:
            evaluate(run, part, state)
    return UNKNOWN


CARRIED = frozenset({"text", "tool_input", "reason", "reason_like", "dump", "stop_sequence", "stop_details", "message", "event", "delta", "exception_text"})  # fmt: skip


def carried(parts: list[Value]) -> Value:
    """What is mixed into a new value goes along with it: a formatted response is a dump of it.  Where nothing of a
    response is in it but every part is known to stay the same, the mixture stays the same too.
    """
    atoms = as_text(union(parts))
    kept = frozenset(
        Atom("dump", atom.ref) if atom.kind == "message" else atom for atom in atoms if atom.kind in CARRIED
    )
    if (
        not kept
        and parts
        and all(len(part) == 1 and next(iter(part)).kind in ("symbol", "const", "mix") for part in parts)
    ):
        return value(Atom("mix", tuple(next(iter(part)) for part in parts)))
    return kept
