"""Lowered modules, and what was found in islands of them, kept between runs, in a folder that anyone may delete at any time.

An entry is found by everything that its content depends on: the text, the module's name and cells, and the versions of
stoplint, libcst, Python and the lowering itself.  The path is no part of it: a file that moves is found again.  Nothing
here ever fails a run: what cannot be read is computed anew, what cannot be written is not kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import sys
import threading
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import stoplint

if TYPE_CHECKING:
    from stoplint.check import ir
    from stoplint.check.worker import Task

FOLDER: Final = ".stoplint_cache"
MAX_BYTES: Final = 256 * 1024 * 1024
_MAGIC: Final = b"stoplint-ir\n"
_DAY: Final = 86_400

_TAG: Final = """Signature: 8a477f597d28d172789f06886806bc55
# This folder is a cache of stoplint; it can be deleted at any time.
# About this file: https://bford.info/cachedir/
"""


class Cache:
    """Entries below `folder`, which is made when the first one is written."""

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._salt = _salt()
        self._broken = False
        self._written = 0
        self.hits = 0
        self.misses = 0

    def get(self, task: Task) -> ir.Module | None:
        """The lowered module of an earlier run."""
        module = self._load(task)
        if module is None:
            self.misses += 1
        else:
            self.hits += 1
        return module

    def put(self, task: Task, packed: bytes) -> None:
        """Keep a module as `pack` wrote it."""
        self._keep(self._path(task), packed)

    def load(self, kind: str, name: str) -> bytes | None:
        """An entry of another kind, by a name that stands for all that it depends on."""
        return self._read(self._folder / kind / name[:2] / name[2:])

    def save(self, kind: str, name: str, data: bytes) -> None:
        """Keep an entry of another kind."""
        self._keep(self._folder / kind / name[:2] / name[2:], data)

    def _keep(self, path: Path, data: bytes) -> None:
        if self._broken:
            return
        body = zlib.compress(data, 1)
        try:
            keep(self._folder, path, _MAGIC + _digest(body) + body)
        except OSError:
            self._broken = True  # a read-only folder stays one for this run
        else:
            self._written += len(body)

    def close(self) -> None:
        """Drop the oldest entries where there are too many; costs nothing in a run that wrote none."""
        if self._written:
            self._written = 0
            with contextlib.suppress(OSError):
                self._prune()

    def _load(self, task: Task) -> ir.Module | None:
        from stoplint.check.pack import PackError, unpack  # noqa: PLC0415 - not before there is something to load

        data = self._read(self._path(task))
        try:
            return None if data is None else unpack(data, path=task.path, text=task.text)
        except PackError:
            return None

    def _read(self, path: Path) -> bytes | None:
        """What an entry holds; None where there is none, or a damaged one."""
        try:
            with path.open("rb") as file:
                data = file.read()
                age = time.time() - os.fstat(file.fileno()).st_mtime
        except OSError:
            return None
        start = len(_MAGIC) + 16
        body = data[start:]
        if data[:start] != _MAGIC + _digest(body):
            return None
        try:
            content = zlib.decompress(body)
        except zlib.error:
            return None
        if age > _DAY:
            with contextlib.suppress(OSError):
                os.utime(path)
        return content

    def _path(self, task: Task) -> Path:
        digest = hashlib.blake2b(self._salt, digest_size=16)
        for part in (task.name, str(task.is_package), repr(task.cells), task.text):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little") + data)
        name = digest.hexdigest()
        return self._folder / "ir" / name[:2] / name[2:]

    def _prune(self) -> None:
        entries: list[tuple[float, int, str]] = []
        for folder in [*self._folder.glob("ir/*"), *self._folder.glob("island/*")]:
            for entry in os.scandir(folder):
                stat = entry.stat()
                entries.append((stat.st_mtime, stat.st_size, entry.path))
        excess = sum(size for _, size, _ in entries) - self._max_bytes
        for _, size, path in sorted(entries):
            if excess <= 0:
                break
            with contextlib.suppress(OSError):
                Path(path).unlink()
            excess -= size


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def keep(root: str | os.PathLike[str], path: str | os.PathLike[str], data: bytes) -> None:
    """Write an entry of the cache that lies in `root`, which is made where there is none.  Raises OSError."""
    folder = Path(path).parent
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in ((".gitignore", "*\n"), ("CACHEDIR.TAG", _TAG)):
            mark = Path(root, name)
            if not mark.exists():
                _write(mark, text.encode())
    _write(Path(path), data)


def _write(path: Path, data: bytes) -> None:
    """Write a whole file or none: another run may read or write the same entry."""
    draft = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_ident()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _salt() -> bytes:
    """The versions of everything that has a hand in an entry; of the lowering, its source."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{stoplint.__version__} {sys.version_info[:3]} {sys.implementation.name}".encode())
    here = Path(__file__).parent
    sources = [*here.glob("lower*.py"), here / "positions.py", here / "ir.py", here / "pack.py"]
    # libcst's version without its import, nor that of importlib.metadata: each takes longer than a run from the cache.
    libcst = importlib.util.find_spec("libcst")
    if libcst is not None and libcst.origin is not None:
        sources.append(Path(libcst.origin).with_name("_version.py"))
    for source in sorted(sources):
        with contextlib.suppress(OSError):
            digest.update(source.read_bytes())
    return digest.digest()
