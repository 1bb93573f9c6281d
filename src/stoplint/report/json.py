"""All findings as one JSON array.  ASCII only: valid in whatever encoding it is printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stoplint.report._data import finding_data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.report import Report, Style


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001 - the signature of all formats
    yield json.dumps([finding_data(finding) for finding in report.findings], indent=2) + "\n"
