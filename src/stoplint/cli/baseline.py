"""`stoplint baseline`: what can be said on the command line.  What is done with it is in `baselining`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stoplint.cli.options import AnalysisOptions, TalkOptions, analysis_options, talk_options

if TYPE_CHECKING:
    from typing_extensions import Unpack


class BaselineOptions(AnalysisOptions, TalkOptions):
    """All options of the command."""

    update: bool


@click.command("baseline")
@analysis_options
@click.option("--update", is_flag=True, help="Only drop entries whose findings are gone; add nothing.")
@talk_options
def command(**options: Unpack[BaselineOptions]) -> int:
    """Put up with the findings there are: `stoplint check` then reports new ones only.

    Writes stoplint-baseline.json beside the configuration, or in the working folder. Entries are recognised by the code
    they are about, so they survive moved and reformatted code. Of the files checked, all entries are written anew; those
    of other files stay.
    """
    from stoplint.cli.baselining import run_baseline  # noqa: PLC0415 - `baseline --help` needs none of it

    return run_baseline(options)
