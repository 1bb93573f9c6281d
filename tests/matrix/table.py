"""Print, as Markdown, what each surface does with each SDK version: `python tests/matrix/table.py [SCRIPT]`.

Every cell is run for this table. SCRIPT is a file of this folder that prints a column (see README.md); `surfaces.py` by default.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from environments import VERSIONS, UnavailableError, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SIGNS = {"ok": "ok", "absent": "-", "failed": "**failed**"}


def table(columns: Iterable[Mapping[str, Any]]) -> str:
    """The Markdown table of `columns`, each as a surface script prints it."""
    columns = list(columns)
    names = list(dict.fromkeys(name for column in columns for name in column["cells"]))
    lines = [_row("surface", [f"anthropic {column['anthropic']}" for column in columns])]
    lines.append(_row("---", ["---"] * len(columns)))
    lines += [_row(f"`{name}`", [_cell(column["cells"].get(name)) for column in columns]) for name in names]
    return "\n".join(lines)


def _cell(cell: Mapping[str, str] | None) -> str:
    if cell is None:
        return ""
    return f"{SIGNS[cell['outcome']]} ({cell['detail']})" if cell["outcome"] == "absent" else SIGNS[cell["outcome"]]


def _row(first: str, rest: Iterable[str]) -> str:
    return " | ".join(("|", first, *rest, "|")).replace("| |", "|").strip()


def column(version: str, script: str) -> Mapping[str, Any] | None:
    """What `script` printed with `version`; None, said on stderr, when the registry has no such version."""
    try:
        return run(version, script)
    except UnavailableError as exc:
        sys.stderr.write(f"anthropic {version} left out: {exc}\n")
        return None


def main() -> int:
    script = sys.argv[1] if len(sys.argv) > 1 else "surfaces.py"
    columns = [one for one in (column(version, script) for version in VERSIONS) if one is not None]
    sys.stdout.write(table(columns) + "\n")
    return 1 if any(cell["outcome"] == "failed" for one in columns for cell in one["cells"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
