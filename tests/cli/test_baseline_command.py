"""`stoplint baseline`, and `check` with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

APP = "def ask():\n    reply = client.messages.create()\n    return reply.content[0].text\n"


def entries(name: str = "stoplint-baseline.json") -> list[dict[str, object]]:
    return json.loads(Path(name).read_text(encoding="utf-8"))["findings"]


def test_known_findings_are_quiet_and_new_ones_are_not(stoplint, write):
    write("a.py", APP)
    assert stoplint("baseline").out == "stoplint-baseline.json: 1 finding (1 added, 0 dropped)\n"
    assert stoplint("check").out == "No new findings in 1 file; 1 in baseline\n"
    assert stoplint("check").code == 0
    write("b.py", APP)
    done = stoplint("check")
    assert (done.code, done.out.splitlines()[0]) == (1, "b.py:3:12: error[SL101] stop-reason-ignored")
    assert done.out.splitlines()[-1] == "Found 1 finding (1 error) in 1 of 2 files; 1 in baseline"
    assert stoplint("check", "--no-baseline").out.count("error[SL101]") == 2
    assert stoplint("check", "--isolated").out.count("error[SL101]") == 2


def test_moved_and_reformatted_code_keeps_its_entry(stoplint, write):
    write("a.py", APP)
    stoplint("baseline")
    write(
        "a.py",
        "import os\n\n\n" + APP.replace("reply.content[0].text", "(\n        reply.content[0].text  # text\n    )"),
    )
    assert stoplint("check").code == 0
    write("a.py", APP + APP)
    assert stoplint("check").out.count("error[SL101]") == 1
    write("a.py", APP.replace("def ask", "def other"))
    assert stoplint("check").code == 1


def test_stale_entries_are_told_and_dropped_on_update_which_adds_nothing(stoplint, write):
    write("a.py", APP)
    write("b.py", APP)
    write("c.py", APP)
    stoplint("baseline")
    write("a.py", "x = 1\n")
    write("b.py", APP + APP.replace("ask", "more"))
    Path("c.py").unlink()
    assert "\n2 stale entries in baseline; to drop: stoplint baseline --update\n" in stoplint("check").out
    assert "\n1 stale entry in baseline; " in stoplint("check", "b.py").out
    assert stoplint("baseline", "--update").out == "stoplint-baseline.json: 1 finding (0 added, 2 dropped)\n"
    assert [one["path"] for one in entries()] == ["b.py"]
    assert stoplint("check").code == 1


def test_only_the_given_paths_are_written_anew(stoplint, write):
    write("a.py", APP)
    write("b.py", APP)
    stoplint("baseline", "a.py")
    assert [one["path"] for one in entries()] == ["a.py"]
    stoplint("baseline", "b.py")
    assert [one["path"] for one in entries()] == ["a.py", "b.py"]
    stoplint("baseline", "--select", "SL105")
    assert [one["path"] for one in entries()] == ["a.py", "b.py"]


def test_it_lies_beside_the_configuration_and_holds_from_any_folder(stoplint, write, monkeypatch):
    write("stoplint.toml", "")
    write("pkg/a.py", APP)
    monkeypatch.chdir("pkg")
    assert "stoplint-baseline.json" in stoplint("baseline").out
    monkeypatch.chdir("..")
    assert [one["path"] for one in entries()] == ["pkg/a.py"]
    assert stoplint("check").code == 0
    monkeypatch.chdir("pkg")
    assert stoplint("check", "a.py").code == 0


def test_the_same_findings_give_the_same_bytes(stoplint, write):
    write("a.py", APP)
    write("b.py", APP + APP)
    stoplint("baseline", "a.py", "b.py")
    first = Path("stoplint-baseline.json").read_bytes()
    stoplint("baseline", "b.py", "a.py")
    assert Path("stoplint-baseline.json").read_bytes() == first
    assert [one.get("count") for one in entries()] == [None, 2]


def test_without_findings_none_is_written(stoplint, write):
    write("a.py", "x = 1\n")
    assert stoplint("baseline").out == "No findings: no baseline is needed\n"
    assert sorted(path.name for path in Path().iterdir()) == ["a.py"]


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 2}', '{"version": 1, "findings": [{}]}'])
def test_a_broken_one_is_an_error_that_names_it(stoplint, write, text):
    write("a.py", APP)
    write("stoplint-baseline.json", text)
    done = stoplint("check")
    assert done.code == 2
    assert done.err.startswith("stoplint: error: stoplint-baseline.json: ")
