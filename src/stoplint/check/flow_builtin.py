"""Calls of builtins and of well-known functions outside the project; everything else outside is out of view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check import ir
from stoplint.check.events import Request
from stoplint.check.facts import leads_to_declared
from stoplint.check.flow_blocks import picked
from stoplint.check.flow_compare import as_test
from stoplint.check.flow_convert import block_constructed, block_written, note_probed
from stoplint.check.flow_core import Arguments, call, call_perhaps
from stoplint.check.flow_errors import as_text, narrow_error
from stoplint.check.flow_escape import discharge, escape, reach
from stoplint.check.flow_execute import note_named
from stoplint.check.flow_expr import step
from stoplint.check.flow_kinds import BLOCK_UNIVERSE, EVENT_UNIVERSE, narrowing
from stoplint.check.flow_lists import as_list, iterate
from stoplint.check.flow_many import filtered
from stoplint.check.flow_mix import CARRIED
from stoplint.check.flow_turns import display_built
from stoplint.check.knowledge import ANY, START, DictObj, ListObj, State
from stoplint.check.names import is_standard
from stoplint.check.values import UNKNOWN, Atom, Token, Value, const, only, text_of, union, value

if TYPE_CHECKING:
    from collections.abc import Callable

    from stoplint.check.run import Run

    Builtin = Callable[[Run, Arguments, State, int], Value]

HANDED = frozenset(
    {"message", "given", "content", "block", "event", "stream", "raw_stream", "stream_manager", "create", "client"}
)
"""Kinds that make it worth loading the module of a function that gets one."""


def call_external(run: Run, dotted: str, arguments: Arguments, state: State, at: int, path: str | None) -> Value:
    """What a function outside the project gives."""
    name = dotted.rsplit(".", 1)[-1]
    if name in ("isinstance", "hasattr"):
        return _path_test(run, name, arguments, state, path)
    if name == "getattr":
        return _getattr(run, arguments, state, at, path)
    known = _EXACT.get(dotted.removeprefix("builtins.")) or (_PASSING.get(name) if "." in dotted else None)
    if known is not None:
        return known(run, arguments, state, at)
    if dotted.split(".", maxsplit=1)[0] in sdk.PATCHED_CLIENTS:
        return value(Atom("external", dotted.split(".", maxsplit=1)[0] + ".client"))
    if dotted.rsplit(".", 1)[0] in MOCKS:
        return value(Atom("mock"))
    block_constructed(run, dotted, arguments, at)
    written = name.endswith("Param") or sdk.unprefixed(name) in sdk.BLOCK_CLASSES
    if written and arguments.keywords and dotted.split(".", maxsplit=1)[0] in sdk.OWN_MODULES:
        return _dict(run, arguments, state, at)  # a typed dict of the SDK, or a block that stands for one
    if leads_to_declared(run.frame.module.facts, dotted):
        return value(Atom("external", dotted))  # an object outside the project whose methods are declared
    clients = frozenset(a for a in arguments.all() if a.kind == "client")
    if clients and any(word in name.lower() for word in ("wrap", "patch", "instrument", "trace", "observe")):
        return clients
    from stoplint.check.flow_call import _unknown  # noqa: PLC0415 - the two know each other

    run.calls_out.add(dotted)
    wraps = name[:1].isupper() and "stop_reason" in arguments.keywords and not is_standard(dotted)
    if wraps or any(atom.kind in HANDED and not _is_guessed(run, atom) for atom in arguments.all()):
        run.program.wanted.add(dotted)
    if name == "model_validate_json" or dotted in ("json.loads", "orjson.loads", "ujson.loads", "simplejson.loads"):
        kind = "ValidationError" if name == "model_validate_json" else "JSONDecodeError"
        return _parse(run, kind, arguments, state, at)
    if dotted.split(".", maxsplit=1)[0] in SHOWING_MODULES and not _calls_back(arguments):
        escape(run, arguments.all(), at, state, shown=True)
        return UNKNOWN
    if dotted.rsplit(".", 1)[0] in PURE_MODULES:
        escape(run, arguments.all(), at, state)
        return frozenset(atom for atom in reach(run, arguments.all(), state) if atom.kind == "tool_input")
    return _unknown(run, name, UNKNOWN, arguments, state, at)


SHOWING_MODULES = frozenset({"IPython", "logging", "loguru", "rich", "streamlit", "structlog", "termcolor", "warnings"})
"""Packages whose functions show or record what they are given."""

MOCKS = frozenset({"unittest.mock", "mock"})

PURE_MODULES = frozenset({"ast", "base64", "copy", "dataclasses", "datetime", "decimal", "difflib", "hashlib", "html", "itertools", "json", "json_repair", "math", "operator", "orjson", "re", "shlex", "string", "textwrap", "time", "unicodedata", "urllib.parse", "uuid", "yaml"})  # fmt: skip
"""Modules whose functions compute something of what they are given and do nothing with it."""


def _calls_back(arguments: Arguments) -> bool:
    return any(atom.kind in ("func", "partial") for atom in arguments.all())


def _is_guessed(run: Run, atom: Atom) -> bool:
    request = run.request_of(atom.ref)
    return request is not None and request.guessed


def _parse(run: Run, kind: str, arguments: Arguments, state: State, at: int) -> Value:
    dumps = frozenset(Atom("message", atom.ref) for atom in arguments.get(0) or UNKNOWN if atom.kind == "dump")
    if dumps:
        return dumps
    run.parse(reach(run, arguments.all(), state), kind, at, state)
    escape(run, arguments.all(), at, state)
    return frozenset(atom for atom in reach(run, arguments.all(), state) if atom.kind == "tool_input")


# ------------------------------------------------------------------ tests of types


ATTRIBUTE_KINDS: dict[str, frozenset[str]] = {
    "text": frozenset({"text"}),
    "input": frozenset({"tool_use", "server_tool_use", "mcp_tool_use"}),
    "thinking": frozenset({"thinking"}),
}
"""Which block types have an attribute, for `hasattr`."""


def _path_test(run: Run, name: str, arguments: Arguments, state: State, path: str | None) -> Value:
    if len(arguments.positional) < 2:
        return UNKNOWN
    subject, second = arguments.positional[:2]
    subject = frozenset(a for a in subject if not (a.kind == "const" and a.ref is None))
    kinds = {atom.kind for atom in subject}
    if kinds == {"exception"}:
        run.error_tests += 1
        attribute = text_of(second) or "?" if name == "hasattr" else ""
        return narrow_error(path, subject, _class_names(run, second, state), attribute) if path is not None else UNKNOWN
    if name == "hasattr":
        attribute = text_of(second) or ""
        note_probed(run, subject, attribute)
        if kinds and kinds <= WHOLE_KINDS:
            return _parted(path, subject, frozenset(a for a in subject if (a.kind, "." + attribute) in sdk.STEPS))
        wanted = ATTRIBUTE_KINDS.get(attribute)
        if kinds != {"block"} or wanted is None or path is None:
            return UNKNOWN
        return narrowing(path, subject, wanted, BLOCK_UNIVERSE, exact=True, negated=False)
    names = _class_names(run, second, state)
    if kinds == {"content"} and names == {"list"}:
        return const(True)
    if kinds and kinds <= WHOLE_KINDS and names & CLASS_KINDS.keys():
        wanted_kinds = {CLASS_KINDS[one] for one in names & CLASS_KINDS.keys()}
        return _parted(path, subject, frozenset(a for a in subject if a.kind in wanted_kinds))
    if path is None:
        return UNKNOWN
    for kind, table, universe in (
        ("block", sdk.BLOCK_CLASSES, BLOCK_UNIVERSE),
        ("event", sdk.EVENT_CLASSES, EVENT_UNIVERSE),
    ):
        types = frozenset(table[n] for n in names if n in table)
        if kinds == {kind} and types:
            return narrowing(path, subject, types, universe, exact=True, negated=False)
    atom = only(subject, "symbol")
    ours = {str(a.ref).rsplit(".", 1)[-1] for a in reach(run, second, state, 2) if _is_ours(a)}
    return _narrow_symbol(run, atom, ours, state, path) if atom is not None else UNKNOWN


def _is_ours(atom: Atom) -> bool:
    """A class of the SDK itself: others have a `Message` too."""
    return atom.kind == "external" and str(atom.ref).split(".")[0] in sdk.OWN_MODULES


WHOLE_KINDS = frozenset({"message", "stream", "raw_stream", "stream_manager", "raw_response"})
CLASS_KINDS = {**dict.fromkeys(sdk.MESSAGE_CLASSES, "message"), "Stream": "raw_stream", "AsyncStream": "raw_stream"}


def _parted(path: str | None, subject: Value, having: Value) -> Value:
    """A test that one part of what a value may be passes and the other fails."""
    if having == subject:
        return const(True)
    if not having:
        return const(False)
    return value(Atom("path_test", path, (subject, having, subject - having))) if path is not None else UNKNOWN


def _class_names(run: Run, val: Value, state: State) -> set[str]:
    found: set[str] = set()
    for atom in reach(run, val, state, 2):
        if atom.kind in ("external", "class"):
            found.add(sdk.unprefixed(str(atom.ref).rsplit(".", 1)[-1].rsplit(":", 1)[-1]))
    return found


def _narrow_symbol(run: Run, atom: Atom, names: set[str], state: State, path: str) -> Value:
    """`isinstance(x, Message)`: from here on x is a response of a request out of view."""
    before = value(atom)
    if names & sdk.MESSAGE_CLASSES:
        message = unknown_response(run, run.token(0, f"isinstance {path}"), state)
        return value(Atom("path_test", path, (before, message, before)))
    return UNKNOWN


def unknown_response(run: Run, token: Token, state: State, *, guessed: bool = False) -> Value:
    """A response whose request is not in view: any reason is possible, only those that need nothing are sure."""
    if token not in state.know:
        run.open(Request(token, run.where(token.site.at), "unknown", guessed=guessed), state)
    return value(Atom("message", token))


# ------------------------------------------------------------------ builtins


def _carry(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    del at
    atoms = as_text(reach(run, arguments.all(), state))
    return frozenset(Atom("dump", a.ref) if a.kind == "message" else a for a in atoms if a.kind in CARRIED)


def _nothing(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    del at
    discharge(run, arguments.all(), state)
    return frozenset(atom for atom in reach(run, arguments.all(), state, 2) if atom.kind == "text_test")


def _truth(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    found = as_test(arguments.get(0) or UNKNOWN)
    return found if found is not None else _nothing(run, arguments, state, at)


def _silent(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    del run, arguments, state, at
    return UNKNOWN


def _print(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    escape(run, arguments.all(), at, state, shown=True)
    return const(None)


def _len(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    del at, run, state
    val = frozenset(one for one in arguments.get(0) or UNKNOWN if one.kind != "const" or one.ref)
    atom = only(val)
    if val and all(one.kind in ("content", "text") for one in val):
        return frozenset(Atom("content_len" if one.kind == "content" else "text_len", one.ref) for one in val)
    if atom is not None and atom.kind == "list":
        return value(Atom("list_len", atom.ref))
    return UNKNOWN


def _first(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    found = picked(iterate(run, arguments.get(0) or UNKNOWN, state), run.where(at))
    return found | (arguments.get(1) or UNKNOWN)


def _same(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    del run, state, at
    return arguments.get(0) or UNKNOWN


def _second(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    del run, state, at
    return arguments.get(1) or UNKNOWN


def _list(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    val = arguments.get(0)
    ref = run.token(at, "list")
    if val is None:
        state.heap[ref] = ListObj((), value(START))
        return value(Atom("list", ref))
    if only(val, "list", "symbol", "content") is not None:
        state.heap[ref] = as_list(run, val, state)
    else:
        members = iterate(run, val, state)
        state.heap[ref] = ListObj(None, (members or value(ANY)) | {START}, members, open=not members)
    return value(Atom("list", ref))


def _copy(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    if only(arguments.get(0) or UNKNOWN, "list") is not None:
        return _list(run, arguments, state, at)
    return _same(run, arguments, state, at)


def _dict(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    atom = only(arguments.get(0) or UNKNOWN)
    if atom is not None and atom.kind in ("message", "block", "event", "tool_input"):
        return value(atom)
    inner = run.obj(state, atom.ref) if atom is not None and atom.kind == "dict" else None
    items = dict(inner.items) if isinstance(inner, DictObj) else {}
    is_open = bool(arguments.positional) and not isinstance(inner, DictObj)
    for splat in arguments.splats:
        other = only(splat, "dict")
        obj = run.obj(state, other.ref) if other else None
        items.update(obj.items if isinstance(obj, DictObj) else ())
        is_open = is_open or not isinstance(obj, DictObj) or obj.open
    items.update(arguments.keywords)
    ref = run.token(at, "dict")
    state.heap[ref] = DictObj(tuple(items.items()), is_open)
    display_built(ref, state)
    block_written(run, ref, at, state)
    return value(Atom("dict", ref))


def _paired(run: Run, arguments: Arguments, state: State, at: int, *, counted: bool) -> Value:
    columns = tuple(iterate(run, val, state) for val in arguments.positional)
    ref = run.token(at, "pairs")
    items = (UNKNOWN, *columns[:1]) if counted else columns
    state.heap[ref] = ListObj(items, value(ANY), union(items))
    return value(Atom("iterator", ref, value(Atom("list", ref))))


def _enumerate(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    return _paired(run, arguments, state, at, counted=True)


def _zip(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    return _paired(run, arguments, state, at, counted=False)


def _map(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    if len(arguments.positional) < 2:
        return UNKNOWN
    given = Arguments(tuple(iterate(run, val, state) for val in arguments.positional[1:]))
    return value(Atom("iterator", run.token(at), call_perhaps(run, arguments.positional[0], given, state, at)))


def _getattr(run: Run, arguments: Arguments, state: State, at: int, path: str | None) -> Value:
    name = text_of(arguments.get(1) or UNKNOWN)
    if name is None:
        note_named(arguments.all(), state)
        escape(run, arguments.all(), at, state)
        return UNKNOWN
    if len(arguments.positional) > 2:
        arguments = Arguments((as_text(arguments.positional[0]), *arguments.positional[1:]))
    source = ir.Name(path) if path is not None else None
    return step(run, arguments.get(0) or UNKNOWN, "." + name, state, at, source)


def _partial(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    del state
    if not arguments.positional:
        return UNKNOWN
    keywords = tuple(sorted(arguments.keywords.items(), key=lambda item: item[0]))
    info = (arguments.positional[0], arguments.positional[1:], keywords, arguments.splats)
    return value(Atom("partial", run.token(at), info))


def _hand_on(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    """`to_thread(fn, *args)`, `submit(fn, *args)`."""
    return call(run, arguments.get(0) or UNKNOWN, arguments.without(1), state, at)


def _hand_on_second(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    return call(run, arguments.get(1) or UNKNOWN, arguments.without(2), state, at)


def _field(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    """A field of a dataclass, an attrs class or a pydantic model: what it is when nothing is given for it."""
    for name in ("default_factory", "factory"):
        if name in arguments.keywords:
            return call(run, arguments.keywords[name], Arguments(), state, at)
    return arguments.keywords.get("default") or arguments.get(0) or UNKNOWN


def _gather(run: Run, arguments: Arguments, state: State, at: int) -> Value:
    ref = run.token(at, "gather")
    inner = iterate(run, arguments.rest, state) if arguments.rest is not None else UNKNOWN
    members = union(arguments.positional) | inner
    items = arguments.positional if arguments.rest is None else None
    state.heap[ref] = ListObj(items, members or value(ANY), members)
    return value(Atom("list", ref))


_EXACT: dict[str, Builtin] = {
    **dict.fromkeys(("str", "repr", "format", "round", "abs", "sum", "max", "min", "sorted", "reversed", "json.dumps", "textwrap.dedent"), _carry),
    **dict.fromkeys(("any", "all", "type", "id", "hash", "callable"), _nothing),
    "bool": _truth,
    **dict.fromkeys(("range", "int", "float", "time.sleep", "asyncio.sleep", "super"), _silent),
    **dict.fromkeys(("print", "display", "pprint.pprint"), _print),
    **dict.fromkeys(("list", "tuple", "set", "frozenset"), _list),
    **dict.fromkeys(("iter", "aiter", "vars", "asyncio.run"), _same),
    **dict.fromkeys(("next", "anext"), _first),
    "typing.cast": _second,
    "dict": _dict,
    "len": _len,
    "enumerate": _enumerate,
    "zip": _zip,
    "map": _map,
    "filter": filtered,
    "functools.partial": _partial,
    **dict.fromkeys(("copy.copy", "copy.deepcopy"), _copy),
    **dict.fromkeys(("dataclasses.field", "pydantic.Field", "attr.ib", "attr.field", "attrs.field", "sqlmodel.Field"), _field),
}  # fmt: skip

_PASSING: dict[str, Builtin] = {
    **dict.fromkeys(("gather",), _gather),
    **dict.fromkeys(
        ("wait_for", "shield", "create_task", "ensure_future", "run_until_complete", "as_completed"), _same
    ),
    **dict.fromkeys(("to_thread", "run_sync", "run_in_threadpool"), _hand_on),
    "run_in_executor": _hand_on_second,
}
"""Functions that hand a call or its result on, by the last name (asyncio, anyio, starlette, concurrent.futures)."""
