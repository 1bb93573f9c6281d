"""Calls of the project's own functions: interpreted where they are called, with what is known there.

So a helper that checks, a helper that raises, a wrapper that returns the text and a predicate need no special case.
Depth, recursion and the work of one root are bounded; past a bound a call is out of view, which is quiet.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.annotations import annotated
from stoplint.check.flow_bind import bind
from stoplint.check.flow_blocks import note_answer, note_interrupt
from stoplint.check.flow_change import void, void_unknown
from stoplint.check.flow_core import Arguments, evaluate
from stoplint.check.flow_errors import leave
from stoplint.check.flow_escape import escape, exposes, loosen, reach
from stoplint.check.flow_expr import step
from stoplint.check.flow_forget import forget
from stoplint.check.flow_kinds import is_tool_call, put_by
from stoplint.check.flow_loops import note_exit, recursion
from stoplint.check.flow_paths import leave_callee
from stoplint.check.flow_reasons import converted, enum_members
from stoplint.check.flow_results import holds_results, note_handed
from stoplint.check.flow_turns import check_blocks
from stoplint.check.flow_ways import came_out, come_out, joined
from stoplint.check.knowledge import START, DictObj, ListObj, State
from stoplint.check.run import MAX_STEPS, Frame, Run, Stop
from stoplint.check.values import UNKNOWN, Atom, Token, Value, literal, of_kind, ordered, union, value
from stoplint.reasons import EVERY

if TYPE_CHECKING:
    from stoplint.check.program import FunctionInfo


GIVEN = "()"
"""Stands, in what a function of the survey has read, for what another one gives."""


def inline(run: Run, callee: Atom, arguments: Arguments, state: State, at: int) -> Value:
    """Interpret a call of a project function in place."""
    known = _as_before(run, state, at)
    if known is not None:
        return known
    key = str(callee.ref)
    info = run.program.functions[key]
    run.calls.add(key)
    note_handed(run, arguments.all())
    handed_on = any(atom.kind == "func" for atom in arguments.all())  # to something that may call it again
    run.looping = run.looping or any(one.loops for one in run.frames)
    run.retrying = run.retrying or handed_on or any(one.watching and one.loops for one in run.frames)
    run.calls |= {str(atom.ref) for atom in arguments.all() if atom.kind == "func"}
    given = arguments.all() | (value(callee.info) if isinstance(callee.info, Atom) else UNKNOWN)
    tracked = any(_tells(run, key, atom, state) for atom in reach(run, given, state, 3))
    run.touched = run.touched or tracked
    _splatted_inputs(run, key, arguments, state, at)
    if any(atom.kind in ("message", "content", "block", "event", "stream") for atom in given):
        run.judged_by_callers.add(key)
    recursion(run, callee, at, state)
    telling = tracked or any(holds_results(run, atom, state) for atom in arguments.all())
    if not _worth_it(run, key, info, telling=telling) and not _kept_by(run, info, given, tracked=tracked):
        return _unread(run, key, callee, arguments, state, at, tracked=tracked)
    frame = Frame(info.module, info, (*run.frame.path, run.site(at)), _closure(run, key, info, state))
    if any(atom.kind == "tool_input" or is_tool_call(atom) for atom in arguments.all()):
        frame.handed = run.where(at)
        for token in sorted({atom.ref for atom in arguments.all() if atom.kind == "tool_input"}, key=repr):
            note_interrupt(run, token, state)
    _lend(run, frame, arguments)
    caller_env, heap, know, openings = state.env, dict(state.heap), dict(state.know), run.openings
    ways, run.ways = run.ways, None  # those of the statement that calls
    frame.caller_env = caller_env
    run.frames.append(frame)
    try:
        state.env = {}
        _bind_parameters(run, info, callee, arguments, state)
        ends = _run_body(run, info, state)
    finally:
        run.frames.pop()
        run.ways = ways
        state.env = caller_env
    _hand_up(run, frame)
    note_exit(run, frame.counted, broke=False, left=True)
    for val, end in frame.returned:
        if all(atom.kind in ("text", "const") for atom in val):
            run.hand_out(val, at, end, openings)
    result = _merge(run, info, frame, ends, state, caller_env, at)
    forget(run, result, state, heap, know)
    return result


def _as_before(run: Run, state: State, at: int) -> Value | None:
    """What a call gives that the statement at hand has made before, in the way that it is to come out this time."""
    env, heap, know = state.env, dict(state.heap), dict(state.know)
    result = came_out(run, state, at)
    if result is not None:
        state.env = env
        leave_callee(state, len(run.frame.path))
        forget(run, result, state, heap, know)
    return result


def _unread(run: Run, key: str, callee: Atom, arguments: Arguments, state: State, at: int, *, tracked: bool) -> Value:
    """What a call gives that is not looked into: in the survey it is known whether it is a response.  Raises Stop where it
    never comes back.
    """
    kind = run.program.leaves(key)
    if kind is not None:
        leave(run, kind, arguments, state, at)
    if run.sending:
        _let_it_change(run, key, callee, state, at)
    if tracked:
        note_answer(arguments.all(), state, sure=False)
        escape(run, arguments.all(), at, state)
    else:
        loosen(run, reach(run, arguments.all(), state, 2), state)
    if run.max_depth:
        return _made(run, key)
    run.reads.add((GIVEN, key))
    return value(Atom("given", key)) if key in run.program.giving else _made(run, key)


def _let_it_change(run: Run, key: str, callee: Atom, state: State, at: int) -> None:
    """What a call that is not looked into sets is not what it was."""
    set_there = run.program.effects(key)
    inner = run.frame.function is not None and run.program.functions[key].parent == run.frame.function.key
    for name in set_there.variables if inner else ():
        if name in state.env:
            bind(run, ir.Name(name, at), UNKNOWN, state)
    me = callee.info
    if set_there.attributes or set_there.variables:
        void_unknown(state)
    if not isinstance(me, Atom):
        return
    for name in set_there.attributes:
        held = step(run, value(me), "." + name, state, at)
        loosen(run, held, state)
        itself = Atom("symbol", ("attr", me.ref, name))
        for atom in (*of_kind(held, "list", "dict", "symbol"), itself):
            void(run, atom, state)
        known = run.obj(state, me.ref)
        if held and all(atom.kind == "const" for atom in held):
            state.heap[me.ref] = (known if isinstance(known, DictObj) else DictObj(open=True)).having(
                name, value(itself)
            )


def _made(run: Run, key: str) -> Value:
    """The client, or the object of the program's own, that a function makes, or says that it gives."""
    info = run.program.functions[key]
    return run.program.handed_out.get(key) or annotated(run.program, info.module, info.func.returns)


