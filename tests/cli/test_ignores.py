"""`--add-ignores` and suppression comments, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def test_all_findings_are_suppressed_and_nothing_else_changes(stoplint, write):
    write("a.py", "def f():\n    if ok:\n        return (\n            reply.content[0].text)\n\nx = 1  # kept\n")
    done = stoplint("check", "--add-ignores", "legacy, see LLM-12")
    assert (done.code, done.out) == (0, "Added 1 suppression in 1 file\n")
    assert Path("a.py").read_text(encoding="utf-8") == (
        "def f():\n    if ok:\n        # stoplint: ignore[SL101] legacy, see LLM-12\n"
        "        return (\n            reply.content[0].text)\n\nx = 1  # kept\n"
    )
    assert stoplint("check").out == "No findings in 1 file; 1 suppressed\n"


def test_encoding_newlines_and_byte_order_mark_stay(stoplint):
    Path("a.py").write_bytes(b"\xef\xbb\xbf# \xc3\xa9\r\nx = r.content[0].text\r\n")
    Path("b.py").write_bytes(b"# coding: latin-1\n# \xe9\nx = r.content[0].text\n")
    assert stoplint("check", "--add-ignores", "why").code == 0
    assert Path("a.py").read_bytes() == (
        b"\xef\xbb\xbf# \xc3\xa9\r\n# stoplint: ignore[SL101] why\r\nx = r.content[0].text\r\n"
    )
    assert b"# \xe9\n# stoplint: ignore[SL101] why\n" in Path("b.py").read_bytes()


def test_a_list_that_is_there_grows(stoplint, write):
    write("a.py", "x = r.content[0].text  # stoplint: ignore[SL105] known\n")
    stoplint("check", "--add-ignores", "why", "--ignore", "SL901")
    assert Path("a.py").read_text(encoding="utf-8") == "x = r.content[0].text  # stoplint: ignore[SL105, SL101] known\n"


def test_notebooks_and_markdown(stoplint, write):
    cells = [
        {"cell_type": "markdown", "source": ["# T"]},
        {"cell_type": "code", "source": ["y = 1\n", "x = r.content[0].text"]},
    ]
    write("a.ipynb", json.dumps({"cells": cells, "metadata": {}}, indent=1) + "\n")
    write("b.md", "> ```python\n> if y:\n>     x = r.content[0].text\n> ```\n")
    assert stoplint("check", "a.ipynb", "b.md", "--add-ignores", "why").code == 0
    text = Path("a.ipynb").read_text(encoding="utf-8")
    assert json.loads(text)["cells"][1]["source"] == [
        "y = 1\n",
        "# stoplint: ignore[SL101] why\n",
        "x = r.content[0].text",
    ]
    assert text.startswith(json.dumps({"cells": cells}, indent=1)[:60])
    assert Path("b.md").read_text(encoding="utf-8").splitlines()[2] == ">     # stoplint: ignore[SL101] why"
    assert stoplint("check", "a.ipynb", "b.md").code == 0


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines"])
def test_a_reason_is_one_line(stoplint, write, reason):
    write("a.py", "x = r.content[0].text\n")
    assert stoplint("check", "--add-ignores", reason).code == 2


def test_what_no_comment_can_silence_is_said(stoplint):
    Path("a.py").write_bytes(b"x = '\xe9'\n")
    done = stoplint("check", "--add-ignores", "why")
    assert done.code == 1
    assert "a.py:1: a file that cannot be read holds no comment" in done.err


def test_an_unused_suppression_is_a_finding_with_its_removal(stoplint, write):
    write("a.py", "x = 1  # stoplint: ignore[SL101] old\n")
    found = json.loads(stoplint("check", "--output-format", "json").out)
    assert [(one["code"], one["line"], one["column"]) for one in found] == [("SL901", 1, 8)]
    assert found[0]["fix"]["edits"] == [{"line": 1, "column": 6, "end_line": 1, "end_column": 37, "content": ""}]
    assert found[0]["fingerprint"]


def test_a_comment_for_a_rule_that_was_not_looked_for_is_not_called_unused(stoplint, write):
    write("a.py", "x = 1  # stoplint: ignore[SL101] old\n")
    assert stoplint("check", "--ignore", "SL101").code == 0
    assert stoplint("check", "--select", "SL105,SL901").code == 0
    assert stoplint("check", "--select", "SL101").code == 0


def test_a_comment_for_a_strict_rule_is_judged_in_strict_runs_only(stoplint, write):
    write("a.py", "x = 1  # stoplint: ignore[SL106] old\n")
    assert stoplint("check").code == 0
    assert stoplint("check", "--strict").code == 1
