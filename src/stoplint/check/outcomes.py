"""The outcome of a run as plain data and back, for the cache; nothing but JSON's own types is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from stoplint.findings import Edit, Finding, Fix, Place, Related

if TYPE_CHECKING:
    from collections.abc import Sequence

Json: TypeAlias = "Sequence[Json] | str | int | None"


@dataclass(frozen=True, slots=True, order=True)
class Skipped:
    """A file or folder that was not linted, and why: "larger than 2 MB"."""

    path: str
    reason: str
    folder: bool = False


class Outcome(NamedTuple):
    """What a report is made of besides the texts it quotes."""

    findings: tuple[Finding, ...]
    files_checked: int
    skipped: tuple[Skipped, ...]
    suppressed: int
    in_baseline: int
    stale: int


def encode(outcome: Outcome) -> Json:
    """An outcome for `json.dumps`."""
    return [
        [encode_finding(one) for one in outcome.findings],
        outcome.files_checked,
        [[one.path, one.reason, one.folder] for one in outcome.skipped],
        outcome.suppressed,
        outcome.in_baseline,
        outcome.stale,
    ]


def decode(data: object) -> Outcome:
    """The outcome that `json.loads` gave back.  Raises ValueError or TypeError for anything else."""
    findings, checked, skipped, suppressed, known, stale = cast("list[Any]", data)
    counts = (checked, suppressed, known, stale)
    if not all(isinstance(count, int) for count in counts):
        raise TypeError("no outcome")
    left_out = tuple(Skipped(path, reason, folder) for path, reason, folder in skipped)
    return Outcome(tuple(decode_finding(one) for one in findings), checked, left_out, suppressed, known, stale)


def encode_finding(finding: Finding) -> Json:
    """A finding for `json.dumps`."""
    fix = finding.fix
    return [
        finding.code,
        finding.name,
        finding.severity,
        finding.profile,
        _place(finding.place),
        finding.function,
        finding.message,
        list(finding.reasons),
        _place(finding.origin) if finding.origin is not None else None,
        [[_place(one.place), one.message] for one in finding.related],
        None if fix is None else [fix.applicability, fix.message, [_edit(one) for one in fix.edits]],
        finding.fingerprint,
        finding.label,
        finding.beside,
    ]


def _place(place: Place) -> Json:
    return [place.path, place.cell, place.line, place.column, place.end_line, place.end_column]


def _edit(edit: Edit) -> Json:
    return [edit.line, edit.column, edit.end_line, edit.end_column, edit.content]


def decode_finding(data: list[Any]) -> Finding:
    """The finding that `json.loads` gave back.  Raises ValueError or TypeError for anything else."""
    (
        code,
        name,
        severity,
        profile,
        place,
        function,
        message,
        reasons,
        origin,
        related,
        fix,
        fingerprint,
        label,
        beside,
    ) = data
    return Finding(
        code,
        name,
        severity,
        profile,
        Place(*place),
        function,
        message,
        tuple(reasons),
        None if origin is None else Place(*origin),
        tuple(Related(Place(*where), text) for where, text in related),
        None if fix is None else Fix(fix[0], fix[1], tuple(Edit(*edit) for edit in fix[2])),
        fingerprint,
        label,
        beside,
    )
