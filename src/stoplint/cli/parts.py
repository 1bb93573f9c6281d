"""Which findings each baseline is about."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stoplint.check import baseline
from stoplint.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stoplint.check.baseline import Baseline
    from stoplint.check.source import SourceFile
    from stoplint.findings import Finding


@dataclass(slots=True)
class Part:
    """The files and findings that one baseline is about."""

    paths: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def baseline_groups(
    files: Sequence[SourceFile], findings: Sequence[Finding]
) -> list[tuple[Baseline, Part]]:  # fmt: skip
    """Each baseline with what it is about.  Raises UserError for one that cannot be read."""
    parts: dict[Path, Part] = {}
    by_folder: dict[str, Path] = {}

    def part_of(path: str) -> Part:
        folder = os.path.dirname(os.path.abspath(path))  # noqa: PTH100, PTH120 - os.path costs a fraction of pathlib over thousands of files
        if folder not in by_folder:
            by_folder[folder] = baseline.find(path)
        return parts.setdefault(by_folder[folder], Part())

    for file in files:
        part_of(file.path).paths.append(file.path)
    for finding in findings:
        part_of(finding.place.path).findings.append(finding)
    try:
        return [(baseline.read(file), part) for file, part in parts.items()]
    except baseline.BaselineError as error:
        raise UserError(str(error)) from None
