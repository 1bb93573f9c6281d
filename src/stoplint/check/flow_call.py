"""Calls: what is called, and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.flow_blocks import note_answer
from stoplint.check.flow_builtin import HANDED, call_external
from stoplint.check.flow_core import Arguments, call, call_perhaps, callee_name, calls, evaluate, evaluates, path_of
from stoplint.check.flow_errors import ERRORS, built_by_call, leave
from stoplint.check.flow_escape import escape
from stoplint.check.flow_execute import execute_inputs, execute_named, is_display
from stoplint.check.flow_expr import step
from stoplint.check.flow_inline import construct, inline
from stoplint.check.flow_lists import inspect, iterate
from stoplint.check.flow_methods import call_method
from stoplint.check.flow_names import attribute_chain
from stoplint.check.flow_request import header_betas, make_request, request_kind
from stoplint.check.flow_results import note_handed
from stoplint.check.flow_wrappers import call_declared
from stoplint.check.index import is_declared_only
from stoplint.check.leaving import LEAVING, is_parsers
from stoplint.check.names import is_standard
from stoplint.check.values import UNKNOWN, Atom, BlockInfo, Value, Where, ordered, union, value

if TYPE_CHECKING:
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run


@evaluates(ir.Call)
def _call(run: Run, expr: ir.Call, state: State) -> Value:
    if isinstance(expr.func, ir.Attr):
        base = evaluate(run, expr.func.obj, state)
        arguments = _arguments(run, expr, state)
        handled = call_method(run, base, expr.func.name, arguments, state, expr.at, path_of(expr.func.obj))
        if handled is not None:
            return handled
        callee = step(run, base, "." + expr.func.name, state, expr.func.at, expr.func.obj)
        if is_parsers(expr.func) and not any(atom.kind == "func" for atom in callee):
            leave(run, "SystemExit", arguments, state, expr.at)
        if not callee:
            return _unknown(run, expr.func.name, base, arguments, state, expr.at)
    else:
        callee = evaluate(run, expr.func, state)
        arguments = _arguments(run, expr, state)
    built_by_call(run, expr, callee, arguments)
    name = callee_name(expr.func)
    execute_named(run, expr.func, callee, arguments, state, expr.at)
    if name in _PATH_TESTS and expr.args:
        return call_external(run, "builtins." + name, arguments, state, expr.at, path_of(expr.args[0].value))
    made = _apply(run, callee, arguments, state, expr.at, name)
    if name in DUMPING and not arguments.keywords.keys() & {"exclude_none", "exclude_unset"} and not arguments.splats:
        return frozenset(with_nulls(atom) for atom in made)
    return made


DUMPING = frozenset({"model_dump", "dict"})
"""Methods that write out the fields that the API did not send, as None."""

_PATH_TESTS = frozenset({"isinstance", "hasattr", "getattr"})


def with_nulls(atom: Atom) -> Atom:
    """A block or message dumped with the fields that were not sent."""
    if atom.kind == "block" and isinstance(atom.info, BlockInfo):
        return Atom("block", atom.ref, atom.info._replace(nulls=True))
    return Atom("message", atom.ref, "nulls") if atom.kind == "message" else atom


def _arguments(run: Run, expr: ir.Call, state: State) -> Arguments:
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    splats: list[Value] = []
    rest: Value | None = None
    lent: Where | None = None
    for arg in expr.args:
        val = evaluate(run, arg.value, state)
        if isinstance(arg.value, ir.Attr) and any(atom.kind in sdk.REQUESTS for atom in val):
            lent = run.where(arg.value.at)
        run.error_tests += any(atom.kind in ERRORS for atom in val)
        if arg.star == "**":
            splats.append(val)
        elif arg.star == "*":
            rest = (rest or UNKNOWN) | val
        elif arg.keyword is not None:
            keywords[arg.keyword] = val
        else:
            positional.append(val)
    return Arguments(tuple(positional), keywords, tuple(splats), rest, lent)


@calls
def apply_value(run: Run, callee: Value, arguments: Arguments, state: State, at: int) -> Value:
    return _apply(run, callee, arguments, state, at, "")


def _apply(run: Run, callee: Value, arguments: Arguments, state: State, at: int, name: str) -> Value:
    if not callee:
        return _unknown(run, name, UNKNOWN, arguments, state, at)
    return union(_apply_atom(run, atom, arguments, state, at, name) for atom in ordered(callee))


def _apply_atom(run: Run, atom: Atom, arguments: Arguments, state: State, at: int, name: str) -> Value:
    kind = request_kind(run, atom, arguments, state)
    if kind is not None:
        return make_request(run, kind, arguments, state, at, atom.info if isinstance(atom.info, tuple) else ())
    if atom.kind == "mock":
        escape(run, arguments.all(), at, state, shown=True)
        return value(atom)
    declared = call_declared(run, atom, arguments, state, at)
    if declared is not None:
        return declared
    if atom.kind == "func":
        info = run.program.functions[str(atom.ref)]
        if info.cls is not None and is_declared_only(info.func):  # what is called in its place is out of view
            run.calls.add(info.key)
            return _unknown(run, name or info.func.name, UNKNOWN, arguments, state, at)
        return inline(run, atom, arguments, state, at)
    if atom.kind == "class":
        return construct(run, atom, arguments, state, at)
    if atom.kind == "partial" and isinstance(atom.info, tuple):
        inner, positional, keywords, splats = atom.info
        merged = Arguments(
            (*positional, *arguments.positional),
            {**dict(keywords), **arguments.keywords},
            (*splats, *arguments.splats),
            arguments.rest,
        )
        return call(run, inner, merged, state, at)
    if atom.kind == "external":
        kind = LEAVING.get(str(atom.ref).removeprefix("builtins."))
        if kind is not None:
            leave(run, kind, arguments, state, at)
        return call_external(run, str(atom.ref), arguments, state, at, None)
    following = sdk.STEPS.get((atom.kind, "()"))
    if following is not None:
        if following == "client":
            return value(
                Atom("client", None, header_betas(run, arguments.keywords.get("default_headers"), state) or atom.info)
            )
        return _sdk_call(atom, following)
    if atom.kind == "object":
        method = step(run, value(atom), ".__call__", state, at)
        if any(a.kind == "func" for a in method):
            return _apply(run, method, arguments, state, at, name)
    if atom.kind == "symbol" and not name:
        chain = attribute_chain(atom.ref)
        name = chain[-1] if chain else ""
    return _unknown(run, name, UNKNOWN, arguments, state, at)


def _sdk_call(atom: Atom, following: str) -> Value:
    if following in ("block", "event", "event_block", "event_message"):
        info = atom.info if atom.info is not None else (BlockInfo() if following.endswith("block") else None)
        return value(Atom(following, atom.ref, info))
    return value(Atom(following, atom.ref))


MAPS = frozenset({"map", "imap", "imap_unordered"})
"""Methods of executors and pools that call a function for each of many items."""

VALIDATORS = frozenset({"model_validate_json", "validate_json", "parse_raw"})
"""Pydantic's parsers of JSON text."""


