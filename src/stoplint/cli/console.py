"""Where output goes: standard streams that never fail on a character, colours where they are wanted."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TextIO, TypeAlias

from stoplint.report import Style

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ColorChoice: TypeAlias = Literal["auto", "always", "never"]

_BOX = "│┆├╰─…"


def wants_color(choice: ColorChoice, *, terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether to colour: the option, then NO_COLOR and FORCE_COLOR (https://no-color.org, https://force-color.org), then
    whether a terminal that can show colours reads along.
    """
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR", "0") not in {"", "0"}:
        return True
    return terminal and environment.get("TERM") != "dumb"


def can_encode(stream: TextIO, text: str) -> bool:
    """Whether the stream's encoding has these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Console:
    """The two standard streams.  `verbosity`: -1 quiet, 0 normal, 1 and more tell more."""

    out: TextIO
    err: TextIO
    style: Style
    err_style: Style
    verbosity: int = 0

    def write(self, pieces: Iterable[str]) -> None:
        """Print to standard output."""
        self.out.writelines(pieces)
        self.out.flush()

    def write_bytes(self, data: bytes) -> None:
        """Print bytes to standard output as they are."""
        self.out.flush()
        self.out.buffer.write(data)
        self.out.buffer.flush()

    def note(self, text: str) -> None:
        """Print a line for people to standard error."""
        self.err.write(text + "\n")
        self.err.flush()


def open_console(color: ColorChoice = "auto", verbosity: int = 0) -> Console:
    """The console of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A character that the console has not becomes an escape; it must not end the run.
            stream.reconfigure(errors="backslashreplace")
    if os.name == "nt":
        with contextlib.suppress(ImportError):
            import colorama  # type: ignore[import-untyped, unused-ignore]  # noqa: PLC0415 - comes with click on Windows

            colorama.just_fix_windows_console()
    return Console(sys.stdout, sys.stderr, _style(sys.stdout, color), _style(sys.stderr, color), verbosity)


def _style(stream: TextIO, color: ColorChoice) -> Style:
    width = shutil.get_terminal_size((80, 24)).columns
    wanted = wants_color(color, terminal=stream.isatty(), environment=os.environ)
    return Style(color=wanted, unicode=can_encode(stream, _BOX), width=width)
