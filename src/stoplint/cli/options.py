"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from stoplint.cli.console import ColorChoice

F = TypeVar("F", bound="Callable[..., object]")

CACHE_FOLDER = ".stoplint_cache"


class AnalysisOptions(TypedDict):
    """What `analysis_options` adds to a command."""

    paths: tuple[str, ...]
    select: tuple[str, ...]
    ignore: tuple[str, ...]
    strict: bool | None
    isolated: bool
    force_exclude: bool
    markdown: bool
    jobs: int | None
    no_cache: bool
    cache_dir: Path | None


class TalkOptions(TypedDict):
    """What `talk_options` adds to a command."""

    color: ColorChoice
    verbose: int
    quiet: bool


def analysis_options(command: F) -> F:
    """The options that say what is checked and how."""
    for option in reversed(
        (
            click.argument("paths", nargs=-1, type=click.Path(allow_dash=True)),
            click.option(
                "--select",
                multiple=True,
                metavar="RULES",
                help="Check these rules only: codes, prefixes or names, by commas.",
            ),
            click.option("--ignore", multiple=True, metavar="RULES", help="Leave these rules out."),
            click.option("--strict/--no-strict", default=None, help="Add the findings of the strict profile."),
            click.option("--isolated", is_flag=True, help="Read no configuration and no baseline."),
            click.option(
                "--force-exclude/--no-force-exclude",
                default=True,
                help="Apply the configured excludes to named paths too (the default).",
            ),
            click.option("--markdown", is_flag=True, help="Check Python blocks of Markdown files in folders too."),
            click.option(
                "-j",
                "--jobs",
                type=click.IntRange(min=1),
                metavar="N",
                help="Worker processes (default: as many as help).",
            ),
            click.option("--no-cache", is_flag=True, help="Neither read nor write the cache."),
            click.option(
                "--cache-dir",
                type=click.Path(path_type=Path, file_okay=False),
                envvar="STOPLINT_CACHE_DIR",
                help=f"Where the cache lies (default: {CACHE_FOLDER}).",
            ),
        )
    ):
        command = option(command)
    return command


def talk_options(command: F) -> F:
    """The options that say how much is told, and in which colours."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="Print findings only, no closing line."),
        click.option("-v", "--verbose", count=True, help="Tell more: what was skipped and why. -vv: tracebacks too."),
        click.option(
            "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="When to use colours."
        ),
    ):
        command = option(command)
    return command
