"""Logging commands of Azure Pipelines:
https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands#logissue-log-an-error-or-warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.report._places import has_columns, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.report import Report, Style

_ESCAPES = {"%": "%AZP25", "\r": "%0D", "\n": "%0A", ";": "%3B", "]": "%5D"}


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001 - the signature of all formats
    for finding in report.findings:
        place = finding.place
        properties = {
            "type": finding.severity,
            "sourcepath": place.path,
            "linenumber": str(report.file_line(place)),
            **({"columnnumber": str(place.column)} if has_columns(place) else {}),
            "code": finding.code,
        }
        joined = "".join(f"{key}={_escaped(value, ';]')};" for key, value in properties.items())
        yield f"##vso[task.logissue {joined}]{_escaped(f'{finding.name}: {spoken(finding)}')}\n"


def _escaped(text: str, more: str = "") -> str:
    escaped = {one for one in _ESCAPES if one in "%\r\n" + more}
    return "".join(_ESCAPES[one] if one in escaped else one for one in text)
