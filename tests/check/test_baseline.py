"""The baseline as data: keys, counts, what is stale."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from stoplint.check.baseline import Baseline, Key, find, read, split, write
from stoplint.findings import Finding, Place

EVERY = frozenset({"SL101", "SL102"})


def finding(line: int, code: str = "SL101", path: str = "a.py") -> Finding:
    return Finding(code, "n", "error", "default", Place(path, None, line, 1, line, 2), "f", "m")


def test_of_equal_findings_the_first_are_the_known_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = [finding(9), finding(3), finding(6)]
    texts = dict.fromkeys(found, "x")
    base = Baseline(tmp_path / "b.json")
    base.entries[base.key_of(found[0], "x")] = 2
    result = split(base, found, texts, ["a.py"], EVERY)
    assert [one.place.line for one in result.known] == [3, 6]
    assert [one.place.line for one in result.new] == [9]
    assert not result.stale


def test_stale_is_only_what_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "b.py"):
        Path(name).touch()
    keys = [
        Key("a.py", "SL101", "f", "1"),
        Key("b.py", "SL101", "f", "1"),
        Key("a.py", "SL999", "f", "1"),
        Key("gone.py", "SL102", "f", "1"),
    ]
    base = Baseline(tmp_path / "b.json", Counter(keys))
    assert set(split(base, [], {}, ["a.py"], EVERY).stale) == {keys[0], keys[3]}


def test_it_is_read_as_it_was_written(tmp_path):
    base = Baseline(
        tmp_path / "b.json", Counter({Key("é.py", "SL101", "f", "k"): 3, Key("a.py", "SL102", "<module>", "k"): 1})
    )
    write(base)
    assert read(base.file) == base
    assert read(tmp_path / "none.json").entries == Counter()


def test_the_nearest_one_above_counts_else_the_working_folders(tmp_path, monkeypatch):
    (tmp_path / "a/b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert find("a/b/x.py") == tmp_path / "stoplint-baseline.json"
    (tmp_path / "a/stoplint-baseline.json").touch()
    assert find("a/b/x.py") == tmp_path / "a/stoplint-baseline.json"
    assert find("x.py") == tmp_path / "stoplint-baseline.json"
