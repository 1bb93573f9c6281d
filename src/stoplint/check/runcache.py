"""The outcome of whole runs, kept until something changes that it depends on.

It depends on the files that are analysed, on files beside them (configuration, pins, ignore files, baselines), on where
there are which files, and on the program itself.  All of that is noted with the outcome, and asked about in two steps:
first whether the file system still says the same of every file and folder, which takes neither discovery nor a look
into any file; then, with the files found anew, whether their contents are the same.  What is found in one file may
depend on any other that it leads to: `islands` keeps what was found in those that lead to each other.

Nothing here ever fails a run: what cannot be read is computed anew, what cannot be written is not kept.
"""

# Paths as text, and as few imports as can be: an unchanged project is answered from here.
# ruff: noqa: PTH100,PTH109,PTH112,PTH113,PTH118,PTH120,PTH123,PTH208 - os.path costs a fraction of pathlib over thousands of files

from __future__ import annotations

import contextlib
import json
import os
import sys
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

import stoplint
from stoplint.check import outcomes, statindex
from stoplint.check.statindex import FOLDER, MISSING, StatIndex, settled, signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from stoplint.check.outcomes import Outcome
    from stoplint.check.statindex import Signature
    from stoplint.check.trail import Trail

MAX_ENTRIES: Final = 16
MAX_CHANGED: Final = 50
"""Changed files that are looked into one by one; of more, the run itself is as quick."""

MAX_BYTES: Final = 32 * 1024 * 1024
"""An entry takes 1 MB for 6,000 files."""

BESIDE: Final = frozenset(
    {
        ".git", ".gitignore", "Pipfile", "Pipfile.lock", "__init__.py", "__init__.pyi", "pdm.lock", "poetry.lock",
        "pylock.toml", "pyproject.toml", "requirements.txt", "setup.cfg", "setup.py", "stoplint-baseline.json",
        "stoplint.toml", "uv.lock",
    }
)  # fmt: skip
"""Names of files that say something of the files beside and below them; of `.git` it counts only that it is there."""

_EXCLUDE: Final = os.path.join(".git", "info", "exclude")
_CHECKED, _ANALYSED, _BESIDE = "c", "p", "b"
_MAGIC: Final = b"stoplint-run 1\n"
_OTHER: Final = "another version of stoplint, of its rules or of Python wrote it"
_NEVER: Final = "nothing is kept of an earlier run"


class Dependencies(NamedTuple):
    """What a run depends on, as absolute paths: the files that are checked, those that are analysed besides, files of
    names in `BESIDE` and folders that discovery came by, what it left out with the reasons, and where it started.
    """

    checked: tuple[str, ...]
    project: tuple[str, ...]
    beside: tuple[str, ...]
    folders: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    tops: tuple[str, ...]


class _Entry(NamedTuple):
    """`files` by path: signature, and role and state; `left_out`: signature and reason."""

    version: str
    taken: int
    folders: dict[str, Signature]
    files: dict[str, tuple[Signature, str]]
    left_out: dict[str, tuple[Signature, str]]
    outcome: object
    trail: object = None

    def states(self) -> dict[str, tuple[Signature, str]]:
        return {path: (noted, state[1:]) for path, (noted, state) in self.files.items()}


