"""Which findings a file's suppression comments silence, and which comments silence nothing.

Pure: text in the form of a layout and findings in, decisions out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint import catalog
from stoplint.check import directives
from stoplint.config.selection import codes_of, selector_problem
from stoplint.findings import Edit, Finding, Fix, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stoplint.check.directives import Directive
    from stoplint.check.source import Source
    from stoplint.check.statements import Layout

UNUSED = "SL901"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`kept` in the order given; `unused` are findings about the comments themselves."""

    kept: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    unused: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _File:
    source: Source
    layout: Layout


def apply(source: Source, layout: Layout, findings: Sequence[Finding], judged: frozenset[str]) -> Outcome:
    """Apply a file's suppressions to its findings.

    `judged` are the codes that the run looked for: a comment for any other cannot be called unused.
    """
    found = directives.read(layout)
    used: set[tuple[Directive, str]] = set()
    kept: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in findings:
        line = source.flat_line(finding.place.cell, finding.place.line)
        hits = [hit for hit in _silencing(found, finding.code) if _covers(hit[0], line)]
        used.update(hits)
        (suppressed if hits else kept).append(finding)
    unused = [one for directive in found for one in _unused(directive, used, judged, _File(source, layout))]
    about_comments = [one for one in unused if not _silenced_itself(one, found, source)]
    return Outcome(tuple(kept), tuple(suppressed), tuple(about_comments))


def _silencing(found: Sequence[Directive], code: str) -> Iterator[tuple[Directive, str]]:
    for directive in found:
        if directive.form != "unknown":
            yield from ((directive, one) for one in directive.selectors if code in codes_of([one]))


def _covers(directive: Directive, line: int) -> bool:
    return directive.covers is None or directive.covers[0] <= line <= directive.covers[1]


def _silenced_itself(unused: Finding, found: Sequence[Directive], source: Source) -> bool:
    line = source.flat_line(unused.place.cell, unused.place.line)
    return any(_covers(directive, line) or directive.line == line for directive, _ in _silencing(found, UNUSED))


def _unused(
    directive: Directive, used: set[tuple[Directive, str]], judged: frozenset[str], file: _File
) -> Iterator[Finding]:
    def report(message: str, gone: tuple[str, ...], fix: str = "Remove the comment") -> Finding:
        edit = _removal(directive, directives.without(directive, gone), file)
        return _finding(directive, message, Fix("safe", fix, (edit,)), file.source)

    shown = f"`{directive.text.removesuffix(directive.reason).strip()}`"
    if directive.form == "unknown":
        yield report(f"{shown} is not understood; write `# stoplint: ignore[SL101] reason`", directive.selectors)
        return
    if not directive.selectors:
        hint = f"{shown} names no rule, so it suppresses nothing; write `# stoplint: {directive.form}[SL101]`"
        yield report(hint, ())
        return
    idle = [one for one in directive.selectors if (directive, one) not in used]
    wrong = {one: problem for one in idle if (problem := selector_problem(one))}
    gone = tuple(one for one in idle if one in wrong or _judged(one, judged))
    if not gone:
        return
    if len(gone) == len(directive.selectors) and not wrong:
        yield report(f"{shown} suppresses nothing; remove it", gone)
        return
    for one in gone:
        what = f"in {shown} {wrong[one]}" if one in wrong else f"`{one}` in {shown} suppresses nothing; remove it"
        yield report(what, (one,), f"Remove `{one}`")


def _judged(selector: str, judged: frozenset[str]) -> bool:
    """Whether the run looked for all that a selector silences; a comment against SL901 itself is never in question."""
    codes = codes_of([selector])
    return UNUSED not in codes and codes <= judged


def _finding(directive: Directive, message: str, fix: Fix, source: Source) -> Finding:
    rule = catalog.rules()[UNUSED]
    cell, line = source.cell_line(directive.line)
    place = source.shifted(Place(source.path, cell, line, directive.column, line, directive.end_column))
    return Finding(
        code=rule.code,
        name=rule.name,
        severity=rule.severity,
        profile=rule.profile,
        place=place,
        function="<module>",
        message=message,
        fix=fix,
        label="suppresses nothing",
    )


def _removal(directive: Directive, text: str, file: _File) -> Edit:
    """The edit that puts `text` in the place of a directive; with "" its line goes too where nothing else is in it."""
    source = file.source
    cell, line = source.cell_line(directive.line)
    whole = file.layout.lines[directive.line - 1]
    before, after = whole[: directive.column - 1], whole[directive.end_column - 1 :]
    if text:
        return _edit(source, directive, Edit(line, directive.column, line, directive.end_column, text))
    if not before.strip() and not after.strip() and directive.line < source.last_line(cell):
        return Edit(line, 1, line + 1, 1, "")
    start = len(before.rstrip()) + 1
    end = directive.end_column + len(after) - len(after.lstrip())
    glue = "  " if after.strip() and before.strip() else ""
    return _edit(source, directive, Edit(line, start, line, end, glue))


def _edit(source: Source, directive: Directive, edit: Edit) -> Edit:
    shift = source.shifts[directive.line - 1] if source.shifts else 0
    return Edit(edit.line, edit.column + shift, edit.end_line, edit.end_column + shift, edit.content)
