"""Lowering keeps what the analysis asks about, and loses nothing that is read."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest
from lower_tools import bare, body, expr, lower, nodes, stmt

from stoplint.check import ir
from stoplint.check.ir import (
    Alias,
    Arg,
    Assign,
    Attr,
    Await,
    Bind,
    BinOp,
    BoolOp,
    Call,
    Class,
    Comp,
    Compare,
    Cond,
    Const,
    Def,
    Dict,
    Do,
    Format,
    Function,
    Handler,
    If,
    Import,
    Index,
    Lambda,
    Loop,
    Match,
    MatchAs,
    MatchClass,
    MatchMapping,
    MatchOr,
    MatchSequence,
    MatchStar,
    MatchValue,
    Name,
    Not,
    Opaque,
    Param,
    Return,
    Seq,
    Slice,
    Star,
    Try,
    Yield,
)

A, B, C, D = (Name(each) for each in "abcd")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b", Attr(A, "b")),
        ("(a).b.c", Attr(Attr(A, "b"), "c")),
        ("a(b, *c, d=1, **d)", Call(A, (Arg(B), Arg(C, star="*"), Arg(Const(1), "d"), Arg(D, star="**")))),
        ("a.b(c)[d]", Index(Call(Attr(A, "b"), (Arg(C),)), D)),
        ("a[0]", Index(A, Const(0))),
        ("a[-1]", Index(A, Const(-1))),
        ("a[b, c]", Index(A, Seq("tuple", (B, C)))),
        ("a[b,]", Index(A, Seq("tuple", (B,)))),
        ("a[1:, ::c]", Index(A, Seq("tuple", (Slice(Const(1), None), Slice(None, None, C))))),
        ("a[b:c]", Index(A, Slice(B, C))),
        ("a[*b]", Index(A, Seq("tuple", (Star(B),)))),
        ("[a, *b]", Seq("list", (A, Star(B)))),
        ("{a, b}", Seq("set", (A, B))),
        ("()", Seq("tuple", ())),
        ("a, *b", Seq("tuple", (A, Star(B)))),
        ("{a: b, **c}", Dict(((A, B), (None, C)))),
        ("{}", Dict(())),
        ("await a", Await(A)),
        ("a < b is not c", Compare(A, (("<", B), ("is not", C)))),
        ("a not in b", Compare(A, (("not in", B),))),
        ("a and b and c", BoolOp("and", BoolOp("and", A, B), C)),
        ("a or b and c", BoolOp("or", A, BoolOp("and", B, C))),
        ("not a", Not(A)),
        ("-a", Opaque((A,))),
        ("~1", Opaque((Const(1),))),
        ("a + b + c", BinOp("+", (A, B, C))),
        ("a + b - c - d", BinOp("-", (BinOp("+", (A, B)), C, D))),
        ("a - b + c", BinOp("+", (BinOp("-", (A, B)), C))),
        ("a + b * c", BinOp("+", (A, BinOp("*", (B, C))))),
        ("a | b", BinOp("|", (A, B))),
        ("a if b else c", Cond(B, A, C)),
        ("(a := b)", Bind(A, B)),
        ("(yield)", Yield(None)),
        ("(yield a)", Yield(A)),
        ("(yield from a)", Yield(A, is_from=True)),
        ("[a for b in c if d]", Comp("list", (A,), (Loop(B, C, (D,)),))),
        ("{a for b in c}", Comp("set", (A,), (Loop(B, C, ()),))),
        ("{a: b for c in d}", Comp("dict", (A, B), (Loop(C, D, ()),))),
        (
            "(a async for b in c for d in a)",
            Comp("generator", (A,), (Loop(B, C, (), is_async=True), Loop(D, A, ()))),
        ),
        ("a(b for c in d)", Call(A, (Arg(Comp("generator", (B,), (Loop(C, D, ()),))),))),
    ],
)
def test_expression(text: str, expected: ir.Expr) -> None:
    assert expr(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'end_turn'", "end_turn"),
        ("u'a'", "a"),
        ("'''a\nb'''", "a\nb"),
        ("'''a\r\nb'''", "a\nb"),
        ("''", ""),
        ('""""a"""', '"a'),
        (r"'a\n\u00e9\'\\'", "a\né'\\"),
        (r"r'a\n'", "a\\n"),
        (r"'\d'", "\\d"),
        ("b'a'", b"a"),
        (r"b'\x00'", b"\0"),
        (r"rb'\x'", b"\\x"),
        ("Rb'a'", b"a"),
        ("'max_' 'tokens'", "max_tokens"),
        ("('a'\n r'\\b'\n 'c')", "a\\bc"),
        ("b'a' b'b'", b"ab"),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b11", 3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("-2.0", -2.0),
        ("+3", 3),
        ("None", None),
        ("True", True),
        ("False", False),
        ("...", ...),
    ],
)
def test_constant(text: str, value: object) -> None:
    found = expr(text)
    assert isinstance(found, Const)
    assert found.value == value
    assert type(found.value) is type(value)


