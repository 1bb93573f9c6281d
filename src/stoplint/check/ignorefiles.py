"""What git ignores: `.gitignore` files of a folder and all above it up to the repository's top, and `.git/info/exclude`.

Matching is pathspec's, which follows git; here is only which file speaks for which path, and in what order.
"""

# Paths are strings here: thousands of Path objects would cost more than the listing itself.
# Paths are strings here: thousands of Path objects would cost more than the listing itself.
# ruff: noqa: PTH110,PTH118,PTH120,PTH123 - os.path costs a fraction of pathlib over thousands of files

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_GROUP_NAME = re.compile(r"\(\?P<\w+>")
# How pathspec writes a pattern without a slash inside: it matches at any depth, hence a name alone.
_ANYWHERE = "^(?:.+/)?"
_NOTHING = "(?!)"


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of one file, which count for paths below `base`.

    Nothing is said of most paths, and asking pathspec costs tens of microseconds.  So two expressions that match
    whatever one of the patterns matches are asked first: `names` about the last part of a path, `paths` about all of it.
    """

    base: str
    spec: GitIgnoreSpec
    names: re.Pattern[str]
    paths: re.Pattern[str]

    def verdict(self, path: str, *, folder: bool) -> bool | None:
        """True: ignored, False: expressly not, None: nothing is said of the path.  It or a folder above it may match."""
        return self.spec.check_file(self._relative(path, folder=folder)).include

    def verdict_of_entry(self, path: str, name: str, *, folder: bool) -> bool | None:
        """The same for a path, called `name` in its folder, of which no folder above matches."""
        if not self.names.match(name + "/" if folder else name):
            relative = self._relative(path, folder=folder)
            if not self.paths.match(relative):
                return None
        return self.verdict(path, folder=folder)

    def _relative(self, path: str, *, folder: bool) -> str:
        relative = path[len(self.base) :].lstrip(os.sep).replace(os.sep, "/")
        return relative + "/" if folder else relative


def compile_patterns(base: str, lines: list[str]) -> Patterns | None:
    """Patterns in gitignore's syntax, relative to `base`; None where there are none."""
    meant = [line for line in lines if line.strip() and not line.startswith("#")]
    if not meant:
        return None
    from pathspec import GitIgnoreSpec  # noqa: PLC0415 - 50 ms that a tree without patterns need not pay

    spec = GitIgnoreSpec.from_lines(meant)
    names: list[str] = []
    paths: list[str] = []
    for pattern in spec.patterns:
        if pattern.regex is not None:
            source = _GROUP_NAME.sub("(?:", pattern.regex.pattern)
            inner = source.removeprefix(_ANYWHERE)
            own_name = source.startswith(_ANYWHERE) and "/" not in inner.replace("[^/]", "").rpartition("(?:")[0]
            (names if own_name else paths).append("^" + inner if own_name else source)
    return Patterns(base, spec, _union(names), _union(paths))


def _union(sources: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(sources) or _NOTHING)


@dataclass(slots=True)
class IgnoreFiles:
    """Reads each `.gitignore` once.  Patterns are handed around as tuples, the outermost first."""

    _read: dict[str, Patterns | None] = field(default_factory=dict)

    def above(self, folder: str) -> tuple[Patterns, ...]:
        """The patterns that count for a folder's entries and stand above it, within its repository."""
        chain = [folder]
        while not os.path.exists(os.path.join(chain[-1], ".git")):
            parent = os.path.dirname(chain[-1])
            if parent == chain[-1]:
                return ()
            chain.append(parent)
        top = chain[-1]
        files = [os.path.join(top, ".git", "info", "exclude")]
        files += [os.path.join(one, ".gitignore") for one in reversed(chain[1:])]
        bases = [top, *reversed(chain[1:])]
        found = [self._patterns(file, base) for file, base in zip(files, bases, strict=True)]
        return tuple(one for one in found if one is not None)

    def within(self, folder: str, above: tuple[Patterns, ...], entries: list[os.DirEntry[str]]) -> tuple[Patterns, ...]:
        """`above` and the folder's own `.gitignore`, where one of its entries is that."""
        if not any(entry.name == ".gitignore" for entry in entries):
            return above
        own = self._patterns(os.path.join(folder, ".gitignore"), folder)
        return above if own is None else (*above, own)

    @staticmethod
    def ignores(rules: tuple[Patterns, ...], path: str, *, folder: bool, name: str | None = None) -> bool:
        """Whether git ignores a path: the innermost file that speaks of it decides.

        With its `name`, the path is an entry of a folder that is not ignored, as in a walk.
        """
        for patterns in reversed(rules):
            if name is None:
                verdict = patterns.verdict(path, folder=folder)
            else:
                verdict = patterns.verdict_of_entry(path, name, folder=folder)
            if verdict is not None:
                return verdict
        return False

    def _patterns(self, file: str, base: str) -> Patterns | None:
        if file not in self._read:
            try:
                with open(file, encoding="utf-8-sig", errors="surrogateescape") as stream:
                    lines = stream.read().split("\n")
            except OSError:
                lines = []
            self._read[file] = compile_patterns(base, [line.rstrip("\r") for line in lines])
        return self._read[file]