def _hand_up(run: Run, frame: Frame) -> None:
    """What a call raised goes on in its caller."""
    for kind, raised in frame.raised:
        raised.env = dict(frame.caller_env)
        leave_callee(raised, len(run.frame.path))
        run.frame.raised.append((kind, raised))


def _tells(run: Run, key: str, atom: Atom, state: State) -> bool:
    """Whether a call has to be looked into for what it is given."""
    return (
        _tracked(atom)
        or _asks(run, atom)
        or _sent(state, atom)
        or (key in run.program.storing and _is_turn(run, atom, state))
    )


def _tracked(atom: Atom) -> bool:
    if isinstance(atom.ref, Token) and atom.kind not in ("list", "dict", "object", "symbol", "iterator", "partial"):
        return True
    return atom.kind in ("create", "open_stream", "parse", "client", "messages", "partial") or exposes(atom)


def _sent(state: State, atom: Atom) -> bool:
    """A list that was sent: what a helper does with it, the next request shows."""
    obj = state.heap.get(atom.ref) if atom.kind in ("list", "symbol") else None
    return isinstance(obj, ListObj) and bool(obj.sent)


def _is_turn(run: Run, atom: Atom, state: State) -> bool:
    obj = run.obj(state, atom.ref) if atom.kind == "dict" else None
    return isinstance(obj, DictObj) and obj.get("role") is not None


def _asks(run: Run, atom: Atom) -> bool:
    """A function that has to do with the Messages API is handed over: whoever gets it may call it."""
    return atom.kind == "func" and len(run.frames) <= run.max_depth and run.program.is_interesting(str(atom.ref))


