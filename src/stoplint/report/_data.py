"""A finding as plain data: the JSON contract, which the formats `json` and `json-lines` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from stoplint.findings import Finding, Fix, Place

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def finding_data(finding: Finding) -> dict[str, Json]:
    """A finding's keys in the order of the contract; lines and columns from 1, columns in characters."""
    place = finding.place
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "profile": finding.profile,
        "path": place.path,
        "cell": place.cell,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "function": finding.function,
        "message": finding.message,
        "reasons": list(finding.reasons),
        "origin": _start(finding.origin) if finding.origin is not None else None,
        "related": [_start(one.place) | {"message": one.message} for one in finding.related],
        "fix": _fix(finding.fix) if finding.fix is not None else None,
        "fingerprint": finding.fingerprint,
    }


def _start(place: Place) -> dict[str, Json]:
    return {"path": place.path, "cell": place.cell, "line": place.line, "column": place.column}


def _fix(fix: Fix) -> dict[str, Json]:
    edits: list[Json] = [
        {
            "line": edit.line,
            "column": edit.column,
            "end_line": edit.end_line,
            "end_column": edit.end_column,
            "content": edit.content,
        }
        for edit in fix.edits
    ]
    return {"applicability": fix.applicability, "message": fix.message, "edits": edits}