class RunCache:
    """The outcome of one run, found by its `question`: everything that the command line says about what is reported.

    `why` says, after a call that found nothing, why that is.
    """

    def __init__(self, folder: str | os.PathLike[str], question: Sequence[str]) -> None:
        self._root = os.fspath(folder)
        self._question = json.dumps([os.getcwd(), *question])
        self._taken = statindex.now()
        self._entry: _Entry | None = None
        self._new: _Entry | None = None
        self.why = _NEVER

    def unchanged(self) -> Outcome | None:
        """The outcome of last time, where the file system shows no change since."""
        entry = self._entry = self._load()
        if entry is None:
            return None
        if entry.version != version():
            self.why = _OTHER
            return None
        every = [*entry.folders.items(), *_signatures(entry.files), *_signatures(entry.left_out)]
        if not all(settled(noted, entry.taken) for _, noted in every) or not statindex.same(every):
            return None
        if not all(os.path.isdir(path) for path, each in entry.files.items() if each[1] == _BESIDE + FOLDER):
            return None
        return self._outcome(entry)

    def recall(self, dependencies: Dependencies) -> Outcome | None:
        """The outcome of last time, where every file has the content that it had; to be asked after `unchanged`."""
        old = self._entry
        index = StatIndex(old.states(), old.taken) if old is not None else StatIndex()
        self._new = self._noted(dependencies, index)
        if old is None or old.version != self._new.version:
            return None
        change = _change(old, self._new)
        if change is not None:
            self.why = change
            return None
        outcome = self._outcome(old)
        if outcome is not None:
            self._write(self._new._replace(outcome=old.outcome, trail=old.trail))
        return outcome

    def carry_over(self, read: Callable[[str], bytes | None]) -> Outcome | None:
        """The outcome of last time, where only files have changed that are of no concern to it; to be asked after
        `recall`.  `read` gives what a file holds by its absolute path; None where it cannot be read or names no file.
        """
        old, new = self._entry, self._new
        if old is None or new is None or old.version != new.version or old.trail is None:
            return None
        changed = _changed_files(old, new)
        held = {path: read(path) for path in changed}
        texts = {path: data for path, data in held.items() if data is not None}
        if not changed or len(changed) > MAX_CHANGED or len(texts) < len(held):
            return None
        from stoplint.check.trail import Trail  # noqa: PLC0415 - not for what is unchanged

        try:
            unaffected = Trail.decode(old.trail).unaffected_by(texts)
        except (ValueError, TypeError):
            return None
        outcome = self._outcome(old) if unaffected else None
        if outcome is not None:
            self._write(new._replace(outcome=old.outcome, trail=old.trail))
        return outcome

    def keep(self, outcome: Outcome, trail: Trail | None = None) -> None:
        """Keep the outcome of the run over what `recall` was given, unless that has changed in the meantime.  The paths
        of its `trail` are absolute.
        """
        new = self._new
        if new is not None and statindex.same(_signatures(new.files)):
            way = None if trail is None else trail.encode()
            self._write(new._replace(outcome=outcomes.encode(outcome), trail=way))

    def _noted(self, dependencies: Dependencies, index: StatIndex) -> _Entry:
        files: dict[str, tuple[Signature, str]] = {}
        roles = ((_CHECKED, dependencies.checked), (_ANALYSED, dependencies.project), (_BESIDE, _around(dependencies)))
        for role, paths in roles:
            for path in paths:
                if path not in files:
                    noted, state = index.look(path)
                    files[path] = (noted, role + state)
        folders = {path: signature(path) for path in dependencies.folders}
        left_out = {path: (signature(path), reason) for path, reason in dependencies.left_out}
        return _Entry(version(), self._taken, folders, files, left_out, None)

    def _outcome(self, entry: _Entry) -> Outcome | None:
        try:
            outcome = outcomes.decode(entry.outcome)
        except (ValueError, TypeError, LookupError):
            self.why = _NEVER
            return None
        self.why = ""
        return outcome

    def _load(self) -> _Entry | None:
        try:
            with open(self._path(), "rb") as file:
                data = file.read(MAX_BYTES + 1)
            start = len(_MAGIC) + 8
            if data[:start] != _MAGIC + b"%08x" % zlib.crc32(data[start:]):
                return None
            question, *fields = json.loads(data[start:])
            return _Entry(*fields) if question == self._question else None
        except (OSError, ValueError, TypeError, RecursionError, MemoryError):
            return None

    def _write(self, entry: _Entry) -> None:
        body = json.dumps([self._question, *entry], separators=(",", ":")).encode()
        if len(body) > MAX_BYTES:
            return
        from stoplint.check import cache  # noqa: PLC0415 - what is unchanged writes nothing

        with contextlib.suppress(OSError):
            cache.keep(self._root, self._path(), _MAGIC + b"%08x" % zlib.crc32(body) + body)
            _prune(os.path.dirname(self._path()))

    def _path(self) -> str:
        return os.path.join(self._root, "run", f"{zlib.crc32(self._question.encode()):08x}.json")


