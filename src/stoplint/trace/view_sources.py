"""Finds what a report reads: turn stores and files of OTLP-JSON lines, in any mix, each turn counted once."""

from __future__ import annotations

import heapq
from collections import deque
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from stoplint.trace.otlp_lines import Broken, OtlpContent, read_lines
from stoplint.trace.store_file import DEFAULT_STORE, StoreDamagedError, StoreRefusedError, archives
from stoplint.trace.store_read import StoreReader, may_be_running
from stoplint.trace.view import ChainRow, Report, ReportBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from pathlib import Path

    from stoplint.trace.records import ChainRecord, FindingRecord, TurnRecord
    from stoplint.trace.store_schema import ProcessRow

SourceKind: TypeAlias = Literal["store", "otlp"]

_SQLITE: Final = b"SQLite format 3\x00"
_MAKE_ONE: Final = "run the application with `stoplint run -- python app.py`, or put `import stoplint.auto` at its top"


class ReportError(Exception):
    """What the user asked for cannot be read.  The message names the file and says what to do."""


class NothingToReportError(Exception):
    """There is no store, or no turn in it.  The message says how to get one."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which turns count: those that started at `since` (nanoseconds) or later, and of those the `last` ones.  `run` is
    the key of a `stoplint run`: of a store, only the turns of its processes count.
    """

    since: int = 0
    last: int | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """A file that was read; `broken` tells of lines that could not be, none in a store."""

    path: Path
    kind: SourceKind
    broken: Broken


@dataclass(frozen=True, slots=True)
class Loaded:
    """A report and what it was made from.  `turns` holds those of the chains that were asked for, by chain id."""

    report: Report
    sources: tuple[SourceFacts, ...]
    turns: dict[str, list[TurnRecord]]


def default_files(store: Path | None) -> list[Path]:
    """The store and what rotation has put beside it, newest first.  Raises NothingToReportError."""
    path = store or DEFAULT_STORE
    found = [path, *reversed(archives(path))]
    existing = [file for file in found if file.exists()]
    if not existing:
        raise NothingToReportError(f"no store found at {path}: {_MAKE_ONE}")
    return existing


def load(
    files: Sequence[Path], selection: Selection, now: int, wanted: Callable[[Report], Collection[str]] | None = None
) -> Loaded:
    """Read the files into a report.  `wanted` chooses the chains whose turns are to be kept, by their ids.

    Raises ReportError for a file that is neither a store nor OTLP-JSON lines, and NothingToReportError when none of
    them holds a turn.
    """
    with ExitStack() as stack:
        sources = [_open(path, stack) for path in files]
        try:
            return _load(sources, selection, now, wanted)
        except StoreDamagedError as error:
            raise ReportError(_damaged(" or ".join(str(path) for path in files), error)) from error


def find_chain(report: Report, beginning: str) -> ChainRow:
    """The chain whose id begins so, or that carries on one whose id does.  Raises ReportError."""
    found = [row for row in report.chains if any(one.startswith(beginning) for one in (row.chain_id, *row.joined))]
    exact = [row for row in found if row.chain_id == beginning]
    if not found:
        raise ReportError(
            f"no chain begins with {beginning!r}: `stoplint report --output-format json` lists all of them"
        )
    if len(found) > 1 and not exact:
        some = ", ".join(row.chain_id for row in found[:5])
        raise ReportError(f"{len(found)} chains begin with {beginning!r} ({some}): give more of the id")
    return (exact or found)[0]


def _load(
    sources: Sequence[_Source], selection: Selection, now: int, wanted: Callable[[Report], Collection[str]] | None
) -> Loaded:
    builder = ReportBuilder()
    limited = selection != Selection()
    shown: set[str] = set()
    for turn, source in _merged(sources, selection):
        builder.add_turn(turn, whole=source.facts.kind == "store")
        if limited:
            shown.add(turn.turn_id)
    for finding in _findings(sources):
        if not limited or finding.turn_id in shown:
            builder.add_finding(finding)
    processes = [process for source in sources for process in source.processes]
    report = builder.build(
        # The newest file comes first and has the last word.
        (chain for source in reversed(sources) for chain in source.chains()),
        now,
        lambda pid: any(source.may_run(pid) for source in sources),
        processes=len({process.process for process in processes}),
        lost=sum({process.process: process.lost for process in reversed(processes)}.values()),
    )
    facts = tuple(source.facts for source in sources)
    if report.turns == 0:
        raise NothingToReportError(_why_nothing(facts, limited=limited))
    kept: dict[str, list[TurnRecord]] = {chain_id: [] for chain_id in (wanted(report) if wanted is not None else ())}
    if kept:
        for turn, _ in _merged(sources, selection):
            chain_id = builder.chain_id_of(turn.chain_id)
            if chain_id in kept:
                kept[chain_id].append(turn)
    return Loaded(report, facts, kept)


