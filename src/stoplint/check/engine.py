"""Files in, findings out: load, interpret, judge."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint import catalog
from stoplint.check import deep
from stoplint.check.cache import Cache
from stoplint.check.discover import Skipped
from stoplint.check.judge import Judge
from stoplint.check.load import Options as LoadOptions
from stoplint.check.program import Program
from stoplint.check.project import Project
from stoplint.check.solve import solve
from stoplint.findings import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stoplint.check.load import Unreadable
    from stoplint.check.source import SourceFile
    from stoplint.config import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is done; none of it changes what is found.

    `jobs`: worker processes, None for as many as are worth it.  `cache_dir`: None for no cache.  `progress` is told how
    many of how many files are done.
    """

    jobs: int | None = None
    cache_dir: Path | None = None
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """`findings` of all profiles, in any order, without fingerprints, places of Markdown as in `Source.text`;
    `marked`: the paths of files that hold suppression comments; `files_checked` counts the given files that were read.
    """

    findings: tuple[Finding, ...]
    files_checked: int
    skipped: tuple[Skipped, ...] = ()
    marked: tuple[str, ...] = ()


def run(
    files: Sequence[SourceFile],
    *,
    project: Sequence[SourceFile],
    settings_of: Callable[[SourceFile], Settings],
    options: Options,
) -> Result:
    """The findings in `files`; `project` are further files that may say what a name in them means.

    Never raises for what a file holds: what cannot be read, decoded or parsed is a finding of code SL900.
    """
    wanted = {file.path for file in files}
    everything = {file.path: file for file in (*project, *files)}
    cache = Cache(options.cache_dir) if options.cache_dir is not None else None
    whole = Project.of(everything.values(), LoadOptions(jobs=options.jobs), cache, options.progress)
    loaded = whole.start()
    del settings_of
    found = deep.call(lambda: _judged(Program(loaded.modules)))
    findings = [finding for finding in found if finding.place.path in wanted]
    findings += [_unreadable(one) for one in loaded.unreadable if one.path in wanted]
    skipped = tuple(Skipped(one.path, one.reason) for one in loaded.skipped if one.path in wanted)
    marked = tuple(path for path in loaded.marked if path in wanted)
    return Result(tuple(findings), len(wanted) - len(skipped), skipped, marked)


def _judged(program: Program) -> list[Finding]:
    """Solve and judge.  The collector is off: states are many, short-lived and hold no cycles."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return Judge(program).findings(solve(program))
    finally:
        if collecting:
            gc.enable()


def _unreadable(one: Unreadable) -> Finding:
    rule = catalog.rules()["SL900"]
    line = one.line or 1
    place = Place(one.path, one.cell, line, 1, line, 1)
    return Finding(rule.code, rule.name, rule.severity, rule.profile, place, "<module>", f"The file {one.reason}")
