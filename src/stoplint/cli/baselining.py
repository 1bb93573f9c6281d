"""What `stoplint baseline` does."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint.check import baseline as baselines
from stoplint.check.baseline import FILE, Baseline
from stoplint.check.discover import shown
from stoplint.cli import EXIT_CLEAN
from stoplint.cli.analysis import analyse
from stoplint.cli.console import open_console
from stoplint.cli.errors import UserError
from stoplint.cli.parts import baseline_groups
from stoplint.cli.progress import progress_for
from stoplint.cli.requests import request_of, verbosity
from stoplint.report._terminal import plural

if TYPE_CHECKING:
    from pathlib import Path

    from stoplint.check.baseline import Key
    from stoplint.cli.analysis import Analysis
    from stoplint.cli.baseline import BaselineOptions
    from stoplint.cli.parts import Part


def run_baseline(options: BaselineOptions) -> int:
    """Write the baselines of what is checked.  Raises UserError, NothingToCheckError."""
    console = open_console(options["color"], verbosity(options))
    progress = progress_for(console)
    try:
        analysis = analyse(replace(request_of(options), use_baseline=False, fixes=False, progress=progress))
    finally:
        if progress is not None:
            progress.clear()
    for found, part in _groups(analysis):
        new = _updated(found, part, analysis) if options["update"] else _anew(found, part, analysis)
        try:
            if new.entries or found.entries:
                baselines.write(new)
        except OSError as error:
            raise UserError(f"{shown(found.file)}: cannot be written: {error.strerror}") from None
        if console.verbosity >= 0:
            console.write([_summary(found, new)])
    return EXIT_CLEAN


def _groups(analysis: Analysis) -> list[tuple[Baseline, Part]]:
    """As `check` finds them, but a baseline that does not exist yet belongs beside the configuration."""
    placed: dict[Path, tuple[Baseline, Part]] = {}
    for found, part in baseline_groups(analysis.files, analysis.report.findings):
        if found.file.is_file():
            placed[found.file] = (found, part)
            continue
        for path in part.paths:
            folder = analysis.configs.for_path(path).folder
            file = (folder if folder is not None else found.file.parent) / FILE
            _, own = placed.setdefault(file, (Baseline(file), type(part)()))
            own.paths.append(path)
            own.findings += [finding for finding in part.findings if finding.place.path == path]
    return list(placed.values())


def _anew(found: Baseline, part: Part, analysis: Analysis) -> Baseline:
    """The entries of the checked files replaced by what was found; those of rules that were not looked for stay."""
    checked = {found.relative(path) for path in part.paths}
    kept = Counter(
        {
            key: count
            for key, count in found.entries.items()
            if (key.path not in checked and (found.file.parent / key.path).exists()) or key.code not in analysis.judged
        }
    )
    return Baseline(found.file, kept + Counter(_keys(found, part, analysis)))


def _updated(found: Baseline, part: Part, analysis: Analysis) -> Baseline:
    split = baselines.split(found, part.findings, analysis.texts, part.paths, analysis.judged)
    return Baseline(found.file, found.entries - split.stale)


def _keys(found: Baseline, part: Part, analysis: Analysis) -> list[Key]:
    return [found.key_of(finding, analysis.texts.get(finding, "")) for finding in part.findings]


def _summary(old: Baseline, new: Baseline) -> str:
    added, dropped = (new.entries - old.entries).total(), (old.entries - new.entries).total()
    total = plural(new.entries.total(), "finding")
    if not new.entries and not old.entries:
        return "No findings: no baseline is needed\n"
    return f"{shown(new.file)}: {total} ({added} added, {dropped} dropped)\n"
