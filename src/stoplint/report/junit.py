"""JUnit XML: one suite a file, one failed case a finding; a run without findings is one case that passed."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from stoplint.report._frames import where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.findings import Finding
    from stoplint.report import Report, Style

# Characters that XML 1.0 cannot hold, not even escaped.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001 - the signature of all formats
    # Pure ASCII, the rest as character references, is right whatever encoding the output has.
    return (piece.encode("ascii", "xmlcharrefreplace").decode() for piece in _document(report))


def _document(report: Report) -> Iterator[str]:
    count = len(report.findings)
    yield '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f'<testsuites name="stoplint" tests="{max(count, 1)}" failures="{count}" errors="0">\n'
    if not report.findings:
        yield '  <testsuite name="stoplint" tests="1" failures="0" errors="0">\n'
        yield f'    <testcase name="{report.files_checked} files checked" classname="stoplint"/>\n  </testsuite>\n'
    for path, group in itertools.groupby(report.findings, key=lambda finding: finding.place.path):
        found = list(group)
        yield f'  <testsuite name={_quoted(path)} tests="{len(found)}" failures="{len(found)}" errors="0">\n'
        for finding in found:
            yield _case(finding, report.file_line(finding.place))
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _case(finding: Finding, line: int) -> str:
    name = _quoted(f"{finding.code} {finding.name}")
    classname = _quoted(f"{finding.place.path}:{finding.function}")
    file = _quoted(finding.place.path)
    text = escape(_clean(f"{where(finding.place)}: {finding.message}"))
    return (
        f'    <testcase name={name} classname={classname} file={file} line="{line}">\n'
        f"      <failure message={_quoted(finding.message)} type={_quoted(finding.severity)}>{text}</failure>\n"
        f"    </testcase>\n"
    )


def _quoted(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    return _ILLEGAL.sub("?", text)
