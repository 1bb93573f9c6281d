"""Roots: one function, or the statements of a module, interpreted on its own, and what its callers have to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import (
    flow_call,  # noqa: F401 - registers calls
    flow_comp,  # noqa: F401 - registers comprehensions
)
from stoplint.check.annotations import noted_class
from stoplint.check.flow import run_block, run_function
from stoplint.check.flow_builtin import unknown_response
from stoplint.check.flow_escape import reach
from stoplint.check.flow_inline import parameter
from stoplint.check.flow_kinds import API_KINDS, TELLING, is_call, is_tool_call, with_reason
from stoplint.check.flow_turns import kept_turns
from stoplint.check.knowledge import EMPTY, NONEMPTY, DictObj, ListObj, State
from stoplint.check.lasting import keep
from stoplint.check.run import MAX_DEPTH, Frame, Run, Stop
from stoplint.check.values import Atom, Value, const, value

if TYPE_CHECKING:
    from stoplint.check.events import Event
    from stoplint.check.program import FunctionInfo, ModuleInfo, Program

HANDED_OUT = frozenset(
    {"given", "message", "stream_manager", "stream", "raw_stream", "event", "raw_response", "runner", "thread"}
)


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
    wording: bool = False
    """It gives text of answers: there may be none, and it may be called again for that."""
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
    run.wording = any(atom.kind == "text" and atom.ref in run.tracks for val, _ in frame.returned for atom in val)
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
    made = atoms - const(None)
    if not made or any(atom.kind not in ("client", "object") for atom in made):
        return None
    if any(atom.kind == "object" for atom in made) and not all(val for val, _ in returned):
        return None
    return frozenset(Atom("object", ("instance", a.info), a.info) if a.kind == "object" else a for a in made)


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
