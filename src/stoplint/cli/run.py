"""`stoplint run`: an application with the tracer on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stoplint.cli.console import open_console
from stoplint.cli.errors import UserError

if TYPE_CHECKING:
    from stoplint.trace.run import Launch


@click.command(
    "run",
    options_metavar="[OPTIONS]",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("-q", "--quiet", is_flag=True, help="Do not say at the end where to look.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND [ARGUMENTS]...", required=True)
def command(*, arguments: tuple[str, ...], quiet: bool) -> int:
    """Run an application with the tracer on, without a change to its code.

    \b
    stoplint run -- python app.py --port 8000
    stoplint run -m package
    stoplint run -- uvicorn app:app --workers 2

    Every turn goes to .stoplint/turns.db, or to the file that STOPLINT_STORE names, also from the Python processes that
    the application starts; OpenTelemetry gets its spans as well where it is configured. `stoplint report` shows them.

    The exit code is the application's, and signals reach it. 126: the command could not be started, 127: it was not
    found.
    """  # noqa: D301 - click's mark for lines that are not to be wrapped
    from stoplint.trace import run  # noqa: PLC0415 - the help needs none of it

    console = open_console()
    try:
        launch = run.prepare(arguments, os.environ, Path.cwd())
        code = run.execute(launch)
    except run.NotTraceableError as error:
        raise UserError(str(error)) from error
    except run.NotStartedError as error:
        console.note(f"stoplint: error: {error}")
        return error.code
    if not quiet:
        console.note(f"stoplint: {_where_to_look(launch)}")
    return run.end_like(code)


def _where_to_look(launch: Launch) -> str:
    from stoplint.trace import exitline, run_summary, settings  # noqa: PLC0415
    from stoplint.trace.run import is_default  # noqa: PLC0415

    if settings.read(launch.environment).disabled:
        return "the environment switches tracing off, so nothing was recorded"
    if launch.store is None:
        return "STOPLINT_STORE=off: turns went to OpenTelemetry only, where it is configured"
    turns, codes = run_summary.counts(launch.store, launch.run)
    if not turns:
        # Applications whose turns were lost on the way to the store cannot tell of them there.
        if not run_summary.can_be_written(launch.store):
            return f"{exitline.short(launch.store)} cannot be written, so there is nothing to report"
        return "no Messages request was recorded, so there is nothing to report"
    return exitline.line(turns, codes, None if is_default(launch.store, Path.cwd()) else launch.store)
