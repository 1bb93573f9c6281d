"""What a report shows, computed from records in one pass.  Pure: reads no file, no clock, prints nothing.

The memory a report takes grows by some hundred bytes a turn and chain, not by the records themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from stoplint.trace import mistakes
from stoplint.trace.chains import CHAIN_IDLE_S, OUTCOMES
from stoplint.trace.records import FindingRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stoplint.trace.records import CallSite, ChainOutcome, ChainRecord, Relation, TurnRecord

CHAIN_IDLE_NS: Final = int(CHAIN_IDLE_S * 1_000_000_000)
"""A chain without a turn for this long is over."""

State: TypeAlias = "ChainOutcome | str"
"""An outcome, or "open": the chain may still go on."""

OPEN: Final = "open"
GOOD: Final = frozenset({"finished", "stopped", OPEN})

_UNCONTINUED: Final = frozenset({"max_tokens", "model_context_window_exceeded", "pause_turn"})
"""Reasons that ask for another turn whatever the request was; a tool_use may have been all that was wanted."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """The turns of one model (the one asked for), by stop reason, most frequent first."""

    model: str
    turns: int
    stop_reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class SiteRow:
    """The turns of one place in the code; `site` is None for turns whose caller is not known."""

    site: CallSite | None
    turns: int
    stop_reasons: dict[str, int]
    findings: dict[str, int]


@dataclass(frozen=True, slots=True)
class ChainRow:
    """One chain.  `length` counts its answered turns, `turns` all of them; `relations` and `stop_reasons` are those of
    its turns, in order.  `joined` are the ids of chains of other processes that this one carries on.  Times are
    nanoseconds since the epoch.
    """

    chain_id: str
    outcome: State
    turns: int
    length: int
    started_at: int
    ended_at: int
    models: tuple[str, ...]
    relations: tuple[Relation, ...]
    stop_reasons: tuple[str, ...]
    findings: dict[str, int]
    site: CallSite | None
    joined: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One mistake at one place in the code; `occurrences` are its records, oldest first, `message` the newest one's."""

    code: str
    name: str
    severity: str
    profile: str
    message: str
    site: CallSite | None
    occurrences: tuple[FindingRecord, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a view shows.  `unchained` counts turns of spans that carry no chain; `lost` the records that could not
    be written; `tokens` are (input, output), cache reads and writes included in the input.
    """

    turns: int
    unchained: int
    first_at: int | None
    last_at: int | None
    tokens: tuple[int, int]
    stop_reasons: dict[str, int]
    stream_outcomes: dict[str, int]
    outcomes: dict[str, int]
    models: tuple[ModelRow, ...]
    sites: tuple[SiteRow, ...]
    chains: tuple[ChainRow, ...]
    findings: tuple[FindingRow, ...]
    processes: int = 0
    lost: int = 0


def reason_of(turn: TurnRecord) -> str:
    """The stop reason as counted: raw, "error" for a failed call, "none" where no reason came."""
    return turn.stop_reason or ("error" if turn.error else "none")


def model_of(turn: TurnRecord) -> str:
    """The model asked for; the one that answered where only that is known."""
    return turn.request_model or turn.response_model or "unknown"


def outcome_of(last: TurnRecord) -> ChainOutcome:
    """How a chain ended, by its last turn.  A reason that is not known yet counts as finished."""
    if last.stop_reason is None:
        return "failed"
    if last.empty and last.stop_reason == "end_turn":
        return "empty"
    return OUTCOMES.get(last.stop_reason, "finished")


@dataclass(slots=True)
class _Tally:
    turns: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    findings: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str) -> None:
        self.turns += 1
        self.reasons[reason] = self.reasons.get(reason, 0) + 1


@dataclass(slots=True)
class _Chain:
    """What is kept of a chain: no turn as a whole, there may be a hundred thousand chains."""

    chain_id: str
    started_at: int
    length: int = 0
    relations: list[Relation] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    models: tuple[str, ...] = ()
    findings: dict[str, int] = field(default_factory=dict)
    joined: tuple[str, ...] = ()
    told_over: bool = False
    whole: bool = True
    last_chain_id: str = ""
    last_turn_id: str = ""
    last_started_at: int = 0
    ended_at: int = 0
    outcome: ChainOutcome = "failed"
    pid: int = 0
    site: CallSite | None = None

    def add(self, turn: TurnRecord, reason: str, model: str, site: CallSite | None) -> None:
        self.length += turn.stop_reason is not None
        self.relations.append(cast("Relation", intern(turn.relation)))
        self.reasons.append(reason)
        if model not in self.models:
            self.models = (*self.models, model)
        self.last_chain_id = turn.chain_id
        self.last_turn_id = turn.turn_id
        self.last_started_at = turn.started_at
        self.ended_at = turn.ended_at
        self.outcome = outcome_of(turn)
        self.pid = turn.pid
        self.site = site


class ReportBuilder:
    """Takes turns in the order of their start, then findings and chains, and makes the report of them."""

    def __init__(self) -> None:
        self._total = _Tally()
        self._unchained = 0
        self._first_at: int | None = None
        self._last_at: int | None = None
        self._tokens = [0, 0]
        self._streams: dict[str, int] = {}
        self._models: dict[str, _Tally] = {}
        self._sites: dict[CallSite | None, _Tally] = {}
        self._same_site: dict[CallSite | None, CallSite | None] = {}
        self._chains: dict[str, _Chain] = {}
        self._chain_ids: dict[str, str] = {}
        self._digests: dict[int, tuple[str, str]] = {}
        self._carried_on: set[str] = set()
        self._findings: dict[tuple[str, CallSite | None], list[FindingRecord]] = {}

    def add_turn(self, turn: TurnRecord, *, whole: bool = False) -> None:
        """Count one turn.  Each turn must be given once.  `whole` says that its source holds every turn there was, as a
        store does and sampled spans need not.
        """
        reason = intern(reason_of(turn))
        model = intern(model_of(turn))
        self._total.add(reason)
        self._models.setdefault(model, _Tally()).add(reason)
        site = self._same_site.setdefault(turn.call_site, turn.call_site)
        self._sites.setdefault(site, _Tally()).add(reason)
        if turn.stream_outcome is not None:
            self._streams[turn.stream_outcome] = self._streams.get(turn.stream_outcome, 0) + 1
        sizes = (turn.input_tokens, turn.cache_read_tokens, turn.cache_write_tokens)
        self._tokens[0] += sum(size or 0 for size in sizes)
        self._tokens[1] += turn.output_tokens or 0
        self._first_at = turn.started_at if self._first_at is None else min(self._first_at, turn.started_at)
        self._last_at = max(self._last_at or 0, turn.ended_at)
        if turn.chain_id:
            chain = self._chain_of(turn)
            chain.add(turn, reason, model, site)
            chain.whole = chain.whole and whole
        else:
            self._unchained += 1

    def chain_id_of(self, chain_id: str) -> str:
        """The chain that a chain was found to be part of: itself, or one that another process began."""
        return self._chain_ids.get(chain_id, chain_id)

    def add_finding(self, finding: FindingRecord) -> None:
        """Count one finding, once all turns are there."""
        if finding.code == "SL102" and finding.turn_id in self._carried_on:
            return  # its process could not know that another one would go on
        self._findings.setdefault((finding.code, finding.call_site), []).append(finding)
        site = self._sites.get(finding.call_site)
        chain = self._chains.get(self.chain_id_of(finding.chain_id))
        if chain is not None and finding.code == "SL102" and finding.turn_id == chain.last_turn_id:
            chain.told_over = True  # the tracer says so once nothing has carried a chain on
        for counts in [part.findings for part in (site, chain) if part is not None]:
            counts[finding.code] = counts.get(finding.code, 0) + 1

    def build(
        self, ended: Iterable[ChainRecord], now: int, may_run: Callable[[int], bool], *, processes: int, lost: int
    ) -> Report:
        """The report at the time `now` (nanoseconds).  `may_run` says of a process id whether it can still add turns.

        A process that was killed could not say how its chains ended: where nothing was lost, that is said here.
        """
        over = {record.chain_id: record for record in ended}
        outcomes: dict[str, int] = {}
        chains = []
        for chain in self._chains.values():
            outcome = _state(chain, over.get(chain.last_chain_id), now, may_run)
            untold = outcome != OPEN and not chain.told_over and chain.last_chain_id not in over
            if untold and chain.whole and not lost and chain.reasons[-1] in _UNCONTINUED:
                self.add_finding(_unhandled(chain))
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
            chains.append(_chain_row(chain, outcome))
        chains.sort(key=lambda row: (-row.ended_at, row.chain_id))
        sites = [
            SiteRow(site, tally.turns, _sorted(tally.reasons), _by_code(tally.findings))
            for site, tally in self._sites.items()
        ]
        models = [ModelRow(model, tally.turns, _sorted(tally.reasons)) for model, tally in self._models.items()]
        return Report(
            turns=self._total.turns,
            unchained=self._unchained,
            first_at=self._first_at,
            last_at=self._last_at,
            tokens=(self._tokens[0], self._tokens[1]),
            stop_reasons=_sorted(self._total.reasons),
            stream_outcomes=_sorted(self._streams),
            outcomes=_sorted(outcomes),
            models=tuple(sorted(models, key=lambda row: (-row.turns, row.model))),
            sites=tuple(sorted(sites, key=lambda row: (-row.turns, place_key(row.site)))),
            chains=tuple(chains),
            findings=self._finding_rows(),
            processes=processes,
            lost=lost,
        )

    def _chain_of(self, turn: TurnRecord) -> _Chain:
        chain_id = self.chain_id_of(turn.chain_id)
        if chain_id not in self._chains and turn.parent_turn_id is None and turn.parent_digest is not None:
            # The first turn of this chain that its process saw carries on a conversation of another process.
            before = self._digests.get(hash(turn.parent_digest))
            if before is not None:
                chain_id, parent = before
                self._chain_ids[turn.chain_id] = chain_id
                self._chains[chain_id].joined += (turn.chain_id,)
                self._carried_on.add(parent)
        if turn.digest is not None:
            # A number takes half the memory of the text.
            self._digests[hash(turn.digest)] = (chain_id, turn.turn_id)
        chain = self._chains.get(chain_id)
        if chain is None:
            chain = self._chains[chain_id] = _Chain(chain_id, turn.started_at)
        return chain

    def _finding_rows(self) -> tuple[FindingRow, ...]:
        rows = []
        for (code, site), records in self._findings.items():
            records.sort(key=lambda record: (record.time, record.turn_id))
            newest = records[-1]
            rows.append(
                FindingRow(code, newest.name, newest.severity, newest.profile, newest.message, site, tuple(records))
            )
        order = {"error": 0, "warning": 1}
        rows.sort(key=lambda row: (order.get(row.severity, 2), -len(row.occurrences), row.code, place_key(row.site)))
        return tuple(rows)


def _state(chain: _Chain, record: ChainRecord | None, now: int, may_run: Callable[[int], bool]) -> State:
    if record is not None and record.ended_at >= chain.last_started_at:
        return record.outcome
    if chain.told_over or now - chain.ended_at > CHAIN_IDLE_NS or not may_run(chain.pid):
        return chain.outcome
    return OPEN


def _chain_row(chain: _Chain, outcome: State) -> ChainRow:
    return ChainRow(
        chain_id=chain.chain_id,
        outcome=outcome,
        turns=len(chain.relations),
        length=chain.length,
        started_at=chain.started_at,
        ended_at=chain.ended_at,
        models=chain.models,
        relations=tuple(chain.relations),
        stop_reasons=tuple(chain.reasons),
        findings=_by_code(chain.findings),
        site=chain.site,
        joined=chain.joined,
    )


def _unhandled(chain: _Chain) -> FindingRecord:
    rule = mistakes.RULES["SL102"]
    return FindingRecord(
        code="SL102",
        name=rule.name,
        severity=rule.severity,
        profile=rule.profile,
        message=mistakes.unhandled(chain.reasons[-1]),
        turn_id=chain.last_turn_id,
        evidence_turn_id=chain.last_turn_id,
        chain_id=chain.last_chain_id,
        call_site=chain.site,
        time=chain.ended_at,
        trace_id=None,
        span_id=None,
        pid=chain.pid,
    )


def place_key(site: CallSite | None) -> tuple[str, int, str]:
    """An order of places; the unknown one comes first."""
    return ("", 0, "") if site is None else (site.path, site.line, site.function)


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _by_code(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
