"""From events to findings: ask every rule, put places and words together, sort and drop what says the same twice."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, TypeAlias, get_args, get_type_hints

from stoplint import catalog
from stoplint.check import events, rules
from stoplint.check.names import is_test
from stoplint.findings import Finding, Place, Related
from stoplint.reasons import names

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from stoplint.check.events import Report
    from stoplint.check.program import Program
    from stoplint.check.solve import Solved
    from stoplint.check.values import Site

    Rule: TypeAlias = Callable[[events.Event], Report | tuple[Report, ...] | None]

SILENT_BESIDE: dict[str, frozenset[str]] = {"SL104": frozenset({"SL101"}), "SL109": frozenset({"SL101"})}
"""A rule that stays silent where another one already speaks of the same response."""

ONE_PER_REQUEST = frozenset({"SL101", "SL102"})


@cache
def rules_by_event() -> dict[type, tuple[tuple[catalog.Rule, Rule], ...]]:
    """The rule functions of `check/rules/`, by the event that their annotation names."""
    found: dict[type, list[tuple[catalog.Rule, Rule]]] = {}
    by_name = {rule.name.replace("-", "_"): rule for rule in catalog.rules().values()}
    for info in sorted(pkgutil.iter_modules(rules.__path__), key=lambda one: one.name):
        function = getattr(importlib.import_module(f"{rules.__name__}.{info.name}"), info.name)
        hint = next(iter(get_type_hints(function, vars(events)).values()))
        for event in get_args(hint) or (hint,):
            found.setdefault(event, []).append((by_name[info.name], function))
    return {event: tuple(pairs) for event, pairs in found.items()}


OF_REASONS = frozenset({"SL102"})
"""Rules about the reasons that are asked for: of the code that a test tries, the test itself decides nothing of these."""


@dataclass(slots=True)
class Judge:
    """Collects the findings of every rule, those of the strict profile too: what is shown is decided later."""

    program: Program
    found: dict[tuple[object, ...], Finding] = field(default_factory=dict)

    def findings(self, solved: Solved) -> list[Finding]:
        for key, happened in solved.events:
            for event in happened:
                self._ask(event, key, solved.judged_by_callers)
        self._one_a_place()
        spoken = {(one.code, one.origin) for one in self.found.values() if one.origin is not None}
        ignored = {(one.origin, _line(one.place)) for one in self.found.values() if one.code == "SL101"}

        def beside(finding: Finding) -> Collection[str]:
            same_line = finding.code == "SL102" and (finding.origin, _line(finding.place)) in ignored
            return ("SL101",) if same_line else SILENT_BESIDE.get(finding.code, ())

        in_default = {(one.code, one.origin or one.place) for one in self.found.values() if one.profile == "default"}
        kept = [
            replace(finding, beside=next((code for code in beside(finding) if (code, finding.origin) in spoken), ""))
            for finding in self.found.values()
            if finding.profile == "default" or (finding.code, finding.origin or finding.place) not in in_default
        ]
        return sorted(kept, key=lambda one: (_key(one.place), one.code, one.message))

    def _one_a_place(self) -> None:
        """Several requests whose answers go on at one place are one finding there: there is one thing to do."""
        seen: dict[tuple[object, ...], tuple[object, ...]] = {}
        for key, finding in sorted(
            self.found.items(), key=lambda item: (_key(item[1].place), item[1].message, repr(item[0]))
        ):
            place = (finding.code, finding.place)
            if finding.code == "SL102" and place in seen:
                del self.found[key]
            seen.setdefault(place, key)

    def _ask(self, event: events.Event, root: str, judged: frozenset[str]) -> None:
        tested = is_test(root.split(":", maxsplit=1)[0])
        for rule, function in rules_by_event().get(type(event), ()):
            answer = function(event)
            for report in answer if isinstance(answer, tuple) else (answer,):
                if report is None:
                    continue
                if report.request is not None and report.request.surface == "unknown" and root in judged:
                    continue  # the callers that hold the response are in view: it is judged there
                if tested and rule.code in OF_REASONS and not is_test(_site(report).module):
                    continue  # a test asks for the reasons that it has set up
                self._add(rule, report)

    def _add(self, rule: catalog.Rule, report: Report) -> None:
        finding = self._finding(rule, report)
        one_per_request = rule.code in ONE_PER_REQUEST and finding.origin is not None
        subject = finding.origin if one_per_request else finding.place
        key = (rule.code, finding.profile, subject)
        old = self.found.get(key)
        if old is None or _rank(finding) < _rank(old):
            self.found[key] = finding

    def _finding(self, rule: catalog.Rule, report: Report) -> Finding:
        site = _site(report)
        related: list[Related] = []
        origin = None
        if report.request is not None:
            if report.request.surface != "unknown":
                origin = self.place(report.request.where.site)
                related.append(Related(origin, "the request"))
            if site != report.where.site:
                related.append(Related(self.place(report.where.site), "read here"))
        related += [Related(self.place(where.site), label) for where, label in report.related]
        place = self.place(site)
        return Finding(
            code=rule.code,
            name=rule.name,
            severity=rule.severity,
            profile="strict" if report.request and report.request.guessed else report.profile or rule.profile,
            place=place,
            function=site.function,
            message=report.message,
            reasons=names(report.reasons),
            origin=origin,
            related=tuple(dict.fromkeys(one for one in related if one.place != place)),
            label=report.label,
        )

    def place(self, site: Site) -> Place:
        module = self.program.modules[site.module].ir
        line, column, end_line, end_column = module.spans[site.at] if site.at < len(module.spans) else (0, 0, 0, 0)
        line = line or 1
        column = column or 1
        end_line, end_column = end_line or line, end_column or column
        if not module.cells:
            return Place(module.path, None, line, column, end_line, end_column)
        cell, offset = module.cells[min(line, len(module.cells)) - 1]
        return Place(module.path, cell, line - offset, column, end_line - offset, end_column)


def _site(report: Report) -> Site:
    """Where a finding is told."""
    if report.request is not None and report.in_owner:
        return report.where.seen_from(report.request.where)
    return report.where.site


def _rank(finding: Finding) -> tuple[bool, tuple[str, int, int, int], str, list[tuple[str, int, int, int]]]:
    """Of several places for one finding, one in the file of the request comes first: there it is put right."""
    away = finding.origin is not None and finding.origin.path != finding.place.path
    return (away, _key(finding.place), finding.message, [_key(one.place) for one in finding.related])


def _line(place: Place) -> tuple[str, int, int]:
    return (place.path, place.cell or 0, place.line)


def _key(place: Place) -> tuple[str, int, int, int]:
    return (place.path, place.cell or 0, place.line, place.column)
