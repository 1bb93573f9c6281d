"""The inventory of requests: where each is made, what it can end with, and who asks why it did.

A response may be followed from several functions: from the one that makes the request, and again from each caller that
gets it.  What counts is what happens where it ends, in the outermost function in view.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from stoplint.check.events import RequestMade, ResponseEnded
from stoplint.check.judge import Judge
from stoplint.check.values import literal
from stoplint.reasons import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from stoplint.check.events import Request
    from stoplint.check.program import Program
    from stoplint.check.solve import Solved
    from stoplint.check.values import Site, Where
    from stoplint.findings import Place

Handling: TypeAlias = Literal["named", "exposed", "looked_at", "ignored", "unused"]
"""What is made of a stop reason: it is named in a test; it goes out of view (returned, logged); the reason is looked at,
but not for this value; the answer is used without a look; the answer is not used."""

Relation: TypeAlias = Literal["here", "helper", "caller"]

_BEST_FIRST: tuple[Handling, ...] = ("named", "exposed", "looked_at", "ignored", "unused")
_STREAMS = frozenset({"stream", "raw_stream", "runner_stream"})


@dataclass(frozen=True, slots=True)
class Reader:
    """A function that compares the reason, seen from the one that makes the request."""

    function: str
    relation: Relation
    place: Place


@dataclass(frozen=True, slots=True)
class Reason:
    """A stop reason that a request can get; `certain`: it follows from arguments in view."""

    value: str
    certain: bool
    handling: Handling


@dataclass(frozen=True, slots=True)
class Call:
    """One request site.  `tools` and `server_tools` are None where the arguments do not tell; `handling` is the best that
    happens to any reason; `ignored_by`: the functions that use the answer without a look.
    """

    place: Place
    function: str
    surface: str
    stream: bool
    model: str | None
    max_tokens: int | None
    tools: bool | None
    server_tools: bool | None
    reasons: tuple[Reason, ...]
    handling: Handling
    readers: tuple[Reader, ...]
    ignored_by: tuple[str, ...]


def calls(program: Program, solved: Solved) -> tuple[Call, ...]:
    """The requests of a program, in the order of their places."""
    sites: dict[Site, _Seen] = {}
    for _, happened in solved.events:
        for event in happened:
            if not isinstance(event, (RequestMade, ResponseEnded)) or event.request.surface == "unknown":
                continue
            seen = sites.setdefault(event.request.where.site, _Seen(event.request))
            if isinstance(event, ResponseEnded):
                seen.ends.append(event)
    place = Judge(program).place
    found = [_call(site, seen, place) for site, seen in sites.items()]
    return tuple(sorted(found, key=lambda one: (one.place, one.surface)))


@dataclass(slots=True)
class _Seen:
    request: Request
    ends: list[ResponseEnded] = field(default_factory=list)

    def last(self) -> list[ResponseEnded]:
        """The ends in the outermost functions: an end that a caller saw as well was only half the way."""
        paths = [end.request.where.path for end in self.ends]
        return [end for end in self.ends if not _is_within(end.request.where.path, paths)]


def _is_within(mine: tuple[Site, ...], paths: list[tuple[Site, ...]]) -> bool:
    return any(len(other) > len(mine) and other[len(other) - len(mine) :] == mine for other in paths)


def _call(site: Site, seen: _Seen, place: Callable[[Site], Place]) -> Call:
    ends = seen.last()
    requests = [end.request for end in ends] or [seen.request]
    request = requests[0]
    possible = sure = 0
    for one in requests:
        possible, sure = possible | one.possible, sure | one.sure
    reasons = tuple(Reason(value, value in names(sure), _handling(value, ends)) for value in names(possible))
    best: Handling = min((one.handling for one in reasons), key=_BEST_FIRST.index, default="unused")
    ignored = {name for end in ends if _use(end) == "ignored" for name in _users(end)}
    return Call(
        place=place(site),
        function=site.function,
        surface=request.surface,
        stream=request.surface in _STREAMS,
        model=request.model,
        max_tokens=_number(request.max_tokens),
        tools=request.tools,
        server_tools=request.server_tools,
        reasons=reasons,
        handling=best,
        readers=_readers(ends, place),
        ignored_by=tuple(sorted(ignored)),
    )


def _number(limit: object) -> int | None:
    """The number that an argument certainly is."""
    found = literal(limit) if isinstance(limit, frozenset) else None
    return found if isinstance(found, int) else None


def _use(end: ResponseEnded) -> Handling:
    if end.exposed:
        return "exposed"
    if end.looked:
        return "looked_at"
    return "ignored" if end.uses or end.executions else "unused"


def _users(end: ResponseEnded) -> Iterator[str]:
    """The functions that take content out, as far as they know of the request."""
    taken = [*(use.taken for use, _ in end.uses), *(where for where, _, _ in end.executions)]
    yield from (where.seen_from(end.request.where).function for where in taken)


def _handling(value: str, ends: list[ResponseEnded]) -> Handling:
    """The best that any function in view does about a reason."""
    if any(value in names(end.named) for end in ends):
        return "named"
    return min((_use(end) for end in ends), key=_BEST_FIRST.index, default="unused")


def _readers(ends: list[ResponseEnded], place: Callable[[Site], Place]) -> tuple[Reader, ...]:
    found: dict[tuple[str, Relation], Reader] = {}
    for end in ends:
        for where, _ in end.tests:
            relation = _relation(where, end.request.where)
            key = (where.site.function, relation)
            found.setdefault(key, Reader(where.site.function, relation, place(where.site)))
    return tuple(sorted(found.values(), key=lambda one: (one.place, one.function, one.relation)))


def _relation(where: Where, request: Where) -> Relation:
    """Where a look stands, seen from the request: both are reached by calls from the same root."""
    if where.path == request.path and where.site.function == request.site.function:
        return "here"
    return "caller" if request.path[: len(where.path)] == where.path else "helper"
