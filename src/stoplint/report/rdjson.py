"""Reviewdog's diagnostic format, whose columns count bytes of UTF-8:
https://github.com/reviewdog/reviewdog/tree/master/proto/rdf.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stoplint.report._places import end_line, has_columns, spoken
from stoplint.report._rulepages import URL, address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.findings import Finding, Place
    from stoplint.report import Report, Style
    from stoplint.report._data import Json


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001 - the signature of all formats
    result: dict[str, Json] = {
        "source": {"name": "stoplint", "url": URL},
        "severity": "WARNING",
        "diagnostics": [_diagnostic(finding, report) for finding in report.findings],
    }
    yield json.dumps(result, indent=2) + "\n"


def _diagnostic(finding: Finding, report: Report) -> dict[str, Json]:
    place = finding.place
    found: dict[str, Json] = {
        "message": spoken(finding),
        "location": _location(place, report),
        "severity": finding.severity.upper(),
        "code": {"value": finding.code, "url": address(finding.code)},
    }
    if finding.related:
        found["related_locations"] = [
            {"message": one.message, "location": _location(one.place, report)} for one in finding.related
        ]
    if finding.fix is not None and has_columns(place):
        found["suggestions"] = [
            {
                "range": {
                    "start": _position(place, report, edit.line, edit.column),
                    "end": _position(place, report, edit.end_line, edit.end_column),
                },
                "text": edit.content,
            }
            for edit in finding.fix.edits
        ]
    return found


def _location(place: Place, report: Report) -> dict[str, Json]:
    if not has_columns(place):
        start: Json = {"line": report.file_line(place)}
        return {"path": place.path, "range": {"start": start, "end": {"line": end_line(place, report)}}}
    return {
        "path": place.path,
        "range": {
            "start": _position(place, report, place.line, place.column),
            "end": _position(place, report, place.end_line, place.end_column),
        },
    }


def _position(place: Place, report: Report, line: int, column: int) -> dict[str, Json]:
    source = report.source(place.path)
    text = source.lines[line - 1] if source is not None and 0 < line <= len(source.lines) else ""
    before = text[: column - 1]
    missing = column - 1 - len(before)
    return {"line": line, "column": len(before.encode("utf-8", "replace")) + missing + 1}
