"""Positions are exactly those of libcst's PositionProvider, and of the file as it is on disk."""

from __future__ import annotations

import ast
import random

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider
from lower_tools import bare, lower, nodes, snippet

from stoplint.check import ir, lower_expr, lower_literal, lower_pattern, lower_stmt, positions
from stoplint.check.lower import _body, lower_module
from stoplint.check.lower_state import Lowering
from stoplint.check.positions import Spots, locate

SNIPPETS = (
    "a\n",
    "x = (a.b(  c , *d)[1:2]\n  .e)\n",
    "@d(\n 1)\nasync def f(a: int=1, /, *b, c=(2), **d) -> (x): # why\n    '''doc'''; return (yield)\n",
    "class A ( B, metaclass = M ) :\n\n    # first\n    x : int = 1\n\n    @p\n\n    def f(self): ...\n",
    "if (a):\n\tb\nelif (  c and\n  d): pass\nelse:\n\te; f ;\n",
    "while (not a): break\nelse: continue\n",
    "async def f():\n  async for a, in b: await c\n  async with (a as b, c): pass\n  return [x async for x in y]\n",
    "try:\n  a\nexcept (A, B) as e: raise X from (e)\nexcept: pass\nelse: b\nfinally: c\n",
    "try: a\nexcept* (A,\n   B): b\n",
    "match (a, b):\n  case A(1, x=[y, *_]) | {'k': v, **r} if (g): pass\n  case (1 | 2) as n: pass\n  case -1: pass\n",
    "from .a.b import (c as d,\n  e)\nfrom x import *\nimport a.b as c, d\n",
    "global a, b\nassert (x), 'y'\ndel (a), b[0]\nx: 'List[A]'\ny += (1)\n",
    "f'a{x!r:>{w}}b{(y)=}' 'c' rf'{z}'\nt'{x}'\n",
    "lambda: (yield)\nlambda a, *b, c=1, **d: a if b else (c)\n",
    "{**a, 'b': c}, {1, *d}, [*e], (f,), {k: v for k in (q) for v in w if u}\n",
    "type X[T: int, *U, **P] = list[T]\ndef f[T](x: T) -> T: ...\n",
    "a = b = (c := d) + e ** -f @ g\nx < y <= z is not w not in v\n",
    "x = '''a\n  b''' + r\"\\d\" + 'é𝒳', ü # ö\nz\n",
    "x = 1 \\\n  + 2 \\\n  + y\n\n\n\nz",
    "with a, \\\n     b as c:\n  pass",
    "print >> a, b\n",
    "a\r\nb.c(\r\n  d)\r\nif e:\r\n  f\r\n",
)
HOSTILE = (
    "a\n\f\nb\n\fc = d\n",
    "def f():\n\f    a\n    b\n\f\n  \f    c\n",
    "x = a\ry = b\rif z:\r  c(d)\r",
    "a\nb\rc\r\nd\r",
    "a\n\\\nb\n    \\\n\nc",
    "x = a + \\\n \\\n b\ny\n",
    "try: a\nexcept B  : c\nexcept* (C) \\\n  : d\n",
    "x = '''\n\f y\n \\\n''', z\nw\n",
    "\f\fa\n\f \\\n\f b\nc\n",
)


