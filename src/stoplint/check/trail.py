"""What a run looked at, so that the next one can tell whether a change matters.

Most files of a project are read once, found to have nothing to do with the API, and left alone.  When one of these
changes and is still of no concern, nothing of the outcome can have: that is asked here, of the changed files alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from stoplint.check import directives
from stoplint.check.names import is_test
from stoplint.check.screen import holds, imports, imports_own_package, may_matter, speaks

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Trail:
    """`loaded` are the paths of the files that were lowered, or could not be, and of those that might have defined a
    method that was looked for; `asked` of those that were named by an
    import and left alone, since they do not speak of the API; `marked` of those that may hold suppression comments;
    `about` the sizes of the files that speak of it, as far as they were counted, and whether that was too much to load
    them all; `words` those of the configuration; `imports` the questions for importers: the modules' last parts,
    whether a package is among them, and the words that such a file has to hold.
    """

    loaded: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    marked: set[str] = field(default_factory=set)
    about: dict[str, int] = field(default_factory=dict)
    limit: int | None = None
    words: frozenset[str] = frozenset()
    imports: list[tuple[tuple[str, ...], bool, tuple[str, ...]]] = field(default_factory=list)

    def renamed(self, names: Mapping[str, str]) -> Trail:
        """With other names for the paths; those without one are left out."""
        loaded, asked, marked = (
            {names[path] for path in paths if path in names} for paths in (self.loaded, self.asked, self.marked)
        )
        about = {names[path]: size for path, size in self.about.items() if path in names}
        return Trail(loaded, asked, marked, about, self.limit, self.words, self.imports)

    def encode(self) -> object:
        """For `json.dumps`."""
        return [
            sorted(self.loaded),
            sorted(self.asked),
            sorted(self.marked),
            dict(sorted(self.about.items())),
            self.limit,
            sorted(self.words),
            [[list(stems), packages, list(words)] for stems, packages, words in self.imports],
        ]

    @staticmethod
    def decode(data: object) -> Trail:
        """What `json.loads` gave back.  Raises ValueError or TypeError for anything else."""
        loaded, asked, marked, about, limit, words, imports = cast("list[Any]", data)
        asks = [(tuple(stems), bool(packages), tuple(held)) for stems, packages, held in imports]
        return Trail(set(loaded), set(asked), set(marked), dict(about), limit, frozenset(words), asks)

    def unaffected_by(self, changed: Mapping[str, bytes]) -> bool:
        """Whether the run would have been the same had these files held this then: that they are of no concern to it,
        now as before.
        """
        if not changed.keys().isdisjoint(self.loaded | self.marked):
            return False
        if self.limit is not None:
            left = sum(self.about.values()) - sum(self.about.get(path, 0) for path in changed)
            if left <= self.limit:
                return False
        return not any(self._concerns(path, data) for path, data in changed.items())

    def _concerns(self, path: str, data: bytes) -> bool:
        if may_matter(data, self.words) or directives.mentions(data):
            return True
        if (self.limit is None or path in self.asked) and speaks(data):
            return True
        name = path.replace("\\", "/").rpartition("/")[2]
        is_package = name.startswith("__init__.")
        return not is_test(name.partition(".")[0]) and any(
            _may_import(data, is_package, *question) for question in self.imports
        )


def _may_import(data: bytes, is_package: bool, stems: tuple[str, ...], packages: bool, words: tuple[str, ...]) -> bool:
    if words and not is_package and not holds(data, [word.encode() for word in words]):
        return False
    if packages and imports_own_package(data):
        return True
    return any(stem.encode() in data for stem in stems) and any(
        name.rpartition(".")[2] in stems for name in imports(data)
    )
