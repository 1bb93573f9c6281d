"""Exceptions that a handler binds, and what it makes up for the answer that did not come."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.events import ErrorCompared, ErrorRead, ReasonInvented
from stoplint.check.flow_core import set_path
from stoplint.check.flow_escape import escape, reach
from stoplint.check.knowledge import EMPTY, NONEMPTY
from stoplint.check.run import Stop
from stoplint.check.values import UNKNOWN, Atom, Value, text_of, value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stoplint.check.flow_core import Arguments
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run

BROAD = frozenset({"builtins.Exception", "builtins.BaseException", ""})
STATUS, CONNECTION, ANY_ERROR = "anthropic.APIStatusError", "anthropic.APIConnectionError", "anthropic.APIError"

APART = frozenset(
    {"error", "errors", "is_error", "exception", "failed", "failure", "success", "ok", "status", "error_type"}
)
"""Fields that tell a failure from an answer by themselves."""


def caught(run: Run, types: Value, earlier: frozenset[str], state: State) -> tuple[Value, frozenset[str]]:
    """The exception that a handler of these classes binds, and the names of the classes; `earlier` are those of the
    handlers before it: what they took does not arrive here.
    """
    names = {str(atom.ref) for atom in reach(run, types, state, 2) if atom.kind in ("external", "class")}
    names = {f"anthropic.{one.rsplit('.', 1)[-1]}" if is_ours(one) else one for one in names}
    left = {STATUS if one == ANY_ERROR and CONNECTION in earlier else one for one in names}
    return value(Atom("exception", tuple(sorted(left)))), frozenset(names)


def is_ours(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] in sdk.OWN_MODULES


def fails_requests(names: frozenset[str]) -> bool:
    """Whether a handler of these classes (none: a bare one) sees a request fail."""
    return not names or any(one in BROAD or is_ours(one) for one in names)


def leave(run: Run, kind: str, arguments: Arguments, state: State, at: int) -> NoReturn:
    """A call does not come back: it raises an exception of that name.  Raises Stop: this path is over."""
    escape(run, arguments.all(), at, state, shown=True)
    run.frame.raised.append((kind, state.copy()))
    raise Stop


def error_member(run: Run, atom: Atom, name: str, state: State, at: int, path: str | None) -> Value:
    """An attribute or item of a caught exception, or of what was taken from it.  Past a read of its status it has one."""
    if atom.kind == "exception" and isinstance(atom.ref, tuple):
        guards = frozenset().union(*(guard for frame in run.frames for guard in frame.guards))
        run.emit(ErrorRead(run.where(at), name[1:], atom.ref, guards))
        if name == ".status_code" and path is not None:
            set_path(path, _only(STATUS), state)
    return as_text(value(atom))


def as_text(val: Value) -> Value:
    """What is written of an exception says what the exception says."""
    return frozenset(Atom("exception_text", a.ref) if a.kind == "exception" else a for a in val)


def error_compared(run: Run, error: Value, values: tuple[str, ...] | None, at: int) -> None:
    for atom in sorted(error, key=repr):
        if atom.kind == "exception_text" and values and isinstance(atom.ref, tuple):
            run.emit(ErrorCompared(run.where(at), values, atom.ref))


def narrow_error(path: str, subject: Value, names: Iterable[str], attribute: str) -> Value:
    """`isinstance(error, ...)` and `hasattr(error, "status_code")`: which classes are left on each side."""
    if attribute:
        return (
            value(Atom("path_test", path, (subject, _only(STATUS), subject))) if attribute == "status_code" else UNKNOWN
        )
    tested = tuple(sorted(f"anthropic.{name}" for name in names))
    others = subject
    if CONNECTION in tested:
        others = frozenset(
            Atom(a.kind, tuple(STATUS if one == ANY_ERROR else one for one in a.ref)) if isinstance(a.ref, tuple) else a
            for a in subject
        )
    return value(Atom("path_test", path, (subject, _only(*tested), others)))


def _only(*names: str) -> Value:
    return value(Atom("exception", names))


# ------------------------------------------------------------------ results made up in a handler


def in_failed_request(run: Run) -> bool:
    """Whether control is in a handler of a failed request and no other request was made since."""
    return any(frame.failed and frame.failed[-1] == run.requests for frame in run.frames)


def built_by_call(run: Run, expr: ir.Call, callee: Value, arguments: Arguments) -> None:
    """`Message(..., stop_reason="end_turn")`, or a result class of the program, in such a handler."""
    if "stop_reason" not in arguments.keywords or not in_failed_request(run):
        return
    ours = all(atom.kind == "class" or (atom.kind == "external" and _is_message(str(atom.ref))) for atom in callee)
    if callee and ours and not APART & arguments.keywords.keys():
        place = next((arg.value for arg in expr.args if arg.keyword == "stop_reason"), expr)
        invented(run, arguments.keywords["stop_reason"], getattr(place, "at", 0) or expr.at)


def _is_message(dotted: str) -> bool:
    return is_ours(dotted) and any(part in sdk.MESSAGE_CLASSES for part in dotted.split("."))


def built_as_dict(run: Run, expr: ir.Dict, items: dict[object, Value]) -> None:
    if "stop_reason" not in items or not in_failed_request(run) or APART & items.keys():
        return
    place = next((v for key, v in expr.items if isinstance(key, ir.Const) and key.value == "stop_reason"), expr)
    invented(run, items["stop_reason"], getattr(place, "at", 0) or expr.at)


def assigned(run: Run, target: ir.Expr, val: Value, at: int) -> None:
    """`stop_reason = "end_turn"`, `result.stop_reason = ...`, `result["stop_reason"] = ...`."""
    if not in_failed_request(run):
        return
    name = target.id if isinstance(target, ir.Name) else target.name if isinstance(target, ir.Attr) else ""
    if isinstance(target, ir.Index) and isinstance(target.key, ir.Const):
        name = str(target.key.value)
    if name == "stop_reason":
        invented(run, val, at)


def invented(run: Run, val: Value, at: int) -> None:
    text = text_of(val)
    if text is not None:
        run.emit(ReasonInvented(run.where(at), text))


ERRORS = frozenset({"exception", "exception_text"})


def open_again(state: State) -> None:
    """A test of the error decides whether this goes on: whether it does after an empty answer is anybody's guess."""
    for token, known in state.know.items():
        if known.content == EMPTY:
            state.know[token] = replace(known, content=EMPTY | NONEMPTY)
