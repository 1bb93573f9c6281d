"""The files of a project, loaded as far as needed: first what can matter by itself, then what the analysis asks for.

A helper that reads a response need not speak of Anthropic, nor need a caller of a function that returns one.  Both are
found by module names and import lines, without a parser.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stoplint.check.load import Loaded, Options, load
from stoplint.check.names import absolute, ends, is_test, module_names
from stoplint.check.screen import defines, holds, imports, imports_own_package, speaks
from stoplint.check.trail import Trail

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from stoplint.check.cache import Cache
    from stoplint.check.load import Progress, Unreadable
    from stoplint.check.names import ModuleName
    from stoplint.check.source import SourceFile


@dataclass(slots=True)
class Project:
    """`files` by path with the names of all of them; `left` are not loaded yet; `passing` as in `Loaded`;
    `unreadable` is everything so far that could not be read.
    """

    names: dict[str, ModuleName]
    left: dict[str, SourceFile]
    options: Options
    cache: Cache | None = None
    progress: Progress | None = None
    _by_end: dict[str, list[str]] = field(default_factory=dict)
    _imported: dict[str, frozenset[str]] = field(default_factory=dict)
    _asked: dict[tuple[bytes, ...], set[str]] = field(default_factory=dict)
    passing: bool = False
    unreadable: list[Unreadable] = field(default_factory=list)
    trail: Trail = field(default_factory=Trail)

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
            for end in ends(named.name, path):
                by_end[end].append(path)
        return Project(names, by_path, options or Options(), cache, progress, dict(by_end))

    def start(self) -> Loaded:
        """What can matter by itself, and everything that cannot be read."""
        loaded = load(
            self.left.values(), names=self.names, options=self.options, cache=self.cache, progress=self.progress
        )
        every = set(self.left)
        self.left = {file.path: file for file in loaded.left}
        self.trail.loaded |= every - self.left.keys()
        self.trail.marked |= set(loaded.marked)
        self.trail.words = self.options.words
        self.trail.about, self.trail.limit = dict(loaded.about), self.options.max_about if loaded.about else None
        self.passing |= loaded.passing
        self.unreadable += loaded.unreadable
        return loaded

    def defining(self, modules: Collection[str], *, speaking: bool = False, method: str = "") -> Loaded:
        """What is left of the modules of these names; a name may lack its first parts, as where `src` is on the path.
        `speaking`: only those that are about the API; `method`: only those that define a function of that name.
        """
        paths = {path for name in modules for path in self._by_end.get(name, ()) if path in self.left}
        if speaking:
            self.trail.asked |= paths
            paths = {path for path in paths if self._says(path, speaks)}
        if method:
            self.trail.loaded |= paths
            paths = {path for path in paths if self._says(path, lambda data: defines(data, method))}
        return self._load(paths)

    def _says(self, path: str, asked: Callable[[bytes], bool]) -> bool:
        try:
            return asked(self.left[path].read())
        except OSError:
            return False

    def importing(self, modules: Collection[str], words: Collection[bytes] = ()) -> Loaded:
        """What is left of the files that import one of the modules and, where there are `words`, hold one of them, as
        `screen.holds` sees it.

        `modules` are full names, as `ir.Module.name`.
        """
        asked = self._asked.setdefault(tuple(words), set())
        new = set(modules) - asked
        asked |= new
        if not new:
            return Loaded(())
        called = {end for path, named in self.names.items() if named.name in new for end in ends(named.name, path)}
        packages = any(named.is_package and named.name in new for named in self.names.values())
        stems = tuple(sorted({name.rpartition(".")[2] for name in new}))
        self.trail.imports.append((stems, packages, tuple(word.decode() for word in words)))
        written = [stem.encode() for stem in stems]
        return self._load(
            [
                path
                for path in self.left
                if not is_test(self.names[path].name)  # what a test makes of an answer is nobody's loss
                and self._imports(path, called, written, words, packages=packages)
            ]
        )

    def _imports(
        self, path: str, names: Collection[str], stems: Collection[bytes], words: Collection[bytes], *, packages: bool
    ) -> bool:
        """Whether a file imports one of `names`, of which `stems` are the last parts; `packages`: some are packages.

        Whoever imports a module writes the last part of its name or, of a package, `from . import`.  To look for these
        first takes a tenth of the time that it takes to find all imports.
        """
        try:
            data = self.left[path].read()
        except OSError:
            return False
        if not any(stem in data for stem in stems) and not (packages and imports_own_package(data)):
            return False
        if words and not self.names[path].is_package and not holds(data, words):  # a package hands names on
            return False
        if path not in self._imported:
            named = self.names[path]
            self._imported[path] = frozenset(
                absolute(name.lstrip("."), len(name) - len(name.lstrip(".")), named.name, is_package=named.is_package)
                for name in imports(data)
            )
        return not self._imported[path].isdisjoint(names)

    def _load(self, paths: Collection[str]) -> Loaded:
        files = [self.left.pop(path) for path in sorted(paths) if path in self.left]
        if not files:
            return Loaded(())
        self.trail.loaded |= {file.path for file in files}
        loaded = load(files, names=self.names, options=replace(self.options, screen=False), cache=self.cache)
        self.passing |= loaded.passing
        self.unreadable += loaded.unreadable
        return loaded