def _unknown(run: Run, name: str, base: Value, arguments: Arguments, state: State, at: int) -> Value:
    """A call of something that cannot be read.  What it is given leaves view; when it is given something to call, what
    comes back is taken to be what that gives: `retry(client.messages.create, **options)`.
    """
    handed = [a for val in (*arguments.positional, *arguments.keywords.values()) for a in val if _callable(a)]
    if name == "create_task" and arguments.positional:
        return arguments.positional[0]
    if name in MAPS and handed and arguments.positional and handed[0] in arguments.positional[0]:
        items = Arguments(tuple(iterate(run, val, state) for val in arguments.positional[1:]))
        return value(Atom("iterator", run.token(at), call(run, arguments.positional[0], items, state, at)))
    shown = is_display(name)
    if name and not shown and not run.max_depth:
        _want_method(run, name, arguments)
    if name in VALIDATORS:
        run.parse(arguments.all(), "ValidationError", at, state)
    execute_inputs(run, name, arguments, state, at)
    if not shown:
        for atom in arguments.all():
            if atom.kind == "list":
                inspect(run, atom)
        note_answer(arguments.all(), state, sure=False)
        note_handed(run, arguments.all())
    escape(run, arguments.all(), at, state, shown=shown)
    if handed and not arguments.keywords and not arguments.splats and len(arguments.positional) < 2:
        return union(arguments.positional)  # wrapped: the request is sent where that is called
    for atom in sorted(handed, key=repr):
        if arguments.positional and atom in arguments.positional[0]:
            given = arguments.without(1)
        else:
            keywords = {name: val for name, val in arguments.keywords.items() if atom not in val}
            given = Arguments((), keywords, arguments.splats, lent=arguments.lent)
        return call_perhaps(run, value(atom), given, state, at)
    if name == "result" and base:
        return base
    return UNKNOWN


def _want_method(run: Run, name: str, arguments: Arguments) -> None:
    """A method gets an answer, of an object that is out of view: its class may be one that the module imports."""
    if not any(atom.kind in HANDED for atom in arguments.all()):
        return
    module = run.frame.module
    for alias in module.index.imports.values():
        for atom in run.program.imported(alias, module.name) if alias.local[:1].isupper() else ():
            if atom.kind == "external" and not is_standard(str(atom.ref)):
                run.program.methods.add((str(atom.ref), name))


def _callable(atom: Atom) -> bool:
    return atom.kind in sdk.REQUESTS or atom.kind in ("func", "partial")
