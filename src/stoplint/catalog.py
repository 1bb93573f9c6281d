"""Reads the rule pages of `rules/`: the registry, the documentation and the tests in one place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - part of a public dataclass

from stoplint.findings import Profile, Severity  # noqa: TC001


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule page.  `fix` is "safe", "unsafe" or "none"; `summary` the page's first paragraph; `text` the page
    without its front matter; `path` the page's file."""

    code: str
    name: str
    severity: Severity
    profile: Profile
    fix: str
    since: str
    summary: str
    text: str
    path: Path


def rules() -> dict[str, Rule]:
    """All rules by code, in the order of their codes.

    Raises ValueError naming the page when its front matter is incomplete.
    """
    raise NotImplementedError


def find(code_or_name: str) -> Rule | None:
    """The rule with this code or name, in any case; None where there is none."""
    raise NotImplementedError
