"""From options to the run that they ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stoplint.cli.analysis import Request
from stoplint.cli.errors import UserError
from stoplint.cli.options import CACHE_FOLDER
from stoplint.config import Overrides, selector_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stoplint.cli.options import AnalysisOptions, TalkOptions


def verbosity(options: TalkOptions) -> int:
    """-1 for quiet, else how often `-v` was given."""
    return -1 if options["quiet"] else options["verbose"]


def request_of(options: AnalysisOptions) -> Request:
    """The run that some options ask for.  Raises UserError for an unknown rule."""
    return Request(
        paths=options["paths"] or (".",),
        overrides=Overrides(
            select=selectors("--select", options["select"]) or None,
            ignore=selectors("--ignore", options["ignore"]),
            strict=options["strict"],
        ),
        isolated=options["isolated"],
        force_exclude=options["force_exclude"],
        markdown=options["markdown"],
        jobs=options["jobs"],
        cache_dir=None if options["no_cache"] else options["cache_dir"] or Path(CACHE_FOLDER),
    )


def selectors(option: Literal["--select", "--ignore"], values: Sequence[str]) -> tuple[str, ...]:
    """The selectors of an option that may be given often, and each time hold several.  Raises UserError."""
    found = tuple(one.strip() for value in values for one in value.split(",") if one.strip())
    problems = [f"{option}: {problem}" for one in found if (problem := selector_problem(one))]
    if problems:
        raise UserError("\n".join(problems))
    return found
