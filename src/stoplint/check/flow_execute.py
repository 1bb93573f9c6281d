"""Running tools: which calls take a tool call's input at its word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stoplint.check import ir
from stoplint.check.flow_escape import reach
from stoplint.check.flow_kinds import is_tool_call
from stoplint.check.knowledge import DictObj
from stoplint.check.values import UNKNOWN, Atom, Value, ordered, tokens, value

if TYPE_CHECKING:
    from stoplint.check.flow_core import Arguments
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run

NAMED = "named"
"""With a response's token the heap key of the names that a tool call was found to have."""

LOOKED_UP = "looked up"
"""In such an entry: something was looked up by the name."""

NAMES = frozenset({"block_name"})

WORD = re.compile(r"[a-z]{4,}|[A-Z][a-z]{3,}")
MIN_STEM = 5
VAGUE = frozenset({"args", "arguments", "call", "content", "data", "file", "input", "name", "text", "tool"})
"""Words that a tool and a function that only reads its input may share."""

DISPLAY = ("print", "log", "debug", "info", "warn", "error", "critical", "exception", "echo", "write", "display", "show", "trace", "markdown", "pprint", "secho", "emit", "set_attribute", "set_attributes", "add_event", "panel")  # fmt: skip

QUESTIONS = frozenset({"input", "confirm", "prompt"})
"""They show what they ask somebody about."""


def is_display(name: str) -> bool:
    """Whether a function's name says that it shows or records something rather than acts on it."""
    lowered = name.lower().lstrip("_")
    return lowered.startswith(DISPLAY) or lowered.endswith(("_log", "_print", "log")) or lowered in QUESTIONS


def note_named(name: Value, state: State, known: Value = UNKNOWN) -> None:
    """The name of a tool is one of those that are `known`, or something is looked up by it."""
    for token in tokens(name, NAMES):
        found = known or value(Atom("const", LOOKED_UP))
        state.heap[NAMED, token] = DictObj((("names", found),))


def execute_inputs(run: Run, name: str, arguments: Arguments, state: State, at: int) -> None:
    """A tool call handed to code out of view, which runs it: its input, or the tool_use block as a whole."""
    if is_display(name) or _makes(arguments) or "messages" in arguments.keywords:  # another model is asked about it
        return
    direct = () if _passes_on(name) else (*arguments.positional, *arguments.keywords.values())
    for val in direct:
        for atom in reach(run, val, state, 2):
            if atom.kind == "tool_input" or is_tool_call(atom):
                run.execute(atom, at, state, name)
    for val in arguments.splats:
        for atom in val:
            if atom.kind == "tool_input":
                run.execute(atom, at, state, name)


def execute_named(run: Run, func: ir.Expr, callee: Value, arguments: Arguments, state: State, at: int) -> None:
    """A function of the project is called that is the tool: it was looked up by the tool's name, or is called alike."""
    functions = [run.program.functions[str(atom.ref)].func.name for atom in ordered(callee) if atom.kind == "func"]
    direct = isinstance(func, ir.Attr) or (isinstance(func, ir.Name) and func.id in functions)
    for atom in ordered(arguments.all()) if functions else ():
        obj = state.heap.get((NAMED, atom.ref))
        if not isinstance(obj, DictObj) or not (atom.kind == "tool_input" or is_tool_call(atom)):
            continue
        names = {str(one.ref) for one in obj.get("names") or UNKNOWN}
        if any(_alike(name, function) for name in names for function in functions) or (
            not direct and LOOKED_UP in names
        ):
            run.execute(atom, at, state, functions[0])


def _alike(tool: str, function: str) -> bool:
    """`get_weather` and `fetch_weather`, `calculator` and `calculate`."""
    ones, twos = ([word.lower() for word in WORD.findall(name)] for name in (tool, function))
    return tool == function or any(one[:MIN_STEM] == two[:MIN_STEM] for one in ones for two in twos if two not in VAGUE)


def _makes(arguments: Arguments) -> bool:
    """`build(Event, ...)`: a class is given first, of which an object is made."""
    first = arguments.positional[0] if arguments.positional else UNKNOWN
    last = {str(atom.ref).rpartition(".")[2] for atom in first if atom.kind == "external"}
    return any(atom.kind == "class" for atom in first) or any(name[:1].isupper() for name in last)


def _passes_on(name: str) -> bool:
    return bool(name) and (
        name[0].isupper() or name in STORING or name.endswith(STORING_ENDS) or name.startswith(STORING_STARTS)
    )


STORING = frozenset({"append", "replace", "format", "join", "encode", "split", "strip", "startswith", "endswith", "add", "dict", "put", "put_nowait", "dumps", "model_construct", "insert", "extend", "len", "str", "repr", "set_attribute"})  # fmt: skip

STORING_ENDS = ("dumps", "serialize", "stringify", "to_json", "tool_call", "tool_call_chunk")
STORING_STARTS = ("clean_", "convert_", "ensure_", "extract_", "format_", "from_", "normalize", "notify", "on_", "parse_", "publish", "push", "sanitize", "send_bytes", "send_json", "send_str", "send_text", "serialize", "summarize_", "to_dict", "to_json", "to_str")  # fmt: skip
"""Names of functions that give what they get another shape, or pass it on."""
