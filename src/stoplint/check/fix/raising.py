"""The statement that guards insert: a test of `stop_reason` that raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stoplint.check.fix.tree import Tree


@dataclass(frozen=True, slots=True)
class Guard:
    """Raises on the reasons `values`; with `unless` on all others."""

    values: tuple[str, ...]
    unless: bool = False

    def lines(self, tree: Tree, reason: str, *, only_if: str = "") -> list[str]:
        """The statement for the expression `reason`; `only_if` is a test to make first."""
        test = f"{only_if} and {self._test(reason)}" if only_if else self._test(reason)
        return [f"if {test}:", f'{tree.step}raise RuntimeError(f"no complete answer: stop_reason is {{{reason}}}")']

    def _test(self, reason: str) -> str:
        if len(self.values) == 1:
            return f'{reason} {"!=" if self.unless else "=="} "{self.values[0]}"'
        listed = ", ".join(f'"{value}"' for value in self.values)
        return f"{reason} {'not in' if self.unless else 'in'} ({listed})"
