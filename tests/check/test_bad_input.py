"""Whatever a file holds, it costs itself at most: the one beside it is analysed, and each bad one says once why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from load_tools import GOOD, load_all, notebook, on_disk, source
from lower_tools import nodes, snippet

from stoplint.check import ir, pool
from stoplint.check.cache import Cache
from stoplint.check.load import Loaded, Options, Unreadable, load
from stoplint.check.source import MAX_BYTES, SourceFile

if TYPE_CHECKING:
    from pathlib import Path

NESTED = {
    "1,000 elif": "if a: pass\n" + "elif a: pass\n" * 1000,
    "300 nested lists": "x = " + "[" * 300 + "]" * 300,
    "150 nested dicts": "x = " + "{1: " * 150 + "2" + "}" * 150,
    "300 parentheses": "x = " + "(" * 300 + "a" + ")" * 300,
    "500 calls in a row": "x = a" + ".b()" * 500,
    "1,000 attributes": "x = a" + ".b" * 1000,
    "1,500 terms": "x = " + " + ".join(["a"] * 1500),
    "1,500 conditions": "x = " + " and ".join(["a"] * 1500),
    "1,500 joined strings": "x = (" + "\n".join(["'a'"] * 1500) + ")",
    "500 lambdas": "x = " + "lambda: " * 500 + "a",
    "500 conditionals": "x = " + "a if b else " * 500 + "c",
    "90 nested blocks": "".join(" " * depth + "if a:\n" for depth in range(90)) + " " * 90 + "b\n",
}


SHALLOW = sys.version_info[:2] == (3, 12)
"""Python 3.12 bounds recursion through C at some 1,500 levels, whatever the stack: it may refuse what others take."""


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_nested_code_is_lowered(text: str, tmp_path: Path) -> None:
    """With one process, with several, and from the cache."""
    files = [source("deep.py", text), source("good.py", GOOD)]
    loaded = load_all(*files, jobs=1)
    if not (SHALLOW and loaded.unreadable == (Unreadable("deep.py", "nests too deeply to be analysed"),)):
        assert loaded.unreadable == ()
        assert [module.path for module in loaded.modules] == ["deep.py", "good.py"]
    many = load_all(*files, jobs=2, workers_from=0)
    assert many.unreadable == loaded.unreadable
    for hits in (0, len(loaded.modules)):
        cache = Cache(tmp_path)
        cached = load(files, options=Options(screen=False, seconds=60, jobs=1), cache=cache)
        assert cached.unreadable == loaded.unreadable
        assert cache.hits == hits


def test_long_chains_are_whole() -> None:
    loaded = load_all(
        source("a.py", "x = " + " + ".join(["a"] * 700)),
        source("b.py", "x = (" + "\n".join(["'a'"] * 700) + ")"),
        source("c.py", "if a: pass\n" + "elif a: pass\n" * 400),
        source("d.py", "x = a" + ".b()" * 300),
    )
    terms, strings, arms, calls = (module.body[0] for module in loaded.modules)
    assert isinstance(terms, ir.Assign)
    assert isinstance(terms.value, ir.BinOp)
    assert len(terms.value.parts) == 700
    assert isinstance(strings, ir.Assign)
    assert isinstance(strings.value, ir.Const)
    assert strings.value.value == "a" * 700
    assert _depth(arms, lambda arm: arm.orelse[0] if isinstance(arm, ir.If) and arm.orelse else None) == 401
    assert isinstance(calls, ir.Assign)
    assert _depth(calls.value, lambda call: call.func.obj if isinstance(call, ir.Call) else None) == 301


def _depth(node, step) -> int:
    depth = 0
    while node is not None:
        node = step(node)
        depth += 1
    return depth


def bad(file: SourceFile, **options: float) -> Unreadable:
    """The one thing said of `file`, which hides nothing beside it."""
    loaded = load_all(file, source("good.py", GOOD), **options)
    assert [module.path for module in loaded.modules] == ["good.py"]
    assert len(loaded.unreadable) == 1
    assert loaded.unreadable[0].path == file.path
    return loaded.unreadable[0]


@pytest.mark.parametrize(
    "text",
    ["x = a" + ".b()" * 3000, "x = " + "+".join(["a"] * 5000), "x = " + "[" * 3000 + "]" * 3000],
    ids=["3,000 calls in a row", "5,000 terms", "3,000 nested lists"],
)
def test_what_takes_too_long_is_ended(text: str) -> None:
    assert bad(source("slow.py", text), seconds=1.0).reason == "could not be parsed in 1 s"


def test_what_libcst_wrongly_refuses_is_not_blamed() -> None:
    text = "x = (" + "\n".join(["'a'"] * 5000) + ")"
    reason = bad(source("strings.py", text)).reason
    assert reason.startswith("is valid Python, but libcst ")
    assert reason.endswith(" cannot parse it")


def test_what_nests_beyond_any_stack() -> None:
    found = bad(source("deep.py", "x = " + " and ".join(["a"] * 20_000)))
    assert found.reason == "nests too deeply to be analysed"


def test_open_parentheses_that_would_overrun_the_stack() -> None:
    assert bad(source("open.py", "x = " + "(" * 20_000)).reason.startswith("is not valid Python: ")


SYNTAX = {
    "print": ("x = 1\nprint 'x'\n", 2, "print"),
    "except": ("try:\n    a\nexcept B, c:\n  b\nexec 'x'\n", None, ""),
    "magic": ("a = 1\n%matplotlib inline\n", 2, "invalid syntax"),
    "shell": ("!ls\n", 1, "invalid syntax"),
    "tabs": ("if a:\n        b\n\tc\n", 3, "inconsistent use of tabs"),
    "indent": ("  a\n", 1, "unexpected indent"),
    "quote": ("a\nb = 'c\n", 2, "unterminated string"),
    "bracket": ("a = (\nb\n", 1, "never closed"),
    "bare backslash": ("a = \\", None, ""),
    "conflict": ("a\n<<<<<<< HEAD\nb\n", 2, "invalid syntax"),
    "template": ("{% if x %}\n", 1, "invalid syntax"),
}


@pytest.mark.parametrize(("text", "line", "words"), SYNTAX.values(), ids=SYNTAX)
def test_not_python(text: str, line: int | None, words: str) -> None:
    found = bad(source("x.py", text))
    assert found.reason.startswith("is not valid Python: ")
    assert words in found.reason
    assert found.cell is None
    assert line is None or found.line == line


def test_nul() -> None:
    found = bad(source("nul.py", b"a = 1\nb = '\0'\n"))
    assert (found.reason, found.line) == ("contains a NUL character", 2)


def test_bad_utf8() -> None:
    found = bad(source("x.py", b"a = 1\nb = '\xff'\n"))
    assert "cannot be decoded as utf-8" in found.reason
    assert found.line == 2


def test_unknown_encoding() -> None:
    assert "no-such-code" in bad(source("x.py", b"# -*- coding: no-such-code -*-\na\n")).reason


def test_too_large() -> None:
    assert bad(source("x.py", b"a\n" * (MAX_BYTES // 2 + 1))).reason == "is larger than 2 MB"


@pytest.mark.parametrize(
    ("data", "spot", "value"),
    [
        ("# coding: latin-1\na = 'é'; b.c\n".encode("latin-1"), "b.c", "é"),
        (b"\xef\xbb\xbfa = 'x'; b.c\n", "b.c", "x"),
        (b"\xef\xbb\xbf# coding: utf-8\na = '\xc3\xa9'; b.c\n", "b.c", "é"),
        (b"a = '''x\r\ny'''\r\nb.c\r\n", "b.c", "x\ny"),
        (b"a = 'x'\rb.c\r", "b.c", "x"),
        (b"a = 'x'\n\x0cb.c\n", "b.c", "x"),
        (b"a = 'x'\n\x0c\n\n   \x0c\nb.c", "b.c", "x"),
        (b"a = 'x'\nb.c", "b.c", "x"),
        ("a = '𝒳é'; b.c".encode(), "b.c", "𝒳é"),
    ],
    ids=["latin-1", "BOM", "BOM and cookie", "CRLF", "lone CR", "form feed", "page breaks", "no final newline", "wide"],
)
def test_odd_but_right(data: bytes, spot: str, value: str) -> None:
    loaded = load_all(source("x.py", data))
    assert loaded.unreadable == ()
    module = loaded.modules[0]
    found = [each for each in nodes(module.body) if isinstance(each, ir.Attr)]
    assert snippet(module, found[0].at) == spot
    assigned = module.body[0]
    assert isinstance(assigned, ir.Assign)
    assert isinstance(assigned.value, ir.Const)
    assert assigned.value.value == value


# ------------------------------------------------------------------ what is no file, or cannot be read


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulated: where the tests run as root, permissions forbid nothing."""

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "read_bytes", refuse)
    assert bad(on_disk(tmp_path, "secret.py")).reason == "cannot be read: Permission denied"