@pytest.mark.parametrize("text", ["1j", "9" * 5000, r"'\N{no such character}'", r"b'\x1'"])
def test_a_literal_without_a_value_is_opaque(text: str) -> None:
    assert expr(text) == Opaque(())


def test_wrong_escapes_warn_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lower(r"x = '\d', f'\d{1}'")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("f'a{b}c'", (Const("a"), B, Const("c"))),
        ("f'{a!r:>{b}}'", (A, Const(">"), B)),
        ("f'{a=}'", (A,)),
        ("f'{{a}}{b}'", (Const("{a}"), B)),
        (r"f'\n{a}'", (Const("\n"), A)),
        (r"rf'\n{a}'", (Const("\\n"), A)),
        ("f'''\n{\na\n}'''", (Const("\n"), A)),
        ("'a' f'{b}' 'c'", (Const("a"), B, Const("c"))),
        ("f'{f\"{a}\"}'", (Format((A,)),)),
        ("f'{a[\"b\"]}'", (Index(A, Const("b")),)),
    ],
)
def test_f_string(text: str, parts: tuple[ir.Expr, ...]) -> None:
    assert expr(text) == Format(parts)


def test_template_string_is_a_format() -> None:
    assert expr("t'a{b}'") == Format((Const("a"), B))


def test_lambda() -> None:
    found = expr("lambda a, *, b=c: (yield a)")
    params = (Param("a"), Param("b", default=C, kind="keyword"))
    func = Function("<lambda>", "<lambda>", params, (Return(Yield(A)),), is_generator=True)
    assert found == Lambda(func)


def test_lambda_does_not_make_its_function_a_generator() -> None:
    found = stmt("def f():\n    return lambda: (yield)\n")
    assert isinstance(found, Def)
    assert not found.func.is_generator


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = b = c", Assign((A, B), C)),
        ("a, b = c", Assign((Seq("tuple", (A, B)),), C)),
        ("a, *b = c", Assign((Seq("tuple", (A, Star(B))),), C)),
        ("a: b = c", Assign((A,), C, B)),
        ("a: b", Assign((A,), None, B)),
        ("a.b += c", ir.AugAssign(Attr(A, "b"), "+", C)),
        ("a //= b", ir.AugAssign(A, "//", B)),
        ("del a, b", ir.Delete((A, B))),
        ("del (a)", ir.Delete((A,))),
        ("del a[0]", ir.Delete((Index(A, Const(0)),))),
        ("raise a from b", ir.Raise(A, B)),
        ("raise", ir.Raise(None)),
        ("assert a, b", ir.Assert(A, B)),
        ("global a, b", ir.Scope("global", ("a", "b"))),
        ("type A = b", Assign((Name("A"),), B)),
        ("while a: break\nelse: continue", ir.While(A, (ir.Break(),), (ir.Continue(),))),
        ("for a in b: c\nelse: d", ir.For(A, B, (Do(C),), (Do(D),))),
        ("async for a in b: c", ir.For(A, B, (Do(C),), (), is_async=True)),
        ("with a as b, c: d", ir.With((ir.WithItem(A, B), ir.WithItem(C, None)), (Do(D),))),
        ("async with (a as b): d", ir.With((ir.WithItem(A, B),), (Do(D),), is_async=True)),
        ("if a: pass\nelif b: c\nelse: d", If(A, (), (If(B, (Do(C),), (Do(D),)),))),
    ],
)
def test_statement(text: str, expected: ir.Stmt) -> None:
    assert stmt(text) == expected


def test_statements_on_one_line() -> None:
    assert body("a; b = c; pass; d") == (Do(A), Assign((B,), C), Do(D))