def _worth_it(run: Run, key: str, info: FunctionInfo, *, telling: bool) -> bool:
    if len(run.frames) > run.max_depth or run.steps > MAX_STEPS:
        return False
    depth = sum(1 for frame in run.frames if frame.function is info)
    if depth > 1:
        return False
    if key in run.program.adding:  # the history is another one afterwards
        return True
    loops = [one for one in run.frames if one.loops]
    # In a loop, how it fails or whether it gives any text may decide over another attempt.
    repeated = any(one.watching for one in loops) or (loops and key in run.program.wording)
    return telling or (run.program.is_interesting(key) and (bool(repeated) or key not in run.program.inert))


def _lend(run: Run, frame: Frame, arguments: Arguments) -> None:
    """What sends requests is handed over: told is where it was named, however far it goes."""
    if any(atom.kind in sdk.REQUESTS for atom in arguments.all()):
        frame.lent = arguments.lent or run.frame.lent


def _kept_by(run: Run, info: FunctionInfo, given: Value, *, tracked: bool) -> bool:
    """Whether an object is made of something that its methods may call: the survey looks no further than this."""
    surveying = run.max_depth == 0 and len(run.frames) == 1
    return surveying and info.func.name == "__init__" and (tracked or any(atom.kind == "func" for atom in given))


def _closure(run: Run, key: str, info: FunctionInfo, state: State) -> dict[str, Value]:
    if run.frame.function is not None and info.parent == run.frame.function.key:
        return {**run.frame.closure, **state.env}
    found = run.enclosed.get(key)
    return run.program.closures.get(key, {}) if found is None else found


def _bind_parameters(run: Run, info: FunctionInfo, callee: Atom, arguments: Arguments, state: State) -> None:
    params = list(info.func.params)
    positional = list(arguments.positional)
    if isinstance(callee.info, Atom):
        positional.insert(0, value(callee.info))
    keywords = dict(arguments.keywords)
    splatted = _splatted(run, arguments, state)
    for param in params:
        if param.kind == "*":
            ref = run.token(0, f"*{param.name}")
            state.heap[ref] = ListObj(tuple(positional), union(positional) or value(START), union(positional))
            for before, after in itertools.pairwise(positional):
                check_blocks(run, before, after, info.func.at, state)
            state.env[param.name] = value(Atom("list", ref))
            positional = []
        elif param.kind == "**":
            ref = run.token(0, f"**{param.name}")
            state.heap[ref] = DictObj(tuple(keywords.items()), bool(arguments.splats))
            state.env[param.name] = value(Atom("dict", ref))
        elif positional and param.kind != "keyword":
            state.env[param.name] = positional.pop(0) or _anew(run, parameter(run, info, param), state)
        elif param.name in keywords:
            state.env[param.name] = keywords.pop(param.name) or _anew(run, parameter(run, info, param), state)
        elif param.name in splatted:
            state.env[param.name] = splatted[param.name]
        elif inputs := frozenset(a for splat in arguments.splats for a in splat if a.kind == "tool_input"):
            state.env[param.name] = inputs
        elif param.default is not None and not arguments.splats:
            state.env[param.name] = evaluate(run, param.default, state) or parameter(run, info, param)
        else:
            state.env[param.name] = parameter(run, info, param)


def _splatted(run: Run, arguments: Arguments, state: State) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for splat in arguments.splats:
        for atom in splat:
            obj = run.obj(state, atom.ref) if atom.kind == "dict" else None
            if isinstance(obj, DictObj):
                found.update({key: val for key, val in obj.items if isinstance(key, str)})
    return found


def parameter(run: Run, info: FunctionInfo, param: ir.Param) -> Value:
    """What a parameter is when nothing is known of the argument: what its annotation says, else itself."""
    noted = annotated(run.program, info.module, param.note)
    return noted or value(Atom("symbol", Token(run.site(0), run.frame.path, f"{info.key} {param.name}")))


def _anew(run: Run, val: Value, state: State) -> Value:
    """A parameter for an argument of which nothing is known: in another call it may be another one."""
    for atom in val:
        if atom.kind == "symbol":
            void(run, atom, state)
            state.heap.pop(atom.ref, None)
    return val


