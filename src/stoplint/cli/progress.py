"""Progress on a terminal, once a run takes long enough for somebody to wonder."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stoplint.cli.console import Console

QUIET_SECONDS = 1.0
_REDRAW_SECONDS = 0.1


@dataclass(slots=True)
class Progress:
    """A line on standard error that is drawn over and taken away at the end."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    _started: float = field(init=False)
    _drawn: float = 0.0
    _width: int = 0

    def __post_init__(self) -> None:
        self._started = self.clock()

    def __call__(self, done: int, total: int) -> None:
        now = self.clock()
        if now - self._started < QUIET_SECONDS or now - self._drawn < _REDRAW_SECONDS:
            return
        self._drawn = now
        text = f"checking: {done:,} of {total:,} files"
        self._put(f"\r{text}{' ' * max(self._width - len(text), 0)}")
        self._width = len(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._width:
            self._put(f"\r{' ' * self._width}\r")
            self._width = 0

    def _put(self, text: str) -> None:
        self.console.err.write(text)
        self.console.err.flush()


def progress_for(console: Console) -> Progress | None:
    """Progress where somebody sees it: a terminal, and no wish for quiet."""
    return Progress(console) if console.err.isatty() and console.verbosity >= 0 else None