def version() -> str:
    """Stands for the program that judges: stoplint, its rule pages, the parser and Python."""
    found = [stoplint.__version__, sys.version, sys.platform]
    here = os.path.dirname(os.path.abspath(stoplint.__file__))
    folders = [os.path.join(here, *each) for each in (("check",), ("check", "rules"), ("check", "fix"), ("config",))]
    pages = os.path.join(here, "rules_data")
    folders += [here, pages if os.path.isdir(pages) else os.path.join(os.path.dirname(os.path.dirname(here)), "rules")]
    folders += [
        each for each in (os.path.join(one, "libcst", "_version.py") for one in sys.path) if os.path.isfile(each)
    ]
    mark = 0
    for folder in folders:
        listed = sorted(os.listdir(folder)) if os.path.isdir(folder) else [""]
        for name in listed:
            if not name or name.endswith((".py", ".md")):
                path = os.path.join(folder, name) if name else folder
                mark = zlib.crc32(f"{path} {signature(path)[:3]}".encode("utf-8", "surrogateescape"), mark)
    return " ".join((*found, f"{mark:08x}"))


def _signatures(noted: dict[str, tuple[Signature, str]]) -> Iterable[tuple[str, Signature]]:
    # What is in a folder does not matter here, and .git changes with every commit.
    return [(path, each[0]) for path, each in noted.items() if each[1] != _BESIDE + FOLDER]


def _around(dependencies: Dependencies) -> list[str]:
    """Files beside the analysed ones, and all that might be beside the folders around them."""
    folders: set[str] = set()
    for top in dependencies.tops:
        for start in (top, os.path.realpath(top)):
            folder = start
            while folder not in folders:
                folders.add(folder)
                folder = os.path.dirname(folder)
    beside = {os.path.join(folder, name) for folder in folders for name in (*BESIDE, _EXCLUDE)}
    return sorted(beside.union(dependencies.beside))


def _change(old: _Entry, new: _Entry) -> str | None:
    """The first thing that makes two runs differ, for a reader."""
    for path in sorted(old.files.keys() | new.files.keys()):
        before, after = (each.files.get(path, ((), _BESIDE))[1] for each in (old, new))
        if before != after:
            return f"{os.path.relpath(path)} {_what(before, after)}".replace(os.sep, "/")
    for path in sorted(old.left_out.keys() | new.left_out.keys()):
        reasons = [each.left_out.get(path, ((), ""))[1] for each in (old, new)]
        if reasons[0] != reasons[1]:
            return f"{os.path.relpath(path)} is left out for another reason".replace(os.sep, "/")
    return None


def _changed_files(old: _Entry, new: _Entry) -> list[str]:
    """The files that hold something else than before; none where anything else than that has changed."""
    reasons = [{path: each[1] for path, each in entry.left_out.items()} for entry in (old, new)]
    if old.files.keys() != new.files.keys() or reasons[0] != reasons[1]:
        return []
    found: list[str] = []
    for path, (_, after) in new.files.items():
        before = old.files[path][1]
        if before != after:
            if before[0] != after[0] or after[0] == _BESIDE or MISSING in (before[1:], after[1:]):
                return []
            found.append(path)
    return found


def _what(before: str, after: str) -> str:
    if before[1:] == after[1:]:
        return "is checked now" if after[0] == _CHECKED else "is not checked any more"
    return "is new" if before[1:] == MISSING else "is gone" if after[1:] == MISSING else "changed"


def _prune(folder: str) -> None:
    entries = sorted((entry.stat().st_mtime, entry.path) for entry in os.scandir(folder))
    for _, path in entries[:-MAX_ENTRIES]:
        with contextlib.suppress(OSError):
            os.unlink(path)  # noqa: PTH108 - os.path costs a fraction of pathlib over thousands of files
