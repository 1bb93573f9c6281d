"""Files in, findings out: load, interpret, judge."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from stoplint import catalog
from stoplint.check import deep, inventory
from stoplint.check.cache import Cache
from stoplint.check.facts import Facts
from stoplint.check.islands import Shelf, Wants, islands, key_of
from stoplint.check.judge import Judge
from stoplint.check.load import Options as LoadOptions
from stoplint.check.outcomes import Skipped
from stoplint.check.pins import Pins
from stoplint.check.program import Program
from stoplint.check.project import Project
from stoplint.check.solve import solve, survey
from stoplint.findings import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from stoplint.check import ir
    from stoplint.check.inventory import Call
    from stoplint.check.load import Loaded, Unreadable
    from stoplint.check.solve import Solved
    from stoplint.check.source import SourceFile
    from stoplint.check.trail import Trail
    from stoplint.config import Settings

T = TypeVar("T")

MAX_WIDENINGS = 4
"""Times that further modules are loaded: a helper's helper is the usual depth."""

READING = (b".content", b"text_stream", b".text", b"stop_reason", b"get_final")
"""A file that gets a response from another one, says none of these and calls nothing that hands one out has no use for it."""

RUNNING = (b"tool_use", b"tool_call", b".input", b"arguments")
"""A file that gets tool calls from another one and says none of these runs none."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a run is done; none of it changes what is found.

    `jobs`: worker processes, None for as many as are worth it.  `cache_dir`: None for no cache.  `progress` is told how
    many of how many files are done.
    """

    jobs: int | None = None
    cache_dir: Path | None = None
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """`findings` of all profiles, in any order, without fingerprints, places of Markdown as in `Source.text`;
    `marked`: the paths of files that hold suppression comments; `files_checked` counts the given files that were read;
    `passing`: it may come out otherwise another time, as where a file took too long; `trail`: what was looked at.
    """

    findings: tuple[Finding, ...]
    files_checked: int
    skipped: tuple[Skipped, ...] = ()
    marked: tuple[str, ...] = ()
    passing: bool = False
    trail: Trail | None = None


def run(
    files: Sequence[SourceFile],
    *,
    project: Sequence[SourceFile],
    settings_of: Callable[[SourceFile], Settings],
    options: Options,
) -> Result:
    """The findings in `files`; `project` are further files that may say what a name in them means.

    Never raises for what a file holds: what cannot be read, decoded or parsed is a finding of code SL900.
    """
    wanted = {file.path for file in files}

    def find(view: _View) -> list[Finding]:
        return view.findings()

    whole, loaded, found = _answered((*project, *files), settings_of, options, find)
    findings = [finding for finding in found if finding.place.path in wanted]
    findings += [_unreadable(one) for one in whole.unreadable if one.path in wanted]
    skipped = tuple(Skipped(one.path, one.reason) for one in loaded.skipped if one.path in wanted)
    marked = tuple(path for path in loaded.marked if path in wanted)
    return Result(tuple(findings), len(wanted) - len(skipped), skipped, marked, whole.passing, whole.trail)


def requests(
    files: Sequence[SourceFile],
    *,
    project: Sequence[SourceFile],
    settings_of: Callable[[SourceFile], Settings],
    options: Options,
) -> tuple[Call, ...]:
    """The requests made in `files`, in the order of their places; arguments as for `run`.  What cannot be read has none."""
    wanted = {file.path for file in files}

    def ask(view: _View) -> tuple[Call, ...]:
        return inventory.calls(*view.solved())

    _, _, found = _answered((*project, *files), settings_of, options, ask)
    calls = (call for call in found if call.place.path in wanted)
    return tuple(sorted(calls, key=lambda call: (call.place, call.surface)))


def _answered(
    files: Sequence[SourceFile],
    settings_of: Callable[[SourceFile], Settings],
    options: Options,
    ask: Callable[[_View], Sequence[T]],
) -> tuple[Project, Loaded, list[T]]:
    """Load the files; the project, what was loaded first, and what `ask` answers of each island."""
    everything = {file.path: file for file in files}
    cache = Cache(options.cache_dir) if options.cache_dir is not None else None
    pins = Pins()
    facts = {path: Facts.of(settings_of(file), pins.version_for(path)) for path, file in everything.items()}
    words = frozenset(name.rsplit(".", 1)[-1] for one in set(facts.values()) for name in one.wrappers)
    whole = Project.of(everything.values(), LoadOptions(jobs=options.jobs, words=words), cache, options.progress)
    shelf = Shelf(cache) if cache is not None else None
    try:
        loaded = whole.start()
        return whole, loaded, deep.call(lambda: _asked(whole, loaded.modules, facts, shelf, ask))
    finally:
        if cache is not None:
            cache.close()


def _asked(
    whole: Project,
    modules: tuple[ir.Module, ...],
    facts: dict[str, Facts],
    shelf: Shelf | None,
    ask: Callable[[_View], Sequence[T]],
) -> list[T]:
    """Survey, load what the survey asks for, and ask.  The collector is off: states are many, short-lived and hold no
    cycles.
    """
    collecting = gc.isenabled()
    gc.disable()
    seen: dict[str, _View] = {}
    try:
        for _ in range(MAX_WIDENINGS):
            program, modules = _with_bases(whole, modules, facts)
            views = [_View(part, key_of(part, facts.__getitem__), facts, shelf) for part in islands(program)]
            views = [seen.setdefault(view.key, view) for view in views]
            more = _wider(whole, [view.wants() for view in views])
            if not more:
                break
            modules = _sorted(modules, more)
        return [answer for view in views for answer in ask(view)]
    finally:
        if collecting:
            gc.enable()


