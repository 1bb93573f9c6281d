"""What a function sets that others see: attributes of its own object, variables around it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from stoplint.check import ir
from stoplint.check.index import flat, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.check.ir import Function

CHANGING = frozenset(name for one in (list, dict, set, deque) for name in vars(one) if name[:1] != "_") - frozenset(
    name for one in (tuple, frozenset) for name in dir(one)
) - {"get", "items", "keys", "values", "fromkeys", "copy", "maxlen"}  # fmt: skip
"""Methods of lists, dicts, sets and deques that change them: those that their unchanging siblings lack."""


class Effects(NamedTuple):
    """`attributes` of its first parameter that a function sets or changes; `variables` around it that it binds anew."""

    attributes: tuple[str, ...]
    variables: tuple[str, ...]


def effects(func: Function) -> Effects:
    """What a function sets that others see."""
    me = func.params[0].name if func.params else ""
    attributes = {name for node in walk(func.body) for expr in _changed(node) for name in _attribute(expr, me)}
    scopes = [one for one in flat(func.body) if isinstance(one, ir.Scope) and one.kind == "nonlocal"]
    return Effects(tuple(sorted(attributes)), tuple(sorted({name for scope in scopes for name in scope.names})))


def mends(node: ir.Try) -> bool:
    """Whether a `try` sets something right before it lets an exception go on: in `finally`, or in a handler."""
    bodies = (node.final, *(handler.body for handler in node.handlers))
    nodes = [one for body in bodies for one in walk(body)]
    return any(_mends(one) for one in nodes)


def _mends(node: object) -> bool:
    """Something is taken out or put in, or made anew; `self.busy = False` puts no history right."""
    if isinstance(node, ir.Assign) and isinstance(node.value, ir.Const):
        return False
    return any(isinstance(node, ir.Call) or not isinstance(expr, ir.Name) for expr in _changed(node))


def _changed(node: object) -> Iterator[ir.Expr]:
    if isinstance(node, (ir.Assign, ir.Delete)):
        yield from node.targets
    elif isinstance(node, ir.AugAssign):
        yield node.target
    elif isinstance(node, ir.Call) and isinstance(node.func, ir.Attr) and node.func.name in CHANGING:
        yield node.func.obj


def _attribute(expr: ir.Expr, me: str) -> Iterator[str]:
    """`self.x`, `self.x[0]`, `self.x.y`: what is set is, or is in, an attribute."""
    if isinstance(expr, ir.Seq):
        for item in expr.items:
            yield from _attribute(item, me)
    while isinstance(expr, (ir.Attr, ir.Index)):
        if isinstance(expr, ir.Attr) and isinstance(expr.obj, ir.Name) and expr.obj.id == me:
            yield expr.name
        expr = expr.obj
