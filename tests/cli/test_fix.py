"""`--fix`, `--unsafe-fixes`, `--diff`, on the real engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stoplint.check import engine

REAL = engine.run

SPELT = """import anthropic


def is_cut(message: anthropic.types.Message) -> bool:
    return message.stop_reason == "max-tokens"
"""

IGNORED = """import anthropic

client = anthropic.Anthropic()


def ask(messages):
    reply = client.messages.create(model="m", max_tokens=9, messages=messages)
    return reply.content[0].text
"""

GUARDED = """import anthropic

client = anthropic.Anthropic()


def ask(messages):
    reply = client.messages.create(model="m", max_tokens=9, messages=messages)
    if reply.stop_reason != "end_turn":
        raise RuntimeError(f"no complete answer: stop_reason is {reply.stop_reason}")
    return "".join(block.text for block in reply.content if block.type == "text")
"""


@pytest.fixture
def check(stoplint, monkeypatch):
    monkeypatch.setattr("stoplint.check.engine.run", REAL)

    def run(*arguments, stdin=b""):
        return stoplint("check", "--no-cache", *arguments, stdin=stdin)

    return run


def test_safe_fixes_are_made_and_counted(check, write):
    write("a.py", SPELT)
    done = check("--fix")
    assert (done.code, done.out, done.err) == (0, "No findings in 1 file; 1 fixed\n", "")
    assert Path("a.py").read_text(encoding="utf-8") == SPELT.replace("max-tokens", "max_tokens")


def test_unsafe_fixes_are_made_on_demand_only(check, write):
    write("a.py", IGNORED)
    done = check("--fix", "--output-format", "concise")
    assert done.code == 1
    assert done.out.endswith("Found 1 finding (1 error) in 1 file\n1 fixable with --fix --unsafe-fixes\n")
    assert Path("a.py").read_text(encoding="utf-8") == IGNORED
    done = check("--fix", "--unsafe-fixes")
    assert (done.code, done.out) == (0, "No findings in 1 file; 2 fixed\n")
    assert Path("a.py").read_text(encoding="utf-8") == GUARDED


def test_findings_carry_their_fix_without_being_asked(check, write):
    write("a.py", SPELT + IGNORED)
    done = check("--output-format", "json")
    fixes = [one["fix"] for one in json.loads(done.out)]
    assert fixes[0] == {
        "applicability": "safe",
        "message": "Write `max_tokens`",
        "edits": [{"line": 5, "column": 36, "end_line": 5, "end_column": 46, "content": "max_tokens"}],
    }
    assert fixes[1]["applicability"] == "unsafe"
    assert check().out.endswith("1 fixable with --fix, 1 more with --fix --unsafe-fixes\n")


def test_a_diff_changes_nothing(check, write):
    write("a.py", SPELT)
    write("b.py", IGNORED)
    done = check("--diff")
    assert done.out == (
        "--- a.py\n+++ a.py\n@@ -2,4 +2,4 @@\n \n \n def is_cut(message: anthropic.types.Message) -> bool:\n"
        '-    return message.stop_reason == "max-tokens"\n+    return message.stop_reason == "max_tokens"\n'
    )
    assert (done.code, done.err) == (1, "Would fix 1 finding in 1 file\n")
    assert Path("a.py").read_text(encoding="utf-8") == SPELT
    assert check("--diff", "--exit-zero").code == 0
    assert check("--diff", "b.py").code == 0


def test_encoding_newlines_and_byte_order_mark_stay(check):
    dos = "\ufeff" + SPELT.replace("import", "# é\nimport", 1).replace("\n", "\r\n")
    Path("a.py").write_bytes(dos.encode())
    old = "# coding: latin-1\n# é\n" + IGNORED
    Path("b.py").write_bytes(old.encode("latin-1"))
    assert check("--fix", "--unsafe-fixes").code == 0
    assert Path("a.py").read_bytes() == dos.replace("max-tokens", "max_tokens").encode()
    assert Path("b.py").read_bytes() == ("# coding: latin-1\n# é\n" + GUARDED).encode("latin-1")


def test_without_a_newline_at_the_end(check, write):
    write(
        "a.py",
        "import anthropic\nreply = anthropic.Anthropic().messages.create(model='m', max_tokens=9)  # here\nprint(reply.content)",
    )
    assert check("--fix", "--unsafe-fixes").code == 0
    assert Path("a.py").read_text(encoding="utf-8").splitlines()[2:] == [
        'if reply.stop_reason != "end_turn":',
        '    raise RuntimeError(f"no complete answer: stop_reason is {reply.stop_reason}")',
        "print(reply.content)",
    ]


def test_notebooks_change_in_their_cells(check, write):
    first, second = IGNORED.split("\n\n\n")
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# é"},
        {
            "cell_type": "code",
            "metadata": {},
            "outputs": [],
            "source": ["%pip install anthropic\n", *first.splitlines(keepends=True)],
        },
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": second.rstrip("\n").splitlines(keepends=True)},
    ]
    path = write("a.ipynb", json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1))
    shown = check("--diff", "--unsafe-fixes").out
    assert shown.startswith("--- a.ipynb:cell 3\n+++ a.ipynb:cell 3\n")
    assert check("--fix", "--unsafe-fixes").code == 0
    book = json.loads(path.read_text(encoding="utf-8"))
    assert book["cells"][:2] == cells[:2]
    assert "".join(book["cells"][2]["source"]) == GUARDED.split("\n\n\n")[1].rstrip("\n")


def test_blocks_of_markdown_keep_what_is_in_front_of_them(check, write):
    quoted = "".join(f"> {line}\n" for line in ["```python", *IGNORED.splitlines(), "```"])
    path = write("a.md", f"* é\n\n{quoted}")
    assert check("a.md", "--fix", "--unsafe-fixes").code == 0
    wanted = "".join(f"> {line}\n" for line in ["```python", *GUARDED.splitlines(), "```"])
    assert path.read_text(encoding="utf-8") == f"* é\n\n{wanted}"


def test_standard_input_comes_out_fixed(check):
    done = check("-", "--stdin-filename", "a.py", "--fix", stdin=SPELT.encode())
    assert (done.code, done.out) == (0, SPELT.replace("max-tokens", "max_tokens"))
    assert done.err == "No findings in 1 file; 1 fixed\n"
    assert check("-", "--fix", stdin=IGNORED.encode()).out == IGNORED


def test_what_is_silenced_or_known_is_not_fixed(check, stoplint, write):
    silenced = SPELT.replace('"max-tokens"', '"max-tokens"  # stoplint: ignore[SL105] a proxy sends it')
    write("a.py", silenced)
    write("b.py", IGNORED)
    assert stoplint("baseline", "--no-cache", "b.py").code == 0
    assert check("--fix", "--unsafe-fixes").out.startswith("No new findings in 2 files; 1 in baseline; 1 suppressed")
    assert Path("a.py").read_text(encoding="utf-8") == silenced
    assert Path("b.py").read_text(encoding="utf-8") == IGNORED


def test_an_unused_suppression_goes(check, write):
    write("a.py", "x = 1  # stoplint: ignore[SL101] once\n")
    assert check("--fix").out == "No findings in 1 file; 1 fixed\n"
    assert Path("a.py").read_text(encoding="utf-8") == "x = 1\n"


def test_a_text_that_the_tree_does_not_give_back_is_refused(check, write):
    text = SPELT + "\n\ntry:\n    x = is_cut\nexcept OSError :\n    pass\n"
    write("a.py", text)
    done = check("--fix")
    assert done.code == 1
    assert done.err.startswith("a.py: not fixed: its tree does not give the text back unchanged\n")
    assert Path("a.py").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--unsafe-fixes",), "--unsafe-fixes goes with --fix or --diff"),
        (("--fix", "--watch"), "neither with --watch nor with --add-ignores"),
        (("--diff", "--add-ignores", "why"), "neither with --watch nor with --add-ignores"),
    ],
)
def test_options_that_do_not_go_together(check, write, options, complaint):
    write("a.py", "x = 1\n")
    done = check(*options)
    assert done.code == 2
    assert complaint in done.err


def test_a_clean_run_imports_no_parser(check, write, monkeypatch):
    write("a.py", GUARDED)
    monkeypatch.setattr("stoplint.check.fix.with_fixes", lambda *_: pytest.fail("no finding, no fix"))
    assert check().code == 0
