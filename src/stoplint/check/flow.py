"""Statements: each maps a state to the ways control may leave it.

Python has no goto, so no graph is needed: a block has five exits.  Returns and raises are kept in the frame, because
whoever runs the frame collects them there; falling through, `break` and `continue` are lists of states, one a path.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.annotations import annotated, noted_class
from stoplint.check.flow_bind import bind
from stoplint.check.flow_blocks import (
    enter_blocks,
    finish_blocks,
    note_branch,
    note_break,
    note_continue,
    note_return,
    seen_of,
)
from stoplint.check.flow_builtin import unknown_response
from stoplint.check.flow_change import void
from stoplint.check.flow_cond import branch
from stoplint.check.flow_convert import note_thinned
from stoplint.check.flow_core import Exits, evaluate, evaluate_perhaps
from stoplint.check.flow_errors import assigned, open_again
from stoplint.check.flow_escape import escape, put_away
from stoplint.check.flow_lists import as_list, extended, iterate
from stoplint.check.flow_loops import Loop, ends_inside, finish_function, finish_loop, gathered, note_exit
from stoplint.check.flow_many import note_unvisited, without_unvisited
from stoplint.check.flow_match import run_match
from stoplint.check.flow_mix import choose_default
from stoplint.check.flow_reasons import assigned_for, declared_as, returned_for
from stoplint.check.flow_reports import note_reported, set_apart
from stoplint.check.flow_retry import tried_again
from stoplint.check.flow_shapes import recognise
from stoplint.check.flow_streams import advance
from stoplint.check.flow_try import run_try
from stoplint.check.flow_ways import each_way
from stoplint.check.flow_with import run_with
from stoplint.check.knowledge import ANY, ENDED, RUNNING, ListObj, State, changed, compact
from stoplint.check.names import is_test
from stoplint.check.run import ASSERTED, MAX_STEPS, Run, Stop
from stoplint.check.values import EMPTY_STRING, UNKNOWN, Atom, Value, const, only, value
from stoplint.sdk import MESSAGE_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stoplint.check.program import FunctionInfo

SIMPLE = (ir.Assign, ir.AugAssign, ir.Do, ir.Return, ir.Raise)
"""Statements that hold no others."""

MAX_ROUNDS = 4
"""Rounds of a loop: the knowledge of a response settles in two or three."""


def run_block(run: Run, body: Sequence[ir.Stmt], states: list[State]) -> Exits:
    """Run statements one after another on every path."""
    exits = Exits()
    paths = states
    for statement in body:
        if not paths:
            break
        if run.frame.watching:
            run.frame.watching[-1] += [path.copy() for path in paths]
        following: list[State] = []
        for path in paths:
            run.steps += 1
            if run.steps > MAX_STEPS * 2:
                break
            go = partial(_STATEMENTS[type(statement)], run, statement)
            try:
                ways = each_way(run, path, go) if isinstance(statement, SIMPLE) else [go(path)]
            except Stop:
                ways = []
            for inner in ways:
                exits.absorb(inner)
                following += inner.go
        paths = compact(following) if len(following) > 1 else following
    exits.go = paths
    return exits


def run_function(run: Run, info: FunctionInfo, state: State) -> list[State]:
    """Run a function's body; return the paths that fall off its end.  A retry decorator makes it a loop."""
    recognise(run, info, state, unknown_response)
    first = dict(state.env) if info.func.decorators else {}
    exits = run_block(run, info.func.body, [state])
    for path in compact(tried_again(run, info)):
        path.env = dict(first)
        exits.go += run_block(run, info.func.body, [path]).go
    finish_function(run, run.frame)
    return exits.go


# ------------------------------------------------------------------ simple statements


def _assign(run: Run, node: ir.Assign, state: State) -> Exits:
    if node.value is None:
        noted = annotated(run.program, run.frame.module, node.note)
        if noted:
            for target in node.targets:
                bind(run, target, noted, state)
        return Exits([state])
    val = evaluate(run, node.value, state)
    if node.note is not None and (not val or only(val, "symbol")):
        val = _as_noted(run, node.note, node.at, state) or val
    if node.note is not None and any(atom.kind == "reason" for atom in val):
        declared_as(run, evaluate(run, node.note, state), val, node.at, state)
    for target in node.targets:
        assigned(run, target, val, node.at)
        bind(run, target, assigned_for(run, target, val, node.at, state), state, node.value)
    return Exits([state])


def _as_noted(run: Run, note: ir.Expr, at: int, state: State) -> Value:
    """What the annotation of a variable says of a value out of view: `answer: Message = await call(...)` is a response."""
    if noted_class(run.program, run.frame.module, note) in MESSAGE_CLASSES:
        token = run.token(at, "annotated")
        unknown_response(run, token, state)
        run.renew(token, state)
        return value(Atom("message", token))
    return annotated(run.program, run.frame.module, note)


