"""What a request has to do with the ones before it: which conversation it goes on with, and what is different."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stoplint.check.events import Sent
from stoplint.check.flow_change import root_of
from stoplint.check.flow_lists import as_list, is_one, stable
from stoplint.check.knowledge import DictObj, ListObj, Sending, State, Turn
from stoplint.check.values import UNKNOWN, Token, Value, Where, only, value
from stoplint.reasons import CONTEXT_WINDOW, MAX_TOKENS

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from stoplint.check.run import Run

MAX_NESTED = 8
"""How deep schemas of tools may nest."""

PAYLOAD = frozenset({"messages", "stream", "timeout", "extra_headers", "metadata"})
"""Options that are no part of what the model is asked."""


def options_ref(token: Token) -> Hashable:
    """Where the heap keeps the options of the latest request of a place."""
    return ("options", token)


# ------------------------------------------------------------------ before a request goes out


def sent_before(run: Run, token: Token, options: Mapping[str, Value], state: State) -> tuple[Sent, ...]:
    """The earlier requests that the one being made, `token`, has to do with."""
    found = message_list(run, options.get("messages"), state)
    if found is None:
        return ()
    obj = found[1]
    sent: list[Sent] = []
    for earlier in sorted(state.know):
        request, known = run.request_of(earlier), state.know[earlier]
        if request is None or request.surface == "unknown":
            continue
        tails = tuple(sorted({one.tail for one in obj.sent if one.token == earlier}, key=repr))
        related = bool(tails)
        if not tails:
            tails, related = _by_content(obj, earlier, cut=not known.remaining & ~(MAX_TOKENS | CONTEXT_WINDOW))
        if tails:
            differs = _differing(run, earlier, token, options, state)
            named = run.tracks[earlier].named
            sent.append(Sent(request, replace(known, pending=frozenset(), call=0), named, tails, related, differs))
    return tuple(sent)


def _by_content(obj: ListObj, earlier: Token, *, cut: bool) -> tuple[tuple[tuple[Turn, ...] | None, ...], bool]:
    """A list that was not sent before but holds the earlier answer goes on from there; after an answer that was `cut`
    a conversation that knows nothing of it is told as well.
    """
    own = [number for number, turn in enumerate(obj.turns) if earlier in turn.owners]
    if own:
        return (obj.turns[own[-1] :],), True
    whole = obj.items is not None and not obj.open and len(obj.items) == len(obj.turns)
    if cut and whole and obj.turns and not obj.sent and not any(turn.owners for turn in obj.turns):
        return (obj.turns,), False
    return (), False


def _differing(run: Run, earlier: Token, token: Token, options: Mapping[str, Value], state: State) -> frozenset[str]:
    """The options that are, or may be, different from those of the earlier request."""
    kept = state.heap.get(options_ref(earlier))
    if not isinstance(kept, DictObj):
        return frozenset({"?"})
    before = {str(key): val for key, val in kept.items}
    now = {key: val for key, val in options.items() if key not in PAYLOAD}
    found = set(before.keys() ^ now.keys())
    for key in before.keys() & now.keys():
        same_place = earlier == token and before[key] == UNKNOWN == now[key] and key != "max_tokens"
        if not same_place and not (before[key] == now[key] and _settled(run, now[key], state)):
            found.add(key)
    return frozenset(found)


def _settled(run: Run, val: Value, state: State) -> bool:
    kind = next(iter(val)).kind if len(val) == 1 else ""
    return kind in ("external", "func", "class", "object") or (is_one(val) and stable(run, val, state, MAX_NESTED))


def repeated_from(run: Run, token: Token) -> Where | None:
    """Of a request that goes out again from the same place: the call in the function that holds the earlier answer,
    None when it is held where the request is made, or nowhere.
    """
    envs = [frame.caller_env for frame in run.frames[1:]]
    for depth in reversed(range(len(envs))):
        if any(atom.ref == token and atom.kind != "list" for val in envs[depth].values() for atom in val):
            path = run.frame.path
            return Where(path[:depth], path[depth]) if depth < len(path) else None
    return None


# ------------------------------------------------------------------ after it went out


def mark_sent(run: Run, tokens: list[Token], options: Mapping[str, Value], state: State) -> None:
    """Remember the options; from here on the list is the one that these requests sent."""
    run.sending = True
    kept = DictObj(tuple((key, val) for key, val in options.items() if key not in PAYLOAD))
    for token in tokens:
        state.heap[options_ref(token)] = kept
    found = message_list(run, options.get("messages"), state)
    run.sends_given = run.sends_given or found is None or given(run, found[0])
    if found is not None:
        state.heap[found[0]] = replace(found[1], sent=frozenset(Sending(token) for token in tokens))


def given(run: Run, ref: Hashable) -> bool:
    """Whether a list may be one that the root's callers have in hand: it belongs to an argument or outlives the call."""
    root = root_of(ref)
    if isinstance(root, Token) and ref not in run.program.heap:
        return root.site.at == 0 and not root.path
    return True


def message_list(run: Run, val: Value | None, state: State) -> tuple[Hashable, ListObj] | None:
    atom = only(val or UNKNOWN, "list", "symbol")
    if atom is None:
        return None
    obj = run.obj(state, atom.ref)
    return atom.ref, obj if isinstance(obj, ListObj) else as_list(run, value(atom), state)
