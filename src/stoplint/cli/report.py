"""`stoplint report`: what the tracer saw."""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from stoplint.cli.console import open_console
from stoplint.cli.errors import UserError

if TYPE_CHECKING:

    from stoplint.cli.console import ColorChoice

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


@click.command(help=_HELP)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--chain", metavar="ID", help="Draw one chain as a tree of its turns; the beginning of its id is enough.")
@click.option("--since", type=Since(), help="Only turns since then: 10m, 2h, 3d ago, or a date and time.")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the last N turns.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write one HTML page.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("--fail-on-finding", is_flag=True, help="Exit with 1 when there are findings.")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    files: tuple[Path, ...],
    chain: str | None,
    since: int | None,
    last: int | None,
    output_format: Literal["text", "json"],
    html: Path | None,
    color: ColorChoice,
    fail_on_finding: bool,
) -> int:
    from stoplint.trace import view_html  # noqa: PLC0415 - the help needs none of it
    from stoplint.trace.view_sources import (  # noqa: PLC0415
        NothingToReportError,
        ReportError,
        Selection,
        default_files,
        find_chain,
        load,
    )

    console = open_console(color)

    def wanted(report: Report) -> list[str]:
        if chain is not None:
            return [find_chain(report, chain).chain_id]
        return view_html.drawn(report) if html is not None else []

    try:
        loaded = load(files or default_files(_store()), Selection(since or 0, last), time.time_ns(), wanted)
    except NothingToReportError as error:
        console.note(f"stoplint: nothing to report: {error}")
        return 3
    except ReportError as error:
        raise UserError(str(error)) from error
    return 0
