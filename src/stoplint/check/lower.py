"""Source text to the flow IR.

With `positions.py`, the `lower_*` modules and `fix/`, this is all of stoplint that knows libcst.  The tree is walked by
hand, once: a libcst visitor that does nothing at all costs as much as parsing.

Where a node's position points (`Module.spans[at]`): at the whole expression without the parentheses around it, or at
the whole simple statement without its semicolon; for `if`, `elif`, `while`, `for`, `with`, `match`, `case` and `except`
at the header up to the last expression in it; for `try` and a bare `except` at the keyword; for `def` and
`class` at the name.  All parts of an annotation written as a string point at that string.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import libcst as cst

from stoplint.check import ir
from stoplint.check.lower_state import Lowering
from stoplint.check.lower_stmt import statement
from stoplint.check.positions import locate

if TYPE_CHECKING:
    from collections.abc import Sequence


PARSER: Final = f"libcst {cst.LIBCST_VERSION}"
SYNTAX_ERRORS: Final = (cst.ParserSyntaxError, SyntaxError)


def lower_module(
    text: str, *, name: str, path: str, is_package: bool, cells: Sequence[tuple[int, int]] = ()
) -> ir.Module:
    """Parse `text` and lower it.

    `name` is the dotted name of the module, against which relative imports are resolved.  With `cells` (see
    `ir.Module.cells`) the text is a notebook's, and the bare last expression of a cell becomes a call of `display`, which
    is what the notebook does with it.

    Raises `libcst.ParserSyntaxError` or `SyntaxError` for what is not Python, RecursionError for code that nests too
    deeply.
    """
    tree = cst.parse_module(text)
    low = Lowering(name, is_package)
    with warnings.catch_warnings():
        # Reading literals repeats the warnings about escapes that belong to whoever runs the code.
        warnings.simplefilter("ignore")
        body, tops = _body(low, tree)
    found = locate(tree, text, low.spots)
    if cells:
        body = _display(body, tops, found.spans, cells)
    return ir.Module(
        name=name,
        path=path,
        is_package=is_package,
        body=tuple(body),
        spans=found.spans,
        cells=tuple(cells),
        statements=found.ranges,
        text=text,
    )


def _body(low: Lowering, tree: cst.Module) -> tuple[list[ir.Stmt], list[tuple[int, int | None]]]:
    """The module's statements, and for each at the top its position with, for an expression that a notebook would
    show, its place among them.
    """
    body: list[ir.Stmt] = []
    tops: list[tuple[int, int | None]] = []
    for node in tree.body:
        statement(low, node, body)
        if not isinstance(node, cst.SimpleStatementLine):
            tops.append((low.beginning(node, 1), None))
            continue
        last = node.body[-1]
        shown = isinstance(last, cst.Expr) and not isinstance(last.semicolon, cst.Semicolon)
        tops.append((low.at(last), len(body) - 1 if shown else None))
    return body, tops


def _display(
    body: list[ir.Stmt], tops: list[tuple[int, int | None]], spans: Sequence[ir.Span], cells: Sequence[tuple[int, int]]
) -> list[ir.Stmt]:
    last = {cells[spans[at][0] - 1][0]: place for at, place in tops}
    shown = list(body)
    for place in last.values():
        found = body[place] if place is not None else None
        if place is not None and isinstance(found, ir.Do):
            call = ir.Call(ir.Name("display", found.at), (ir.Arg(found.value),), found.at)
            shown[place] = replace(found, value=call)
    return shown