@dataclass(frozen=True, slots=True)
class _Source:
    """One open file: a store is read again for each question, OTLP lines are read once."""

    facts: SourceFacts
    turns: Callable[[Selection], Iterator[TurnRecord]]
    findings: Callable[[], list[FindingRecord]]
    chains: Callable[[], list[ChainRecord]] = list
    processes: list[ProcessRow] = field(default_factory=list)
    running: frozenset[int] | None = None
    """None: the file does not tell."""

    def may_run(self, pid: int) -> bool:
        return self.running is None or pid in self.running


def _open(path: Path, stack: ExitStack) -> _Source:
    if path.is_dir():
        inside = [path / DEFAULT_STORE.name, path / DEFAULT_STORE]
        found = next((file for file in inside if file.exists()), None)
        if found is None:
            raise ReportError(f"{path} is a folder without a store: name a store, or a file of OTLP-JSON lines")
        path = found
    try:
        with path.open("rb") as file:
            if file.read(len(_SQLITE)) != _SQLITE:
                file.seek(0)
                return _otlp(path, read_lines(file))
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror or error}") from error
    return _store(path, stack)


def _store(path: Path, stack: ExitStack) -> _Source:
    import sqlite3  # noqa: PLC0415 - a report of OTLP lines alone needs none

    try:
        reader = stack.enter_context(closing(StoreReader(path)))
        processes = reader.processes()
    except StoreRefusedError as error:
        raise ReportError(f"{error}: name a store of stoplint, or a file of OTLP-JSON lines") from error
    except StoreDamagedError as error:
        raise ReportError(_damaged(str(path), error)) from error
    except sqlite3.Error as error:
        raise ReportError(f"{path} cannot be read: {error}") from error
    return _Source(
        facts=SourceFacts(path, "store", Broken()),
        turns=lambda selection: reader.turns(selection.since, selection.last, selection.run),
        findings=reader.findings,
        chains=reader.chains,
        processes=processes,
        running=frozenset(process.pid for process in processes if may_be_running(process)),
    )


def _otlp(path: Path, content: OtlpContent) -> _Source:
    if content.broken.count and not content.sound:
        line, reason = content.broken.first[0]
        raise ReportError(
            f"{path} is neither a store nor OTLP-JSON lines (line {line}: {reason}):"
            " name .stoplint/turns.db, or what a collector's file exporter wrote"
        )

    def turns(selection: Selection) -> Iterator[TurnRecord]:
        found = [turn for turn in content.turns if turn.started_at >= selection.since]
        return iter(found if selection.last is None else found[max(0, len(found) - selection.last) :])

    return _Source(SourceFacts(path, "otlp", content.broken), turns, lambda: content.findings)


def _merged(sources: Sequence[_Source], selection: Selection) -> Iterator[tuple[TurnRecord, _Source]]:
    """The turns of all sources in the order of their start, each once."""
    streams = [_told_by(source, selection) for source in sources]
    merged: Iterator[tuple[TurnRecord, _Source]] = heapq.merge(*streams, key=lambda told: told[0].started_at)
    if len(sources) > 1:
        merged = _once(merged)
    if selection.last is not None:
        merged = iter(deque(merged, maxlen=selection.last))
    return merged


def _told_by(source: _Source, selection: Selection) -> Iterator[tuple[TurnRecord, _Source]]:
    return ((turn, source) for turn in source.turns(selection))


def _once(turns: Iterator[tuple[TurnRecord, _Source]]) -> Iterator[tuple[TurnRecord, _Source]]:
    seen: set[str] = set()
    for turn, source in turns:
        if turn.turn_id not in seen:
            seen.add(turn.turn_id)
            yield turn, source


def _findings(sources: Sequence[_Source]) -> Iterator[FindingRecord]:
    earlier: set[tuple[str, str, str, str]] = set()
    for source in sources:
        found = source.findings()
        keys = [(one.code, one.turn_id, one.evidence_turn_id, one.message) for one in found]
        yield from (finding for finding, key in zip(found, keys, strict=True) if key not in earlier)
        earlier.update(keys)


def _why_nothing(sources: Sequence[SourceFacts], *, limited: bool) -> str:
    names = ", ".join(str(source.path) for source in sources)
    if limited:
        return f"no turn in {names} is as new as that: ask for more with --since or --last"
    if all(source.kind == "otlp" for source in sources):
        return f"no turn in {names}: no span carries stoplint.* attributes; {_MAKE_ONE}"
    return f"no turn in {names} yet: {_MAKE_ONE}"


def _damaged(name: str, error: Exception) -> str:
    return (
        f"{name} is damaged ({error}): the tracer sets it aside and begins a new one when it next writes;"
        " what is left in it can be read with `sqlite3 FILE .recover`"
    )