def _run_body(run: Run, info: FunctionInfo, state: State) -> list[State]:
    from stoplint.check.flow import run_function  # noqa: PLC0415 - statements and calls know each other

    return run_function(run, info, state)


def _merge(
    run: Run, info: FunctionInfo, frame: Frame, ends: list[State], state: State, env: dict[str, Value], at: int
) -> Value:
    """Join the ways a call may end into the caller's state; the value says what each end meant."""
    returned = [*frame.returned, *((value(Atom("const", None, "NoneType")), end) for end in ends)]
    if not returned:
        raise Stop
    whole = _as_test(returned, state)
    if info.func.is_generator:
        whole = value(Atom("iterator", run.token(at, "generator"), frame.yielded))
    if whole is not None:
        state.become([end for _, end in returned])
        returned = [(whole, state.copy())]
    result = joined(come_out(run, returned, state, at))
    state.env = env
    leave_callee(state, len(run.frame.path))
    return result


def _as_test(returned: list[tuple[Value, State]], before: State) -> Value | None:
    """A helper that returns True on some reasons and False on the others is a test of them."""
    if len(returned) < 2:
        return None
    sides: dict[bool, list[State]] = {True: [], False: []}
    for val, end in returned:
        answer = literal(val)
        if not isinstance(answer, bool):
            return None
        sides[answer].append(end)
    if not sides[True] or not sides[False]:
        return None
    for token, known in before.know.items():
        yes = _mask(token, sides[True])
        no = _mask(token, sides[False])
        if not yes & no and (yes | no) & known.remaining == known.remaining:
            return value(Atom("test", token, yes | (EVERY & ~known.remaining)))
    return None


def _mask(token: Token, states: list[State]) -> int:
    mask = 0
    for state in states:
        known = state.know.get(token)
        mask |= known.remaining if known is not None else EVERY
    return mask


def _splatted_inputs(run: Run, key: str, arguments: Arguments, state: State, at: int) -> None:
    """`tool(**block.input)`: whatever the callee does with it, the input is taken at its word."""
    for splat in arguments.splats:
        for atom in ordered(splat):
            if atom.kind == "tool_input":
                run.execute(atom, at, state, key)
                run.use(atom, at, state, "tool_input")


AFTER_INIT = frozenset({"__post_init__", "__attrs_post_init__", "model_post_init"})


def construct(run: Run, cls: Atom, arguments: Arguments, state: State, at: int) -> Value:
    """Make an object of a project class: what it is given is kept in it, its `__init__` is run."""
    key = str(cls.ref)
    program = run.program
    if program.is_enum(key):
        converted(run, enum_members(run, key), arguments.get(0) or UNKNOWN, "enum", at, state)
        return arguments.get(0) or UNKNOWN
    ref = run.token(at, "object")
    made = Atom("object", ref, key)
    note_answer(arguments.all(), state, sure=False)
    _splatted_inputs(run, key, arguments, state, at)
    fields = program.field_names(key)
    items = dict(zip(fields, arguments.positional, strict=False))
    items.update(arguments.keywords)
    kept = tuple((name, put_by(val, state)) for name, val in items.items())
    state.heap[ref] = DictObj(kept, bool(arguments.splats))
    init = program.class_member(key, "__init__")
    if init is not None:
        for method in ordered(init):
            if method.kind == "func":
                state.heap[ref] = DictObj((), open=True)
                inline(run, Atom("func", method.ref, made), arguments, state, at)
    tells = any(atom.kind in ("reason", "message") for atom in arguments.all())
    for validator in _validators(run, key) if tells else ():
        inline(run, Atom("func", validator, made), Arguments(), state, at)
    return value(made)


def _validators(run: Run, key: str) -> list[str]:
    """The methods of a dataclass, an attrs class or a pydantic model that see each object when its fields are set."""
    found: dict[str, str] = {}
    for cls in run.program.lineage(key):
        for name, method in run.program.classes[cls].methods.items() if cls in run.program.classes else ():
            info = run.program.functions[method]
            if name in AFTER_INIT or (info.func.decorators and "model_validator" in run.program.decorator_names(info)):
                found.setdefault(name, method)
    return [method for _, method in sorted(found.items())]
