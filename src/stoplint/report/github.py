"""Workflow commands of GitHub Actions:
https://docs.github.com/actions/reference/workflow-commands-for-github-actions.

A step shows at most ten errors and ten warnings; the worst come first, the rest stay in the log as plain lines, and a
last notice says how many those are.  The step's summary lists them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.report._frames import where
from stoplint.report._places import end_line, has_columns, spoken
from stoplint.report._rulepages import address
from stoplint.report._terminal import plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stoplint.findings import Finding
    from stoplint.report import Report, Style

LIMIT = 10
_SUMMARY_LIMIT = 200
_RANK = {"error": 0, "warning": 1}


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001 - the signature of all formats
    rest: list[Finding] = []
    shown = {"error": 0, "warning": 0}
    for finding in sorted(report.findings, key=lambda one: _RANK[one.severity]):
        if shown[finding.severity] == LIMIT:
            rest.append(finding)
            continue
        shown[finding.severity] += 1
        yield _annotation(finding, report)
    for finding in rest:
        message = printable(finding.message)
        yield f"{where(finding.place)}: {finding.severity} {finding.code} {finding.name}: {message}\n"
    if rest:
        more = f"{plural(len(rest), 'more finding')} not shown here (GitHub shows {LIMIT} errors and {LIMIT} warnings a step)"
        yield f"::notice title=stoplint::{_data(f'{more}; all are in the log and in the summary of the step')}\n"


def files(report: Report, environment: Mapping[str, str]) -> dict[str, str]:
    """The step's summary in Markdown."""
    path = environment.get("GITHUB_STEP_SUMMARY")
    if not path:
        return {}
    if not report.findings:
        return {path: f"### stoplint\n\nNo findings in {plural(report.files_checked, 'file')}.\n\n"}
    rows = "".join(_row(finding) for finding in report.findings[:_SUMMARY_LIMIT])
    more = len(report.findings) - _SUMMARY_LIMIT
    tail = f"\n{plural(more, 'more finding')}: see the log.\n" if more > 0 else ""
    title = f"{plural(len(report.findings), 'finding')} in {plural(report.files_checked, 'checked file')}"
    return {path: f"### stoplint: {title}\n\n| Place | Rule | Finding |\n|---|---|---|\n{rows}{tail}\n"}


def _annotation(finding: Finding, report: Report) -> str:
    place = finding.place
    properties = {"file": place.path, "line": str(report.file_line(place)), "endLine": str(end_line(place, report))}
    if has_columns(place) and place.line == place.end_line:
        # The end is exclusive here and inclusive there.
        properties |= {"col": str(place.column), "endColumn": str(max(place.end_column - 1, place.column))}
    properties["title"] = f"{finding.code} {finding.name}"
    joined = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{finding.severity} {joined}::{_data(spoken(finding))}\n"


def _row(finding: Finding) -> str:
    message = finding.message.replace("|", "\\|").replace("\n", " ")
    rule = f"[{finding.code} {finding.name}]({address(finding.code)})"
    return f"| `{where(finding.place)}` | {rule} | {message} |\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
