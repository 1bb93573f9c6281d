"""One line on standard error at the interpreter's end, when the tracer found something."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stoplint.trace.store_file import DEFAULT_STORE

if TYPE_CHECKING:
    from typing import TextIO

    from stoplint.trace.records import ChainRecord, FindingRecord, TurnRecord
    from stoplint.trace.store import TurnStore

EXIT_LINE_VARIABLE: Final = "STOPLINT_EXIT_LINE"
"""`off` keeps the line away: `stoplint run` says it once for all the processes it started."""

_CODES_SHOWN: Final = 5


class Watched:
    """A store that counts, so that `show` can say at the end what there was.  `usual` is whether `stoplint report` looks
    there by itself.
    """

    def __init__(self, store: TurnStore, *, usual: bool) -> None:
        self._sink = store
        self._usual = usual
        self._pid = os.getpid()
        self._turns = 0
        self._records = 0
        self._codes: dict[str, int] = {}

    def turn(self, record: TurnRecord) -> None:
        self._turns += 1
        self._records += 1
        self._sink.turn(record)

    def finding(self, record: FindingRecord) -> None:
        self._codes[record.code] = self._codes.get(record.code, 0) + 1
        self._records += 1
        self._sink.finding(record)

    def chain(self, record: ChainRecord) -> None:
        self._records += 1
        self._sink.chain(record)

    def flush(self, timeout_s: float) -> None:
        self._sink.flush(timeout_s)

    def close(self) -> None:
        self._sink.close()

    def show(self, stream: TextIO | None = None) -> None:
        """Print the line, once; nothing where nothing was found, in a forked child, or in a worker process."""
        codes, self._codes = self._codes, {}
        stream = stream or sys.stderr
        if not codes or stream is None or self._pid != os.getpid() or _is_worker() or _is_off():
            return
        with suppress(Exception):
            stream.write(f"stoplint: {self._line(codes)}\n")
            stream.flush()

    def _line(self, codes: dict[str, int]) -> str:
        lost, path = self._sink.lost, self._sink.path
        if lost >= self._records:
            return f"{_found(self._turns, codes)}; {short(path)} could not be written, so there is nothing to report"
        told = line(self._turns, codes, None if self._usual else path)
        return f"{told}, but for {_plural(lost, 'record')} that could not be written" if lost else told


def watched(store: TurnStore) -> Watched:
    """A store whose findings `show` tells of."""
    sink = Watched(store, usual=store.path == Path.cwd() / DEFAULT_STORE)
    _watched.append(sink)
    return sink


def show() -> None:
    """To be called last at the interpreter's end, once every chain is over and every sink flushed."""
    for sink in _watched:
        sink.show()


_watched: Final[list[Watched]] = []


def line(turns: int, codes: dict[str, int], where: Path | None) -> str:
    """`stoplint: 42 turns, 3 findings (SL102 x2, SL203); stoplint report shows them`, after its `stoplint: `.

    `where` is the store, named where `stoplint report` would not look by itself.
    """
    command = "stoplint report" if where is None else f"stoplint report {short(where)}"
    return f"{_found(turns, codes)}; {command} shows them"


def _found(turns: int, codes: dict[str, int]) -> str:
    found = "no findings"
    if codes:
        shown = sorted(codes, key=lambda code: (-codes[code], code))
        parts = [code if codes[code] == 1 else f"{code} x{codes[code]}" for code in shown[:_CODES_SHOWN]]
        if len(shown) > _CODES_SHOWN:
            parts.append("...")
        found = f"{_plural(sum(codes.values()), 'finding')} ({', '.join(parts)})"
    return f"{_plural(turns, 'turn')}, {found}"


def short(path: Path) -> str:
    """A path as a person below the working folder would write it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _is_worker() -> bool:
    """Whether `multiprocessing` started this process."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


def _is_off() -> bool:
    return os.environ.get(EXIT_LINE_VARIABLE, "").strip().lower() in ("off", "0", "false", "no")
