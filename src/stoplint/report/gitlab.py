"""GitLab's Code Quality report: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stoplint.report._places import end_line, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.report import Report, Style
    from stoplint.report._data import Json

_SEVERITY = {"error": "critical", "warning": "minor"}


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001 - the signature of all formats
    issues: list[dict[str, Json]] = [
        {
            "description": f"{finding.code} {finding.name}: {spoken(finding)}",
            "check_name": finding.code,
            "fingerprint": finding.fingerprint,
            "severity": _SEVERITY[finding.severity],
            "location": {
                "path": finding.place.path,
                "lines": {"begin": report.file_line(finding.place), "end": end_line(finding.place, report)},
            },
        }
        for finding in report.findings
    ]
    yield json.dumps(issues, indent=2) + "\n"
