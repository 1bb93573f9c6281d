"""Solving a program: survey every function for what outlives a call, then interpret the ones that matter.

The survey interprets each function without entering the functions it calls, again as long as an attribute or global that
it read has grown.  It finds clients, factories, constants, and which functions have to do with the Messages API.  Then
every such function is a root: interpreted with the calls inside it, its events handed to the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import (
    flow_call,  # noqa: F401 - registers calls
    flow_comp,  # noqa: F401 - registers comprehensions
    ir,
)
from stoplint.check.annotations import noted_class
from stoplint.check.flow import run_block, run_function
from stoplint.check.flow_builtin import unknown_response
from stoplint.check.flow_escape import reach
from stoplint.check.flow_inline import GIVEN, parameter
from stoplint.check.flow_kinds import API_KINDS, TELLING, is_call, is_tool_call, with_reason
from stoplint.check.flow_turns import kept_turns
from stoplint.check.index import dotted_name, is_declared_only
from stoplint.check.knowledge import EMPTY, NONEMPTY, DictObj, ListObj, State
from stoplint.check.lasting import keep
from stoplint.check.names import is_test
from stoplint.check.run import MAX_DEPTH, Frame, Run, Stop
from stoplint.check.values import Atom, Value, value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.check.events import Event
    from stoplint.check.program import FunctionInfo, ModuleInfo, Program

MAX_ROUNDS = 4
"""Rounds of the survey: a client handed from attribute to attribute settles in two or three."""

NOTHING = Atom("const", None, "NoneType")

HANDED_OUT = frozenset(
    {"given", "message", "stream_manager", "stream", "raw_stream", "event", "raw_response", "runner", "thread"}
)


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

    A call that may fail for an empty answer and is tried again is; so is one that changes a list beside one that sends it.
    """
    if key in program.touched or program.functions[key].func.decorators:
        return False
    if key in program.retrying and not program.failing.isdisjoint(called):
        return False
    # What a test makes of text says nothing of the code that gives it, with the reason beside it.
    inert = program.inert | program.pairing if is_test(key.split(":", maxsplit=1)[0]) else program.inert
    if not program.sending.isdisjoint(called):
        return inert.issuperset(called)
    # What only drafts is looked into: whoever sends the draft has to know it.
    return not program.drafting.issuperset(called) and (inert | program.filling | program.drafting).issuperset(called)


def _inherit(program: Program, key: str, called: list[str]) -> None:
    """A function that was not interpreted does to its callers what those do that it calls."""
    for kinds in (program.failing, program.sending, program.filling, program.drafting):
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


# ------------------------------------------------------------------ roots


class RootRun(Run):
    """A run and what was found in it."""

    found: list[Event]
    hands_out: bool = False
    """Its callers get a response, or a stream of one, from it."""
    hands_tools: bool = False
    """Its callers get tool calls of a response, and may run them."""
    given: Value | None = None
    """What it returns, where all of that is the same for every call, as a client is."""
    handing: bool = False
    """What it returns holds something of a response, or what makes a request."""
    pairing: bool = False
    """What it returns holds text and, beside it, the reason."""
    drafting: bool = False
    """What it returns holds turns, blocks or tools for a request."""
    failing: bool = False
    """It may fail because of what an answer is, or gives tool input, which is validated where it is tried again."""


def run_module(program: Program, module: ModuleInfo, max_depth: int = MAX_DEPTH) -> RootRun:
    """Interpret the statements of a module; keep its globals."""
    frame = Frame(module, None)
    run = RootRun(program, frame, max_depth=max_depth)
    exits = run_block(run, module.ir.body, [State()])
    for state in exits.go:
        for name, val in sorted(state.env.items()):
            if name.isidentifier():
                keep(program, program.globals, (module.name, name), val, state)
    run.found = run.finish([*exits.go, *(end for _, end in frame.returned)])
    return run


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


