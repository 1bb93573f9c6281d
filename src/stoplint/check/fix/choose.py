"""Which fixes go into one pass, and whether a pass did what it was meant to do.  Pure: findings in, decisions out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from stoplint.check.judge import SILENT_BESIDE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from stoplint.findings import Edit, Finding, Place

    Key: TypeAlias = tuple[str, str, str]

GUARDS = ("SL101", "SL103", "SL102")
"""Their fixes all raise on the same answer; the first makes the others needless."""


def fixable(finding: Finding, *, unsafe: bool) -> bool:
    """Whether a finding has a fix that may be made."""
    return finding.fix is not None and (unsafe or finding.fix.applicability == "safe")


def chosen(findings: Iterable[Finding], *, unsafe: bool) -> list[Finding]:
    """The findings of one file whose fixes can be made together: none overlaps another.  Fixes that are the same edits
    go together.  What others of its kind are silent beside is fixed first, so that all of them are seen by then.
    """
    taken = _Taken()
    found = [one for one in sorted(findings, key=_order) if fixable(one, unsafe=unsafe) and taken.add(one)]
    codes = {finding.code for finding in found}
    return [finding for finding in found if not SILENT_BESIDE.get(finding.code, frozenset()) & codes]


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a pass over one file is not kept, and the fixes to blame."""

    reason: str
    fixes: tuple[Finding, ...]


def complaint(
    before: Mapping[Finding, str], after: Mapping[Finding, str], fixed: Collection[Finding]
) -> Complaint | None:  # fmt: skip
    """What is wrong with a pass over one file; None when all is well.

    `before` and `after` are its findings with their statements; `fixed` those that were to go.
    """
    left, gone = _keys(after), _keys(before)
    for key, count in _keys({finding: before[finding] for finding in fixed}).items():
        if left[key] > gone[key] - count:
            return Complaint(f"{key[0]} would still be found", tuple(one for one in fixed if _key(one, before) == key))
    codes, old = Counter(finding.code for finding in after), Counter(finding.code for finding in before)
    done = {finding.code for finding in fixed}
    for code, count in sorted(codes.items()):
        # What was silent beside another finding of the same response may be said once that one is fixed.
        if count > old[code] and not SILENT_BESIDE.get(code, frozenset()) & done:
            where = _functions(after, code) - _functions(before, code)
            blamed = tuple(one for one in fixed if one.function in where)
            return Complaint(f"{code} would appear", blamed or tuple(fixed))
    return None


def _functions(findings: Iterable[Finding], code: str) -> Counter[str]:
    return Counter(finding.function for finding in findings if finding.code == code)


def _key(finding: Finding, texts: Mapping[Finding, str]) -> Key:
    return finding.code, finding.function, texts[finding]


def _keys(findings: Mapping[Finding, str]) -> Counter[Key]:
    return Counter(_key(finding, findings) for finding in findings)


def _order(finding: Finding) -> tuple[int, int, int, int, str, str]:
    rank = GUARDS.index(finding.code) if finding.code in GUARDS else -1
    place = finding.place
    return rank, place.cell or 0, place.line, place.column, finding.code, finding.message


@dataclass(slots=True)
class _Taken:
    """What the fixes chosen so far change."""

    edits: dict[tuple[int | None, Edit], None] = field(default_factory=dict)
    guarded: dict[Place, tuple[Edit, ...]] = field(default_factory=dict)

    def add(self, finding: Finding) -> bool:
        if finding.fix is None:
            return False
        cell, edits = finding.place.cell, finding.fix.edits
        origin = finding.origin if finding.code in GUARDS else None
        if origin is not None and self.guarded.setdefault(origin, edits) != edits:
            return False
        mine = [(cell, edit) for edit in edits]
        if all(one in self.edits for one in mine):
            return True
        if any(_overlap(one, other) for one in mine for other in self.edits):
            return False
        self.edits.update(dict.fromkeys(mine))
        return True


def _overlap(mine: tuple[int | None, Edit], other: tuple[int | None, Edit]) -> bool:
    if mine[0] != other[0]:
        return False
    start, end = _range(mine[1])
    begin, stop = _range(other[1])
    # Two insertions at one place have an order that nobody chose.
    return (start < stop and begin < end) or start == begin


def _range(edit: Edit) -> tuple[tuple[int, int], tuple[int, int]]:
    return (edit.line, edit.column), (edit.end_line, edit.end_column)
