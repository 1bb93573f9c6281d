"""Which version of a package a project installs, as far as its own files say: lock files, requirements, pyproject.toml.

A fact of the project, like its imports: read whatever the configuration of stoplint says.  The answer is the newest
version that the files allow, and None where nothing bounds it: then the newest release counts.
"""
# Paths as text, as in `names`.
# ruff: noqa: PTH100,PTH110,PTH118,PTH120 - os.path costs a fraction of pathlib over thousands of files

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

Version: TypeAlias = tuple[int, ...]

NEWEST: Final = 999
"""Stands for the last release of a line: (0, 84, NEWEST) is the newest 0.84."""

PACKAGE: Final = "anthropic"
LOCKS: Final = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock")
RANGES: Final = ("requirements.txt", "pyproject.toml", "Pipfile", "setup.cfg", "setup.py")
"""In the order in which they count: what is locked goes before what is allowed, and the nearer folder before the farther."""

ROOT_MARKS: Final = (".git", "uv.lock", "poetry.lock")
"""A folder that has one of these is the top of its project."""

_NUMBER: Final = re.compile(r"\d+(?:\.\d+)*")
_LOCKED_TABLE: Final = re.compile(
    r"""^name\s*=\s*["']anthropic["']\s*\n\s*version\s*=\s*["'](?P<version>[^"']+)["']""", re.MULTILINE
)
_LOCKED_JSON: Final = re.compile(r'"anthropic"\s*:\s*\{[^{}]*?"version"\s*:\s*"==(?P<version>[^"]+)"', re.DOTALL)
# `anthropic[bedrock]>=0.71,<1`, or the tables of Poetry and Pipenv: `anthropic = "^0.71"`, `{ version = "..." }`.
_ALLOWED: Final = re.compile(
    r"""(?:^|["'\s])anthropic(?![-.\w])(?:\[[^\]]*\])?\s*"""
    r"""(?:=\s*(?:\{[^}]*?version\s*=\s*)?["'](?P<table>[^"']*)["']|(?P<range>(?:\s*,?\s*\(?[<>=!~]=?=?\s*[\w.*]+)*))""",
    re.MULTILINE,
)
_CLAUSE: Final = re.compile(r"(?P<op>===|==|~=|!=|<=|>=|<|>|\^|~)?\s*(?P<version>\d[\w.*]*)")


def parse(written: str) -> Version | None:
    """`"1.4.0"` as (1, 4, 0); what stands behind the numbers ("rc1", ".*") is left out; None where there are none."""
    number = _NUMBER.match(written.strip())
    return tuple(int(part) for part in number[0].split(".")) if number else None


def shown(version: Version) -> str:
    """A version for a reader: "0.84.0", or "0.84.x" for the newest of a line."""
    return ".".join("x" if part == NEWEST else str(part) for part in version)


def locked(text: str) -> Version | None:
    """The version that a lock file's text names."""
    found = _LOCKED_TABLE.search(text) or _LOCKED_JSON.search(text)
    return parse(found["version"]) if found else None


def newest_allowed(text: str) -> Version | None:
    """The newest version that a requirement in this text allows, or one that stands for it; None where none is bounded.

    `<1` allows everything before 1, for which (0, NEWEST) stands.
    """
    for found in _ALLOWED.finditer(_without_comments(text)):
        bounds = [_upper(one["op"] or "", one["version"], table=found["table"] is not None) for one in _clauses(found)]
        upper = [bound for bound in bounds if bound is not None]
        if upper:
            return min(upper)
    return None


def _clauses(found: re.Match[str]) -> list[re.Match[str]]:
    return list(_CLAUSE.finditer(found["table"] or found["range"] or ""))


def _without_comments(text: str) -> str:
    return re.sub(r"(?:^|\s)#.*", "", text, flags=re.MULTILINE)


def _upper(op: str, written: str, *, table: bool) -> Version | None:
    """The newest version that one clause allows; None where it sets no upper bound."""
    version = parse(written)
    if version is None:
        return None
    if op in ("==", "===", "<=") or (not op and table):
        return (*version, NEWEST) if written.endswith("*") else version
    if op == "<":
        return _before(version)
    if op == "^":
        return _before(_next(version, next((i for i, part in enumerate(version) if part), len(version) - 1)))
    if op == "~":
        return _before(_next(version, min(1, len(version) - 1)))
    return _before(_next(version, max(len(version) - 2, 0))) if op == "~=" else None


def _next(version: Version, place: int) -> Version:
    return (*version[:place], version[place] + 1)


def _before(version: Version) -> Version:
    """Stands for all versions before this one: `<1.1` is (1, 0, NEWEST)."""
    while version and version[-1] == 0:
        version = version[:-1]
    return (*version[:-1], version[-1] - 1, NEWEST) if version else (0,)


@dataclass(slots=True)
class Pins:
    """What the files above a path say; each folder is read once."""

    _known: dict[str, Version | None] = field(default_factory=dict)

    def version_for(self, path: str) -> Version | None:
        """The SDK's version for a file, by the nearest folder that says one, up to the project's top."""
        return self._of(os.path.dirname(os.path.abspath(path)))

    def _of(self, folder: str) -> Version | None:
        if folder not in self._known:
            found = read(folder)
            parent = os.path.dirname(folder)
            top = parent == folder or any(os.path.exists(os.path.join(folder, mark)) for mark in ROOT_MARKS)
            self._known[folder] = found if found is not None or top else self._of(parent)
        return self._known[folder]


def read(folder: str) -> Version | None:
    """What the files in one folder say."""
    for names, reader in ((LOCKS, locked), (RANGES, newest_allowed)):
        for name in names:
            text = _text(os.path.join(folder, name))
            found = reader(text) if PACKAGE in text else None
            if found is not None:
                return found
    return None


def _text(path: str) -> str:
    """The text of a file; "" where there is none, or none that can be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - os.path costs a fraction of pathlib over thousands of files
            return file.read()
    except OSError:
        return ""
