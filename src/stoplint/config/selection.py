"""Which findings a run shows: codes, prefixes and names against the rule catalog."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stoplint import catalog
from stoplint.config.options import Settings, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stoplint.findings import Finding

_PREFIX = re.compile(r"SL\d{0,3}")
_ALL = "ALL"


def selector_problem(selector: str) -> str | None:
    """What is wrong with a selector, naming the nearest rule; None where it selects something."""
    if _matching(selector):
        return None
    known = [word for rule in catalog.rules().values() for word in (rule.code.lower(), rule.name)]
    hint = nearest(selector, known)
    if (code := re.search(r'"(sl\d+)"', hint)) is not None:
        hint = hint.replace(code[1], code[1].upper())
    return f'"{selector}" is no rule' + (hint or "; `stoplint rule --all` lists them")


@dataclass(frozen=True, slots=True)
class Selection:
    """The rules that are on under some settings.

    `named` are those that a selector of the user's switched on: a strict rule that is asked for by name needs no
    strict profile.
    """

    enabled: frozenset[str]
    named: frozenset[str]
    strict: bool

    @classmethod
    def of(cls, settings: Settings) -> Selection:
        return _selection(settings.select, settings.extend_select, settings.ignore, settings.strict)

    @property
    def looked_for(self) -> frozenset[str]:
        """The codes that a run with this selection can report; of any other, silence says nothing."""
        pages = catalog.rules()
        return frozenset(
            code for code in self.enabled if self.strict or code in self.named or pages[code].profile == "default"
        )

    def shows(self, finding: Finding) -> bool:
        """Whether a finding belongs to the run.  A code without a page (there should be none) always does."""
        if finding.code not in self.enabled:
            return finding.code not in catalog.rules()
        if finding.profile == "default" or self.strict:
            return True
        return finding.code in self.named and catalog.rules()[finding.code].profile == "strict"


def codes_of(selectors: Iterable[str]) -> frozenset[str]:
    """The codes that some selectors mean; unknown ones mean none."""
    return frozenset(code for selector in selectors for code in _matching(selector))


@functools.lru_cache(maxsize=64)
def _selection(select: tuple[str, ...], extend: tuple[str, ...], ignore: tuple[str, ...], strict: bool) -> Selection:
    named = _specificity((*select, *extend))
    ignored = _specificity(ignore)
    standard = {} if select else dict.fromkeys(catalog.rules(), 1)
    enabled = {code for code, depth in (standard | named).items() if depth > ignored.get(code, 0)}
    return Selection(frozenset(enabled), frozenset(named), strict)


def _specificity(selectors: Iterable[str]) -> dict[str, int]:
    """For each code the length of the longest selector that means it; a name is as good as a whole code."""
    depths: dict[str, int] = {}
    for selector in selectors:
        depth = 1 if selector.upper() == _ALL else len(selector) if _PREFIX.fullmatch(selector.upper()) else 5
        for code in _matching(selector):
            depths[code] = max(depth, depths.get(code, 0))
    return depths


def _matching(selector: str) -> list[str]:
    word = selector.strip()
    if word.upper() == _ALL:
        return list(catalog.rules())
    if _PREFIX.fullmatch(word.upper()):
        return [code for code in catalog.rules() if code.startswith(word.upper())]
    rule = catalog.find(word)
    return [] if rule is None else [rule.code]