def _aug_assign(run: Run, node: ir.AugAssign, state: State) -> Exits:
    before = evaluate(run, node.target, state)
    val = evaluate(run, node.value, state)
    atom = only(before, "list", "symbol")
    obj = run.obj(state, atom.ref) if atom else None
    if node.op == "+" and atom is not None and (isinstance(obj, ListObj) or only(val, "list")):
        run.mutated = run.mutated or atom.kind == "symbol" or atom.ref not in state.heap
        void(run, atom, state)
        state.heap[atom.ref] = extended(run, as_list(run, before, state), as_list(run, val, state), node.at, state)
        return Exits([state])
    if isinstance(node.target, ir.Name):
        put_away(run, val, node.at, state, (node.target.id,))
    kept = frozenset(a for a in before | val if a.kind in ("text", "tool_input", "reason", "reason_like", "dump"))
    consts = frozenset(a for a in before if a.kind == "const") if kept else UNKNOWN
    if any(atom.kind == "text" for atom in val) and not val >= EMPTY_STRING:
        consts -= EMPTY_STRING  # nothing and a text is that text
    bind(run, node.target, kept | consts, state)
    return Exits([state])


def _do(run: Run, node: ir.Do, state: State) -> Exits:
    evaluate(run, node.value, state)
    return Exits([state])


def _return(run: Run, node: ir.Return, state: State) -> Exits:
    val = evaluate(run, node.value, state) if node.value is not None else const(None)
    returned_for(run, val, node.at, state)
    promised = run.frame.function.func.returns if run.frame.function is not None else None
    if promised is not None and any(atom.kind == "reason" for atom in val):
        declared_as(run, evaluate(run, promised, state), val, node.at, state)
    val = note_return(run, node.at, val, state)
    if len(run.frames) == 1:
        escape(run, val, node.at, state)
    run.frame.returned.append((val, state))
    return Exits()


def _raise(run: Run, node: ir.Raise, state: State) -> Exits:
    kind = None
    for expr in (node.value, node.cause):
        if expr is None:
            continue
        val = evaluate(run, expr, state)
        callee = expr.func if isinstance(expr, ir.Call) else expr
        if expr is node.value and isinstance(callee, (ir.Name, ir.Attr)):
            kind = callee.id if isinstance(callee, ir.Name) else callee.name
        for atom in val:
            if atom.kind in ("reason", "reason_like", "dump"):
                run.expose(atom.ref, state, atom.kind)
    run.frame.raised.append((kind or "Exception", state))
    return Exits()


def _break(run: Run, node: ir.Break, state: State) -> Exits:
    note_break(run, node.at, state)
    return Exits(broke=[state])


def _continue(run: Run, node: ir.Continue, state: State) -> Exits:
    note_continue(run, node.at, state)
    return Exits(continued=[state])


def _assert(run: Run, node: ir.Assert, state: State) -> Exits:
    if is_test(run.frame.module.name):
        run.excused.add(ASSERTED)
    yes, no = branch(run, node.test, state)
    if node.message is not None and no:
        evaluate_perhaps(run, node.message, no[0])
    return Exits(yes)


def _delete(run: Run, node: ir.Delete, state: State) -> Exits:
    for target in node.targets:
        if isinstance(target, ir.Name):
            state.env.pop(target.id, None)
        elif isinstance(target, ir.Index):
            for atom in evaluate(run, target.obj, state):
                obj = run.obj(state, atom.ref) if atom.kind in ("list", "symbol") else None
                if isinstance(obj, ListObj):
                    state.heap[atom.ref] = ListObj(None, value(ANY), obj.members, open=True, sent=changed(obj.sent))
    return Exits([state])


def _scope(run: Run, node: ir.Scope, state: State) -> Exits:
    run.frame.outer |= frozenset(node.names)
    if node.kind == "global":
        run.frame.shared |= frozenset(node.names)
    return Exits([state])


def _def(run: Run, node: ir.Def, state: State) -> Exits:
    key = run.program.add_function(run.frame, node.func)
    run.enclose(key, {**run.frame.closure, **state.env} if run.frame.function else {})
    if run.frame.function is not None:
        state.env[node.func.name] = value(Atom("func", key))
    return Exits([state])


def _class(run: Run, node: ir.Class, state: State) -> Exits:
    key = run.program.add_class(run.frame, node)
    inner = State({}, state.know, state.heap)
    for statement in node.body:
        if isinstance(statement, (ir.Assign, ir.AugAssign)):
            run_block(run, [statement], [inner])
            for name, val in inner.env.items():
                run.program.set_class_constant(key, name, val, state)
    if run.frame.function is not None:
        state.env[node.name] = value(Atom("class", key))
    return Exits([state])


def _import(run: Run, node: ir.Import, state: State) -> Exits:
    for alias in node.names:
        if alias.name != "*" and run.frame.function is not None:
            state.env[alias.local] = run.program.imported(alias, run.frame.module.name)
    return Exits([state])


# ------------------------------------------------------------------ compound statements


