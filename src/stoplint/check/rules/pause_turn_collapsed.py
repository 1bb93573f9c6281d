from __future__ import annotations

from typing import TYPE_CHECKING

from stoplint.check.events import Report, ResponseEnded
from stoplint.reasons import CONTEXT_WINDOW, END_TURN, PAUSE_TURN, REFUSAL, names

if TYPE_CHECKING:
    from stoplint.check.values import Where

UNFINISHED = PAUSE_TURN | REFUSAL | CONTEXT_WINDOW

PARTNER = {"table": "table", "default": "table"}
"""The outcomes of a table are compared with its entries."""


def pause_turn_collapsed(event: ResponseEnded) -> tuple[Report, ...]:
    """An unfinished answer gets the outcome of a finished one."""
    found = dict(_in_tests(event)) if event.exposed_raw else {**dict(_in_outcomes(event)), **dict(_in_tests(event))}
    reports: list[Report] = []
    for where, mask in sorted(found.items()):
        listed = names(mask)
        whole = " and ".join(part for part in (", ".join(listed[:-1]), listed[-1]) if part)
        message = (
            f"{whole} {'gets' if len(listed) == 1 else 'get'} the same outcome here as end_turn, so that nobody behind it can tell an unfinished answer "
            "from a finished one. Give it an outcome of its own, or hand stop_reason on beside it"
        )
        reports.append(Report(where, message, "same as end_turn", mask, event.request))
    return tuple(reports)


def _in_outcomes(event: ResponseEnded) -> list[tuple[Where, int]]:
    """Entries of a table, or constants returned by one function, that say the same for both."""
    found: list[tuple[Where, int]] = []
    for one in event.outcomes:
        same = [
            two
            for two in event.outcomes
            if (two.source, two.result) == (one.source, one.result) and two.kind == PARTNER.get(one.kind, one.kind)
        ]
        behind = one.kind not in PARTNER and not one.reasons & END_TURN  # an `else` after the test for end_turn
        rest = one.kind == "default" or behind
        mask = one.reasons & UNFINISHED & (event.request.sure if rest else event.named)
        if (
            mask
            and event.named & END_TURN
            and any(two.reasons & END_TURN and not (behind and two.where == one.where) for two in same)
        ):
            test = next((where for where, named in event.tests if named & END_TURN and named & mask), None)
            found.append((one.where if test is None or one.kind in PARTNER else test, mask))
    return found


def _in_tests(event: ResponseEnded) -> list[tuple[Where, int]]:
    """Tests for both at once, behind which the content goes on and nothing tells them apart."""
    used = 0
    for use, mask in event.open_uses:
        used |= mask if use.kind == "text" and mask & END_TURN else 0
    apart = 0
    for _, named in event.tests:
        apart |= named & UNFINISHED if not named & END_TURN else UNFINISHED & ~named if len(event.tests) > 1 else 0
    return [
        (where, mask)
        for where, named in event.tests
        if named & END_TURN and (mask := named & UNFINISHED & used & ~apart)
    ]
