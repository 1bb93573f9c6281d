"""From files to lowered modules: screen, read, look into the cache, parse and lower what is left.

One bad file never hides the others: whatever keeps a file from being lowered becomes an `Unreadable` that says why.
The result is sorted by path and does not depend on the order of the files, the number of workers or the cache.
"""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from stoplint.check import directives, worker
from stoplint.check.names import ModuleName, module_names
from stoplint.check.screen import may_matter, speaks
from stoplint.check.source import MAX_BYTES, Source, SourceError
from stoplint.check.source import parse as read_source
from stoplint.check.worker import Refusal, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from stoplint.check import ir
    from stoplint.check.cache import Cache
    from stoplint.check.source import SourceFile

Progress: TypeAlias = "Callable[[int, int], None]"
"""Called with the number of files done and the number to do."""

WORKERS_FROM: Final = 1_000_000
"""Characters to parse; below this, starting processes takes longer than they save."""

SECONDS: Final = 10.0

MAX_ABOUT: Final = 1_000_000
"""Bytes of files that are about the API without making a request: up to so many of them are loaded at once, so that the
analysis sees all that a small project says; of more, it gets those that it asks for.
"""


@dataclass(frozen=True, slots=True, order=True)
class Unreadable:
    """A file, or one cell of a notebook, that could not be analysed: `reason` continues a sentence that begins with the
    path ("is not valid Python: ...").  `line` and `column` count from 1, the line within the cell if there is one; None where they are unknown.
    `passing`: it may go well another time.
    """

    path: str
    reason: str
    line: int | None = None
    cell: int | None = None
    passing: bool = False
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """`skipped` are sound but none of ours (a notebook in another language); `left` were screened out, unparsed;
    `marked` are the paths of all files, `left` ones too, that may hold a suppression comment.
    """

    modules: tuple[ir.Module, ...]
    unreadable: tuple[Unreadable, ...] = ()
    skipped: tuple[Unreadable, ...] = ()
    left: tuple[SourceFile, ...] = ()
    marked: tuple[str, ...] = ()
    about: tuple[tuple[str, int], ...] = ()
    """The files about the API that were left since there are so many, as far as they were counted, with their sizes."""

    @property
    def passing(self) -> bool:
        """Whether it may come out otherwise another time."""
        return any(each.passing for each in self.unreadable)


@dataclass(frozen=True, slots=True)
class Options:
    """`jobs`: processes at most, None for one a processor; `seconds`: what one file may take, of work where the system
    counts that; `words`: see `may_matter`; `screen`: leave out what cannot matter; `workers_from`: characters from which
    on processes are started; `max_about`: see `MAX_ABOUT`.
    """

    jobs: int | None = None
    seconds: float = SECONDS
    words: frozenset[str] = frozenset()
    screen: bool = True
    workers_from: int = WORKERS_FROM
    max_about: int = MAX_ABOUT


@dataclass(slots=True)
class _Load:
    """One call of `load`."""

    options: Options
    cache: Cache | None
    progress: Progress | None
    modules: list[ir.Module] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    skipped: list[Unreadable] = field(default_factory=list)
    left: list[SourceFile] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    about: list[tuple[str, int]] = field(default_factory=list)


