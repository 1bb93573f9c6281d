"""Solving a program: survey every function for what outlives a call, then interpret the ones that matter.

The survey interprets each function without entering the functions it calls, again as long as an attribute or global that
it read has grown.  It finds clients, factories, constants, and which functions have to do with the Messages API.  Then
every such function is a root: interpreted with the calls inside it, its events handed to the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_inline import GIVEN
from stoplint.check.index import dotted_name, is_declared_only
from stoplint.check.names import is_test
from stoplint.check.root import RootRun, run_module, run_root
from stoplint.check.values import Atom, Value, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.check.events import Event
    from stoplint.check.program import FunctionInfo, Program

MAX_ROUNDS = 4
"""Rounds of the survey: a client handed from attribute to attribute settles in two or three."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The events of every root, and the functions whose parameters held a response of a caller in view."""

    events: tuple[tuple[str, tuple[Event, ...]], ...]
    judged_by_callers: frozenset[str]


def solve(program: Program, calls: dict[str, set[str]]) -> Solved:
    """Interpret what the survey found to matter; `calls` is what it returned."""
    roots = [key for key in _callees_first(_ordered(program), calls) if program.is_interesting(key)]
    modules = sorted(program.modules)
    events: list[tuple[str, tuple[Event, ...]]] = []
    judged: set[str] = set()
    for key in modules:
        run = run_module(program, program.modules[key])
        events.append((key, tuple(run.found)))
        judged |= run.judged_by_callers
    for key in roots:
        called = sorted(one for one in calls.get(key, ()) if one != key and program.is_interesting(one))
        if _tells_nothing(program, key, called):
            _inherit(program, key, called)
            continue
        run = run_root(program, program.functions[key])
        events.append((key, tuple(run.found)))
        judged |= run.judged_by_callers
        _note(program, key, run)
    for key, cls in _inherited(program, calls):
        run = run_root(program, program.functions[key], cls=cls)
        events.append((key, tuple(run.found)))
        judged |= run.judged_by_callers
    return Solved(tuple(events), frozenset(judged))


def _tells_nothing(program: Program, key: str, called: list[str]) -> bool:
    """Whether a function only calls what keeps its responses to itself: there is nothing in it to interpret.

    A call that may fail for an empty answer, or gives its text, and is tried again is; so is one that changes a list
    beside one that sends it.
    """
    if key in program.touched or program.functions[key].func.decorators:
        return False
    if key in program.retrying and not program.failing.isdisjoint(called):
        return False
    if key in program.looping and not program.wording.isdisjoint(called):
        return False
    # What a test makes of text says nothing of the code that gives it, with the reason beside it.
    inert = program.inert | program.pairing if is_test(key.split(":", maxsplit=1)[0]) else program.inert
    if not program.sending.isdisjoint(called):
        return inert.issuperset(called)
    # What only drafts is looked into: whoever sends the draft has to know it.
    return not program.drafting.issuperset(called) and (inert | program.filling | program.drafting).issuperset(called)


def _inherit(program: Program, key: str, called: list[str]) -> None:
    """A function that was not interpreted does to its callers what those do that it calls."""
    for kinds in (program.failing, program.sending, program.filling, program.drafting, program.wording):
        if not kinds.isdisjoint(called):
            kinds.add(key)
    if key not in program.filling | program.drafting:
        program.inert.add(key)


def _note(program: Program, key: str, run: RootRun) -> None:
    """Keep what the callers of a function have to know of it."""
    if run.pairing and not run.handing:
        program.pairing.add(key)
    elif run.drafting and not run.handing and not run.turned:
        program.drafting.add(key)
    elif not run.handing and not run.turned:
        (program.filling if run.mutated else program.inert).add(key)
    if run.failing:
        program.failing.add(key)
    if run.wording:
        program.wording.add(key)
    if run.sends_given:
        program.sending.add(key)


def _ordered(program: Program) -> list[str]:
    """Functions, those around others first, so that a nested one knows the variables around it."""

    def depth(info: FunctionInfo) -> int:
        count = 0
        while info.parent is not None and info.parent in program.functions:
            info, count = program.functions[info.parent], count + 1
        return count

    return sorted(program.functions, key=lambda key: (depth(program.functions[key]), key))


