"""What files held when they were last read, as far as the file system tells it without opening them.

The same size, inode and times of change mean the same content, but for one case: a file that was written right before
its times were noted may be written again without their moving on.  As git does with such entries, these are read again.
"""

# Paths as text: thousands of Path objects would cost more than the questions themselves.
# ruff: noqa: PTH116 - os.path costs a fraction of pathlib over thousands of files

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Signature: TypeAlias = tuple[int, ...]
"""Time of the content's change and of the inode's, in ns, size, inode; () for what is not there."""

GRANULARITY_NS: Final = 2_000_000_000
"""The coarsest clock of a file system in use (FAT); Linux's own tick every 4 ms."""

MISSING: Final = ""
FOLDER: Final = "folder"


def now() -> int:
    """The time to note beside signatures, to be taken before them."""
    return time.time_ns()


def signature(path: str) -> Signature:
    """What the file system says of a path, links followed."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def settled(noted: Signature, taken: int) -> bool:
    """Whether a signature noted at the time `taken` tells every later change."""
    return not noted or max(noted[0], noted[1]) < taken - GRANULARITY_NS


def same(noted: Iterable[tuple[str, Signature]]) -> bool:
    """Whether every path still has its signature."""
    ask = os.stat
    try:
        for path, before in noted:
            if before:
                found = ask(path)
                if (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino) != tuple(before):
                    return False
            elif os.path.exists(path):  # noqa: PTH110 - os.path costs a fraction of pathlib over thousands of files
                return False
    except OSError:
        return False
    return True


class StatIndex:
    """The contents of files by path: `known` are the signatures and states of an earlier time, `taken` when that was."""

    def __init__(self, known: dict[str, tuple[Signature, str]] | None = None, taken: int = 0) -> None:
        self._known = known or {}
        self._taken = taken
        self.read = 0

    def look(self, path: str) -> tuple[Signature, str]:
        """The signature and the state of a path: the digest of a file's content, or what there is in its place.

        A file is read only where it may have changed since it was known.
        """
        found = signature(path)
        before = self._known.get(path)
        if before is not None and before[0] == found and settled(found, self._taken):
            return found, before[1]
        return found, self._state(path) if found else MISSING

    def _state(self, path: str) -> str:
        import hashlib  # noqa: PLC0415 - not in a run that reads nothing

        self.read += 1
        try:
            if stat.S_ISDIR(os.stat(path).st_mode):
                return FOLDER
            with open(path, "rb") as file:  # noqa: PTH123 - os.path costs a fraction of pathlib over thousands of files
                return hashlib.blake2b(file.read(), digest_size=16).hexdigest()
        except FileNotFoundError:
            return MISSING
        except OSError as error:
            return f"error {error.errno}"
