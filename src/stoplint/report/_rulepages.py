"""What formats that explain rules take from the catalog."""

from __future__ import annotations

from stoplint import catalog

URL = "https://github.com/stoplint/stoplint"


def address(code: str) -> str:
    """Where a rule's page can be read."""
    rule = catalog.rules().get(code)
    return f"{URL}/blob/main/rules/{rule.path.name}" if rule is not None else URL