def run_root(program: Program, info: FunctionInfo, max_depth: int = MAX_DEPTH, cls: str | None = None) -> RootRun:
    """Interpret a function on its own: nothing is known of its arguments but what their annotations say.  `cls`: the
    class whose object it is a method of, where that is an heir of the one that defines it.
    """
    frame = Frame(info.module, info, closure=program.closures.get(info.key, {}))
    run = RootRun(program, frame, max_depth=max_depth)
    state = State()
    for position, param in enumerate(info.func.params):
        state.env[param.name] = _argument(run, info, position, state, cls or info.cls)
    if program.retried_after(info) is not None:
        frame.watching.append([])
    try:
        ends = run_function(run, info, state)
    except Stop:
        ends = []
    over = [*ends, *(end for _, end in frame.returned)]
    handed = [*frame.returned, *((frame.yielded, end) for end in over[:1])]
    if any(_matters(run, val, end) for val, end in handed):
        run.touched = True
    run.hands_out = any(atom.kind in HANDED_OUT for val, _ in handed for atom in val) or any(
        with_reason(held) or _with_a_reason(held) for held in (reach(run, val, end, 2) for val, end in handed)
    )
    run.given = _given(frame.returned)
    run.hands_tools = not run.hands_out and any(
        atom.kind == "tool_input" or is_tool_call(atom) for val, end in handed for atom in reach(run, val, end)
    )
    run.handing, run.drafting = _hands_out(run, handed), any(_matters(run, val, end) for val, end in handed)
    inputs = (atom.kind == "tool_input" for val, end in frame.returned for atom in reach(run, val, end, 1))
    run.failing = run.positional or any(inputs) or _fails_for_an_answer(run)
    for end in over:
        kept_turns(run, end)
    run.found = run.finish(over)
    return run


def _with_a_reason(held: frozenset[Atom]) -> bool:
    """Whether the `stop_reason` of something unknown goes along with other things."""
    return len(held) > 1 and any(
        atom.kind == "symbol" and isinstance(atom.ref, tuple) and atom.ref[-1] == "stop_reason" for atom in held
    )


def _given(returned: list[tuple[Value, State]]) -> Value | None:
    """What a function gives that makes clients, or objects of the program's own, as their classes are known by."""
    atoms = {atom for val, _ in returned for atom in val}
    if not atoms or any(atom.kind not in ("client", "object") for atom in atoms if atom != NOTHING):
        return None
    if any(atom.kind == "object" for atom in atoms) and not all(val for val, _ in returned):
        return None
    return frozenset(
        Atom("object", ("instance", a.info), a.info) if a.kind == "object" else a for a in atoms - {NOTHING}
    )


def _fails_for_an_answer(run: RootRun) -> bool:
    """Whether an exception is raised where something is known of an answer."""
    for _, state in run.frame.raised:
        for token, known in state.know.items():
            track = run.tracks.get(token)
            if known.content != EMPTY | NONEMPTY or (track and known.remaining != track.request.possible):
                return True
    return False


def _hands_out(run: RootRun, handed: list[tuple[Value, State]]) -> bool:
    """Whether something of a response, or what makes a request, is given to the callers."""
    for val, state in handed:
        held = reach(run, val, state)
        run.pairing = run.pairing or with_reason(held)
        for atom in held:
            if atom.kind in TELLING or (atom.kind == "func" and run.program.is_interesting(str(atom.ref))):
                return True
            if atom.kind in ("dict", "object") and is_call(run.obj(state, atom.ref)):
                return True
    return False


def _argument(run: Run, info: FunctionInfo, position: int, state: State, cls: str | None) -> Value:
    param = info.func.params[position]
    names = run.program.decorator_names(info)
    if position == 0 and cls is not None and info.parent is None and "staticmethod" not in names:
        if "classmethod" in names:
            return value(Atom("class", cls))
        return value(Atom("object", ("instance", cls), cls))
    noted = noted_class(run.program, info.module, param.note)
    if noted in sdk.MESSAGE_CLASSES:
        return unknown_response(run, run.token(info.func.at, f"parameter {param.name}"), state)
    if noted in sdk.EVENT_CLASSES or noted in sdk.EVENT_UNIONS:
        types = frozenset({sdk.EVENT_CLASSES[noted]}) if noted in sdk.EVENT_CLASSES else None
        response = unknown_response(run, run.token(info.func.at, f"parameter {param.name}"), state)
        return frozenset(Atom("event", atom.ref, types) for atom in response)
    return parameter(run, info, param)


def _matters(run: Run, val: Value, state: State) -> bool:
    """Whether a returned value is of the Messages API, or a turn or block written as a dict."""
    for atom in val:
        if atom.kind in API_KINDS or atom.kind == "partial":
            return True
        obj = run.obj(state, atom.ref) if atom.kind in ("dict", "list") else None
        if isinstance(obj, DictObj) and (obj.get("role") or obj.get("type")):
            return True
        if isinstance(obj, ListObj) and any(_matters(run, value(a), state) for a in obj.members if a.kind == "dict"):
            return True
    return False
