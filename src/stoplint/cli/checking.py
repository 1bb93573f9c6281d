"""What `stoplint check` does."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stoplint import report as formats
from stoplint.cli import EXIT_CLEAN, EXIT_FINDINGS, unchanged
from stoplint.cli.closing import closing_lines
from stoplint.cli.console import open_console
from stoplint.cli.errors import UserError
from stoplint.cli.progress import progress_for
from stoplint.report import Style
from stoplint.report._terminal import paint, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.check.runcache import RunCache
    from stoplint.cli.analysis import Analysis, Request
    from stoplint.cli.check import CheckOptions
    from stoplint.cli.console import Console
    from stoplint.cli.progress import Progress
    from stoplint.report import Report

STATISTICS_FORMATS = ("full", "concise", "grouped", "json")


def run_check(options: CheckOptions) -> int:
    """Check, and return the exit code.  Raises UserError, NothingToCheckError."""
    if options["statistics"] and options["output_format"] not in STATISTICS_FORMATS:
        raise UserError(f"--statistics goes with the formats {', '.join(STATISTICS_FORMATS)}")
    console = open_console(options["color"], -1 if options["quiet"] else options["verbose"])
    cache = unchanged.cache_for(options)
    if cache is not None and not options["watch"] and (known := cache.unchanged()) is not None:
        return _reported(unchanged.report(known), options, console)
    from stoplint.cli.requests import request_of  # noqa: PLC0415 - an unchanged project is done by now

    request = replace(
        request_of(options), stdin_filename=options["stdin_filename"], use_baseline=not options["no_baseline"]
    )
    if options["fix"] or options["diff"]:
        return _fix(request, options, console)
    if options["unsafe_fixes"]:
        raise UserError("--unsafe-fixes goes with --fix or --diff")
    if options["watch"]:
        return _watch(request, options, console)
    if options["add_ignores"] is not None:
        return _add_ignores(_analysed(request, console), options["add_ignores"], console)
    return _reported(_checked(request, cache, console), options, console)


def _reported(report: Report, options: CheckOptions, console: Console) -> int:
    _show(report, options, console)
    return EXIT_FINDINGS if report.findings and not options["exit_zero"] else EXIT_CLEAN


def _checked(request: Request, cache: RunCache | None, console: Console) -> Report:
    """The report, from the cache where it has it."""
    if cache is None:
        return _analysed(request, console).report
    from stoplint.cli.analysis import checked  # noqa: PLC0415

    with _progress(console) as progress:
        report = checked(replace(request, progress=progress), cache)
    if cache.why and console.verbosity > 0:
        console.note(f"not from the cache: {cache.why}")
    return report


def _fix(request: Request, options: CheckOptions, console: Console) -> int:
    from stoplint.cli import diffing, fixing  # noqa: PLC0415 - only for runs that fix

    if options["watch"] or options["add_ignores"] is not None:
        raise UserError("--fix and --diff go neither with --watch nor with --add-ignores")
    done = fixing.fix(request, unsafe=options["unsafe_fixes"], run=lambda one: _analysed(one, console))
    for path, why in done.refused:
        console.note(f"{path}: not fixed: {why}")
    failed = EXIT_CLEAN if options["exit_zero"] else EXIT_FINDINGS
    if options["diff"]:
        for change in done.changes:
            console.write(diffing.unified_diff(change, console.style))
        if console.verbosity >= 0:
            console.note(f"Would fix {plural(done.count, 'finding')} in {plural(len(done.changes), 'file')}")
        return failed if done.changes else EXIT_CLEAN
    if "-" in request.paths:
        # The text is what the caller wants of standard output; everything else is told beside it.
        console.write_bytes(done.changes[0].after if done.changes else done.analysis.files[0].read())
        console = replace(console, out=console.err, style=console.err_style)
    fixing.write(done.changes)
    _show(done.analysis.report, options, console)
    return failed if done.analysis.report.findings else EXIT_CLEAN


def _watch(request: Request, options: CheckOptions, console: Console) -> int:
    from stoplint.cli.watch import watch  # noqa: PLC0415 - only for runs that stay

    if "-" in request.paths or options["add_ignores"] is not None:
        raise UserError('--watch goes neither with "-" nor with --add-ignores')
    watch(request, lambda: _show(_analysed(request, console).report, options, console), console)
    return EXIT_CLEAN


def _analysed(request: Request, console: Console) -> Analysis:
    from stoplint.cli.analysis import analyse  # noqa: PLC0415

    with _progress(console) as progress:
        return analyse(replace(request, progress=progress))


@contextmanager
def _progress(console: Console) -> Iterator[Progress | None]:
    progress = progress_for(console)
    try:
        yield progress
    finally:
        if progress is not None:
            progress.clear()


def _show(report: Report, options: CheckOptions, console: Console) -> None:
    layout = formats.load(options["output_format"])
    file = options["output_file"]
    style = console.style if file is None else Style(color=options["color"] == "always")
    pieces = _statistics(report, options["output_format"]) if options["statistics"] else layout.render(report, style)
    if file is None:
        console.write(pieces)
    else:
        _write_file(file, "".join(pieces))
    for path, text in layout.files(report, os.environ).items():
        _append(Path(path), text)
    _close(report, console, for_people=layout.TEXT, to_file=file is not None)


def _close(report: Report, console: Console, *, for_people: bool, to_file: bool) -> None:
    """The closing line: after findings that people read, or where the output is free of them; else only on demand and
    apart, so that what programs read stays theirs.
    """
    if console.verbosity < 0:
        return
    if for_people or to_file:
        console.write(line + "\n" for line in closing_lines(report, console.style, verbose=console.verbosity > 0))
    elif console.verbosity > 0:
        for line in closing_lines(report, console.err_style, verbose=True):
            console.note(line)


def _statistics(report: Report, output_format: str) -> Iterator[str]:
    counts = Counter((finding.code, finding.name) for finding in report.findings)
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    if output_format == "json":
        yield json.dumps([{"code": code, "name": name, "count": n} for (code, name), n in ranked], indent=2) + "\n"
        return
    width = max((len(str(count)) for count in counts.values()), default=0)
    yield from (f"{count:>{width}}  {code}  {name}\n" for (code, name), count in ranked)
    if ranked:
        yield "\n"


def _write_file(path: Path, text: str) -> None:
    from stoplint.check.edits import replace_file  # noqa: PLC0415

    try:
        replace_file(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UserError(f"--output-file: {path}: {error.strerror}") from None


def _append(path: Path, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def _add_ignores(analysis: Analysis, reason: str, console: Console) -> int:
    from stoplint.cli.ignores import add_ignores  # noqa: PLC0415 - only for runs that write

    added = add_ignores(analysis, reason)
    for path, why in added.refused:
        console.note(f"{path}: {why}")
    done = f"Added {plural(added.comments, 'suppression')} in {plural(added.files, 'file')}"
    console.write([paint(done, "good", console.style) + "\n"])
    return EXIT_FINDINGS if added.refused else EXIT_CLEAN
