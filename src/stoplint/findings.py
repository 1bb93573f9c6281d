"""What both eyes report: a finding and the places it names.  Plain data; no I/O, no heavy import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]
Profile: TypeAlias = Literal["default", "strict"]
Applicability: TypeAlias = Literal["safe", "unsafe"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A range in a file: lines and columns from 1, columns in characters, the end exclusive.

    `path` is posix and relative to the working folder where it lies below it.  `cell` counts all cells of a notebook
    from 1 and `line` then counts within the cell; outside notebooks it is None (sorted as 0).
    """

    path: str
    cell: int | None
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that belongs to a finding, with a short label: "created here", "handed to `first_text`"."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the range by `content`; lines and columns as in `Place`."""

    line: int
    column: int
    end_line: int
    end_column: int
    content: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that removes the finding; `message` is an imperative, "Replace by `end_turn`"."""

    applicability: Applicability
    message: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.  `function` is the qualified name of the function it lies in, or "<module>".

    `reasons` are the stop reasons that can still be there, in the order of `stoplint.reasons`.  `origin` is the request
    that produced the response, where one is known.  `fingerprint` is stable under moved code (no line number in it).
    """

    code: str
    name: str
    severity: Severity
    profile: Profile
    place: Place
    function: str
    message: str
    reasons: tuple[str, ...] = ()
    origin: Place | None = None
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    fingerprint: str = ""
    label: str = ""
    """What the primary span shows, in a few words, for frames: "text read here"."""
    beside: str = ""
    """The rule that says more of the same response here: where that one is reported, this finding is not."""
