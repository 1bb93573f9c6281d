"""The files of a project, loaded as far as needed: first what can matter by itself, then what the analysis asks for.

A helper that reads a response need not speak of Anthropic, nor need a caller of a function that returns one.  Both are
found by module names and import lines, without a parser.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stoplint.check.load import Loaded, Options, load
from stoplint.check.names import absolute, module_names
from stoplint.check.screen import imports

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from stoplint.check.cache import Cache
    from stoplint.check.load import Progress
    from stoplint.check.names import ModuleName
    from stoplint.check.source import SourceFile


@dataclass(slots=True)
class Project:
    """`files` by path with the names of all of them; `left` are not loaded yet; `passing` as in `Loaded`."""

    names: dict[str, ModuleName]
    left: dict[str, SourceFile]
    options: Options
    cache: Cache | None = None
    progress: Progress | None = None
    _by_end: dict[str, list[str]] = field(default_factory=dict)
    _importers: dict[str, list[str]] | None = None
    passing: bool = False

    @staticmethod
    def of(
        files: Iterable[SourceFile],
        options: Options | None = None,
        cache: Cache | None = None,
        progress: Progress | None = None,
    ) -> Project:
        by_path = {file.path: file for file in sorted(files, key=lambda file: file.path)}
        names = module_names(by_path.values())
        by_end: dict[str, list[str]] = defaultdict(list)
        for path, named in names.items():
            for end in _ends(named.name):
                by_end[end].append(path)
        return Project(names, by_path, options or Options(), cache, progress, dict(by_end))

    def start(self) -> Loaded:
        """What can matter by itself, and everything that cannot be read."""
        loaded = load(
            self.left.values(), names=self.names, options=self.options, cache=self.cache, progress=self.progress
        )
        self.left = {file.path: file for file in loaded.left}
        self.passing |= loaded.passing
        return loaded

    def defining(self, modules: Collection[str]) -> Loaded:
        """What is left of the modules of these names; a name may lack its first parts, as where `src` is on the path."""
        return self._load({path for name in modules for path in self._by_end.get(name, ())})

    def importing(self, modules: Collection[str], words: Collection[bytes] = ()) -> Loaded:
        """What is left of the files that import one of the modules and, where there are `words`, hold one of them.

        `modules` are full names, as `ir.Module.name`.
        """
        if self._importers is None:
            self._importers = self._index()
        paths = {path for name in modules for end in _ends(name) for path in self._importers.get(end, ())}
        if words:
            paths = {path for path in paths if path in self.left and _holds(self.left[path], words)}
        return self._load(paths)

    def _load(self, paths: Collection[str]) -> Loaded:
        files = [self.left.pop(path) for path in sorted(paths) if path in self.left]
        if not files:
            return Loaded(())
        loaded = load(files, names=self.names, options=replace(self.options, screen=False), cache=self.cache)
        self.passing |= loaded.passing
        return loaded

    def _index(self) -> dict[str, list[str]]:
        """For each imported name the files left that import it."""
        index: dict[str, list[str]] = defaultdict(list)
        for path, file in self.left.items():
            named = self.names[path]
            try:
                found = imports(file.read())
            except OSError:
                continue
            for name in found:
                bare = name.lstrip(".")
                level = len(name) - len(bare)
                index[absolute(bare, level, named.name, is_package=named.is_package)].append(path)
        return dict(index)


def _ends(name: str) -> list[str]:
    """`a.b.c`, `b.c`, `c`."""
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]


def _holds(file: SourceFile, words: Collection[bytes]) -> bool:
    try:
        data = file.read()
    except OSError:
        return False
    return any(word in data for word in words)