@dataclass(slots=True)
class _View:
    """An island, analysed as far as it was asked for."""

    modules: tuple[ir.Module, ...]
    key: str
    facts: dict[str, Facts]
    shelf: Shelf | None
    _surveyed: tuple[Program, dict[str, set[str]]] | None = None
    _wants: Wants | None = None

    def wants(self) -> Wants:
        """What it takes besides its modules."""
        if self._wants is None and self.shelf is not None:
            self._wants = self.shelf.wants(self.key)
        if self._wants is None:
            self._wants = _wants(self._survey()[0])
            if self.shelf is not None:
                self.shelf.keep_wants(self.key, self._wants)
        return self._wants

    def findings(self) -> list[Finding]:
        """What the rules find in it."""
        found = self.shelf.findings(self.key) if self.shelf is not None else None
        if found is None:
            program, solved = self.solved()
            found = Judge(program).findings(solved)
            if self.shelf is not None:
                self.shelf.keep_findings(self.key, found)
        return found

    def solved(self) -> tuple[Program, Solved]:
        """Its program and the events of its roots."""
        program, calls = self._survey()
        self._surveyed = None  # the roots write to it
        return program, solve(program, calls)

    def _survey(self) -> tuple[Program, dict[str, set[str]]]:
        if self._surveyed is None:
            program = Program(self.modules, self.facts.__getitem__)
            self._surveyed = program, survey(program)
        return self._surveyed


def _with_bases(
    whole: Project, modules: tuple[ir.Module, ...], facts: dict[str, Facts]
) -> tuple[Program, tuple[ir.Module, ...]]:
    """The program of these modules and of those that define the bases of its classes."""
    while True:
        program = Program(modules, facts.__getitem__)
        for key in sorted(program.classes):
            program.lineage(key)
        more = whole.defining(_modules(program.wanted)).modules
        if not more:
            return program, modules
        modules = _sorted(modules, more)


def _sorted(modules: tuple[ir.Module, ...], more: tuple[ir.Module, ...]) -> tuple[ir.Module, ...]:
    return tuple(sorted((*modules, *more), key=lambda one: one.path))


def _wider(whole: Project, wants: Sequence[Wants]) -> tuple[ir.Module, ...]:
    """Modules that were screened out and yet matter: those that get a response, and those that call what hands one out."""
    calling = tuple(f"{name}(".encode() for name in _all(one.givers for one in wants))
    return (
        *whole.defining(_modules(_all(one.wanted for one in wants))).modules,
        *whole.defining(_modules(_all(one.helping for one in wants)), speaking=True).modules,
        *whole.importing(_all(one.handing_out for one in wants), (*READING, *calling)).modules,
        *whole.importing(_all(one.handing_on for one in wants), calling).modules,
        *whole.importing(_all(one.handing_tools for one in wants), RUNNING).modules,
        *_with_methods(whole, _all(one.methods for one in wants)),
    )


def _with_methods(whole: Project, wanted: Sequence[str]) -> Iterator[ir.Module]:
    """The modules of the classes among `class:method` that define the method."""
    classes: dict[str, set[str]] = {}
    for one in wanted:
        cls, _, method = one.rpartition(":")
        classes.setdefault(method, set()).add(cls)
    for method, names in sorted(classes.items()):
        yield from whole.defining(_modules(names), method=method).modules


def _all(names: Iterable[Iterable[str]]) -> list[str]:
    return sorted({name for some in names for name in some})


def _wants(program: Program) -> Wants:
    givers = set[str]().union(*program.handing_out.values())
    return Wants(
        tuple(sorted(program.wanted)),
        tuple(sorted(program.helping)),
        tuple(sorted(program.handing_out)),
        tuple(sorted(_handing_on(program))),
        tuple(sorted(program.handing_tools)),
        tuple(sorted(name for name in givers if name.isidentifier() and name[:2] != "__")),
        tuple(sorted(f"{cls}:{method}" for cls, method in program.methods)),
    )


def _handing_on(program: Program) -> set[str]:
    """The packages that import what hands out responses: who imports it from them names the package alone."""
    return {
        name
        for name, module in program.modules.items()
        if module.ir.is_package
        and any(
            atom.kind in ("func", "class") and str(atom.ref).split(":")[0] in program.handing_out
            for alias in module.index.imports.values()
            for atom in program.imported(alias, name)
        )
    }


def _modules(names: Collection[str]) -> set[str]:
    """The modules that dotted names may be or be in."""
    return {name for dotted in names for name in (dotted, dotted.rpartition(".")[0]) if name}


def _unreadable(one: Unreadable) -> Finding:
    rule = catalog.rules()["SL900"]
    line = one.line or 1
    column = one.column or 1
    place = Place(one.path, one.cell, line, column, line, column)
    return Finding(rule.code, rule.name, rule.severity, rule.profile, place, "<module>", f"The file {one.reason}")
