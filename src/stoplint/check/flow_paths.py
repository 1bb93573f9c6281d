"""What decides which way a path goes: who asks `if stream:` twice goes the same way twice.

A response that was asked for on one way is not there on the other, wherever the two ways have met in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.flow_change import root_of
from stoplint.check.values import Token, Value

if TYPE_CHECKING:
    from collections.abc import Hashable

    from stoplint.check.knowledge import Decider, State
    from stoplint.check.run import Run


def decider(val: Value) -> Decider | None:
    """The unknown values that decide whether a value is true, where these are all that do; None for any other value.

    Attributes of what the program makes itself are left out: any of its methods may set them.
    """
    refs = frozenset(atom.ref for atom in val if atom.kind == "symbol")
    others = [atom for atom in val if atom.kind not in ("symbol", "choice")]
    if not refs or any(atom.kind != "const" or atom.ref for atom in others):
        return None
    return refs if all(isinstance(root_of(ref), Token) for ref in refs) else None


def assume(run: Run, val: Value, state: State, *, wanted: bool) -> bool:
    """Let a state know that a value is true (or false); False when it was found to be the other before."""
    key = decider(val)
    if key is None or (not wanted and any(atom.kind == "const" for atom in val)):  # false may be the literal, too
        return True
    if state.facts.get(key, wanted) != wanted and all(isinstance(ref, Token) for ref in key):
        return False
    state.facts[key] = wanted
    for token in [token for token, known in state.know.items() if (key, not wanted) in known.when]:
        _leave(run, token, state)
    return True


def _leave(run: Run, token: Token, state: State) -> None:
    """On this path the request was never made."""
    run.settle(token, state.know.pop(token))
    for name, val in state.env.items():
        if any(atom.ref == token for atom in val):
            state.env[name] = frozenset(atom for atom in val if atom.ref != token)


def renewed(ref: Hashable, state: State) -> None:
    """A symbol stands for another value from now on."""
    for key in [key for key in state.facts if any(root_of(one) == ref for one in key)]:
        del state.facts[key]
    for token, known in state.know.items():
        if any(root_of(one) == ref for key, _ in known.when for one in key):
            state.know[token] = known.on_any_path()


def leave_callee(state: State, depth: int) -> None:
    """A call is over: what decided within it stands for other values the next time.  `depth`: calls around the caller."""

    def inner(key: Decider) -> bool:
        return any(isinstance(root := root_of(ref), Token) and len(root.path) > depth for ref in key)

    for key in [key for key in state.facts if inner(key)]:
        del state.facts[key]
    for token, known in state.know.items():
        if any(inner(key) for key, _ in known.when):
            state.know[token] = known.on_any_path()
