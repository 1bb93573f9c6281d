"""`stoplint report`: what the tracer saw."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypedDict

import click

from stoplint.check.edits import replace_file
from stoplint.cli import EXIT_CLEAN, EXIT_FINDINGS, EXIT_NOTHING
from stoplint.cli.console import ColorChoice, open_console
from stoplint.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from typing_extensions import Unpack

    from stoplint.report import Style
    from stoplint.trace.view import ChainRow, Report
    from stoplint.trace.view_sources import Loaded

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}

_HELP: Final = """
Show what the tracer saw: stop reasons by model and call site, chains of turns and how they ended, findings with
their place in the code.

Reads .stoplint/turns.db (or the file that STOPLINT_STORE names) with what was rotated out of it, or the FILES named:
turn stores, and OTLP-JSON lines as the file exporter of a collector writes them.

\b
JSON (--output-format json): an object with the keys
  version            1; another one means that keys have changed
  sources            path, kind (store, otlp), broken_lines, first_broken_lines
  totals             turns, turns_without_chain, chains, findings, processes,
                     lost_records, input_tokens, output_tokens, first_at, last_at
  stop_reasons       count by raw reason; "error": the call failed, "none": no
                     reason came
  stream_outcomes    count by complete, abandoned, cut, error
  chain_outcomes     count by finished, stopped, refused, truncated, unresumed,
                     unanswered, empty, failed, open
  models             model, turns, stop_reasons
  call_sites         path, line, function, turns, stop_reasons, findings (count
                     by code)
  chains             chain_id, outcome, turns, length, started_at, ended_at,
                     models, relations, stop_reasons (in order), findings,
                     joined, path, line, function; newest first
  findings           code, name, severity, profile, message, path, line,
                     function, count, occurrences (turn_id, evidence_turn_id,
                     chain_id, at, trace_id, span_id)
With --chain: version, sources, chain (as above), turns (every fact of each),
findings.  Times are ISO 8601 in UTC, paths relative to the working folder.

Exit codes: 0 shown, 1 with --fail-on-finding when there are findings, 2 a file could not be read, 3 nothing to report.
"""


class Since(click.ParamType[int]):
    """A moment in nanoseconds since the epoch: `90s`, `10m`, `2h`, `3d`, `1w` ago, or a date and time."""

    name = "when"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value).strip()
        ago = re.fullmatch(r"(\d+)([smhdw])", text)
        if ago:
            return time.time_ns() - int(ago[1]) * _UNITS[ago[2]] * 1_000_000_000
        try:
            return int(datetime.fromisoformat(text).timestamp() * 1_000_000_000)
        except (ValueError, OverflowError, OSError):
            self.fail(f"{text!r} is no time: write 10m, 2h, 3d, or 2026-11-25T10:00", param, ctx)


class ReportOptions(TypedDict):
    """All options of the command."""

    files: tuple[Path, ...]
    chain: str | None
    since: int | None
    last: int | None
    output_format: Literal["text", "json"]
    html: Path | None
    color: ColorChoice
    fail_on_finding: bool


@click.command("report", help=_HELP)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--chain", metavar="ID", help="Draw one chain as a tree of its turns; the beginning of its id is enough.")
@click.option(
    "--since", type=Since(), metavar="WHEN", help="Only turns since 10m, 2h, 3d ago, or since a date and time."
)
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the last N turns.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", help="How the report is printed.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write one HTML page.")
@click.option("--fail-on-finding", is_flag=True, help="Exit with 1 when there are findings.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colours.")
def command(**options: Unpack[ReportOptions]) -> int:
    from stoplint.trace import view_sources  # noqa: PLC0415 - the help of the command needs none of it

    console = open_console(options["color"])
    try:
        loaded = _load(options)
    except view_sources.NothingToReportError as error:
        console.note(f"stoplint: nothing to report: {error}")
        return EXIT_NOTHING
    except view_sources.ReportError as error:
        raise UserError(str(error)) from error
    if options["html"] is not None:
        _write_page(loaded, options["html"])
        console.note(f"stoplint: wrote {options['html']}")
    else:
        console.write(_rendered(loaded, options, console.style))
    return EXIT_FINDINGS if options["fail_on_finding"] and loaded.report.findings else EXIT_CLEAN


def _load(options: ReportOptions) -> Loaded:
    from stoplint.trace import view_html, view_sources  # noqa: PLC0415
    from stoplint.trace.store import store_path  # noqa: PLC0415

    def wanted(report: Report) -> list[str]:
        if options["chain"] is not None:
            return [view_sources.find_chain(report, options["chain"]).chain_id]
        return view_html.drawn(report) if options["html"] is not None else []

    files: Sequence[Path] = options["files"]
    if not files:
        files = view_sources.default_files(store_path(os.environ.get("STOPLINT_STORE"), has_backend=False))
    selection = view_sources.Selection(options["since"] or 0, options["last"])
    return view_sources.load(files, selection, time.time_ns(), wanted)


def _rendered(loaded: Loaded, options: ReportOptions, style: Style) -> Iterator[str]:
    from stoplint.trace import view_chain, view_json, view_text  # noqa: PLC0415

    if options["chain"] is None:
        return view_json.render(loaded) if options["output_format"] == "json" else view_text.render(loaded, style)
    (row,) = _drawn(loaded)
    if options["output_format"] == "json":
        return view_json.render_chain(loaded, row)
    return view_chain.render(loaded, row, style)


def _write_page(loaded: Loaded, file: Path) -> None:
    from stoplint.trace import view_html  # noqa: PLC0415

    page = "".join(view_html.render(loaded, _drawn(loaded)))
    try:
        replace_file(file, page.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror or error}") from error


def _drawn(loaded: Loaded) -> list[ChainRow]:
    rows = {row.chain_id: row for row in loaded.report.chains}
    return [rows[chain_id] for chain_id in loaded.turns]