def _inherited(program: Program, calls: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Methods to interpret once more for an heir: those that it inherits and that call methods which it defines anew."""
    found: list[tuple[str, str]] = []
    for cls in sorted(program.classes):
        own = {name: key for name, key in program.classes[cls].methods.items() if program.is_interesting(key)}
        seen = set(program.classes[cls].methods)
        for base in program.lineage(cls)[1:] if own else ():
            methods = program.classes[base].methods if base in program.classes else {}
            for name, key in sorted(methods.items()):
                called = {program.functions[one].func.name for one in calls.get(key, ()) if program.functions[one].cls}
                if name not in seen and any(
                    _differs(program, program.class_member(base, one), own[one]) for one in sorted(called & own.keys())
                ):
                    found.append((key, cls))
            seen |= methods.keys()
    return found


def _differs(program: Program, inherited: Value | None, own: str) -> bool:
    """Whether a method that an heir defines anew may mean something else to its callers than the inherited one."""
    olds = [str(atom.ref) for atom in inherited or () if atom.kind == "func"]
    if len(olds) != 1:
        return True
    old = program.functions[olds[0]]
    if is_declared_only(old.func) and old.cls is not None:  # a call of that one is taken for a call of its definitions
        return program.overrides(old.cls, old.func.name) != value(Atom("func", own))
    if old.key in program.inert and own in program.inert:
        return False
    given = program.handed_out.get(own)
    return given is None or given != program.handed_out.get(old.key)


# ------------------------------------------------------------------ the survey


def _callees_first(keys: list[str], calls: dict[str, set[str]]) -> list[str]:
    """Functions after those they call, as far as calls make no circle: what a callee hands out is known by then."""
    found: dict[str, None] = {}
    for start in keys:
        todo = [(start, False)]
        entered: set[str] = set()
        while todo:
            key, done = todo.pop()
            if done:
                found[key] = None
            elif key not in found and key not in entered:
                entered.add(key)
                todo.append((key, True))
                todo += [(callee, False) for callee in sorted(calls.get(key, ()), reverse=True)]
    return list(found)


def survey(program: Program) -> dict[str, set[str]]:
    """Find what outlives a call and which functions matter; return which function calls which."""
    reads: dict[str, set[tuple[str, str]]] = {}
    calls: dict[str, set[str]] = {}
    touched: set[str] = set()
    todo = [*sorted(program.modules), *_ordered(program)]
    for _ in range(MAX_ROUNDS):
        program.changed = set()
        for key in todo:
            if key in program.modules:
                run = run_module(program, program.modules[key], max_depth=0)
            else:
                run = run_root(program, program.functions[key], max_depth=0)
            reads[key], calls[key] = run.reads, run.calls
            if run.touched:
                touched.add(key)
                program.helping |= run.calls_out
            if run.retrying:
                program.retrying.add(key)
            if run.looping:
                program.looping.add(key)
            if run.turned:
                program.adding.add(key)
            elif run.mutated:
                program.storing.add(key)
            if not run.mutated and not run.tracks and run.given is not None and key not in program.handed_out:
                program.handed_out[key] = run.given
                program.changed.add((GIVEN, key))
            if run.hands_out:
                _note_giving(program, key, run)
            if run.hands_tools:
                program.handing_tools.add(key.split(":")[0])
        new = [key for key in _ordered(program) if key not in reads]
        stale = [
            key for key in (*sorted(program.modules), *_ordered(program)) if reads.get(key, set()) & program.changed
        ]
        todo = [*new, *(key for key in stale if key not in new)]
        if not todo:
            break
    program.helping |= {name for key in sorted(touched) for name in _decorators_outside(program, key)}
    program.touched = touched
    program.adding = _callers_too(program.adding, calls)
    program.interesting = _callers_too(touched, calls)
    return calls


def _note_giving(program: Program, key: str, run: RootRun) -> None:
    """The callers of a function get a response from it."""
    program.handing_out.setdefault(key.split(":", maxsplit=1)[0], set()).add(run.frame.qualname.rpartition(".")[2])
    if key not in program.giving:
        program.giving.add(key)
        program.changed.add((GIVEN, key))


def _decorators_outside(program: Program, key: str) -> Iterator[str]:
    """The decorators of a function that are defined in no module of the program."""
    info = program.functions.get(key)
    for expr in info.func.decorators if info is not None else ():
        name = dotted_name(expr.func if isinstance(expr, ir.Call) else expr)
        found = program.lookup_global(info.module, name) if info is not None and name is not None else None
        yield from (str(atom.ref) for atom in found or () if atom.kind == "external")


def _callers_too(touched: set[str], calls: dict[str, set[str]]) -> set[str]:
    """The functions that matter and, transitively, those that call them."""
    callers: dict[str, set[str]] = {}
    for key, called in calls.items():
        for callee in called:
            callers.setdefault(callee, set()).add(key)
    found, todo = set(touched), list(touched)
    while todo:
        for caller in callers.get(todo.pop(), ()):
            if caller not in found:
                found.add(caller)
                todo.append(caller)
    return found