def _if(run: Run, node: ir.If, state: State) -> Exits:
    asked, sized, frame, of_error = run.free_tests, run.size_tests, run.frame, run.error_tests
    yes, no = branch(run, node.test, state)
    free = run.free_tests > asked
    of_error = run.error_tests - of_error
    sized = run.size_tests - sized
    apart = set_apart(yes, no)
    exits = Exits()
    sides: list[list[State]] = []
    for body, paths, unfinished in zip((node.body, node.orelse), (yes, no), apart, strict=True):
        if not paths:
            continue
        note_reported(run, body, unfinished)
        ways_out, raised = len(frame.returned) + len(frame.raised), len(frame.raised)
        inner = run_block(run, body, compact(paths)) if body else Exits(paths)
        if free and sized > 0 and inner.continued:
            frame.loops[-1].bounded = True
        note_exit(run, free, broke=bool(inner.broke), left=len(frame.returned) + len(frame.raised) > ways_out)
        frame.counted = frame.counted or (free and sized > 0 and len(frame.raised) > raised)
        exits.absorb(inner)
        exits.go += inner.go
        sides.append(inner.go)
    if len(sides) > 1:
        note_branch(run, node.at, *sides)
        note_thinned(run, node.test, *sides)
        choose_default(run, node, state, exits.go)
    if of_error and len(sides) > 1 and not all(sides):
        for path in exits.go:
            open_again(path)
    return exits


def _loop(
    run: Run,
    body: Sequence[ir.Stmt],
    orelse: Sequence[ir.Stmt],
    state: State,
    enter: Callable[[State], tuple[list[State], list[State]]],
    loop: Loop,
) -> Exits:
    """Run a loop until its head state settles.  `enter` gives the paths into the body and past the loop."""
    heads = [state]
    left: list[State] = []
    exits = Exits()
    run.frame.loops.append(loop)
    for _ in range(MAX_ROUNDS):
        inside: list[State] = []
        left = []
        for head in heads:
            entered, past = enter(head.copy())
            inside += entered
            left += past
        loop.inside = [one.copy() for one in inside]
        inner = run_block(run, body, compact(inside)) if inside else Exits()
        exits.broke += inner.broke
        for token in loop.blocks:
            loop.blocks[token] |= seen_of(token, [*inner.go, *inner.continued, *inner.broke])
        grown = compact([*(head.copy() for head in heads), *inner.go, *inner.continued])
        if _settled(heads, grown):
            break
        heads = grown
    run.frame.loops.pop()
    finish_loop(run, loop)
    finish_blocks(run, loop, [*left, *exits.broke])
    done = run_block(run, orelse, compact(left)) if orelse and left else Exits(left)
    return Exits(compact([*done.go, *exits.broke]), done.broke, done.continued)


def _settled(before: list[State], after: list[State]) -> bool:
    return len(before) == len(after) and all(one.same(two) for one, two in zip(before, after, strict=True))


def _while(run: Run, node: ir.While, state: State) -> Exits:
    loop = Loop(run.where(node.at), kept=frozenset((*state.env, *state.heap)))

    def enter(head: State) -> tuple[list[State], list[State]]:
        asked = run.free_tests
        paths = branch(run, node.test, head)
        loop.bounded = loop.bounded or run.free_tests > asked
        return paths

    return _loop(run, node.body, node.orelse, state, enter, loop)


def _for(run: Run, node: ir.For, state: State) -> Exits:
    items = evaluate(run, node.iter, state)
    begun, known, asked = dict(state.env), dict(state.know), run.free_tests
    entered = frozenset({("entered", run.where(node.at))})
    state.facts.pop(entered, None)  # of the time before, in a loop around this one

    def enter(head: State) -> tuple[list[State], list[State]]:
        past = head.copy()
        advance(items, past, ENDED)
        advance(items, head, RUNNING)
        inner = iterate(run, items, head)
        loop.over.update(atom.ref for atom in inner)
        bind(run, node.target, inner, head)
        enter_blocks(run, loop, inner, head)
        if not past.facts.get(entered):
            head.facts[entered] = True
            note_unvisited(inner if past.env == begun else UNKNOWN, past)
            return [head], [past]
        return [head], [] if ends_inside(node) else [past]

    loop = Loop(run.where(node.at), bounded=True, kept=frozenset((*begun, *state.heap)))
    exits = _loop(run, node.body, node.orelse, state, enter, loop)
    if run.free_tests == asked:
        gathered(loop, begun, exits.go)
    without_unvisited(loop.over, known, exits.go)
    return exits


def _with(run: Run, node: ir.With, state: State) -> Exits:
    return run_with(run, node, state, run_block)


def _try(run: Run, node: ir.Try, state: State) -> Exits:
    return run_try(run, node, state, run_block)


def _match(run: Run, node: ir.Match, state: State) -> Exits:
    return run_match(run, node, state, run_block)


_STATEMENTS: dict[type, Callable[..., Exits]] = {
    ir.Assign: _assign,
    ir.AugAssign: _aug_assign,
    ir.Do: _do,
    ir.If: _if,
    ir.While: _while,
    ir.For: _for,
    ir.Try: _try,
    ir.With: _with,
    ir.Match: _match,
    ir.Return: _return,
    ir.Raise: _raise,
    ir.Break: _break,
    ir.Continue: _continue,
    ir.Assert: _assert,
    ir.Delete: _delete,
    ir.Scope: _scope,
    ir.Def: _def,
    ir.Class: _class,
    ir.Import: _import,
}
