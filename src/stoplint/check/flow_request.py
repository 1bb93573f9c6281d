"""Requests: what the arguments of a call to the Messages API say of the response it will get."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint import sdk
from stoplint.check.events import CallLost, Request, RequestMade
from stoplint.check.flow_blocks import note_sent
from stoplint.check.flow_escape import reach
from stoplint.check.flow_follow import mark_sent, message_list, repeated_from, sent_before
from stoplint.check.flow_lists import as_list
from stoplint.check.flow_loops import note_request
from stoplint.check.flow_names import attribute_chain
from stoplint.check.flow_paths import decider
from stoplint.check.flow_slices import cut_histories
from stoplint.check.knowledge import DictObj, State
from stoplint.check.values import UNKNOWN, Atom, Token, Value, is_none, literal, only, ordered, text_of
from stoplint.reasons import ALWAYS, COMPACTION, OTHER, PAUSE_TURN, STOP_SEQUENCE, TOOL_USE

if TYPE_CHECKING:
    from stoplint.check.flow_core import Arguments
    from stoplint.check.run import Run
    from stoplint.check.values import Where

SURFACES = {
    "create": "create",
    "raw_create": "create",
    "post": "create",
    "parse": "parse",
    "open_stream": "stream",
    "tool_runner": "tool_runner",
    "results": "batch",
}

SHAPES = {"create": "create", "stream": "open_stream", "parse": "parse", "tool_runner": "tool_runner"}
"""Method names by which a request is known where nothing says what the client is."""

PARSE_GUARDS = frozenset({"ValidationError", "ValueError", "Exception", "BaseException", ""})
"""Handlers that see what the SDK raises when an answer does not fit its `output_format`."""

NOT_GIVEN = ("NOT_GIVEN", "NotGiven", "omit", "Omit", "OMIT")


class Options:
    """The named arguments of a request, through `**` of dicts that are in view; `open`: there may be more."""

    def __init__(self, run: Run, arguments: Arguments, state: State) -> None:
        self.known: dict[str, Value] = {}
        self.asked: dict[str, Value] = {}
        self.open = arguments.rest is not None
        for splat in arguments.splats:
            atom = only(splat, "dict")
            obj = run.obj(state, atom.ref) if atom else None
            if isinstance(obj, DictObj):
                self.known.update({key: val for key, val in obj.items if isinstance(key, str)})
                self.open = self.open or obj.open
            else:
                self.open = True
                self.asked["**"] = self.asked.get("**", UNKNOWN) | splat
        self.known.update(arguments.keywords)
        self.asked.update({name: val for name, val in self.known.items() if not is_none(val)})

    def get(self, name: str) -> Value | None:
        """The value of an option; None when it is not passed, an empty set when it is passed but unreadable."""
        val = self.known.get(name)
        if val is None or is_none(val):
            return None
        atom = only(val, "external")
        if atom is not None and str(atom.ref).rsplit(".", 1)[-1] in NOT_GIVEN:
            return None
        return val


def request_kind(run: Run, callee: Atom, arguments: Arguments, state: State) -> str | None:
    """The kind of request that calling an atom makes, by what it is or, failing that, by the call's shape."""
    if callee.kind in sdk.REQUESTS:
        if callee.kind != "post":
            return callee.kind
        cast = only(arguments.keywords.get("cast_to", UNKNOWN), "external")
        return "post" if cast and str(cast.ref).rsplit(".", 1)[-1] in sdk.MESSAGE_CLASSES else None
    if callee.kind != "symbol":
        return None
    chain = attribute_chain(callee.ref)
    if len(chain) < 2 or chain[-2] != "messages" or chain[-1] not in SHAPES or "threads" in chain:
        return None
    options = Options(run, arguments, state)
    if "response_model" in options.known or arguments.positional or {"to", "from_", "body"} & options.known.keys():
        return None
    says = {"messages", "model", "max_tokens"} & options.known.keys()
    if "messages" in says and len(says) > 1:
        return SHAPES[chain[-1]]
    if options.open and run.frame.module.speaks_of_anthropic:
        return SHAPES[chain[-1]]
    return None


