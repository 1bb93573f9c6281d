"""Retry decorators: after which exceptions, and for which results, a decorated function is called again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.index import dotted_name
from stoplint.check.values import of_kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.check.program import FunctionInfo, Program

RETRY_WORDS = ("retry", "backoff", "stamina", "retrying", "on_exception")
EVERYTHING = frozenset({""})
NOT = "not "
"""In front of the name of an exception after which nothing is tried again."""

CONDITIONS = ("retry", "on", "retry_on")
"""Keywords by which tenacity, backoff, stamina and others take the exceptions to try again after, beside those that say
"exception"."""


def retried_after(program: Program, info: FunctionInfo) -> frozenset[str] | None:
    """The exceptions after which decorators call a function again, by their last names ("" for all of them); None when
    no decorator does.
    """
    found: frozenset[str] | None = None
    for expr in info.func.decorators:
        names = _library(expr)
        if names is None:
            names = _own(program, info, expr)
        if names is not None:
            found = (found or frozenset()) | names
    return found


def conditions_on_results(info: FunctionInfo) -> Iterator[tuple[ir.Expr | None, bool]]:
    """What decorators ask of a result, None where that is its truth, and what the answer is for which they try again."""
    for expr in info.func.decorators:
        if not isinstance(expr, ir.Call):
            continue
        if (dotted_name(expr.func) or "").endswith("on_predicate"):
            given = [arg.value for arg in expr.args if arg.keyword is None][1:2]
            yield from ((test, True) for test in given) if given else ((None, False),)
        for arg in expr.args:
            yield from _on_results(arg.value) if arg.keyword in CONDITIONS else ()


def _on_results(expr: ir.Expr) -> Iterator[tuple[ir.Expr, bool]]:
    """`retry_if_result(empty)`, alone or beside other conditions."""
    if isinstance(expr, ir.Call) and expr.args:
        name = dotted_name(expr.func) or ""
        if name.endswith(("if_result", "if_not_result")):
            yield expr.args[0].value, not name.endswith("if_not_result")
        for arg in expr.args:
            yield from _on_results(arg.value)
    elif isinstance(expr, ir.BinOp):
        for part in expr.parts:
            yield from _on_results(part)


def _library(expr: ir.Expr) -> frozenset[str] | None:
    name = dotted_name(expr.func if isinstance(expr, ir.Call) else expr) or ""
    if not any(word in name.lower() for word in RETRY_WORDS):
        return None
    if not isinstance(expr, ir.Call):
        return EVERYTHING
    conditions = [arg.value for arg in expr.args if arg.keyword and _is_condition(arg.keyword)]
    if name.endswith("on_exception"):
        conditions += [arg.value for arg in expr.args if arg.keyword is None][1:2]
    elif not conditions:
        conditions = [arg.value for arg in expr.args if arg.keyword is None and _class_names(arg.value)]
    if not conditions:
        return EVERYTHING
    if any("not_exception" in called for condition in conditions for called in _called(condition)):
        return EVERYTHING | {NOT + name for condition in conditions for name in _class_names(condition)}
    return frozenset(name for condition in conditions for name in _class_names(condition))


def _is_condition(keyword: str) -> bool:
    return keyword in CONDITIONS or ("exception" in keyword and "callback" not in keyword)


def _class_names(expr: ir.Expr) -> Iterator[str]:
    """The names in an expression that are written like classes."""
    if isinstance(expr, (ir.Name, ir.Attr)):
        name = expr.id if isinstance(expr, ir.Name) else expr.name
        if name[:1].isupper():
            yield "" if name in ("Exception", "BaseException") else name
    elif isinstance(expr, ir.Call):
        for arg in expr.args:
            yield from _class_names(arg.value)
    elif isinstance(expr, ir.Seq):
        for item in expr.items:
            yield from _class_names(item)
    elif isinstance(expr, (ir.BinOp, ir.Opaque)):
        for part in expr.parts:
            yield from _class_names(part)


def _called(expr: ir.Expr) -> Iterator[str]:
    if isinstance(expr, ir.Call):
        yield dotted_name(expr.func) or ""
        for arg in expr.args:
            yield from _called(arg.value)


def _own(program: Program, info: FunctionInfo, expr: ir.Expr) -> frozenset[str] | None:
    """A decorator of the project that calls what it gets in a loop around a `try`."""
    name = dotted_name(expr.func if isinstance(expr, ir.Call) else expr) or ""
    found = program.lookup_global(info.module, name) if name and "." not in name else None
    for atom in of_kind(found or frozenset(), "func"):
        decorator = program.functions.get(str(atom.ref))
        if decorator is not None:
            return _looped(decorator.func.body, inside=False)
    return None


def _looped(body: Sequence[ir.Stmt], *, inside: bool) -> frozenset[str] | None:
    for statement in body:
        found: frozenset[str] | None = None
        if isinstance(statement, (ir.For, ir.While)):
            found = _looped(statement.body, inside=True)
        elif isinstance(statement, ir.Try) and inside:
            found = frozenset(name for handler in statement.handlers for name in _handled(handler))
        elif isinstance(statement, ir.Def):
            found = _looped(statement.func.body, inside=False)
        elif isinstance(statement, (ir.If, ir.With, ir.Try)):
            found = _looped(statement.body, inside=inside)
        if found is not None:
            return found
    return None


def _handled(handler: ir.Handler) -> Iterator[str]:
    if handler.types is None:
        yield ""
    else:
        yield from _class_names(handler.types)
