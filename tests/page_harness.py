"""Runs the cases of rule pages: writes a section to a folder, lints it, compares what was found with its marks."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from stoplint.cli import diffing, fixing
from stoplint.cli.analysis import Request, analyse
from stoplint.config import Overrides
from stoplint.pages import Mark
from stoplint.report import Style

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from stoplint.findings import Finding
    from stoplint.pages import Case, Source


def write(case: Case, folder: Path) -> list[Path]:
    """The case's files under `folder`; returns those that are linted."""
    texts: dict[str, str] = {}
    for source in case.sources:
        texts[source.file] = source.text
    for name in texts:
        if name.endswith(".ipynb"):
            texts[name] = notebook([source for source in case.sources if source.file == name])
    if case.config:
        texts["stoplint.toml"] = case.config
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in texts if name.endswith((".py", ".ipynb"))]


def notebook(cells: list[Source]) -> str:
    def cell(source: Source) -> dict[str, object]:
        # The last line of a cell has no newline in the files that Jupyter writes.
        lines = source.text.removesuffix("\n").splitlines(keepends=True)
        return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": lines}

    return json.dumps({"cells": [cell(one) for one in cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def lint(case: Case, folder: Path) -> list[Finding]:
    """The findings in the case's files, `folder` being the project's root: what `stoplint check FOLDER` reports."""
    write(case, folder)
    return list(analyse(Request((str(folder),), use_baseline=False, jobs=1)).report.findings)


def fix(case: Case, folder: Path, select: tuple[str, ...] | None = None) -> fixing.Fixed:
    """What `stoplint check --fix --unsafe-fixes FOLDER` does with the case's files, already written."""
    write(case, folder)
    request = Request((str(folder),), Overrides(select=select), use_baseline=False, jobs=1)
    done = fixing.fix(request, unsafe=True)
    fixing.write(done.changes)
    return done


def fix_diff(case: Case, folder: Path) -> str:
    """What the fixes of the page's own rule change, as `--diff` shows it, paths relative to the project.

    Whether a comment suppresses anything is only known when all rules are looked for.
    """
    done = fix(case, folder, None if case.code == "SL901" else (case.code,))
    text = "".join(line for change in done.changes for line in diffing.unified_diff(change, Style()))
    return text.replace(f"{folder.as_posix()}/", "")


def difference(case: Case, findings: Iterable[Finding], folder: Path) -> list[str]:
    """What is wrong, one line a mark: `- ` expected and not found, `+ ` found and not expected, `! ` other reasons."""
    found = [(_mark(finding, folder), finding) for finding in findings]
    counted = Counter(mark for mark, _ in found)
    expected = Counter(case.expected)
    known_misses = set(case.todo)
    wrong = [(mark, "- ", "not found") for mark in (expected - counted).elements()]
    for mark in (counted - expected).elements():
        done = mark in known_misses
        wrong.append((mark, "+ ", "found at last: drop the todo" if done else "not expected"))
    reasons = dict(case.reasons)
    for mark, finding in found:
        listed, wanted = sorted(finding.reasons), sorted(reasons.get(mark, finding.reasons))
        if listed != wanted:
            wrong.append((mark, "! ", f"lists {', '.join(listed) or 'nothing'} instead of {', '.join(wanted)}"))
    return [_show(case, *one) for one in sorted(wrong)]


def _mark(finding: Finding, folder: Path) -> Mark:
    place = finding.place
    return Mark(place.path.removeprefix(folder.as_posix() + "/"), place.cell or 0, place.line, finding.code)


def _show(case: Case, mark: Mark, sign: str, why: str) -> str:
    text = next(
        (source.text for source in case.sources if (source.file, source.cell) == (mark.file, mark.cell)), ""
    ).splitlines()
    line = text[mark.line - 1].strip() if 0 < mark.line <= len(text) else "?"
    cell = f":cell {mark.cell}" if mark.cell else ""
    return f"{sign}{mark.file}{cell}:{mark.line} {mark.code} {why}: {line}"
