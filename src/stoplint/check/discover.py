"""Which files are linted: named ones and those found below named folders, without what git or the configuration ignores.

The file system is only listed and asked for sizes here; no file but `.gitignore` is read.
"""

# Paths are strings here: thousands of Path objects would cost more than the listing itself.
# ruff: noqa: PTH100,PTH109,PTH110,PTH112,PTH113,PTH114,PTH116,PTH118 - os.path costs a fraction of pathlib over thousands of files

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stoplint.check.ignorefiles import IgnoreFiles
from stoplint.check.outcomes import Skipped
from stoplint.check.runcache import BESIDE
from stoplint.check.source import MAX_BYTES, MAX_NOTEBOOK_BYTES, SourceFile, kind_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stoplint.check.ignorefiles import Patterns
    from stoplint.check.source import Kind

SKIPPED_FOLDERS = frozenset(
    {
        ".bzr", ".direnv", ".eggs", ".git", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d",
        ".pytest_cache", ".pytype", ".ruff_cache", ".stoplint_cache", ".svn", ".tox", ".venv", "__pycache__",
        "__pypackages__", "node_modules", "site-packages", "venv",
    }
)  # fmt: skip
"""Folders that hold tools' data or installed packages; skipped below a named path, linted when named themselves.
Only the packages are worth a word to the user.
"""

_PACKAGES = frozenset({".eggs", ".nox", ".tox", ".venv", "__pypackages__", "node_modules", "site-packages", "venv"})
_SUFFIXES = (".py", ".pyi", ".ipynb")
_MARKDOWN = (".md", ".markdown")

EXCLUDED = "excluded by the configuration"


class Excludes(Protocol):
    """What the configuration says of paths."""

    def excluded(self, path: str, *, folder: bool) -> bool:
        """Whether the configuration that is nearest to an absolute path excludes it."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """`files` and `skipped` are sorted by path and do not depend on the order of the given paths.

    `folders` are all that were looked into, and `beside` the paths of names in `runcache.BESIDE` in them: what a result
    depends on besides the files.
    """

    files: tuple[SourceFile, ...]
    skipped: tuple[Skipped, ...]
    folders: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


class NoExcludes:
    """Excludes of a run without configuration."""

    def excluded(self, path: str, *, folder: bool) -> bool:  # noqa: ARG002 - the protocol's signature
        return False


def discover(
    paths: Sequence[Path], excludes: Excludes, *, force_exclude: bool = True, markdown: bool = False
) -> Discovered:
    """The files under `paths`, each once.  Raises FileNotFoundError for a path that does not exist.

    `force_exclude`: the configuration's excludes count for named paths too.  `markdown`: look for Markdown files in
    folders; named ones are always linted.
    """
    search = _Search(excludes, force_exclude, _SUFFIXES + (_MARKDOWN if markdown else ()))
    for path in paths:
        search.add(path)
    return search.result()


def shown(path: Path | str, folder: str | None = None) -> str:
    """A path as reports name it: posix, relative to the working folder where it lies below it, else absolute.

    No link is resolved: the name given is the name shown.
    """
    return _relative(os.path.abspath(path), folder if folder is not None else os.getcwd())


def _relative(absolute: str, base: str) -> str:
    if absolute == base:
        return "."
    return absolute.removeprefix(base.rstrip(os.sep) + os.sep).replace(os.sep, "/")


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to list: its path as named, where it really lies, and what is ignored in it."""

    path: str
    real: str
    ignored: tuple[Patterns, ...]
    excludes: Excludes