def make_request(run: Run, kind: str, arguments: Arguments, state: State, at: int, betas: tuple[str, ...]) -> Value:
    """Send a request: open the response and return what the call hands out.  `betas` are those of the client's headers."""
    options = Options(run, arguments, state)
    streams = options.get("stream")
    streaming = False if streams is None and not options.open else literal(streams or UNKNOWN)
    surface = SURFACES[kind]
    modes: list[tuple[str, str]] = [("", surface)]
    if kind == "create" and streaming is True:
        modes = [("stream", "raw_stream")]
    elif kind == "create" and streaming is not False:
        modes.append(("stream", "raw_stream"))
    elif kind == "tool_runner" and streaming is True:
        modes = [("stream", "runner_stream")]
    for name in ("messages", "system"):
        for atom in ordered(reach(run, options.get(name) or UNKNOWN, state)):
            if atom.kind == "text":
                run.use(atom, at, state)
    found: set[Atom] = set()
    where = arguments.lent or run.frame.lent or run.where(at)
    deciding = decider(streams or UNKNOWN) if len(modes) > 1 and len(streams or ()) == 1 else None
    if deciding is not None and deciding in state.facts:
        modes = modes[1:] if state.facts[deciding] else modes[:1]
    for mode, surf in modes:
        token = run.token(at, mode)
        request = replace(_request(run, token, surf, options, state, where), betas=betas + _betas(run, options, state))
        again = sent_before(run, token, options.asked, state)
        run.emit(RequestMade(request, repeated_from(run, token) or request.where, again))
        for where in cut_histories(run, options.get("messages") or UNKNOWN, state):
            run.emit_unless(CallLost(request, where, "cut"), [run.cuts[where]])
        run.open(request, state)
        if deciding is not None:
            known = state.know[token]
            state.know[token] = replace(known, when=known.when | {(deciding, bool(mode))})
        note_request(run, token)
        result = "raw_stream" if surf == "raw_stream" else sdk.STEPS[kind, "()"]
        found.add(Atom(result, token))
    listed = message_list(run, options.get("messages"), state)
    note_sent(run, listed[1].turns if listed is not None else (), at)
    mark_sent(run, [run.token(at, mode) for mode, _ in modes], options.asked, state)
    return frozenset(found)


def _request(run: Run, token: Token, surface: str, options: Options, state: State, where: Where) -> Request:
    client_tools, server_tools = _tools(run, options, state)
    stops = options.get("stop_sequences")
    compaction = options.get("compaction") or options.get("context_management")
    possible, sure = ALWAYS | OTHER, ALWAYS
    for bit, there in (
        (TOOL_USE, client_tools),
        (PAUSE_TURN, server_tools),
        (STOP_SEQUENCE, None if stops is None and options.open else stops is not None),
        (COMPACTION, None if compaction is None and options.open else compaction is not None),
    ):
        possible |= bit if there is not False else 0
        sure |= bit if there else 0
    if surface in ("tool_runner", "runner_stream") and options.get("max_iterations") is None:
        # the runner goes on by itself after both: its last message has neither (facts on 1.1 and later)
        possible, sure = possible & ~(TOOL_USE | PAUSE_TURN), sure & ~(TOOL_USE | PAUSE_TURN)
    if surface == "batch":
        possible, sure = possible | TOOL_USE | PAUSE_TURN | STOP_SEQUENCE, ALWAYS
    thinking = options.get("thinking")
    return Request(
        token=token,
        where=where,
        surface=surface,
        possible=possible,
        sure=sure,
        tools=client_tools,
        server_tools=server_tools,
        thinking=None if (thinking is None and options.open) or thinking == UNKNOWN else _thinks(run, thinking, state),
        fallbacks=options.get("fallbacks") is not None,
        one_tool=_one_tool(run, options.get("tool_choice"), state),
        tool_names=_tool_names(run, options.get("tools"), state),
        stop_sequences=_count(run, stops, state),
        model=text_of(options.get("model") or UNKNOWN),
        max_tokens=options.get("max_tokens"),
        guarded=any(g & PARSE_GUARDS for frame in run.frames for g in frame.guards),
        parses=surface == "parse" or options.get("output_format") is not None,
        sdk_version=run.frame.module.facts.sdk_version,
        required=run.frame.module.facts.required_reasons,
        max_continuations=run.frame.module.facts.max_continuations,
    )


