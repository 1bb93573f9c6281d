"""SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import stoplint
from stoplint import catalog
from stoplint.report._places import end_line, has_columns, spoken
from stoplint.report._rulepages import URL, address

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.catalog import Rule
    from stoplint.findings import Edit, Finding, Fix, Place
    from stoplint.report import Report, Style
    from stoplint.report._data import Json

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "stoplint/v1"


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001 - the signature of all formats
    yield json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}, indent=2) + "\n"


def _run(report: Report) -> Json:
    codes = sorted({finding.code for finding in report.findings})
    pages = catalog.rules()
    rules: list[Json] = [_rule(pages[code]) for code in codes if code in pages]
    index = {code: number for number, code in enumerate(code for code in codes if code in pages)}
    notes: list[Json] = [
        {"level": "note", "message": {"text": f"{one.path} was not checked: {one.reason}"}} for one in report.skipped
    ]
    return {
        "tool": {
            "driver": {
                "name": "stoplint",
                "version": stoplint.__version__,
                "semanticVersion": stoplint.__version__,
                "informationUri": URL,
                "rules": rules,
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
        "results": [_result(finding, index, report) for finding in report.findings],
    }


def _rule(rule: Rule) -> Json:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.name.replace("-", " ")},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.text, "markdown": rule.text},
        "helpUri": address(rule.code),
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": ["correctness", rule.profile], "problem.severity": rule.severity},
    }


def _result(finding: Finding, index: dict[str, int], report: Report) -> Json:
    result: dict[str, Json] = {"ruleId": finding.code}
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    result |= {
        "level": finding.severity,
        "message": {"text": spoken(finding)},
        "locations": [
            {
                "physicalLocation": _physical(finding.place, report),
                "logicalLocations": [
                    {
                        "fullyQualifiedName": finding.function,
                        "kind": "module" if finding.function == "<module>" else "function",
                    }
                ],
            }
        ],
        "partialFingerprints": {FINGERPRINT: finding.fingerprint},
        "properties": {"profile": finding.profile, "reasons": list(finding.reasons), "cell": finding.place.cell},
    }
    if related := _related(finding, report):
        result["relatedLocations"] = related
    if finding.fix is not None and has_columns(finding.place):
        result["fixes"] = [_fix(finding.fix, finding.place.path)]
    return result


def _related(finding: Finding, report: Report) -> list[Json]:
    places = [(one.place, one.message) for one in finding.related]
    if finding.origin is not None and finding.origin not in [place for place, _ in places]:
        places.append((finding.origin, "the request is made here"))
    return [
        {"id": number, "physicalLocation": _physical(place, report), "message": {"text": message}}
        for number, (place, message) in enumerate(places, 1)
    ]


def _physical(place: Place, report: Report) -> Json:
    region: dict[str, Json] = {"startLine": report.file_line(place), "endLine": end_line(place, report)}
    if has_columns(place):
        region |= {"startColumn": place.column, "endColumn": place.end_column}
    return {"artifactLocation": {"uri": _uri(place.path)}, "region": region}


def _uri(path: str) -> str:
    quoted = quote(path, safe="/", errors="surrogateescape")
    if path.startswith("/"):
        return f"file://{quoted}"
    return f"file:///{quote(path, safe='/:')}" if path[1:2] == ":" else quoted


def _fix(fix: Fix, path: str) -> Json:
    return {
        "description": {"text": fix.message},
        "artifactChanges": [{"artifactLocation": {"uri": _uri(path)}, "replacements": _replacements(fix.edits)}],
    }


def _replacements(edits: Sequence[Edit]) -> list[Json]:
    return [
        {
            "deletedRegion": {
                "startLine": edit.line,
                "startColumn": edit.column,
                "endLine": edit.end_line,
                "endColumn": edit.end_column,
            },
            "insertedContent": {"text": edit.content},
        }
        for edit in edits
    ]
