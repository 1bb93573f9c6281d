"""Places for formats that know files and lines only: a notebook's cell becomes the line of the file it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stoplint.findings import Finding, Place
    from stoplint.report import Report


def end_line(place: Place, report: Report) -> int:
    """The last line of a place in its file."""
    if place.cell is None:
        return place.end_line
    return report.file_line(place) + place.end_line - place.line


def spoken(finding: Finding) -> str:
    """The message, preceded in a notebook by the cell and line that the file's line does not tell."""
    place = finding.place
    return finding.message if place.cell is None else f"cell {place.cell}, line {place.line}: {finding.message}"


def has_columns(place: Place) -> bool:
    """Columns of a cell mean nothing in the notebook's JSON."""
    return place.cell is None