def test_a_folder_named_like_a_file(tmp_path: Path) -> None:
    (tmp_path / "x.py").mkdir()
    assert bad(on_disk(tmp_path, "x.py")).reason == "cannot be read: Is a directory"


def test_a_loop_of_links(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("b.py")
    (tmp_path / "b.py").symlink_to("a.py")
    assert bad(on_disk(tmp_path, "a.py")).reason.startswith("cannot be read: Too many levels")


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    assert bad(on_disk(tmp_path, "gone.py")).reason == "cannot be read: No such file or directory"


# ------------------------------------------------------------------ notebooks and Markdown


def test_broken_notebook() -> None:
    assert "JSON" in bad(source("x.ipynb", b'{"cells": [')).reason


def test_a_notebook_with_surrogates() -> None:
    data = notebook("a = 'x'", "b.two").replace(b"x", rb"\ud800")
    loaded = load_all(source("x.ipynb", data))
    assert cells_of(loaded) == {2: ["two:1"]}
    assert [(each.cell, "surrogates" in each.reason) for each in loaded.unreadable] == [(1, True)]


def test_a_notebook_in_another_language_is_skipped() -> None:
    loaded = load_all(source("x.ipynb", notebook("x <- 1", language="R")), source("good.py", GOOD))
    assert [module.path for module in loaded.modules] == ["good.py"]
    assert loaded.unreadable == ()
    assert [each.path for each in loaded.skipped] == ["x.ipynb"]


def cells_of(loaded: Loaded) -> dict[int, list[str]]:
    module = loaded.modules[0]
    found: dict[int, list[str]] = {}
    for each in nodes(module.body):
        if isinstance(each, ir.Attr):
            line = module.spans[each.at][0]
            cell, before = module.cells[line - 1]
            found.setdefault(cell, []).append(f"{each.name}:{line - before}")
    return found


def test_a_bad_cell_hides_no_other() -> None:
    data = notebook("a.one", ("markdown", "# b.two"), "\n  print 'x'", "%time x\nc.three\n", "d = (", "e.four")
    loaded = load_all(source("x.ipynb", data))
    assert cells_of(loaded) == {1: ["one:1"], 4: ["three:2"], 6: ["four:1"]}
    assert [(each.path, each.cell) for each in loaded.unreadable] == [("x.ipynb", 3), ("x.ipynb", 5)]
    assert all(each.reason.startswith("is not valid Python: ") for each in loaded.unreadable)
    assert [each.line for each in loaded.unreadable] == [2, 1]


def test_a_cell_newer_than_this_python_is_kept_beside_good_ones() -> None:
    loaded = load_all(source("x.ipynb", notebook("a.one", "lazy import json", "await b.two")))
    assert loaded.unreadable == ()
    assert cells_of(loaded) == {1: ["one:1"], 3: ["two:1"]}


def test_a_bad_markdown_block_hides_no_other() -> None:
    text = "# t\n\n```python\na.one\n```\n\n```python\nthis is not python\n```\n\n```py\nb.two\n```\n"
    loaded = load_all(source("x.md", text))
    module = loaded.modules[0]
    names = [(each.name, module.spans[each.at][0]) for each in nodes(module.body) if isinstance(each, ir.Attr)]
    assert names == [("one", 4), ("two", 12)]


# ------------------------------------------------------------------ workers


DYING = """\
import os
from stoplint.check import worker
attempt = worker._attempt
def die(task):
    if "die" in task.text:
        os._exit(1)
    return attempt(task)
worker._attempt = die
"""


def test_a_worker_that_dies_costs_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_PROGRAM", pool._PROGRAM.replace("from stoplint", DYING + "from stoplint", 1))
    files = [source(f"{number}.py", "die" if number in (2, 3) else "a") for number in range(6)]
    loaded = load_all(*files, jobs=2, workers_from=0)
    assert [module.path for module in loaded.modules] == ["0.py", "1.py", "4.py", "5.py"]
    assert loaded.unreadable == tuple(
        Unreadable(f"{n}.py", "brings the parser down (libcst)", passing=True) for n in (2, 3)
    )


def test_without_worker_processes_everything_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.sys, "executable", "/no/such/python")
    loaded = load_all(*(source(f"{number}.py", "a.b") for number in range(3)), jobs=2, workers_from=0)
    assert len(loaded.modules) == 3
    assert loaded.unreadable == ()


def test_workers_that_do_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_PROGRAM", "raise SystemExit(3)")
    loaded = load_all(source("a.py", "a.b"), source("deep.py", NESTED["300 nested lists"]))
    assert [module.path for module in loaded.modules] == ["a.py", "deep.py"]


def test_the_clock_ends_a_worker_that_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that waits for ever uses up no time of its own."""
    stuck = DYING.replace("os._exit(1)", "__import__('time').sleep(3600)")
    monkeypatch.setattr(pool, "_PROGRAM", pool._PROGRAM.replace("from stoplint", stuck + "from stoplint", 1))
    monkeypatch.setattr(pool, "_PATIENCE", 1.0)
    loaded = load_all(source("a.py", "die"), source("b.py", "a.b"), seconds=1.0, jobs=2, workers_from=0)
    assert [module.path for module in loaded.modules] == ["b.py"]
    assert loaded.unreadable == (Unreadable("a.py", "could not be parsed in 1 s", passing=True),)
