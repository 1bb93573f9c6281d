"""Reads the rule pages of `rules/`: the registry, the documentation and the tests in one place."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_args

from stoplint.findings import Profile, Severity

# A wheel carries the pages as package data; a checkout (also an editable install) has them at its top.
_PACKAGED = Path(__file__).with_name("rules_data")
_CHECKOUT = Path(__file__).parents[2] / "rules"

_CODE = re.compile(r"SL\d{3}")
_NAME = re.compile(r"[a-z]+(-[a-z]+)*")
_FIXES = ("safe", "unsafe", "none")
_KEYS = ("code", "name", "severity", "profile", "fix", "since")
_FENCE = "---"

_T = TypeVar("_T", bound=str)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule page.  `fix` is "safe", "unsafe" or "none"; `summary` the page's first paragraph; `text` the page
    without its front matter; `path` the page's file.
    """

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
    return dict(_load(_PACKAGED if _PACKAGED.is_dir() else _CHECKOUT))


def find(code_or_name: str) -> Rule | None:
    """The rule with this code or name, in any case; None where there is none."""
    wanted = code_or_name.strip().casefold()
    return next((rule for rule in rules().values() if wanted in (rule.code.casefold(), rule.name)), None)


def read_folder(folder: Path) -> dict[str, Rule]:
    """The rules whose pages (`SL*.md`) lie in `folder`, by code and in the order of their codes.

    Raises ValueError naming the page where one is incomplete, misnamed, or uses the code or name of another.
    """
    found: dict[str, Rule] = {}
    names: dict[str, Path] = {}
    for path in sorted(folder.glob("SL*.md")):
        rule = _rule(path)
        if rule.code in found or rule.name in names:
            other = found[rule.code].path if rule.code in found else names[rule.name]
            raise ValueError(f"{path}: has the code or the name of {other.name}; both must be unique")
        found[rule.code] = rule
        names[rule.name] = path
    if not found:
        raise ValueError(f"{folder}: no rule pages (SL*.md) here; the installation is incomplete")
    return found


@functools.cache
def _load(folder: Path) -> tuple[tuple[str, Rule], ...]:
    return tuple(read_folder(folder).items())


def _rule(path: Path) -> Rule:
    head, text = _split(path)
    code, name = head["code"], head["name"]
    if not _CODE.fullmatch(code) or not _NAME.fullmatch(name):
        raise ValueError(f"{path}: code must look like SL101 and name like stop-reason-ignored, not {code!r}, {name!r}")
    if path.name != f"{code}-{name}.md":
        raise ValueError(f"{path}: the file must be called {code}-{name}.md, after its code and name")
    return Rule(
        code=code,
        name=name,
        severity=_one_of(path, "severity", head["severity"], get_args(Severity)),
        profile=_one_of(path, "profile", head["profile"], get_args(Profile)),
        fix=_one_of(path, "fix", head["fix"], _FIXES),
        since=head["since"],
        summary=_first_paragraph(path, text),
        text=text,
        path=path,
    )


def _split(path: Path) -> tuple[dict[str, str], str]:
    """The front matter as a mapping, and the page below it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    if not lines or lines[0] != _FENCE or _FENCE not in lines[1:]:
        raise ValueError(f"{path}: a page starts with its front matter between two lines of {_FENCE}")
    end = lines.index(_FENCE, 1)
    head: dict[str, str] = {}
    for line in lines[1:end]:
        key, colon, value = line.partition(":")
        if not colon or key not in _KEYS or key in head or not value.strip():
            raise ValueError(f"{path}: cannot use the front matter line {line!r}; known keys: {', '.join(_KEYS)}")
        head[key] = value.strip()
    missing = [key for key in _KEYS if key not in head]
    if missing:
        raise ValueError(f"{path}: the front matter lacks {', '.join(missing)}")
    return head, "\n".join(lines[end + 1 :]).strip() + "\n"


def _one_of(path: Path, key: str, value: str, allowed: tuple[_T, ...]) -> _T:
    for one in allowed:
        if one == value:
            return one
    raise ValueError(f"{path}: {key} must be one of {', '.join(allowed)}, not {value!r}")


def _first_paragraph(path: Path, text: str) -> str:
    for block in text.split("\n\n"):
        paragraph = " ".join(block.split())
        if paragraph and not paragraph.startswith("#"):
            return paragraph
    raise ValueError(f"{path}: the page has no first paragraph to serve as its summary")
