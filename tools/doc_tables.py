"""The tables of the documentation, made from what the program itself reads.

python tools/doc_tables.py        # puts the table of rules into README.md
"""

from __future__ import annotations

import re
from pathlib import Path

from stoplint import catalog, reasons
from stoplint.config.options import OPTIONS, Option, Settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "index.md", ROOT / "docs" / "reference" / "configuration.md")

_TABLE = re.compile(r"(<!-- (?P<name>\w+): begin -->\n).*?(<!-- (?P=name): end -->)", re.DOTALL)
_KINDS = {
    "selectors": "list of rules",
    "globs": "list of patterns",
    "reasons": "list of stop reasons",
    "callables": "list of dotted names",
    "selectors by glob": "table, pattern to list of rules",
    "flag": "true or false",
    "count": "whole number",
    "version": "version, as a string",
}


def rules_table(folder: str) -> str:
    """All rules, one a row; `folder` is where their pages lie, seen from the page that holds the table."""
    rows = ["| code | name | what it finds | level |", "| --- | --- | --- | --- |"]
    for rule in catalog.rules().values():
        level = rule.severity if rule.profile == "default" else f"{rule.severity}, strict"
        rows.append(f"| [{rule.code}]({folder}{rule.path.name}) | {rule.name} | {rule.summary} | {level} |")
    return "\n".join(rows) + "\n"


def options_table() -> str:
    """All configuration keys, one a row."""
    rows = ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    rows += [f"| `{one.dotted}` | {_KINDS[one.kind]} | {_default(one)} | {one.doc} |" for one in OPTIONS]
    return "\n".join(rows) + "\n"


def reasons_table() -> str:
    """All stop reasons, one a row."""
    rows = ["| reason | what it means | what the program should do |", "| --- | --- | --- |"]
    rows += [f"| `{one.value}` | {one.meaning} | {one.todo} |" for one in reasons.STOP_REASONS]
    return "\n".join(rows) + "\n"


def fresh(page: str) -> str:
    """The page with its tables as they should be."""
    made = {"rules": lambda: rules_table("rules/"), "options": options_table, "reasons": reasons_table}
    return _TABLE.sub(lambda match: match[1] + made[match["name"]]() + match[3], page)


def _default(option: Option) -> str:
    value = getattr(Settings(), option.field)
    if value is None or value == ():
        return "none"
    return f"`{str(value).lower()}`"


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(fresh(path.read_text(encoding="utf-8")), encoding="utf-8")
