"""Magics leave the rest of a cell readable: line for line, and column for column where code stays."""

from __future__ import annotations

import pytest
from load_tools import load_all, notebook, source
from lower_tools import nodes

from stoplint.check import ir
from stoplint.check.notebook import without_magics


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%time x = f(a)\ny", "0    ;x = f(a)\ny"),
        ("%timeit -n 10 -r3 x.y", "0                ;x.y"),
        ("if a:\n    %time b\n", "if a:\n    0    ;b\n"),
        ("%time x = (\n", "pass\n"),
        ("%time\nx", "pass\nx"),
        ("%timeit -n 10\nx", "pass\nx"),
        ("!pip install a \\\n    b \\\n    c\nx = 1", "pass\n\n\nx = 1"),
        ("%config a = \\\r\n  3\r\nx", "pass\r\n\r\nx"),
        ("x = !ls \\\n  -l\ny", "x = None\n\ny"),
        ("!ls \\", "pass"),
        ("%who\nx = 1 + \\\n  2", "pass\nx = 1 + \\\n  2"),
    ],
)
def test_line_for_line(cell: str, expected: str) -> None:
    assert without_magics(cell) == expected


def test_what_is_timed_is_analysed_in_its_place() -> None:
    loaded = load_all(
        source("x.ipynb", notebook("!pip install -q a \\\n   b\n%time r = c.messages.create()\n", "%%time\nr.x"))
    )
    assert loaded.unreadable == ()
    (module,) = loaded.modules
    found = {each.name: module.spans[each.at] for each in nodes(module.body) if isinstance(each, ir.Attr)}
    assert found == {"messages": (3, 11, 3, 21), "create": (3, 11, 3, 28), "x": (5, 1, 5, 4)}
    assert module.cells == ((1, 0), (1, 0), (1, 0), (2, 3), (2, 3))
