"""The registry: what `stoplint.catalog` reads from rule pages, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stoplint import catalog

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """---
code: SL199
name: made-up
severity: error
profile: strict
fix: none
since: 0.1.0
---

# made-up (SL199)

One sentence that
runs over two lines.

More.
"""


def write(folder: Path, text: str = PAGE, name: str = "SL199-made-up.md") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_page_becomes_a_rule(tmp_path: Path) -> None:
    path = write(tmp_path)
    rule = catalog.read_folder(tmp_path)["SL199"]
    assert (rule.code, rule.name, rule.severity, rule.profile) == ("SL199", "made-up", "error", "strict")
    assert (rule.fix, rule.since, rule.path) == ("none", "0.1.0", path)
    assert rule.summary == "One sentence that runs over two lines."
    assert rule.text.startswith("# made-up (SL199)\n")
    assert rule.text.endswith("More.\n")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("---\ncode", "code", "front matter"),
        ("since: 0.1.0\n", "", "lacks since"),
        ("severity: error", "severity: fatal", "severity must be one of error, warning"),
        ("profile: strict", "profile: pedantic", "profile must be one of default, strict"),
        ("fix: none", "fix: maybe", "fix must be one of safe, unsafe, none"),
        ("fix: none", "fix none", "'fix none'"),
        ("fix: none", "fix:", "'fix:'"),
        ("fix: none", "fix: none\nfix: safe", "'fix: safe'"),
        ("fix: none", "fixes: none", "'fixes: none'"),
        ("name: made-up", "name: Made Up", "stop-reason-ignored"),
        ("name: made-up", "name: invented", "must be called SL199-invented.md"),
        ("One sentence that\nruns over two lines.\n\nMore.\n", "", "no first paragraph"),
    ],
)
def test_a_bad_page_is_refused_by_name(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in PAGE
    write(tmp_path, PAGE.replace(old, new))
    with pytest.raises(ValueError, match=r"SL199-made-up\.md") as failure:
        catalog.read_folder(tmp_path)
    assert complaint in str(failure.value)


@pytest.mark.parametrize(("code", "name"), [("SL199", "other"), ("SL198", "made-up")])
def test_codes_and_names_are_unique(tmp_path: Path, code: str, name: str) -> None:
    write(tmp_path)
    write(tmp_path, PAGE.replace("SL199", code).replace("made-up", name), f"{code}-{name}.md")
    with pytest.raises(ValueError, match="unique"):
        catalog.read_folder(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no rule pages"):
        catalog.read_folder(tmp_path)


def test_rules_come_in_the_order_of_their_codes() -> None:
    codes = list(catalog.rules())
    assert codes == sorted(codes)
    assert all(code == rule.code for code, rule in catalog.rules().items())


def test_the_registry_cannot_be_changed_by_its_readers() -> None:
    catalog.rules().clear()
    assert catalog.rules()


@pytest.mark.parametrize("spelling", ["SL101", "sl101", " SL101 ", "stop-reason-ignored", "Stop-Reason-Ignored"])
def test_a_rule_is_found_by_code_and_name_in_any_case(spelling: str) -> None:
    rule = catalog.find(spelling)
    assert rule is not None
    assert rule.code == "SL101"


def test_an_unknown_rule_is_not_found() -> None:
    assert catalog.find("SL999") is None
    assert catalog.find("") is None


def test_the_registry_is_cheap() -> None:
    code = (
        "import sys, stoplint.catalog as c; c.rules();"
        "print(sorted({'libcst', 'anthropic', 'opentelemetry', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
