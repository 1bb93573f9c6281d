"""`stoplint check`: what can be said on the command line.  What is done with it is in `checking`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stoplint import report
from stoplint.cli.options import AnalysisOptions, TalkOptions, analysis_options, talk_options

if TYPE_CHECKING:
    from typing_extensions import Unpack


class CheckOptions(AnalysisOptions, TalkOptions):
    """All options of the command."""

    stdin_filename: str | None
    no_baseline: bool
    output_format: str
    output_file: Path | None
    statistics: bool
    exit_zero: bool
    add_ignores: str | None
    fix: bool
    unsafe_fixes: bool
    diff: bool
    watch: bool


@click.command("check")
@analysis_options
@click.option("--stdin-filename", metavar="NAME", help='The name of what "-" reads; decides configuration and kind.')
@click.option("--no-baseline", is_flag=True, help="Report what the baseline knows too.")
@click.option(
    "--output-format",
    type=click.Choice(report.names()),
    default="full",
    envvar="STOPLINT_OUTPUT_FORMAT",
    help="How findings are printed.",
)
@click.option(
    "-o", "--output-file", type=click.Path(path_type=Path, dir_okay=False), help="Write the findings to a file."
)
@click.option("--statistics", is_flag=True, help="Print how often each rule was found instead of the findings.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even when there are findings.")
@click.option(
    "--add-ignores", metavar="REASON", help="Write a suppression comment with this reason above each finding."
)
@click.option("--fix", is_flag=True, help="Make the safe fixes; what is left is reported.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix and --diff: those fixes too that a person should read.")
@click.option("--diff", is_flag=True, help="Print what --fix would change, and change nothing.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes, until Ctrl+C.")
@talk_options
def command(**options: Unpack[CheckOptions]) -> int:
    """Check files and folders (default: the working folder).

    PATHS are files, folders, or "-" for standard input. What git ignores, virtual environments and files over 2 MB are
    left out; the last line of the output says how many, and -v names them.

    Exit codes: 0 clean, 1 findings (after --fix: what is left; with --diff: something to change), 2 the run failed
    (usage, configuration), 3 nothing to check was found.
    """
    from stoplint.cli.checking import run_check  # noqa: PLC0415 - `check --help` needs none of it

    return run_check(options)
