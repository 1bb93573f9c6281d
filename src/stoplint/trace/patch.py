"""Replacing attributes of the SDK's classes and modules, and putting them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class _Patch(NamedTuple):
    holder: object
    name: str
    original: object
    replacement: object


class Patches:
    """What was replaced.  `undo` restores every attribute that is still ours, by identity.

    An attribute that someone wrapped after us stays theirs; our wrapper inside it is then a pass-through, as the
    hooks ask `active` first.
    """

    def __init__(self) -> None:
        self.active = True
        self._done: list[_Patch] = []

    def replace(self, holder: object, name: str, make: Callable[[Callable[..., object]], object]) -> bool:
        """Replace `holder.name` by `make(original)`; False where the holder itself has no such attribute."""
        original = vars(holder).get(name)
        if not callable(original):
            return False
        replacement = make(original)
        setattr(holder, name, replacement)
        self._done.append(_Patch(holder, name, original, replacement))
        return True

    def undo(self) -> None:
        """Put everything back, last replaced first."""
        self.active = False
        for patch in reversed(self._done):
            if vars(patch.holder).get(patch.name) is patch.replacement:
                setattr(patch.holder, patch.name, patch.original)
        self._done.clear()