def _thinks(run: Run, thinking: Value | None, state: State) -> bool | None:
    if thinking is None:
        return False
    atom = only(thinking, "dict")
    obj = run.obj(state, atom.ref) if atom else None
    if isinstance(obj, DictObj):
        return text_of(obj.get("type") or UNKNOWN) != "disabled"
    return None


def _tools(run: Run, options: Options, state: State) -> tuple[bool | None, bool | None]:
    """Whether client tools and server tools are passed: True, False, or None when it cannot be told."""
    servers = True if options.get("mcp_servers") is not None else False if not options.open else None
    val = options.get("tools")
    if val is None:
        return (None, servers) if options.open else (False, servers)
    obj = as_list(run, val, state) if only(val, "list") else None
    if obj is None:
        return None, servers or None
    if obj.items == () and not obj.open:
        return False, servers
    client: bool | None = None if obj.open or obj.items is None else False
    for member in obj.members:
        kind = _tool_type(run, member, state)
        if kind is None:
            client = client or None
            servers = servers or (None if member.kind in ("symbol", "list") else servers)
        elif kind.startswith(sdk.SERVER_TOOL_PREFIXES):
            servers = True
        else:
            client = True
    return client, servers


def _one_tool(run: Run, choice: Value | None, state: State) -> bool:
    """Whether an answer holds one tool call at most: parallel use is off."""
    for atom in choice or ():
        obj = run.obj(state, atom.ref) if atom.kind == "dict" else None
        off = obj.get("disable_parallel_tool_use") if isinstance(obj, DictObj) else None
        if off is not None and literal(off) is not False:
            return True
    return False


def _tool_names(run: Run, tools: Value | None, state: State) -> frozenset[str] | None:
    """The names of all tools, None when some are not in view."""
    obj = as_list(run, tools, state) if tools is not None and only(tools, "list") else None
    if obj is None or obj.items is None or obj.open:
        return None
    found: set[str] = set()
    for item in obj.items:
        atom = only(item, "dict")
        tool = run.obj(state, atom.ref) if atom is not None else None
        name = text_of(tool.get("name") or UNKNOWN) if isinstance(tool, DictObj) else None
        if name is None:
            return None
        found.add(name)
    return frozenset(found)


def _tool_type(run: Run, member: Atom, state: State) -> str | None:
    """The `type` of a tool; "custom" for one that names an input schema or is a decorated function."""
    if member.kind == "func":
        return "custom"
    obj = run.obj(state, member.ref) if member.kind == "dict" else None
    if not isinstance(obj, DictObj):
        return None
    declared = text_of(obj.get("type") or UNKNOWN)
    if declared is None and (obj.get("input_schema") is not None or obj.get("name") is not None):
        return "custom"
    return declared


def _count(run: Run, stops: Value | None, state: State) -> int:
    if stops is None:
        return 0
    obj = as_list(run, stops, state)
    return len(obj.items) if obj.items is not None else 0


def _betas(run: Run, options: Options, state: State) -> tuple[str, ...]:
    val = options.get("betas")
    named = (
        () if val is None else tuple(sorted(a.ref for a in as_list(run, val, state).members if isinstance(a.ref, str)))
    )
    unreadable = val is not None and as_list(run, val, state).open
    headers = header_betas(run, options.get("extra_headers"), state)
    return (*named, *headers, *([sdk.UNREADABLE] if unreadable or options.open else []))


def header_betas(run: Run, headers: Value | None, state: State) -> tuple[str, ...]:
    """The beta features that headers ask for; `sdk.UNREADABLE` among them where they cannot be read."""
    if headers is None:
        return ()
    atom = only(headers, "dict")
    obj = run.obj(state, atom.ref) if atom else None
    if not isinstance(obj, DictObj):
        return (sdk.UNREADABLE,)
    found = [val for key, val in obj.items if isinstance(key, str) and key.lower() == "anthropic-beta"]
    texts = [text_of(val) or sdk.UNREADABLE for val in found] + ([sdk.UNREADABLE] if obj.open else [])
    return tuple(beta.strip() for text in texts for beta in text.split(","))