def load(
    files: Iterable[SourceFile],
    *,
    names: Mapping[str, ModuleName] | None = None,
    options: Options | None = None,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Loaded:
    """Lower `files`.  `names` are those of `module_names`, by path, where more files than these are known."""
    ordered = sorted(files, key=lambda file: file.path)
    run = _Load(options or Options(), cache, progress)
    collecting = gc.isenabled()
    gc.disable()  # trees and IR hold no cycles, and there are millions of nodes to look through
    try:
        tasks = list(_tasks(run, ordered, module_names(ordered) if names is None else names))
        _lower(run, tasks)
    finally:
        if collecting:
            gc.enable()
    return Loaded(
        tuple(sorted(run.modules, key=lambda module: module.path)),
        tuple(sorted(run.unreadable, key=lambda each: (each.path, each.cell or 0))),
        tuple(sorted(run.skipped)),
        tuple(run.left),
        tuple(run.marked),
        tuple(run.about),
    )


# ------------------------------------------------------------------ reading


def _tasks(run: _Load, files: Sequence[SourceFile], names: Mapping[str, ModuleName]) -> Iterator[Task]:
    about: list[tuple[SourceFile, bytes]] = []
    size, limit = 0, run.options.max_about
    for file in files:
        data = _read(run, file)
        if data is None:
            continue
        if directives.mentions(data):
            run.marked.append(file.path)
        if run.options.screen and not may_matter(data, run.options.words):
            if size <= 2 * limit and speaks(data):  # more than needed: few edits bring it below
                size += len(data)
                about.append((file, data))
            else:
                run.left.append(file)
            continue
        yield from _task(run, file, data, names)
    for file, data in about:
        if size > limit:
            run.left.append(file)
            run.about.append((file.path, len(data)))
        else:
            yield from _task(run, file, data, names)


def _task(run: _Load, file: SourceFile, data: bytes, names: Mapping[str, ModuleName]) -> Iterator[Task]:
    source = _source(run, file, data)
    if source is not None:
        named = names.get(file.path) or ModuleName(file.path, is_package=False)
        yield Task(source.path, source.text, named.name, named.is_package, source.cells)


def _read(run: _Load, file: SourceFile) -> bytes | None:
    try:
        return file.read()
    except OSError as error:
        run.unreadable.append(Unreadable(file.path, f"cannot be read: {error.strerror or error}"))
    except MemoryError:
        run.unreadable.append(Unreadable(file.path, "cannot be read: it needs more memory than there is", passing=True))
    return None


def _source(run: _Load, file: SourceFile, data: bytes) -> Source | None:
    if file.kind != "notebook" and len(data) > MAX_BYTES:
        run.unreadable.append(Unreadable(file.path, f"is larger than {MAX_BYTES // 1_000_000} MB"))
        return None
    try:
        return read_source(file.path, file.kind, data)
    except SourceError as error:
        refused = Unreadable(file.path, str(error), None if error.skip else error.line)
        (run.skipped if error.skip else run.unreadable).append(refused)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is one file
        run.unreadable.append(Unreadable(file.path, f"cannot be read: {type(error).__name__}: {error}"))
    return None


# ------------------------------------------------------------------ lowering


def _lower(run: _Load, tasks: Sequence[Task], *, again: bool = False) -> None:
    """Lower every task, from the cache where it has them; `again`: without the cells that were found bad."""
    todo: list[Task] = []
    for task in tasks:
        module = run.cache.get(task) if run.cache else None
        if module is None:
            todo.append(task)
        else:
            run.modules.append(module)
    repaired: list[Task] = []
    for done, (task, result) in enumerate(_results(run, todo), len(tasks) - len(todo) + 1):
        if not isinstance(result, Refusal):
            run.modules.append(result)
        elif not again and task.cells and (rest := _without_bad_cells(run, task)) is not None:
            repaired.append(rest)
        else:
            run.unreadable.append(_unreadable(task, result))
        if run.progress is not None and not again:
            run.progress(done, len(tasks))
    if repaired:
        _lower(run, repaired, again=True)


def _results(run: _Load, tasks: Sequence[Task]) -> Iterator[tuple[Task, ir.Module | Refusal]]:
    """The result of each task: in worker processes where they pay, or where a task may have to be ended."""
    if not tasks:
        return
    from stoplint.check import pack, pool, risk  # noqa: PLC0415 - a run from the cache needs none of them

    jobs = run.options.jobs or _processors()
    if jobs > 1 and sum(len(task.text) for task in tasks) >= run.options.workers_from:
        there, here = list(tasks), []
    else:
        there = [task for task in tasks if risk.risky(task.text)]
        here = [task for task in tasks if task not in there]
    answered: set[int] = set()
    try:
        for number, answer in pool.run(there, workers=jobs, seconds=run.options.seconds):
            answered.add(number)
            task = there[number]
            if isinstance(answer, Refusal):
                yield task, answer
                continue
            if run.cache is not None:
                run.cache.put(task, answer)
            yield task, pack.unpack(answer, path=task.path, text=task.text)
    except pool.PoolError:
        here += [task for number, task in enumerate(there) if number not in answered]
    for task in here:
        result = worker.attempt(task)
        if isinstance(result, Refusal):
            yield task, result
            continue
        module, packed = result
        if run.cache is not None:
            run.cache.put(task, packed)
        yield task, module


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _unreadable(task: Task, refusal: Refusal) -> Unreadable:
    line = refusal.line
    if task.cells and line is not None:
        cell, before = task.cells[min(max(line, 1), len(task.cells)) - 1]
        return Unreadable(task.path, refusal.reason, line - before, cell, refusal.passing, refusal.column)
    return Unreadable(task.path, refusal.reason, line, passing=refusal.passing, column=refusal.column)


def _without_bad_cells(run: _Load, task: Task) -> Task | None:
    """The notebook with the cells blanked that are not Python, each of them reported; None where there is none."""
    lines = task.text.split("\n")
    cells: dict[int, list[int]] = {}
    for place, (cell, _) in enumerate(task.cells):
        cells.setdefault(cell, []).append(place)
    bad = False
    for cell, places in cells.items():
        wrong = worker.complaint("\n".join(lines[place] for place in places) + "\n")
        if wrong is not None:
            bad = True
            run.unreadable.append(Unreadable(task.path, wrong.reason, wrong.line, cell, column=wrong.column))
            for place in places:
                lines[place] = ""
    return task._replace(text="\n".join(lines)) if bad else None