def test_try() -> None:
    text = "try: a\nexcept (b, c) as d: a\nexcept: b\nelse: c\nfinally: d\n"
    handlers = (Handler(Seq("tuple", (B, C)), "d", (Do(A),)), Handler(None, None, (Do(B),)))
    assert stmt(text) == Try((Do(A),), handlers, (Do(C),), (Do(D),))


def test_except_star_is_a_try() -> None:
    assert stmt("try: a\nexcept* b: c\n") == Try((Do(A),), (Handler(B, None, (Do(C),)),), (), ())


def test_match_patterns() -> None:
    found = stmt(
        "match a:\n"
        "    case 'x' | None: pass\n"
        "    case b.c(1, d=[x, *rest]) if a: pass\n"
        "    case {'k': y, **more}: pass\n"
        "    case (z, *_) as whole: pass\n"
        "    case _: pass\n"
    )
    assert isinstance(found, Match)
    assert [each.pattern for each in found.cases] == [
        MatchOr((MatchValue(Const("x")), MatchValue(Const(None)))),
        MatchClass(
            Attr(B, "c"),
            (MatchValue(Const(1)),),
            (("d", MatchSequence((MatchAs(None, "x"), MatchStar("rest")))),),
        ),
        MatchMapping(((Const("k"), MatchAs(None, "y")),), "more"),
        MatchAs(MatchSequence((MatchAs(None, "z"), MatchStar(None))), "whole"),
        MatchAs(None, None),
    ]
    assert [each.guard for each in found.cases] == [None, A, None, None, None]


def test_function() -> None:
    found = stmt("@a\n@b(c)\nasync def f(p, /, q: a = 1, *r, s, t=2, **u: b) -> c:\n    '''doc'''\n    yield d\n")
    params = (
        Param("p", kind="positional"),
        Param("q", A, Const(1)),
        Param("r", kind="*"),
        Param("s", kind="keyword"),
        Param("t", None, Const(2), "keyword"),
        Param("u", B, kind="**"),
    )
    block = (Do(Const("doc")), Do(Yield(D)))
    decorators = (A, Call(B, (Arg(C),)))
    assert stmt_func(found) == Function("f", "f", params, block, decorators, C, is_async=True, is_generator=True)


def stmt_func(found: ir.Stmt) -> Function:
    assert isinstance(found, Def)
    return found.func


def test_qualified_names_have_no_locals_mark() -> None:
    module = lower(
        "class A:\n  def b(self):\n    def c(): return lambda: 0\n    class D:\n      async def e(self): ...\n"
    )
    names = [each.qualname for each in nodes(module.body) if isinstance(each, (Function, Class))]
    assert names == ["A", "A.b", "A.b.c", "A.b.c.<lambda>", "A.b.D", "A.b.D.e"]


def test_class() -> None:
    found = stmt("@a\nclass K[T: b](c, *d, metaclass=a, **b):\n    x: int = 1\n")
    block = (Assign((Name("x"),), Const(1), Name("int")),)
    assert found == Class("K", "K", (C, Star(D)), (("metaclass", A), ("**", B)), block, (A,))


def test_generic_function_and_alias_do_not_disturb() -> None:
    assert stmt_func(stmt("def f[T: (int, str) = int, *Ts, **P](a: T) -> T: return a")).params == (
        Param("a", Name("T")),
    )
    assert stmt("type L[T] = 'list[T]'") == Assign((Name("L"),), Index(Name("list"), Name("T")))


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("'a.b'", Attr(A, "b")),
        ("'a' 'b'", Name("ab")),
        ("Optional['a']", Index(Name("Optional"), A)),
        ("'Optional[\"a\"]'", Index(Name("Optional"), A)),
        ("list['a'] | 'b'", BinOp("|", (Index(Name("list"), A), B))),
        ("Callable[['a'], 'b']", Index(Name("Callable"), Seq("tuple", (Seq("list", (A,)), B)))),
        ("Literal['a', 'b']", Index(Name("Literal"), Seq("tuple", (Const("a"), Const("b"))))),
        ("t.Literal['a']", Index(Attr(Name("t"), "Literal"), Const("a"))),
        ("Annotated['a', 'b']", Index(Name("Annotated"), Seq("tuple", (A, Const("b"))))),
        ("'two words'", Const("two words")),
        ("None", Const(None)),
    ],
)
def test_annotation(note: str, expected: ir.Expr) -> None:
    found = stmt(f"x: {note} = 0")
    assert isinstance(found, Assign)
    assert found.note == expected


