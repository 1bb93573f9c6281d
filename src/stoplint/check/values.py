"""Abstract values: a value is a set of atoms, each one thing that it may be.

An empty set is "anything": nothing is known.  Atoms are named tuples, not dataclasses, because they are hashed and
compared millions of times in a run and tuples do that in C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence


class Site(NamedTuple):
    """A node of the program: module name, index into its spans, qualified name of the function around it."""

    module: str
    at: int
    function: str = "<module>"


class Token(NamedTuple):
    """The identity of a response or of an object: where it was made and through which calls that place was reached."""

    site: Site
    path: tuple[Site, ...] = ()
    mode: str = ""


class Atom(NamedTuple):
    """One thing that a value may be.

    `kind` is a kind of the step table (`stoplint.sdk`) or one of: "const" (ref: the value), "func" (ref: the qualified
    name, info: the object it is bound to), "class", "object" (ref: a heap key), "list", "dict" (ref: a heap key),
    "module", "external" (ref: the dotted name of something outside the project), "symbol" (ref: a heap key; a value of
    unknown kind that keeps its identity), "mock" (of a test, whatever is done with it), "given" (a response, of a call that is not looked into), "choice" (beside others: which of them it is depends on the atoms in ref),
    "test" (ref: a token, info: mask when true), "text_test" (what was found by looking into text), "empty_test", "partial", "method".
    `ref` is, for kinds of the step table, the token of the response the value belongs to.
    """

    kind: str
    ref: Hashable = None
    info: Hashable = None


class Where(NamedTuple):
    """A place as seen through the calls of one run: the call sites that led there, outermost first, and the site."""

    path: tuple[Site, ...]
    site: Site

    def seen_from(self, other: Where) -> Site:
        """The site in the innermost function that this place and `other` share: there the one knows of the other."""
        common = 0
        for mine, theirs in zip(self.path, other.path, strict=False):
            if mine != theirs:
                break
            common += 1
        return self.path[common] if len(self.path) > common else self.site


class BlockInfo(NamedTuple):
    """Of a block: its position when taken by a constant index, the types it may have (None: any), where it was taken,
    and whether the content list may have been empty there.
    """

    position: int | None = None
    kinds: frozenset[str] | None = None
    where: Where | None = None
    risky: bool = False
    picked: Where | None = None
    """Where it was picked as the one among several."""
    lost: Where | None = None
    """Where others beside it were filtered out that may be calls."""
    nulls: bool = False
    """It was dumped with the fields that the API did not send."""
    whole: bool = False
    """It was put by where a test had ruled out that it is cut."""


class Whole(NamedTuple):
    """Of a tool call's input that was put by where a test had ruled out that it is cut: where it was taken."""

    where: Where | None = None


Value: TypeAlias = frozenset[Atom]

UNKNOWN: Value = frozenset()

RESPONSE_KINDS = frozenset({"message", "snapshot", "raw_response", "dump", "stream", "raw_stream", "stream_manager", "event_message"})  # fmt: skip
"""Kinds that hold a whole response: where they go out of view, so does the stop reason."""

REASON_KINDS = frozenset({"reason", "reason_like", "stop_details", "verdict"})
"""Kinds that tell of the stop reason where they go; a "verdict" is a word of the program's own that branches chose."""

STEADY = frozenset({"symbol", "const", "mix", "choice"})
"""Kinds of values that are the same again when nothing that they stand for has changed."""

BLOCK_KINDS = frozenset({"block", "event_block"})


def value(*atoms: Atom) -> Value:
    return frozenset(atoms)


def const(literal: Hashable) -> Value:
    """The value of a literal; True and 1 are kept apart by their type."""
    return frozenset((Atom("const", literal, type(literal).__name__),))


EMPTY_STRING = const("")


def in_part(val: Value) -> Value:
    """Text of which a part was taken: it may be empty where the whole is not."""
    return val | EMPTY_STRING if any(atom.kind == "text" for atom in val) else val


def union(values: Iterable[Value]) -> Value:
    return frozenset().union(*values)


def ordered(val: Value) -> Sequence[Atom]:
    """The atoms in an order that does not depend on the hashes of this process."""
    return tuple(val) if len(val) < 2 else sorted(val, key=_order)


_NOWHERE = Token(Site("", 0))


def _order(atom: Atom) -> tuple[str, Token, str]:
    """What is told apart by `info` alone comes in any order: nothing that is done with it depends on which is first."""
    ref = atom.ref
    return (atom.kind, ref, "") if isinstance(ref, Token) else (atom.kind, _NOWHERE, repr(ref))


def of_kind(val: Value, *kinds: str) -> Iterator[Atom]:
    """The atoms of these kinds, in a stable order."""
    return iter(sorted((atom for atom in val if atom.kind in kinds), key=repr))


def only(val: Value, *kinds: str) -> Atom | None:
    """The single atom of a value, when it is of one of these kinds."""
    if len(val) == 1:
        (atom,) = val
        if not kinds or atom.kind in kinds:
            return atom
    return None


def literal(val: Value) -> Hashable:
    """The literal that a value certainly is, or None (also for the literal None: see `is_none`)."""
    atom = only(val, "const")
    return atom.ref if atom else None


def text_of(val: Value) -> str | None:
    """The string that a value certainly is."""
    found = literal(val)
    return found if isinstance(found, str) else None


def is_none(val: Value) -> bool:
    atom = only(val, "const")
    return atom is not None and atom.ref is None


def without_verdict(val: Value) -> Value:
    """What a value is, without what it tells of a stop reason besides."""
    return frozenset(atom for atom in val if atom.kind != "verdict") if len(val) > 1 else val


def truth(val: Value) -> bool | None:
    """Whether a value is certainly true or false; None when it may be either."""
    if not val:
        return None
    seen = {bool(atom.ref) if atom.kind == "const" else None for atom in without_verdict(val)}
    if len(seen) == 1:
        return seen.pop()
    return None


def keep(val: Value, test: Callable[[Atom], bool]) -> Value:
    return frozenset(atom for atom in val if test(atom))


def tokens(val: Value, kinds: frozenset[str]) -> list[Token]:
    """The responses that a value of these kinds belongs to, in a stable order."""
    return sorted({atom.ref for atom in val if atom.kind in kinds and isinstance(atom.ref, Token)})
