"""What `stoplint check --diff` prints: unified diffs, of a notebook cell by cell."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from stoplint.check import notebook
from stoplint.check.source import encoding_of
from stoplint.report._terminal import paint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.check.source import SourceFile
    from stoplint.cli.fixing import Change
    from stoplint.report import Style
    from stoplint.report._terminal import Role

_ROLES: dict[str, Role] = {"+": "good", "-": "error", "@": "related"}


def unified_diff(change: Change, style: Style) -> Iterator[str]:
    """The lines of a change, with their ends."""
    before, after = _texts(change.file, change.before), _texts(change.file, change.after)
    for name, old in before.items():
        new = after.get(name, "")
        for line in difflib.unified_diff(_lines(old), _lines(new), fromfile=name, tofile=name):
            body = line.rstrip("\r\n")
            role = None if line.startswith(("---", "+++")) else _ROLES.get(body[:1])
            yield (paint(body, role, style) if role else body) + "\n"
            if not line.endswith("\n"):
                yield "\\ No newline at end of file\n"


def _texts(file: SourceFile, data: bytes) -> dict[str, str]:
    if file.kind == "notebook":
        return {f"{file.path}:cell {number}": source + "\n" for number, source in notebook.code_cells(data)}
    encoding = encoding_of(data) if file.kind == "python" else "utf-8-sig"
    return {file.path: data.decode(encoding)}


def _lines(text: str) -> list[str]:
    """The lines with their ends, as Python counts them; whatever the ends were, they are shown as one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])
