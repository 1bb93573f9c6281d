"""One JSON object a line and finding."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stoplint.report._data import finding_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.report import Report, Style


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001 - the signature of all formats
    for finding in report.findings:
        yield json.dumps(finding_data(finding)) + "\n"
