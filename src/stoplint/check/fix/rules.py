"""Which function makes the fix of a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.fix import guards, loops, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from stoplint.check.fix.spot import Spot
    from stoplint.findings import Fix

FIXES: dict[str, Callable[[Spot], Fix | None]] = {
    "SL101": guards.ignored,
    "SL102": guards.unhandled,
    "SL103": guards.truncated,
    "SL104": words.positional,
    "SL105": words.misspelt,
    "SL209": loops.unbounded,
    "SL211": loops.split,
    "SL301": words.too_early,
}
