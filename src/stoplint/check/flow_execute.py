"""Running tools: which calls take a tool call's input at its word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.flow_escape import reach
from stoplint.check.flow_kinds import is_tool_call
from stoplint.check.knowledge import DictObj
from stoplint.check.values import Token, Value, tokens

if TYPE_CHECKING:
    from stoplint.check.flow_core import Arguments
    from stoplint.check.knowledge import State
    from stoplint.check.run import Run

NAMED = "named"
"""With a response's token the heap key that says that the name of a call in it decides over what is done."""

NAMES = frozenset({"block_name"})

DISPLAY = ("print", "log", "debug", "info", "warn", "error", "critical", "exception", "echo", "write", "display", "show", "trace", "markdown", "pprint", "secho", "emit", "set_attribute", "set_attributes", "add_event", "panel")  # fmt: skip


def is_display(name: str) -> bool:
    """Whether a function's name says that it shows or records something rather than acts on it."""
    lowered = name.lower().lstrip("_")
    return lowered.startswith(DISPLAY) or lowered.endswith(("_log", "_print", "log"))


def note_named(name: Value, state: State) -> None:
    """The name of a tool was tested, or something was looked up by it: what is called then is the tool."""
    for token in tokens(name, NAMES):
        state.heap[NAMED, token] = DictObj()


def execute_inputs(run: Run, name: str, arguments: Arguments, state: State, at: int) -> None:
    """A tool call handed to code out of view, which runs it: its input, or the tool_use block as a whole."""
    if is_display(name):
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


def execute_named(run: Run, name: str, arguments: Arguments, state: State, at: int) -> None:
    """A function of the project is called with a tool's input where the tool's name has decided that it is."""
    if is_display(name) or _passes_on(name):
        return
    for atom in arguments.all():
        named = isinstance(atom.ref, Token) and (NAMED, atom.ref) in state.heap
        if named and (atom.kind == "tool_input" or is_tool_call(atom)):
            run.execute(atom, at, state, name)


def _passes_on(name: str) -> bool:
    return bool(name) and (
        name[0].isupper() or name in STORING or name.endswith(STORING_ENDS) or name.startswith(STORING_STARTS)
    )


STORING = frozenset({"append", "replace", "format", "join", "encode", "split", "strip", "startswith", "endswith", "add", "dict", "put", "put_nowait", "dumps", "model_construct", "insert", "extend", "len", "str", "repr", "set_attribute"})  # fmt: skip

STORING_ENDS = ("tool_call", "tool_call_chunk")
STORING_STARTS = ("clean_", "convert_", "ensure_", "format_", "from_", "normalize", "parse_", "publish", "push", "sanitize", "send_bytes", "send_json", "send_str", "send_text", "serialize", "to_dict", "to_json", "to_str")  # fmt: skip
"""Names of functions that give what they get another shape, or pass it on."""
