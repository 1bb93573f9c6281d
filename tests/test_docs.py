"""The documentation: every page does what it shows, its tables are fresh, its links lead somewhere, and the site builds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import doc_sessions
import doc_tables
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def printed(command: list[str], **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from stoplint.cli import main; raise SystemExit(main())", *command],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode <= 1, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", [*DOCS, ROOT / "CONTRIBUTING.md"], ids=named)
def test_every_block_does_what_it_shows(path: Path) -> None:
    """`python tools/doc_sessions.py --write PAGE` puts the real output into a page."""
    assert doc_sessions.run(path).problems == []


@pytest.mark.parametrize("path", doc_tables.PAGES, ids=named)
def test_tables_are_fresh(path: Path) -> None:
    """`python tools/doc_tables.py` makes them anew."""
    page = path.read_text(encoding="utf-8")
    assert doc_tables.fresh(page) == page


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_relative_links_lead_to_files(path: Path) -> None:
    targets = [target.split("#")[0] for target in doc_sessions.links(path.read_text(encoding="utf-8"))]
    relative = [target for target in targets if target and "//" not in target]
    assert [target for target in relative if not (path.parent / target).exists()] == []


def test_what_is_not_run_is_checked_otherwise() -> None:
    """Each fence left out is named here with what takes its place, so that none slips away."""
    left_out = {
        (named(path), block.language, block.not_run)
        for path in PAGES
        for block in doc_sessions.blocks(path.read_text(encoding="utf-8"))
        if block.not_run is not None
    }
    assert left_out == {
        ("README.md", "sh", "tests/test_readme.py runs it, in a copy of the repository"),
        ("README.md", "sh", ".ci/run does, and tests/test_readme.py compares the two"),
        ("README.md", "sh", "the guide to CI runs it"),
        ("README.md", "yaml", "the guide to CI does"),
        ("CONTRIBUTING.md", "sh", "this is the whole test run"),
        ("docs/index.md", "sh", "the test of the README runs this line"),
        ("docs/guides/editors.md", "json", "tests/test_docs.py tries its pattern on real output"),
        ("docs/guides/editors.md", "vim", "Vim's own language; tests/test_docs.py runs the command in it"),
    }


def test_the_same_hook_stands_in_readme_and_guide() -> None:
    hooks = [
        block.text
        for name in ("README.md", "docs/guides/ci.md")
        for block in doc_sessions.blocks(text(name))
        if block.language == "yaml" and "hooks:" in block.text
    ]
    assert len(hooks) == 2
    assert hooks[0] == hooks[1]


def test_the_problem_matcher_reads_the_concise_format() -> None:
    (task,) = [block.text for block in doc_sessions.blocks(text("docs/guides/editors.md")) if block.language == "json"]
    pattern = json.loads(task)["tasks"][0]["problemMatcher"]["pattern"]
    lines = printed(["check", "examples", "--output-format", "concise", "--quiet"]).splitlines()
    found = [re.match(pattern["regexp"], line) for line in lines]
    assert len(found) >= 6
    assert all(found)
    assert {match[pattern["file"]].split("/")[0] for match in found if match} == {"examples"}
    cell = re.match(pattern["regexp"], "a.ipynb:cell 2:6:7: SL101 stop-reason-ignored: Text")
    assert cell is not None
    assert (cell[1], cell[2], cell[3], cell[4]) == ("a.ipynb", "6", "7", "SL101")


def test_the_command_for_vim_prints_what_its_format_reads() -> None:
    (block,) = [one.text for one in doc_sessions.blocks(text("docs/guides/editors.md")) if one.language == "vim"]
    command = re.search(r"makeprg=(.+)", block)
    assert command is not None
    words = command[1].replace("\\ ", " ").split()
    lines = printed([*words[1:], "examples"]).splitlines()
    assert words[0] == "stoplint"
    assert all(re.match(r"\S+:\d+:\d+: \S", line) for line in lines)


def test_the_workflows_use_the_action_as_it_is() -> None:
    action = yaml.safe_load(text("action.yml"))
    page = text("docs/guides/ci.md")
    steps = [
        step
        for block in doc_sessions.blocks(page)
        if block.language == "yaml" and "jobs:" in block.text
        for job in yaml.safe_load(block.text)["jobs"].values()
        for step in job["steps"]
        if step.get("uses", "").startswith("your-org/stoplint")
    ]
    assert steps
    assert all(set(step.get("with", {})) <= set(action["inputs"]) for step in steps)
    rows = re.findall(r"^\| `([\w-]+)` \| (?:`([^`]*)`)? ?\| ", page, re.MULTILINE)
    inputs = {name: given["default"] for name, given in action["inputs"].items()}
    assert {name: default for name, default in rows if name in inputs} == inputs
    assert all(f"`{output}`" in page for output in action["outputs"])


def test_the_formats_in_the_guide_are_all_there_are() -> None:
    listed = re.search(r"--output-format \[([\w|-]+)\]", printed(["check", "--help"], COLUMNS="200"))
    assert listed is not None
    table = text("docs/guides/ci.md").partition("| your system reads")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([\w-]+)`", table)) - {"--output-format"} == set(listed[1].split("|"))


def test_the_guide_to_the_tracer_names_what_the_tracer_writes() -> None:
    """Every attribute, metric and variable in the tracer's source stands in the guide, and no other."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/stoplint/trace").rglob("*.py"))
    guide = text("docs/guides/tracer.md")
    named_there = set(re.findall(r"`(stoplint\.[a-z_]+(?:\.[a-z_]+)*|STOPLINT_[A-Z_]+)`", guide))
    quoted = set(re.findall(r'"(stoplint\.[a-z_]+(?:\.[a-z_]+)*|STOPLINT_[A-Z_]+)"', source))
    assert {name for name in named_there if not re.search(re.escape(name), source)} <= {"stoplint.testing"}
    # The hook a fault came from; a span's name; the mark of `stoplint run`; what only the reader of OTLP lines knows.
    internal = {"stoplint.hook", "stoplint.turn", "STOPLINT_RUN", "stoplint.surface"}
    parts = (
        "stoplint.rule.",
        "stoplint.finding.",
        "stoplint.trace",
        "stoplint.testing",
        "stoplint.cli",
        "stoplint.check",
    )
    assert {name for name in quoted - named_there - internal if not name.startswith(parts)} == set()


def test_the_builders_in_the_guide_are_all_there_are() -> None:
    from stoplint import testing

    builders = {name for name in testing.__all__ if name[0].islower()}
    assert set(re.findall(r"^\| `(\w+)\(", text("docs/guides/testing.md"), re.MULTILINE)) == builders


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """One page a rule among them."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    built = {path.parent.name for path in (tmp_path / "rules").glob("SL*/index.html")}
    assert built == {path.stem for path in (ROOT / "rules").glob("SL*.md")}
    page = (tmp_path / "rules" / "SL101-stop-reason-ignored" / "index.html").read_text(encoding="utf-8")
    assert "error</em> · on by default" in page