@dataclass(slots=True)
class _Search:
    excludes: Excludes
    force_exclude: bool
    suffixes: tuple[str, ...]
    working_folder: str = field(default_factory=os.getcwd)
    ignore_files: IgnoreFiles = field(default_factory=IgnoreFiles)
    found: dict[str, tuple[bool, str]] = field(default_factory=dict)
    skipped: set[Skipped] = field(default_factory=set)
    folders: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    def add(self, path: Path) -> None:
        absolute = os.path.abspath(path)
        mode = os.stat(absolute).st_mode
        folder = stat.S_ISDIR(mode)
        excluded = self.excludes.excluded(absolute, folder=folder)
        if excluded and self.force_exclude:
            self._skip(absolute, EXCLUDED, folder=folder)
        elif folder:
            self._walk(self._top(absolute, excluded=excluded))
        elif not stat.S_ISREG(mode):
            self._skip(absolute, "not a regular file")
        else:
            self._add_file(absolute, os.path.realpath(absolute), is_link=os.path.islink(absolute))

    def result(self) -> Discovered:
        files = [
            SourceFile(self._shown(path), Path(path), kind)
            for _, path in self.found.values()
            if self._fits(path, kind := kind_of(path))
        ]
        return Discovered(
            tuple(sorted(files, key=lambda file: file.path)),
            tuple(sorted(self.skipped)),
            tuple(self.folders),
            tuple(self.beside),
        )

    def _top(self, path: str, *, excluded: bool) -> _Folder:
        """Where a walk starts.  Whoever names a folder that is ignored or excluded means it: nothing above speaks."""
        real = os.path.realpath(path)
        above = self.ignore_files.above(real)
        if self.ignore_files.ignores(above, real, folder=True):
            above = ()
        return _Folder(path, real, above, NoExcludes() if excluded else self.excludes)

    def _walk(self, top: _Folder) -> None:
        pending = [top]
        while pending:
            folder = pending.pop()
            self.folders.append(folder.path)
            try:
                with os.scandir(folder.path) as listing:
                    entries = list(listing)
            except OSError as error:
                self._skip(folder.path, f"cannot be listed: {error.strerror}", folder=True)
                continue
            ignored = self.ignore_files.within(folder.real, folder.ignored, entries)
            here = _Folder(folder.path, folder.real, ignored, folder.excludes)
            for entry in entries:
                if entry.name in BESIDE:
                    self.beside.append(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    pending += self._below(entry, here)
                elif entry.name.endswith(self.suffixes):
                    self._entry(entry, here)

    def _below(self, entry: os.DirEntry[str], here: _Folder) -> list[_Folder]:
        real = os.path.join(here.real, entry.name)
        if entry.name in SKIPPED_FOLDERS:
            reason: str | None = f"{entry.name} is never searched"
        elif os.path.exists(os.path.join(entry.path, "pyvenv.cfg")):
            reason = "a virtual environment"
            self.folders.append(entry.path)
        else:
            reason = self._reason(entry, real, here, folder=True)
        if reason is None:
            return [_Folder(entry.path, real, here.ignored, here.excludes)]
        if entry.name in _PACKAGES or entry.name not in SKIPPED_FOLDERS:
            self._skip(entry.path, reason, folder=True)
        return []

    def _entry(self, entry: os.DirEntry[str], here: _Folder) -> None:
        real = os.path.join(here.real, entry.name)
        if reason := self._reason(entry, real, here, folder=False):
            self._skip(entry.path, reason)
        elif entry.is_file(follow_symlinks=False):
            self._add_file(entry.path, real, is_link=False)
        elif os.path.isfile(entry.path):
            self._add_file(entry.path, os.path.realpath(entry.path), is_link=True)
        elif not entry.is_symlink():
            self._skip(entry.path, "not a regular file")
        elif not os.path.isdir(entry.path):
            self._skip(entry.path, "a link that leads nowhere")

    def _reason(self, entry: os.DirEntry[str], real: str, here: _Folder, *, folder: bool) -> str | None:
        if self.ignore_files.ignores(here.ignored, real, folder=folder, name=entry.name):
            return "ignored by git"
        return EXCLUDED if here.excludes.excluded(entry.path, folder=folder) else None

    def _add_file(self, path: str, real: str, *, is_link: bool) -> None:
        """Of two names of one file the real one wins, else the first in order: the same for any order of paths."""
        key = os.path.normcase(real)
        self.found[key] = min(self.found.get(key, (True, path)), (is_link, path))

    def _fits(self, path: str, kind: Kind) -> bool:
        limit = MAX_NOTEBOOK_BYTES if kind == "notebook" else MAX_BYTES
        try:
            size = os.stat(path).st_size
        except OSError as error:
            self._skip(path, f"cannot be read: {error.strerror}")
            return False
        if size > limit:
            self._skip(path, f"larger than {limit // 1_000_000} MB")
        return size <= limit

    def _skip(self, path: str, reason: str, *, folder: bool = False) -> None:
        self.skipped.add(Skipped(self._shown(path), reason, folder))

    def _shown(self, absolute: str) -> str:
        return _relative(absolute, self.working_folder)
