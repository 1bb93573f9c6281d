"""Expressions: libcst to IR, one small function a node class, chosen by a dict.

Chains that lean to the left (calls and attributes, sums, `and` / `or`) are walked in a loop, so that a long one costs no
Python stack.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Final

import libcst as cst

from stoplint.check import ir
from stoplint.check.lower_literal import number, piece, string
from stoplint.check.lower_state import BINARY, COMPARE, Lowering, optional

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_CONSTANTS: Final = {"None": None, "True": True, "False": False}
_SPINE: Final = (cst.Attribute, cst.Call, cst.Subscript)


def expr(low: Lowering, node: cst.CSTNode) -> ir.Expr:
    """Lower one expression (or display element)."""
    handler = _EXPR.get(type(node))
    return opaque(low, node) if handler is None else handler(low, node)


def maybe(low: Lowering, node: cst.BaseExpression | None) -> ir.Expr | None:
    return None if node is None else expr(low, node)


def opaque(low: Lowering, node: cst.CSTNode) -> ir.Opaque:
    """A node without a shape of its own: its parts, in order."""
    at = low.at(node) if isinstance(node, cst.BaseExpression) else 0
    return ir.Opaque(tuple(_parts(low, node)), at)


def _parts(low: Lowering, node: cst.CSTNode) -> Iterator[ir.Expr]:
    for child in node.children:
        if type(child) in _EXPR:
            yield expr(low, child)
        else:
            yield from _parts(low, child)


# ------------------------------------------------------------------ names, calls, subscripts


def _name(low: Lowering, node: cst.Name) -> ir.Expr:
    value = node.value
    if value in _CONSTANTS:
        return ir.Const(_CONSTANTS[value], low.at(node))
    return ir.Name(intern(value), low.at(node))


def _spine(low: Lowering, node: cst.Attribute | cst.Call | cst.Subscript) -> ir.Expr:
    links: list[cst.Attribute | cst.Call | cst.Subscript] = []
    inner: cst.BaseExpression = node
    while isinstance(inner, _SPINE):
        links.append(inner)
        inner = inner.func if isinstance(inner, cst.Call) else inner.value
    result = expr(low, inner)
    for link in reversed(links):
        if isinstance(link, cst.Attribute):
            result = ir.Attr(result, intern(link.attr.value), low.at(link))
        elif isinstance(link, cst.Call):
            result = ir.Call(result, tuple([_arg(low, each) for each in link.args]), low.at(link))
        else:
            result = ir.Index(result, _key(low, link.slice), low.at(link))
    return result


def _arg(low: Lowering, node: cst.Arg) -> ir.Arg:
    return ir.Arg(expr(low, node.value), intern(node.keyword.value) if node.keyword else None, node.star)


def _key(low: Lowering, elements: Sequence[cst.SubscriptElement]) -> ir.Expr:
    keys = tuple([_subscript(low, each.slice) for each in elements])
    single = len(elements) == 1 and not isinstance(elements[0].comma, cst.Comma)
    return keys[0] if single and not isinstance(keys[0], ir.Star) else ir.Seq("tuple", keys)


def _subscript(low: Lowering, node: cst.BaseSlice) -> ir.Expr:
    if isinstance(node, cst.Slice):
        return ir.Slice(maybe(low, node.lower), maybe(low, node.upper), maybe(low, node.step))
    if isinstance(node, cst.Index):
        value = expr(low, node.value)
        return ir.Star(value) if node.star else value
    return opaque(low, node)


# ------------------------------------------------------------------ literals and displays


def _number(low: Lowering, node: cst.Integer | cst.Float | cst.Imaginary) -> ir.Expr:
    value = number(node.value)
    return ir.Opaque((), low.at(node)) if value is None else ir.Const(value, low.at(node))


def _ellipsis(low: Lowering, node: cst.Ellipsis) -> ir.Expr:
    return ir.Const(..., low.at(node))


def _string(low: Lowering, node: cst.SimpleString) -> ir.Expr:
    value = string(node.value)
    return ir.Opaque((), low.at(node)) if value is None else ir.Const(value, low.at(node))


def _joined(low: Lowering, node: cst.ConcatenatedString) -> ir.Expr:
    """Literals side by side: one constant, or, with an f-string among them, one format."""
    at = low.at(node)
    pieces: list[ir.Expr] = []
    rest: cst.BaseExpression = node
    while isinstance(rest, cst.ConcatenatedString):
        pieces.append(expr(low, rest.left))
        rest = rest.right
    pieces.append(expr(low, rest))
    values = [each.value for each in pieces if isinstance(each, ir.Const)]
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(pieces):
        return ir.Const("".join(texts), at)
    blobs = [value for value in values if isinstance(value, bytes)]
    if len(blobs) == len(pieces):
        return ir.Const(b"".join(blobs), at)
    parts: list[ir.Expr] = []
    for each in pieces:
        parts.extend(each.parts if isinstance(each, ir.Format) else (each,))
    return ir.Format(tuple(parts), at)


def _format(low: Lowering, node: cst.FormattedString | cst.TemplatedString) -> ir.Expr:
    return ir.Format(tuple(_format_parts(low, node.parts, raw="r" in node.start.lower())), low.at(node))


def _format_parts(low: Lowering, parts: Sequence[cst.CSTNode], *, raw: bool) -> Iterator[ir.Expr]:
    for part in parts:
        text = getattr(part, "value", None)
        if isinstance(text, str):
            yield ir.Const(piece(text, raw=raw))
            continue
        inner = getattr(part, "expression", None)
        if isinstance(inner, cst.CSTNode):
            yield expr(low, inner)
        yield from _format_parts(low, getattr(part, "format_spec", None) or (), raw=raw)


def _sequence(kind: str) -> Callable[[Lowering, cst.Tuple | cst.List | cst.Set], ir.Expr]:
    def lower(low: Lowering, node: cst.Tuple | cst.List | cst.Set) -> ir.Expr:
        return ir.Seq(kind, tuple([expr(low, each) for each in node.elements]), low.at(node))

    return lower


def _element(low: Lowering, node: cst.Element) -> ir.Expr:
    return expr(low, node.value)


def _star(low: Lowering, node: cst.StarredElement) -> ir.Expr:
    return ir.Star(expr(low, node.value))


def _dict(low: Lowering, node: cst.Dict) -> ir.Expr:
    items = [
        (expr(low, each.key) if isinstance(each, cst.DictElement) else None, expr(low, each.value))
        for each in node.elements
    ]
    return ir.Dict(tuple(items), low.at(node))


# ------------------------------------------------------------------ operators


def _await(low: Lowering, node: cst.Await) -> ir.Expr:
    return ir.Await(expr(low, node.expression), low.at(node))


def _compare(low: Lowering, node: cst.Comparison) -> ir.Expr:
    left = expr(low, node.left)
    ops = [(COMPARE[type(each.operator)], expr(low, each.comparator)) for each in node.comparisons]
    return ir.Compare(left, tuple(ops), low.at(node))


def _bool_op(low: Lowering, node: cst.BooleanOperation) -> ir.Expr:
    links: list[cst.BooleanOperation] = []
    inner: cst.BaseExpression = node
    while isinstance(inner, cst.BooleanOperation):
        links.append(inner)
        inner = inner.left
    result = expr(low, inner)
    for link in reversed(links):
        op = "and" if isinstance(link.operator, cst.And) else "or"
        result = ir.BoolOp(op, result, expr(low, link.right), low.at(link))
    return result


def _unary(low: Lowering, node: cst.UnaryOperation) -> ir.Expr:
    value = expr(low, node.expression)
    if isinstance(node.operator, cst.Not):
        return ir.Not(value, low.at(node))
    number_like = isinstance(value, ir.Const) and isinstance(value.value, (int, float))
    if number_like and isinstance(value, ir.Const) and isinstance(value.value, (int, float)):
        if isinstance(node.operator, cst.Minus):
            return ir.Const(-value.value, low.at(node))
        if isinstance(node.operator, cst.Plus):
            return ir.Const(+value.value, low.at(node))
    return ir.Opaque((value,), low.at(node))


def _bin_op(low: Lowering, node: cst.BinaryOperation) -> ir.Expr:
    links: list[cst.BinaryOperation] = []
    inner: cst.BaseExpression = node
    while isinstance(inner, cst.BinaryOperation):
        links.append(inner)
        inner = inner.left
    parts = [expr(low, inner)]
    for place, link in enumerate(reversed(links)):
        op = BINARY[type(link.operator)]
        parts.append(expr(low, link.right))
        following = links[-place - 2] if place + 1 < len(links) else None
        if following is None or type(following.operator) is not type(link.operator):
            parts = [ir.BinOp(op, tuple(parts), low.at(link))]
    return parts[0]


def _cond(low: Lowering, node: cst.IfExp) -> ir.Expr:
    test = expr(low, node.test)
    return ir.Cond(test, expr(low, node.body), expr(low, node.orelse), low.at(node))


def _walrus(low: Lowering, node: cst.NamedExpr) -> ir.Expr:
    return ir.Bind(expr(low, node.target), expr(low, node.value), low.at(node))


def _yield(low: Lowering, node: cst.Yield) -> ir.Expr:
    low.yields = True
    at, value = low.at(node), node.value
    if isinstance(value, cst.From):
        return ir.Yield(expr(low, value.item), is_from=True, at=at)
    return ir.Yield(maybe(low, value), at=at)


# ------------------------------------------------------------------ comprehensions, lambdas, parameters


def _loops(low: Lowering, node: cst.CompFor) -> tuple[ir.Loop, ...]:
    loops: list[ir.Loop] = []
    clause: cst.CompFor | None = node
    while clause is not None:
        ifs = tuple([expr(low, each.test) for each in clause.ifs])
        is_async = clause.asynchronous is not None
        loops.append(ir.Loop(expr(low, clause.target), expr(low, clause.iter), ifs, is_async))
        clause = clause.inner_for_in
    return tuple(loops)


def _comp(kind: str) -> Callable[[Lowering, cst.BaseSimpleComp], ir.Expr]:
    def lower(low: Lowering, node: cst.BaseSimpleComp) -> ir.Expr:
        return ir.Comp(kind, (expr(low, node.elt),), _loops(low, node.for_in), low.at(node))

    return lower


def _dict_comp(low: Lowering, node: cst.DictComp) -> ir.Expr:
    parts = (expr(low, node.key), expr(low, node.value))
    return ir.Comp("dict", parts, _loops(low, node.for_in), low.at(node))


def _starred_dict_comp(low: Lowering, node: cst.DictComp) -> ir.Expr:
    return ir.Comp("dict", (ir.Star(expr(low, node.value)),), _loops(low, node.for_in), low.at(node))


def _lambda(low: Lowering, node: cst.Lambda) -> ir.Expr:
    at, params = low.at(node), parameters(low, node.params)
    qualname, outer_yields = low.qualname("<lambda>"), low.yields
    low.scopes.append("<lambda>")
    low.yields = False
    body = ir.Return(expr(low, node.body), low.at(node.body))
    func = ir.Function("<lambda>", qualname, params, (body,), is_generator=low.yields, at=at)
    low.scopes.pop()
    low.yields = outer_yields
    return ir.Lambda(func, at)


def parameters(low: Lowering, node: cst.Parameters) -> tuple[ir.Param, ...]:
    """The parameters of a `def` or lambda, in the order in which they are written."""
    params = [_param(low, each, "positional") for each in node.posonly_params]
    params += [_param(low, each, "normal") for each in node.params]
    if isinstance(node.star_arg, cst.Param):
        params.append(_param(low, node.star_arg, "*"))
    params += [_param(low, each, "keyword") for each in node.kwonly_params]
    if node.star_kwarg is not None:
        params.append(_param(low, node.star_kwarg, "**"))
    return tuple(params)


def _param(low: Lowering, node: cst.Param, kind: str) -> ir.Param:
    return ir.Param(node.name.value, annotation(low, node.annotation), maybe(low, node.default), kind)


def annotation(low: Lowering, node: cst.Annotation | None) -> ir.Expr | None:
    """An annotation; what is written as a string is lowered as the expression it holds."""
    return None if node is None else note(low, node.annotation)


def note(low: Lowering, node: cst.BaseExpression) -> ir.Expr:
    """An expression that stands for a type."""
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)):
        return _quoted(low, node)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return ir.BinOp("|", (note(low, node.left), note(low, node.right)), low.at(node))
    if isinstance(node, cst.List):
        return ir.Seq("list", tuple([note(low, each.value) for each in node.elements]), low.at(node))
    if not isinstance(node, cst.Subscript):
        return expr(low, node)
    base = expr(low, node.value)
    head = base.id if isinstance(base, ir.Name) else base.name if isinstance(base, ir.Attr) else ""
    if head == "Literal":
        return ir.Index(base, _key(low, node.slice), low.at(node))
    keys = [
        note(low, each.slice.value)
        if isinstance(each.slice, cst.Index) and not each.slice.star and not (head == "Annotated" and place)
        else _subscript(low, each.slice)
        for place, each in enumerate(node.slice)
    ]
    key = keys[0] if len(keys) == 1 else ir.Seq("tuple", tuple(keys))
    return ir.Index(base, key, low.at(node))


_LONGEST_NOTE: Final = 1000
"""Characters; no annotation is longer, and an annotation may hold any text at all."""


def _quoted(low: Lowering, node: cst.SimpleString | cst.ConcatenatedString) -> ir.Expr:
    plain = expr(low, node)
    if not isinstance(plain, ir.Const) or not isinstance(plain.value, str) or len(plain.value) > _LONGEST_NOTE:
        return plain
    try:
        inner = cst.parse_expression(plain.value.strip())
    except (cst.ParserSyntaxError, SyntaxError, RecursionError):
        return plain
    outer = low.pinned
    low.pinned = plain.at
    try:
        return note(low, inner)
    finally:
        low.pinned = outer


_EXPR: Final[dict[type[cst.CSTNode], Callable[..., ir.Expr]]] = {
    cst.Name: _name,
    cst.Attribute: _spine,
    cst.Call: _spine,
    cst.Subscript: _spine,
    cst.Integer: _number,
    cst.Float: _number,
    cst.Imaginary: _number,
    cst.Ellipsis: _ellipsis,
    cst.SimpleString: _string,
    cst.ConcatenatedString: _joined,
    cst.FormattedString: _format,
    cst.Tuple: _sequence("tuple"),
    cst.List: _sequence("list"),
    cst.Set: _sequence("set"),
    cst.Element: _element,
    cst.StarredElement: _star,
    cst.Dict: _dict,
    cst.Await: _await,
    cst.Comparison: _compare,
    cst.BooleanOperation: _bool_op,
    cst.UnaryOperation: _unary,
    cst.BinaryOperation: _bin_op,
    cst.IfExp: _cond,
    cst.NamedExpr: _walrus,
    cst.Yield: _yield,
    cst.ListComp: _comp("list"),
    cst.SetComp: _comp("set"),
    cst.GeneratorExp: _comp("generator"),
    cst.DictComp: _dict_comp,
    cst.Lambda: _lambda,
}
_EXPR.update(dict.fromkeys(optional("TemplatedString"), _format))
_EXPR.update(dict.fromkeys(optional("StarredDictComp"), _starred_dict_comp))