@pytest.mark.parametrize("text", SNIPPETS)
def test_as_position_provider(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[int, cst.CSTNode] = {}
    ask = Spots.at

    def at(self: Spots, node: cst.CSTNode) -> int:
        number = ask(self, node)
        asked[number] = node
        return number

    monkeypatch.setattr(Spots, "at", at)
    tree = cst.parse_module(text)
    low = Lowering("m", is_package=False)
    _body(low, tree)
    found = locate(tree, text, low.spots).spans
    expected = MetadataWrapper(tree, unsafe_skip_copy=True).resolve(PositionProvider)
    assert asked
    for number, node in asked.items():
        place = expected[node]
        span = (place.start.line, place.start.column + 1, place.end.line, place.end.column + 1)
        assert found[number] == span, type(node).__name__


@pytest.mark.parametrize("module", [lower_expr, lower_stmt, lower_pattern, lower_literal, positions, ir, ast, random])
def test_names_as_ast_has_them(module: object) -> None:
    with open(module.__file__, encoding="utf-8") as file:  # noqa: PTH123
        _compare_with_ast(file.read())


@pytest.mark.parametrize(
    "text", [each for each in SNIPPETS if "print >>" not in each and "except*" not in each] + [*HOSTILE]
)
def test_names_of_snippets_as_ast_has_them(text: str) -> None:
    try:
        ast.parse(text)
    except SyntaxError:
        pytest.skip("newer than this interpreter")
    _compare_with_ast(text)


@pytest.mark.filterwarnings("ignore:invalid escape")
def test_names_of_mangled_code_as_ast_has_them() -> None:
    """Odd whitespace at random places (fixed seed): wherever both parsers accept it, they agree on every name."""
    chance = random.Random(20)
    odd = (
        "\f",
        " ",
        "\t",
        "\n",
        "\r",
        "\r\n",
        "\\\n",
        "\\\r\n",
        "# c",
        ";",
        "\x0b",
        "\x1c",
        "\u2028",
        "é",
        "\f\n",
        " \\\n",
    )
    compared = 0
    for _ in range(1500):
        text = "".join(chance.choices(SNIPPETS, k=2))
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(len(text) + 1)
            text = text[:place] + chance.choice(odd) + text[place:]
        try:
            ast.parse(text)
            cst.parse_module(text)
        except (SyntaxError, cst.ParserSyntaxError, ValueError):
            continue
        _compare_with_ast(text)
        compared += 1
    assert compared > 100


def _compare_with_ast(text: str) -> None:
    """Every name is where `ast` sees it.

    But for f-strings, in which it learnt to place names in 3.12 only, and bounds of type parameters, which are not kept.
    """
    lines = positions.NEWLINE.split(text)
    seen = list(ast.walk(ast.parse(text)))
    aside = [node for node in seen if isinstance(node, ast.JoinedStr)]
    aside += [each for node in seen for each in getattr(node, "type_params", ())]
    hidden = {id(inner) for each in aside for inner in ast.walk(each)}
    expected = {
        (node.id, node.lineno, len(lines[node.lineno - 1].encode()[: node.col_offset].decode()) + 1)
        for node in seen
        if isinstance(node, ast.Name) and id(node) not in hidden
    }
    module = lower(text)
    found = {(node.id, *module.spans[node.at][:2]) for node in nodes(module.body) if isinstance(node, ir.Name)}
    assert expected <= found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if (a):\n  b\nelif (c) :\n  d\n", ["if (a", "elif (c"]),
        ("while a.b : pass", ["while a.b"]),
        ("async def f():\n  async for a in (b): pass\n", ["f", "async for a in (b"]),
        ("try : a\nexcept B as c: d\nexcept : e\n", ["try", "except B", "except"]),
        ("with a, (b) as c: pass", ["with a, (b"]),
        ("match a:\n  case B(c) if d: pass\n  case e: pass\n", ["match a", "case B(c) if d", "case e"]),
        ("@a\ndef f(b): pass\n", ["f"]),
        ("class A(B): pass", ["A"]),
    ],
)
def test_headers(text: str, expected: list[str]) -> None:
    module = lower(text)
    kinds = (ir.If, ir.While, ir.For, ir.Try, ir.Handler, ir.With, ir.Match, ir.Case, ir.Def, ir.Class)
    assert [snippet(module, each.at) for each in nodes(module.body) if isinstance(each, kinds)] == expected


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("a\nb\n", ()),
        ("a(\n)\nb\n", ((1, 2),)),
        ("a = '''\n\n'''; b\n", ((1, 3),)),
        ("@a(\n1)\n@b\ndef f(\n  x,\n) -> y:\n  pass\n", ((1, 2), (4, 6))),
        ("if (\n  a\n):\n  b\n", ((1, 3),)),
        ("if a: b(\n)\n", ((1, 2),)),
        ("match (\n a):\n  case (b,\n    c): pass\n", ((1, 2), (3, 4))),
        ("try: pass\nexcept (A,\n  B): pass\n", ((2, 3),)),
        ("x = 1 \\\n + 2\n", ((1, 2),)),
        ("class A(\n  B): pass\n", ((1, 2),)),
        ("with (a,\n  b): pass\n", ((1, 2),)),
        ("for a in (\n  b): pass\n", ((1, 2),)),
        ("while (\n  b): pass\n", ((1, 2),)),
    ],
)
def test_statements_over_several_lines(text: str, ranges: tuple[tuple[int, int], ...]) -> None:
    assert lower(text).statements == ranges


CELLS = ((1, 0), (1, 0), (3, 2), (3, 2))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\nc\nd\n", [False, True, False, True]),
        ("a\nb;\nc = 1\nd\n", [False, False, False, True]),
        ("a\npass\nc\nd; e\n", [False, False, False, True]),
        ("a\nb\nif c:\n  d\n", [False, True, False]),
        ("await a\nawait b\nc\nd = 1\n", [False, True, False, False]),
    ],
)
def test_a_notebook_shows_the_last_expression_of_a_cell(text: str, shown: list[bool]) -> None:
    module = lower_module(text, name="nb", path="nb.ipynb", is_package=False, cells=CELLS)
    values = [each.value if isinstance(each, ir.Do) else None for each in module.body]
    assert [isinstance(each, ir.Call) and bare(each.func) == ir.Name("display") for each in values] == shown
    assert module.cells == CELLS


def test_what_a_notebook_shows_keeps_its_place() -> None:
    module = lower_module("a\nb(\n1)", name="nb", path="nb.ipynb", is_package=False, cells=((1, 0),) * 3)
    shown = module.body[1]
    assert isinstance(shown, ir.Do)
    assert isinstance(shown.value, ir.Call)
    assert bare(shown.value.args) == (ir.Arg(ir.Call(ir.Name("b"), (ir.Arg(ir.Const(1)),))),)
    assert snippet(module, shown.value.at) == "b(\n1)"
