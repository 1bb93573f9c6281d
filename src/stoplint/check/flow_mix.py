"""What several values are mixed into: format strings, operators, slices and whatever else only carries its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_compare import shared_reasons
from stoplint.check.flow_core import evaluate, evaluates
from stoplint.check.flow_errors import as_text
from stoplint.check.flow_escape import reach
from stoplint.check.flow_lists import join_lists
from stoplint.check.values import STEADY, UNKNOWN, Atom, Value, only, ordered, union, value

if TYPE_CHECKING:
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run


@evaluates(ir.Format)
def _format(run: Run, expr: ir.Format, state: State) -> Value:
    return carried([whole(run, evaluate(run, part, state), state) for part in expr.parts])


def whole(run: Run, val: Value, state: State) -> Value:
    """An object of the program's own as it is shown or written out: with what its fields hold."""
    if not any(atom.kind == "object" for atom in val):
        return val
    return val | {atom for atom in reach(run, val, state, 2) if atom.kind in CARRIED}


@evaluates(ir.BinOp)
def _binop(run: Run, expr: ir.BinOp, state: State) -> Value:
    parts = [evaluate(run, part, state) for part in expr.parts]
    if expr.op == "+":
        joined = join_lists(run, parts, expr.at, state)
        if joined is not None:
            return joined
    if expr.op == "&" and (met := shared_reasons(run, parts, expr.at, state)) is not None:
        return met
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


def chosen(run: Run, val: Value, test: ir.Expr, state: State) -> Value:
    """One of several values was chosen, as in `limit or 1024`: the same one again, unless what decides has changed."""
    kinds = {atom.kind for atom in val}
    if len(val) < 2 or not kinds <= STEADY or kinds == {"const"}:
        return val
    deciding = [evaluate(run, part, state) for part in _operands(test)]
    if not deciding or not all(part and {atom.kind for atom in part} <= STEADY for part in deciding):
        return val
    return val | {Atom("choice", tuple(ordered(union(deciding))))}


def choose_default(run: Run, node: ir.If, before: State, after: list[State]) -> None:
    """`if limit is None: limit = 1024` chooses as `limit or 1024` does."""
    for statement in node.body if not node.orelse and len(after) > 1 else ():
        target = statement.targets[0] if isinstance(statement, ir.Assign) and len(statement.targets) == 1 else None
        if isinstance(target, ir.Name):
            val = chosen(run, union(path.env.get(target.id, UNKNOWN) for path in after), node.test, before)
            if any(atom.kind == "choice" for atom in val):
                for path in after:
                    path.env[target.id] = val


def _operands(test: ir.Expr) -> list[ir.Expr]:
    """The names in a test of nothing but names and literals; none in any other."""
    if isinstance(test, (ir.Name, ir.Attr, ir.Const)):
        return [test]
    if isinstance(test, ir.Not):
        return _operands(test.value)
    parts: list[ir.Expr] = []
    if isinstance(test, ir.Compare):
        parts = [test.left, *(right for _, right in test.ops)]
    elif isinstance(test, ir.BoolOp):
        parts = [test.left, test.right]
    found = [_operands(part) for part in parts]
    return [name for names in found for name in names] if all(found) else []


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
