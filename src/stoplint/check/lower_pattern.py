"""Patterns of `match`: libcst to IR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import libcst as cst

from stoplint.check import ir
from stoplint.check.lower_expr import expr

if TYPE_CHECKING:
    from collections.abc import Callable

    from stoplint.check.lower_state import Lowering


def pattern(low: Lowering, node: cst.CSTNode) -> ir.Pattern:
    """Lower one pattern; an unknown kind matches anything, as a wildcard does."""
    handler = _PATTERN.get(type(node))
    return ir.MatchAs(None, None) if handler is None else handler(low, node)


def _value(low: Lowering, node: cst.MatchValue | cst.MatchSingleton) -> ir.Pattern:
    return ir.MatchValue(expr(low, node.value))


def _or(low: Lowering, node: cst.MatchOr) -> ir.Pattern:
    return ir.MatchOr(tuple([pattern(low, each.pattern) for each in node.patterns]))


def _class(low: Lowering, node: cst.MatchClass) -> ir.Pattern:
    positional = tuple([pattern(low, each.value) for each in node.patterns])
    keywords = tuple([(each.key.value, pattern(low, each.pattern)) for each in node.kwds])
    return ir.MatchClass(expr(low, node.cls), positional, keywords)


def _mapping(low: Lowering, node: cst.MatchMapping) -> ir.Pattern:
    items = tuple([(expr(low, each.key), pattern(low, each.pattern)) for each in node.elements])
    return ir.MatchMapping(items, node.rest.value if node.rest else None)


def _sequence(low: Lowering, node: cst.MatchSequence) -> ir.Pattern:
    return ir.MatchSequence(tuple([pattern(low, each) for each in node.patterns]))


def _element(low: Lowering, node: cst.MatchSequenceElement) -> ir.Pattern:
    return pattern(low, node.value)


def _star(low: Lowering, node: cst.MatchStar) -> ir.Pattern:
    del low
    return ir.MatchStar(node.name.value if node.name else None)


def _as(low: Lowering, node: cst.MatchAs) -> ir.Pattern:
    inner = pattern(low, node.pattern) if node.pattern else None
    return ir.MatchAs(inner, node.name.value if node.name else None)


_PATTERN: Final[dict[type[cst.CSTNode], Callable[..., ir.Pattern]]] = {
    cst.MatchValue: _value,
    cst.MatchSingleton: _value,
    cst.MatchOr: _or,
    cst.MatchClass: _class,
    cst.MatchMapping: _mapping,
    cst.MatchList: _sequence,
    cst.MatchTuple: _sequence,
    cst.MatchSequenceElement: _element,
    cst.MatchStar: _star,
    cst.MatchAs: _as,
}
