"""Modules that lead to each other by imports are analysed by themselves, and what was found in them is found again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from stoplint.check import engine
from stoplint.check.islands import islands
from stoplint.check.lower import lower_module
from stoplint.check.program import Program
from stoplint.cli import run

CLIENT = "import anthropic\n\nclient = anthropic.Anthropic()\n\n\n"
ASK = 'client.messages.create(model="m", max_tokens=9, messages=messages)'
FLAWED = CLIENT + f"def text(messages):\n    return {ASK}.content[0].text\n"


def groups(**texts: str) -> set[frozenset[str]]:
    modules = [
        lower_module(text, name=name, path=f"{name.replace('.', '/')}.py", is_package=name == "pack")
        for name, text in sorted(texts.items())
    ]
    return {frozenset(module.name for module in group) for group in islands(Program(modules))}


@pytest.mark.parametrize(
    "imported",
    [
        "import b",
        "import b as other",
        "from b import *",
        "def f():\n    from b import ask\n    return ask",
        "try:\n    import b\nexcept ImportError:\n    b = None",
    ],
)
def test_an_import_anywhere_leads_to_a_module(imported: str) -> None:
    assert groups(a=imported, b="x = 1", c="y = 2") == {frozenset({"a", "b"}), frozenset({"c"})}


def test_imports_lead_on_and_both_ways() -> None:
    assert groups(a="import b", b="", c="import b", d="import c", e="import os") == {
        frozenset({"a", "b", "c", "d"}),
        frozenset({"e"}),
    }


def test_relative_imports_and_packages() -> None:
    found = groups(**{"pack": "from .inner import x", "pack.inner": "x = 1", "pack.other": "from . import inner"})
    assert found == {frozenset({"pack", "pack.inner", "pack.other"})}


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Check the folder with a cache; the findings, and the modules of the islands that were solved for it."""
    monkeypatch.chdir(tmp_path)
    solved: list[set[str]] = []
    solve = engine.solve
    ticks = iter(range(1, 1000))

    def spied(program, calls):
        solved.append(set(program.modules))
        return solve(program, calls)

    monkeypatch.setattr(engine, "solve", spied)

    def go(**texts: str) -> tuple[list[tuple[str, str]], list[set[str]]]:
        for name, text in texts.items():
            path = Path(f"{name}.py")
            path.write_text(text)
            os.utime(path, (next(ticks), next(ticks)))
        solved.clear()
        run(["check", "--output-format", "json", "--cache-dir", "kept"])
        found = json.loads(capsys.readouterr().out)
        return [(one["path"], one["code"]) for one in found], [*solved]

    return go


def test_only_the_island_of_a_changed_file_is_solved_again(check) -> None:
    found, solved = check(
        a=FLAWED, b=FLAWED, helper="def up(text):\n    return text.upper()\n", c="import b\n" + FLAWED
    )
    assert found == [("a.py", "SL101"), ("b.py", "SL101"), ("c.py", "SL101")]
    assert solved == [{"a"}, {"b", "c"}]
    found, solved = check(a=FLAWED + "more = 1\n")
    assert found == [("a.py", "SL101"), ("b.py", "SL101"), ("c.py", "SL101")]
    assert solved == [{"a"}]
    found, solved = check(b=FLAWED.replace(".content[0].text", ".stop_reason"))
    assert found == [("a.py", "SL101"), ("c.py", "SL101")]
    assert solved == [{"b", "c"}]


def test_what_was_loaded_for_an_island_is_loaded_again(check) -> None:
    reader = "def text_of(message):\n    return message.content[0].text\n"
    app = CLIENT + f"from reader import text_of\n\n\ndef show(messages):\n    print(text_of({ASK}))\n"
    first = check(reader=reader, app=app, other=FLAWED)
    assert first[0] == [("other.py", "SL101"), ("app.py", "SL101")] or first[0] == [
        ("app.py", "SL101"),
        ("other.py", "SL101"),
    ]
    found, solved = check(other=FLAWED + "more = 1\n")
    assert (found, solved) == (first[0], [{"other"}])
    looked = "def text_of(message):\n    print(message.stop_reason)\n    return message.content[0].text\n"
    found, solved = check(reader=looked)
    assert ("app.py", "SL101") not in found
    assert solved == [{"app", "reader"}]


@pytest.mark.parametrize("damage", [b"", b"stoplint-ir\n", b"\0" * 400])
def test_a_damaged_entry_is_made_anew(check, damage: bytes) -> None:
    first = check(a=FLAWED, b=FLAWED)
    for entry in Path("kept", "island").rglob("*"):
        if entry.is_file() and not entry.name.startswith("."):
            entry.write_bytes(damage)
    found, solved = check(a=FLAWED + "more = 1\n")
    assert found == first[0]
    assert solved == [{"a"}, {"b"}]