def test_a_string_annotation_points_at_the_string() -> None:
    module = lower("def f(x: 'Optional[Message]'): ...\n")
    found = module.body[0]
    assert isinstance(found, Def)
    spots = {module.spans[each.at] for each in nodes(found.func.params) if hasattr(each, "at")}
    assert spots == {(1, 10, 1, 29)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a", (Alias("a", "a"),)),
        ("import a.b", (Alias("a", "a"),)),
        ("import a.b as c, d", (Alias("c", "a.b"), Alias("d", "d"))),
        ("from a.b import c", (Alias("c", "a.b", "c"),)),
        ("from a import (b, c as d,)", (Alias("b", "a", "b"), Alias("d", "a", "c"))),
        ("from a import *", (Alias("*", "a", "*"),)),
        ("from . import c", (Alias("c", "pkg.sub", "c"),)),
        ("from .x import c", (Alias("c", "pkg.sub.x", "c"),)),
        ("from .. import c", (Alias("c", "pkg", "c"),)),
        ("from ..x.y import c", (Alias("c", "pkg.x.y", "c"),)),
        ("from ... import c", (Alias("c", "...", "c"),)),
        ("from ....x import c", (Alias("c", "....x", "c"),)),
    ],
)
def test_import(text: str, expected: tuple[Alias, ...]) -> None:
    assert body(text, "pkg.sub.mod") == (Import(expected),)


def test_relative_import_from_a_package_itself() -> None:
    assert body("from . import c\nfrom ..x import d", "pkg.sub", is_package=True) == (
        Import((Alias("c", "pkg.sub", "c"),)),
        Import((Alias("d", "pkg.x", "d"),)),
    )


def test_relative_import_outside_any_package_keeps_its_dots() -> None:
    assert body("from . import c\nfrom .x import d", "script") == (
        Import((Alias("c", ".", "c"),)),
        Import((Alias("d", ".x", "d"),)),
    )


def test_future_syntax() -> None:
    assert expr("{**a for b in c}") == Comp("dict", (Star(A),), (Loop(B, C, ()),))
    assert expr("[*a for b in c]") == Comp("list", (Star(A),), (Loop(B, C, ()),))
    assert body("lazy from a import b\nlazy import c") == (Import((Alias("b", "a", "b"),)), Import((Alias("c", "c"),)))
    assert stmt("try: a\nexcept b, c: d\n") == Try((Do(A),), (Handler(Seq("tuple", (B, C)), None, (Do(D),)),), (), ())


def test_what_has_no_shape_keeps_its_parts() -> None:
    from libcst import parse_expression

    from stoplint.check.lower_expr import opaque
    from stoplint.check.lower_state import Lowering

    assert bare(opaque(Lowering("m", is_package=False), parse_expression("a(b, c=d)"))) == Opaque((A, B, C, D))


def test_long_chains_need_no_stack() -> None:
    """Well beyond the recursion limit; what remains nested is for the caller to run on a deeper stack."""
    import sys

    from libcst import parse_expression

    from stoplint.check.lower_expr import expr as lower_expr
    from stoplint.check.lower_state import Lowering

    limit = sys.getrecursionlimit()
    tree = parse_expression(" + ".join(["a"] * (limit + 200)))
    found = lower_expr(Lowering("m", is_package=False), tree)
    assert isinstance(found, BinOp)
    assert len(found.parts) == limit + 200


def test_module_facts() -> None:
    module = lower("x = 1\n", "pkg", is_package=True)
    assert (module.name, module.path, module.is_package, module.text) == ("pkg", "mod.py", True, "x = 1\n")
    assert module.spans[0] == (0, 0, 0, 0)
    assert lower("").body == ()
    assert lower("# only a comment").body == ()


def test_no_other_module_knows_libcst() -> None:
    """An import of libcst costs 0.15 s; and the parser is to stay exchangeable."""
    root = Path(ir.__file__).parent.parent
    allowed = ("check/lower", "check/positions.py", "check/fix/")
    for path in sorted(root.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not path.relative_to(root).as_posix().startswith(allowed):
            assert not re.search(r"^\s*(?:import|from) libcst", text, re.MULTILINE), path
        assert not re.search(r"^\s*(?:import|from) libcst\S*matchers", text, re.MULTILINE), path
