"""The tables of the documentation, made from what the program itself reads.

python tools/doc_tables.py        # puts the table of rules into README.md
"""

from __future__ import annotations

import re
from pathlib import Path

from stoplint import catalog
from stoplint.config.options import OPTIONS, Option, Settings

README = Path(__file__).resolve().parents[1] / "README.md"

_RULES = re.compile(r"(<!-- rules: begin -->\n).*?(<!-- rules: end -->)", re.DOTALL)
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


def with_rules(page: str) -> str:
    """The page with the table of rules as it should be."""
    return _RULES.sub(lambda match: match[1] + rules_table("rules/") + match[2], page)


def _default(option: Option) -> str:
    value = getattr(Settings(), option.field)
    if value is None or value == ():
        return "none"
    return f"`{str(value).lower()}`"


if __name__ == "__main__":
    README.write_text(with_rules(README.read_text(encoding="utf-8")), encoding="utf-8")
