"""What happens to responses and message lists: the events that rules are asked about.

A rule is a function from one of these to a `Report` or None; which one, its annotation says.  Events are plain data: a
rule never sees syntax.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from stoplint.reasons import ALWAYS, EVERY

if TYPE_CHECKING:
    from stoplint.check.knowledge import Knowledge, Turn, Use
    from stoplint.check.values import Token, Where
    from stoplint.findings import Profile


@dataclass(frozen=True, slots=True)
class Request:
    """One request as far as its arguments can be read.

    `possible`: the stop reasons that its response can have; `sure`: those among them that follow from arguments in view,
    not merely from ones that cannot be read.  `surface` is "create", "stream", "raw_stream", "parse", "tool_runner",
    "batch" or "unknown" (a parameter that holds a response).  `tools`, `server_tools`, `thinking`: True, False or None
    when it cannot be told.  `model` and `max_tokens` are literals where they are known.  `parses`: the SDK parses the
    answer itself; `guarded`: its error is caught around the request.  `one_tool`: parallel
    tool use is off; `tool_names`: None when some are not in view.  Of the file that makes the request: `sdk_version`
    (None: a new one), `required` (the reasons that SL102 asks for besides its own), `max_continuations` (None: any).
    `guessed`: only the use of a parameter says that it is a response.
    """

    token: Token
    where: Where
    surface: str = "create"
    possible: int = EVERY
    sure: int = ALWAYS
    tools: bool | None = None
    server_tools: bool | None = None
    thinking: bool | None = None
    fallbacks: bool = False
    stop_sequences: int = 0
    model: str | None = None
    max_tokens: object = None
    betas: tuple[str, ...] = ()
    parses: bool = False
    guarded: bool = False
    one_tool: bool = False
    tool_names: frozenset[str] | None = None
    sdk_version: tuple[int, ...] | None = None
    required: int = 0
    max_continuations: int | None = None
    guessed: bool = False


LOST, READ_LATER, LOOKED_AFTER = 1, 2, 4
"""Of a parse before any look: a path of the parser's error ended without one; the reason is read later; it is read on a
path of the parser's error."""


