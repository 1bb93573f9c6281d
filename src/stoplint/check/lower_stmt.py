"""Statements: libcst to IR, one small function a node class, chosen by a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import libcst as cst

from stoplint.check import ir
from stoplint.check.lower_expr import annotation, expr, maybe, note, parameters
from stoplint.check.lower_pattern import pattern
from stoplint.check.lower_state import AUGMENTED, Lowering, optional
from stoplint.check.names import absolute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Block: TypeAlias = tuple[ir.Stmt, ...]


def statement(low: Lowering, node: cst.CSTNode, out: list[ir.Stmt]) -> None:
    """Lower one statement, or a line of several, onto `out`; `pass` leaves nothing."""
    if isinstance(node, cst.SimpleStatementLine):
        simple(low, node.body, node.body[0], out)
        return
    handler = _STATEMENT.get(type(node))
    if handler is not None:
        out.append(handler(low, node))


def simple(low: Lowering, parts: Sequence[cst.BaseSmallStatement], first: cst.CSTNode, out: list[ir.Stmt]) -> None:
    """The small statements of one line; together with `first` they are one range of lines."""
    for part in parts:
        handler = _STATEMENT.get(type(part))
        if handler is not None:
            out.append(handler(low, part))
    low.spots.lines(first, parts[-1])


def _suite(low: Lowering, header: cst.CSTNode, body: cst.BaseSuite) -> Block:
    """The block below a header."""
    out: list[ir.Stmt] = []
    if isinstance(body, cst.SimpleStatementSuite):
        simple(low, body.body, header, out)
        return tuple(out)
    low.spots.header(header)
    for each in body.body:
        statement(low, each, out)
    return tuple(out)


def _orelse(low: Lowering, node: cst.Else | cst.Finally | None) -> Block:
    return () if node is None else _suite(low, node, node.body)


# ------------------------------------------------------------------ simple statements


def _assign(low: Lowering, node: cst.Assign) -> ir.Stmt:
    targets = tuple([expr(low, each.target) for each in node.targets])
    return ir.Assign(targets, expr(low, node.value), at=low.at(node))


def _ann_assign(low: Lowering, node: cst.AnnAssign) -> ir.Stmt:
    target = expr(low, node.target)
    return ir.Assign((target,), maybe(low, node.value), annotation(low, node.annotation), low.at(node))


def _type_alias(low: Lowering, node: cst.TypeAlias) -> ir.Stmt:
    return ir.Assign((expr(low, node.name),), note(low, node.value), at=low.at(node))


def _aug_assign(low: Lowering, node: cst.AugAssign) -> ir.Stmt:
    op = AUGMENTED[type(node.operator)]
    return ir.AugAssign(expr(low, node.target), op, expr(low, node.value), low.at(node))


def _do(low: Lowering, node: cst.Expr) -> ir.Stmt:
    return ir.Do(expr(low, node.value), low.at(node))


def _return(low: Lowering, node: cst.Return) -> ir.Stmt:
    return ir.Return(maybe(low, node.value), low.at(node))


def _raise(low: Lowering, node: cst.Raise) -> ir.Stmt:
    cause = node.cause.item if isinstance(node.cause, cst.From) else None
    return ir.Raise(maybe(low, node.exc), maybe(low, cause), low.at(node))


def _break(low: Lowering, node: cst.Break) -> ir.Stmt:
    return ir.Break(low.at(node))


def _continue(low: Lowering, node: cst.Continue) -> ir.Stmt:
    return ir.Continue(low.at(node))


def _assert(low: Lowering, node: cst.Assert) -> ir.Stmt:
    return ir.Assert(expr(low, node.test), maybe(low, node.msg), low.at(node))


def _delete(low: Lowering, node: cst.Del) -> ir.Stmt:
    target = expr(low, node.target)
    targets = target.items if isinstance(target, ir.Seq) else (target,)
    return ir.Delete(targets, low.at(node))


def _scope(kind: str) -> Callable[[Lowering, cst.Global | cst.Nonlocal], ir.Stmt]:
    def lower(low: Lowering, node: cst.Global | cst.Nonlocal) -> ir.Stmt:
        del low
        return ir.Scope(kind, tuple([each.name.value for each in node.names]))

    return lower


# ------------------------------------------------------------------ imports


def _dotted(node: cst.CSTNode | None) -> str:
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if isinstance(node, cst.Name):
        parts.append(node.value)
    return ".".join(reversed(parts))


def _import(low: Lowering, node: cst.Import) -> ir.Stmt:
    names = []
    for each in node.names:
        module, local = _dotted(each.name), _dotted(each.asname.name) if each.asname else ""
        top = module.partition(".")[0]
        names.append(ir.Alias(local, module) if local else ir.Alias(top, top))
    return ir.Import(tuple(names), low.at(node))


def _import_from(low: Lowering, node: cst.ImportFrom) -> ir.Stmt:
    module, at = absolute(_dotted(node.module), len(node.relative), low.name, is_package=low.is_package), low.at(node)
    if isinstance(node.names, cst.ImportStar):
        return ir.Import((ir.Alias("*", module, "*"),), at)
    names = []
    for each in node.names:
        name = _dotted(each.name)
        names.append(ir.Alias(_dotted(each.asname.name) if each.asname else name, module, name))
    return ir.Import(tuple(names), at)


# ------------------------------------------------------------------ compound statements


def _if(low: Lowering, node: cst.If) -> ir.Stmt:
    """An `if` with its whole `elif` chain, built from its end."""
    arms: list[tuple[ir.Expr, Block, int]] = []
    arm: cst.If | cst.Else | None = node
    while isinstance(arm, cst.If):
        test = expr(low, arm.test)
        arms.append((test, _suite(low, arm, arm.body), low.between(arm, arm.test)))
        arm = arm.orelse
    orelse = _orelse(low, arm)
    for test, body, at in reversed(arms[1:]):
        orelse = (ir.If(test, body, orelse, at),)
    test, body, at = arms[0]
    return ir.If(test, body, orelse, at)


def _while(low: Lowering, node: cst.While) -> ir.Stmt:
    test, at = expr(low, node.test), low.between(node, node.test)
    return ir.While(test, _suite(low, node, node.body), _orelse(low, node.orelse), at)


def _for(low: Lowering, node: cst.For) -> ir.Stmt:
    target, iterable, at = expr(low, node.target), expr(low, node.iter), low.between(node, node.iter)
    body, orelse = _suite(low, node, node.body), _orelse(low, node.orelse)
    return ir.For(target, iterable, body, orelse, node.asynchronous is not None, at)


def _try(low: Lowering, node: cst.Try | cst.TryStar) -> ir.Stmt:
    at, body = low.beginning(node, len("try")), _suite(low, node, node.body)
    handlers = tuple([_handler(low, each) for each in node.handlers])
    return ir.Try(body, handlers, _orelse(low, node.orelse), _orelse(low, node.finalbody), at)


def _handler(low: Lowering, node: cst.ExceptHandler | cst.ExceptStarHandler) -> ir.Handler:
    types = maybe(low, node.type)
    at = low.between(node, node.type) if node.type else low.beginning(node, len("except"))
    name = _dotted(node.name.name) if node.name else None
    return ir.Handler(types, name, _suite(low, node, node.body), at)


def _with(low: Lowering, node: cst.With) -> ir.Stmt:
    items = [
        ir.WithItem(expr(low, each.item), expr(low, each.asname.name) if each.asname else None) for each in node.items
    ]
    at = low.between(node, node.items[-1].item)
    return ir.With(tuple(items), _suite(low, node, node.body), node.asynchronous is not None, at)


def _match(low: Lowering, node: cst.Match) -> ir.Stmt:
    subject, at = expr(low, node.subject), low.between(node, node.subject)
    low.spots.header(node)
    return ir.Match(subject, tuple([_case(low, each) for each in node.cases]), at)


def _case(low: Lowering, node: cst.MatchCase) -> ir.Case:
    matched, guard = pattern(low, node.pattern), maybe(low, node.guard)
    at = low.between(node, node.guard or node.pattern)
    return ir.Case(matched, guard, _suite(low, node, node.body), at)


# ------------------------------------------------------------------ definitions


def _decorators(low: Lowering, nodes: Sequence[cst.Decorator]) -> tuple[ir.Expr, ...]:
    for each in nodes:
        low.spots.lines(each, each)
    return tuple([expr(low, each.decorator) for each in nodes])


def _def(low: Lowering, node: cst.FunctionDef) -> ir.Stmt:
    name, at, outer_yields = node.name.value, low.at(node.name), low.yields
    decorators, params = _decorators(low, node.decorators), parameters(low, node.params)
    returns, qualname = annotation(low, node.returns), low.qualname(name)
    low.scopes.append(name)
    low.yields = False
    body = _suite(low, node, node.body)
    is_async, is_generator = node.asynchronous is not None, low.yields
    low.scopes.pop()
    low.yields = outer_yields
    func = ir.Function(name, qualname, params, body, decorators, returns, is_async, is_generator, at)
    return ir.Def(func, at)


def _class(low: Lowering, node: cst.ClassDef) -> ir.Stmt:
    name, at, decorators = node.name.value, low.at(node.name), _decorators(low, node.decorators)
    bases = [ir.Star(expr(low, each.value)) if each.star == "*" else expr(low, each.value) for each in node.bases]
    keywords = [(each.keyword.value if each.keyword else "**", expr(low, each.value)) for each in node.keywords]
    qualname = low.qualname(name)
    low.scopes.append(name)
    body = _suite(low, node, node.body)
    low.scopes.pop()
    return ir.Class(name, qualname, tuple(bases), tuple(keywords), body, decorators, at)


_STATEMENT: Final[dict[type[cst.CSTNode], Callable[..., ir.Stmt]]] = {
    cst.Assign: _assign,
    cst.AnnAssign: _ann_assign,
    cst.AugAssign: _aug_assign,
    cst.Expr: _do,
    cst.Return: _return,
    cst.Raise: _raise,
    cst.Break: _break,
    cst.Continue: _continue,
    cst.Assert: _assert,
    cst.Del: _delete,
    cst.Global: _scope("global"),
    cst.Nonlocal: _scope("nonlocal"),
    cst.Import: _import,
    cst.ImportFrom: _import_from,
    cst.If: _if,
    cst.While: _while,
    cst.For: _for,
    cst.Try: _try,
    cst.TryStar: _try,
    cst.With: _with,
    cst.Match: _match,
    cst.FunctionDef: _def,
    cst.ClassDef: _class,
}
_STATEMENT.update(dict.fromkeys(optional("TypeAlias"), _type_alias))
_STATEMENT.update(dict.fromkeys(optional("LazyImport"), _import))
_STATEMENT.update(dict.fromkeys(optional("LazyImportFrom"), _import_from))
