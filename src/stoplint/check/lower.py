"""Source text to the flow IR.

With `positions.py`, the `lower_*` modules and `fix/`, this is all of stoplint that knows libcst.  The tree is walked by
hand, once: a libcst visitor that does nothing at all costs as much as parsing.

Where a node's position points (`Module.spans[at]`): at the whole expression without the parentheses around it, or at
the whole simple statement without its semicolon; for `if`, `elif`, `while`, `for`, `with`, `match`, `case` and `except`
at the header up to the last expression in it; for `try` and a bare `except` at the keyword and its colon; for `def` and
`class` at the name.  All parts of an annotation written as a string point at that string.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import libcst as cst

from stoplint.check import ir
from stoplint.check.lower_state import Lowering
from stoplint.check.lower_stmt import statement
from stoplint.check.positions import NEWLINE, locate

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKER: Final = "stoplint"
"""The word that makes a comment one of ours."""

_FORM_FEED: Final = re.compile(r"[ \t\f]*\f")
_LONE_CR: Final = re.compile(r"\r(?!\n)")


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
    parsed, shifts = _prepare(text)
    tree = cst.parse_module(parsed)
    low = Lowering(name, is_package)
    with warnings.catch_warnings():
        # Reading literals repeats the warnings about escapes that belong to whoever runs the code.
        warnings.simplefilter("ignore")
        body, tops = _body(low, tree)
    found = locate(tree, low.spots, shifts, MARKER if MARKER in text else None)
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
        comments=found.comments,
        text=text,
    )


def _prepare(text: str) -> tuple[str, dict[int, int]]:
    """What libcst can give back as it was, and how many characters each line (from 1) has lost in front.

    libcst drops a form feed before a statement, which means nothing to Python, or takes it for indentation; a lone
    carriage return ends a line for both, but only the other two line ends survive a round trip.
    """
    shifts: dict[int, int] = {}
    if "\f" in text:
        starts = [0, *(found.end() for found in NEWLINE.finditer(text))]
        pieces: list[str] = []
        for line, (start, end) in enumerate(zip(starts, [*starts[1:], len(text)], strict=True), 1):
            feed = _FORM_FEED.match(text, start, end)
            if feed is not None:
                shifts[line] = feed.end() - start
            pieces.append(text[start if feed is None else feed.end() : end])
        text = "".join(pieces)
    return (_LONE_CR.sub("\n", text) if "\r" in text else text), shifts


def _body(low: Lowering, tree: cst.Module) -> tuple[list[ir.Stmt], list[tuple[int, int | None]]]:
    """The module's statements, and for each at the top its position with, for an expression that a notebook would
    show, its place among them.
    """
    body: list[ir.Stmt] = []
    tops: list[tuple[int, int | None]] = []
    for node in tree.body:
        statement(low, node, body)
        if not isinstance(node, cst.SimpleStatementLine):
            tops.append((low.header(node, node), None))
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