@dataclass(slots=True)
class Track:
    """Everything that was seen of one response in one run, whatever the path."""

    request: Request
    looked: bool = False
    exposed: bool = False
    exposed_freely: bool = False
    named: int = 0
    stop_sequence_read: bool = False
    late_look: bool = False
    told: set[Where] = field(default_factory=set)
    early: list[Where] = field(default_factory=list)
    uses: dict[Use, int] = field(default_factory=dict)
    open_uses: dict[Use, int] = field(default_factory=dict)
    executions: dict[Where, tuple[int, str]] = field(default_factory=dict)
    read: bool = False
    parses: dict[Where, int] = field(default_factory=dict)
    exposed_raw: bool = False
    exposed_whole: bool = False
    tests: dict[Where, int] = field(default_factory=dict)
    outcomes: dict[Outcome, None] = field(default_factory=dict)
    reported: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a program makes of some stop reasons.  `kind` is "table" (an entry that is looked up), "default" (what a table
    gives for the reasons that it does not have), "return" or "assign" (a constant that a function returns or a variable
    gets); outcomes of one `source` can be compared; `result` is the constant as text.
    """

    kind: str
    source: str
    result: str
    reasons: int
    where: Where


@dataclass(frozen=True, slots=True)
class ResponseEnded:
    """A response is dead: no code in view holds it any more.

    `uses`: content that went on, with the reasons possible there; `open_uses`: those among them that no look or exposure
    on the same path has answered; `executions`: where a tool's input was run, with the reasons possible there.
    `parses`: where text was parsed before any look, with what came of it (`LOST`, ...).
    `exposed_raw`: the reason itself went out of view, not only a translation of it; `exposed_whole`: the whole response
    did; `tests`: where the reason was compared, and with which reasons; `outcomes`: what it was translated to;
    `reported`: the reasons for which a branch says that the answer is not a finished one.
    """

    request: Request
    looked: bool
    exposed: bool
    exposed_freely: bool
    named: int
    uses: tuple[tuple[Use, int], ...]
    open_uses: tuple[tuple[Use, int], ...]
    executions: tuple[tuple[Where, int, str], ...]
    parses: tuple[tuple[Where, int], ...]
    stop_sequence_read: bool
    early_only: bool
    exposed_raw: bool = False
    exposed_whole: bool = False
    tests: tuple[tuple[Where, int], ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    reported: int = 0


@dataclass(frozen=True, slots=True)
class PositionRead:
    """`content[position]` is read, as text or (`what`) as a tool's input.  `kinds`: the block types it may have, None for any; `may_be_empty`: where it was
    subscripted nothing excluded an empty list; `remaining`: the reasons possible where it is read; `guards`: what an
    enclosing handler falls back on ("IndexError", "AttributeError", ...).
    """

    request: Request
    where: Where
    position: int
    kinds: frozenset[str] | None
    may_be_empty: bool
    remaining: int
    guards: frozenset[str]
    what: str = "text"


@dataclass(frozen=True, slots=True)
class ReasonCompared:
    """The stop reason is compared with literal values, or looked up by them; `how` is "==", "in", "mapping", "enum",
    "Literal" or "attribute" (then `values` is the attribute's name).  `spots`: where each value is written, as far as it
    is known; `missing`: reasons that may come and that a mapping without a default, an Enum or a Literal does not have;
    `kept`: the reason comes from a field of the program's own, or into a function, where other words may stand as well.
    """

    request: Request
    where: Where
    values: tuple[str, ...]
    how: str
    spots: tuple[Where | None, ...] = ()
    missing: int = 0
    kept: bool = False


@dataclass(frozen=True, slots=True)
class ReasonReadEarly:
    """The stop reason is read where it is always None; `what` says of which object, "" when it may be no answer at all."""

    request: Request
    where: Where
    what: str


@dataclass(frozen=True, slots=True)
class TurnBuilt:
    """A block is put into the content of a user turn after, or before, others.  `before`: types that certainly or
    possibly stand before it; `after`: types that stand after it.
    """

    where: Where
    block: str
    before: frozenset[str]
    after: frozenset[str]


@dataclass(frozen=True, slots=True)
class TurnAppended:
    """A turn is put at the end of a message list; `before`: the turns that certainly stand in front of it, as far as
    they are known.  `found_empty`: on this path an answer was seen to be empty.  `many`: any number of such turns;
    `again`: the turn before it may be one from the same place; `answered`: the requests whose calls its results answer;
    `owner`: the request whose answer is in it, with the reasons that are possible here; `given`: it may be what the
    function at hand was given.
    """

    where: Where
    turn: Turn
    before: tuple[Turn, ...]
    found_empty: bool
    many: bool = False
    again: bool = False
    answered: tuple[Request, ...] = ()
    owner: Request | None = None
    remaining: int = 0
    given: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """An earlier request, seen from the one being made.  `known`: what this path knows of its answer; `named`: the reasons
    that were asked about; `tails`: for each way that control may have come, the turns that were put behind the messages
    since, None when they changed in another way; `related`: it is the same conversation, not one that begins anew;
    `differs`: the names of options that are or may be different, "?" when nothing is known of them.
    """

    request: Request
    known: Knowledge
    named: int
    tails: tuple[tuple[Turn, ...] | None, ...]
    related: bool
    differs: frozenset[str]

    @property
    def unchanged(self) -> bool:
        """Certainly the same request again."""
        return self.related and self.tails == ((),) and not self.differs


@dataclass(frozen=True, slots=True)
class RequestMade:
    """A request goes out, as told at `where`: in the function that holds the answer that it follows.  `again`: the
    earlier requests that it has to do with.
    """

    request: Request
    where: Where
    again: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class TurnKept:
    """A function ends, and a history that lives on holds the answer of a request; `known`: what is known of it then."""

    request: Request
    turn: Turn
    known: Knowledge


@dataclass(frozen=True, slots=True)
class GoesOn:
    """One way to enter a loop's body once more, or to call itself: what is known there of the answer of a request made
    in it.  `answered`: results of tools were put behind it.
    """

    request: Request
    remaining: int
    content: int
    answered: bool


@dataclass(frozen=True, slots=True)
class LoopContinued:
    """A loop without an end of its own, or a recursion, in which requests are made.  `bounded`: something else than the
    answers can end it.
    """

    where: Where
    goes_on: tuple[GoesOn, ...]
    bounded: bool


@dataclass(frozen=True, slots=True)
class CallLost:
    """A tool_use block may stay without a result while others get one; `how`: "skipped" (a filter), "left" (the loop over
    the blocks ends early), "raises" (the history lives on, and the tool may raise before its result is there),
    "interrupted" (a handler of KeyboardInterrupt goes on with the turn at `where` unanswered), "cut" (the history is cut by position, and
    the call may be cut off), "swallowed" (a handler goes on without writing the result), "asked" (a request in the loop over the
    blocks takes one result along).
    """

    request: Request
    where: Where
    how: str


@dataclass(frozen=True, slots=True)
class Converted:
    """A message of another shape (another vendor's, the program's own) is made into a turn or block of this API.  `what`
    is wrong with it: "split" (a user message for each result), "first" (of several tool calls only one),
    "together" (calls and results in one turn), "empty" (a turn without content may remain), "kept" (an answer that may be
    empty is kept), "swallowed" (as of `CallLost`), "shape" (a result whose content the API does not take), "type"
    (`detail`: the type of a block that there is not).
    """

    where: Where
    what: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ErrorCompared:
    """What a caught exception says is compared with strings; `classes`: the dotted names that the handler catches."""

    where: Where
    values: tuple[str, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ErrorRead:
    """An attribute of a caught exception is read; `classes`: what it may be; `guards`: what an enclosing handler falls
    back on.
    """

    where: Where
    attribute: str
    classes: tuple[str, ...]
    guards: frozenset[str]


@dataclass(frozen=True, slots=True)
class ReasonInvented:
    """The handler of a failed request writes a stop reason into a result."""

    where: Where
    value: str


Event: TypeAlias = (
    ResponseEnded | PositionRead | ReasonCompared | ReasonReadEarly | TurnBuilt | TurnAppended | RequestMade | LoopContinued
    | CallLost
    | TurnKept
    | Converted
    | ErrorCompared
    | ErrorRead
    | ReasonInvented
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Report:
    """What a rule says: where, the message, a label for the primary span, the reasons, and other places with labels."""

    where: Where
    message: str
    label: str
    reasons: int = 0
    request: Request | None = None
    in_owner: bool = False
    """Report where the function that holds the response hands it on, not inside the helper."""
    related: tuple[tuple[Where, str], ...] = ()
    profile: Profile | None = None
    """Where it is not the one of the rule."""
