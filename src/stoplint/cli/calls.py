"""`stoplint calls`: what can be said on the command line.  What is done with it is in `listing`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stoplint.cli.options import CACHE_FOLDER, TalkOptions, talk_options

if TYPE_CHECKING:
    from typing_extensions import Unpack


class CallsOptions(TalkOptions):
    """All options of the command."""

    paths: tuple[str, ...]
    isolated: bool
    markdown: bool
    jobs: int | None
    no_cache: bool
    cache_dir: Path | None
    output_format: str


@click.command("calls")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--output-format", type=click.Choice(["full", "json"]), default="full", help="How requests are printed.")
@click.option("--isolated", is_flag=True, help="Read no configuration.")
@click.option("--markdown", is_flag=True, help="List requests in Python blocks of Markdown files in folders too.")
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), metavar="N", help="Worker processes (default: as many as help)."
)
@click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="STOPLINT_CACHE_DIR",
    help=f"Where the cache lies (default: {CACHE_FOLDER}).",
)
@talk_options
def command(**options: Unpack[CallsOptions]) -> int:
    """List every request of files and folders (default: the working folder): where it is made, for which model, with
    which tools, what it can end with, and who asks.

    \b
    Of each stop reason it says what is made of it, by the best of all functions in view:
      named      a test names it
      exposed    it goes out of view: returned, logged, stored
      looked at  the reason is read, but nothing asks for this one
      ignored    the answer is used without a look
      unused     the answer is not used
    A "?" marks what cannot be told from the arguments.

    \b
    JSON (--output-format json): an array of objects with the keys
      path, cell, line, column   where; end_line, end_column
      function                   qualified name or "<module>"
      surface                    create, parse, stream, raw_stream, tool_runner,
                                 batch, ...; stream: true where it comes in events
      model, max_tokens          where they are literals
      tools, server_tools        true, false or null
      reasons                    reason, certain, handling (as above, "looked_at")
      handling                   the best of them
      readers                    function, relation (here, helper, caller), path,
                                 line: who looks
      ignored_by                 functions that use the answer without a look

    Exit codes: 0 listed, 2 the run failed (usage, configuration), 3 nothing to look at was found.
    """  # noqa: D301 - click's mark for lines that are not to be wrapped
    from stoplint.cli.listing import run_calls  # noqa: PLC0415 - `calls --help` needs none of it

    return run_calls(options)
