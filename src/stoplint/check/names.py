"""Dotted module names from paths: what `import` calls a file, and one name a file where several would share one."""
# Paths as text: half the cost, for every file of the project.
# ruff: noqa: PTH100,PTH110,PTH118,PTH122 - os.path costs a fraction of pathlib over thousands of files

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from stoplint.check.source import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stoplint.check.source import SourceFile

_ODD: Final = re.compile(r"\W")
_PACKAGE_FILES: Final = ("__init__.py", "__init__.pyi")


class ModuleName(NamedTuple):
    """`is_package`: the file is the `__init__` of the package `name`."""

    name: str
    is_package: bool


class Folders:
    """Which folders are packages; asks the file system once a folder."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, ...]] = {}

    def package(self, folder: str) -> tuple[str, ...]:
        """The names of the packages that a folder is: ("a", "b") for one imported as `a.b`, () for no package."""
        found = self._known.get(folder)
        if found is None:
            parent, name = os.path.split(folder)
            if name and any(os.path.exists(os.path.join(folder, each)) for each in _PACKAGE_FILES):
                found = (*self.package(parent), name)
            else:
                found = ()
            self._known[folder] = found
        return found


def module_name(
    path: str | os.PathLike[str], folders: Folders | None = None, *, shown: str | None = None
) -> ModuleName:
    """The name of the module in a file.

    Packages count from the first folder above that has no `__init__.py`, so a `src` folder is none of them.  A file in no
    package is named after the folders of its path as `shown` (as given, where None): as a namespace package would be.
    """
    absolute = os.path.abspath(path)
    folder, file = os.path.split(absolute)
    stem = file.partition(".")[0]
    package = (folders or Folders()).package(folder) if kind_of(file) == "python" else ()
    if package and stem == "__init__":
        return ModuleName(".".join(package), is_package=True)
    if package:
        return ModuleName(".".join((*package, stem)), is_package=False)
    return ModuleName(_by_path(os.fspath(path) if shown is None else shown), is_package=False)


def module_names(files: Iterable[SourceFile]) -> dict[str, ModuleName]:
    """The name of each file by its `SourceFile.path`; no two are the same.

    Where two files claim one name (two applications of a monorepo that are both called `app`, a stub beside its source)
    it is the source's before the stub's, and otherwise nobody's: both are named by their paths.
    """
    folders = Folders()
    claims: dict[str, list[SourceFile]] = defaultdict(list)
    names: dict[str, ModuleName] = {}
    for file in files:
        named = module_name(file.file or file.path, folders, shown=file.path)
        names[file.path] = named
        claims[named.name].append(file)
    taken = {name for name, claimants in claims.items() if len(claimants) == 1}
    for claimants in claims.values():
        if len(claimants) > 1:
            for file in sorted(claimants, key=_rank):
                name = (
                    names[file.path].name if len({_stem(each.path) for each in claimants}) == 1 else _by_path(file.path)
                )
                names[file.path] = ModuleName(_free(name, file.path, taken), names[file.path].is_package)
    return names


def _stem(path: str) -> str:
    return os.path.splitext(path)[0]


def _rank(file: SourceFile) -> tuple[bool, bool, str]:
    return kind_of(file.path) != "python", file.path.endswith(".pyi"), file.path


def _by_path(shown: str) -> str:
    """`tools/my-app/main.py` as `tools.my_app.main`."""
    path = os.path.splitdrive(shown)[1].replace(os.sep, "/")
    folders, _, file = path.rpartition("/")
    stem = file.partition(".")[0]
    parts = [part for part in folders.split("/") if part.strip(".")]
    if stem != "__init__" or not parts:
        parts.append(stem)
    return ".".join(_ODD.sub("_", part) for part in parts)


def _free(name: str, path: str, taken: set[str]) -> str:
    """`name`, marked where it is taken; a mark has no place in an import, so that nothing resolves to it."""
    if name in taken:
        name += "-" + path.rpartition(".")[2]
    while name in taken:
        name += "-"
    taken.add(name)
    return name


def ends(name: str, path: str) -> list[str]:
    """What an import may call the module `name` of a file, by the last parts of its name and of its path, longest first:
    `a.b.c`, `b.c`, `c`.  The folders above a package may be part of it as well, as in a namespace package.
    """
    whole = _by_path(path)
    parts = (whole if whole.endswith("." + name) else name).split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]


def absolute(module: str, level: int, importer: str, *, is_package: bool) -> str:
    """The absolute name of what `importer` calls `module` behind `level` dots; with the dots, where it leaves the
    packages that are known.
    """
    if not level:
        return module
    around = importer.split(".")
    kept = len(around) - level + is_package
    if kept < 1:
        return "." * level + module
    return ".".join([*around[:kept], module] if module else around[:kept])


def is_standard(dotted: str) -> bool:
    """Whether a dotted name from outside the project belongs to Python's library."""
    return dotted.partition(".")[0] in sys.stdlib_module_names


def is_test(module: str) -> bool:
    """Whether pytest collects the file of a module by its name."""
    last = module.rsplit(".", 1)[-1]
    return last.startswith("test_") or last.endswith("_test")
