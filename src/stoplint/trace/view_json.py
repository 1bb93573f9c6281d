"""The report as JSON.  Keys are stable: new ones may come, none changes its meaning; `version` would say so.

Times are ISO 8601 in UTC with microseconds, durations milliseconds, paths posix and relative to the working folder
where they lie below it, as in the linter's JSON.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, TypeAlias

from stoplint.trace.view import model_of
from stoplint.trace.view_place import shown_path
from stoplint.trace.view_words import findings_by_turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stoplint.trace.records import CallSite, FindingRecord, TurnRecord
    from stoplint.trace.view import ChainRow, FindingRow, Report
    from stoplint.trace.view_sources import Loaded, SourceFacts

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

VERSION: Final = 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def render(loaded: Loaded) -> Iterator[str]:
    """The whole report; one line a chain and a finding, so that it can be searched with line tools."""
    report = loaded.report
    head: dict[str, Json] = {
        "version": VERSION,
        "sources": [_source(source) for source in loaded.sources],
        "totals": _totals(report),
        "stop_reasons": dict(report.stop_reasons),
        "stream_outcomes": dict(report.stream_outcomes),
        "chain_outcomes": dict(report.outcomes),
        "models": [
            {"model": row.model, "turns": row.turns, "stop_reasons": dict(row.stop_reasons)} for row in report.models
        ],
        "call_sites": [
            {
                **place(row.site),
                "turns": row.turns,
                "stop_reasons": dict(row.stop_reasons),
                "findings": dict(row.findings),
            }
            for row in report.sites
        ],
    }
    text = json.dumps(head, indent=2)
    yield text[: text.rindex("\n")]
    yield from _rows("chains", (chain_row(row) for row in report.chains))
    yield from _rows("findings", (_finding_row(row) for row in report.findings))
    yield "\n}\n"


def render_chain(loaded: Loaded, row: ChainRow) -> Iterator[str]:
    """One chain with all its turns and findings."""
    turns = loaded.turns[row.chain_id]
    by_turn = findings_by_turn(loaded.report)
    findings = [occurrence(record) for one in turns for record in by_turn.get(one.turn_id, ())]
    document: dict[str, Json] = {
        "version": VERSION,
        "sources": [_source(source) for source in loaded.sources],
        "chain": chain_row(row),
        "turns": [turn(record) for record in turns],
        "findings": list[Json](findings),
    }
    yield json.dumps(document, indent=2) + "\n"


def chain_row(row: ChainRow) -> dict[str, Json]:
    return {
        "chain_id": row.chain_id,
        "outcome": row.outcome,
        "turns": row.turns,
        "length": row.length,
        "started_at": moment(row.started_at),
        "ended_at": moment(row.ended_at),
        "models": list(row.models),
        "relations": list(row.relations),
        "stop_reasons": list(row.stop_reasons),
        "findings": dict(row.findings),
        "joined": list(row.joined),
        **place(row.site),
    }


def turn(record: TurnRecord) -> dict[str, Json]:
    """One turn, every fact of it but content."""
    return {
        "turn_id": record.turn_id,
        "index": record.index,
        "relation": record.relation,
        "parent_turn_id": record.parent_turn_id,
        "changed": list(record.changed),
        "stop_reason": record.stop_reason,
        "stop_sequence": record.stop_sequence,
        "refusal_category": record.refusal_category,
        "error": record.error,
        "empty": record.empty,
        "truncated_tool_use": record.truncated_tool_use,
        "content_kinds": dict(record.content_kinds),
        "model": model_of(record),
        "response_model": record.response_model,
        "max_tokens": record.max_tokens,
        "input_tokens": record.input_tokens,
        "output_tokens": record.output_tokens,
        "cache_read_tokens": record.cache_read_tokens,
        "cache_write_tokens": record.cache_write_tokens,
        "surface": record.surface,
        "beta": record.beta,
        "streaming": record.streaming,
        "stream_outcome": record.stream_outcome,
        "retries": record.retries,
        "started_at": moment(record.started_at),
        "duration_ms": (record.ended_at - record.started_at) // 1_000_000,
        **place(record.call_site),
        "digest": record.digest,
        "parent_digest": record.parent_digest,
        "trace_id": record.trace_id,
        "span_id": record.span_id,
        "pid": record.pid,
        "findings": list(record.findings),
    }


def occurrence(record: FindingRecord) -> dict[str, Json]:
    return {
        "code": record.code,
        "message": record.message,
        "turn_id": record.turn_id,
        "evidence_turn_id": record.evidence_turn_id,
        "chain_id": record.chain_id,
        "at": moment(record.time),
        "trace_id": record.trace_id,
        "span_id": record.span_id,
    }


def place(site: CallSite | None) -> dict[str, Json]:
    """The keys that say where in the code; all null where that is not known."""
    if site is None:
        return {"path": None, "line": None, "function": None}
    return {"path": shown_path(site.path), "line": site.line, "function": site.function}


def moment(nanoseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=nanoseconds // 1000)).isoformat(timespec="microseconds")


def _finding_row(row: FindingRow) -> dict[str, Json]:
    return {
        "code": row.code,
        "name": row.name,
        "severity": row.severity,
        "profile": row.profile,
        "message": row.message,
        **place(row.site),
        "count": len(row.occurrences),
        "occurrences": [occurrence(record) for record in row.occurrences],
    }


def _source(source: SourceFacts) -> dict[str, Json]:
    return {
        "path": source.path.as_posix(),
        "kind": source.kind,
        "broken_lines": source.broken.count,
        "first_broken_lines": [{"line": line, "reason": reason} for line, reason in source.broken.first],
    }


def _totals(report: Report) -> dict[str, Json]:
    return {
        "turns": report.turns,
        "turns_without_chain": report.unchained,
        "chains": len(report.chains),
        "findings": sum(len(row.occurrences) for row in report.findings),
        "processes": report.processes,
        "lost_records": report.lost,
        "input_tokens": report.tokens[0],
        "output_tokens": report.tokens[1],
        "first_at": None if report.first_at is None else moment(report.first_at),
        "last_at": None if report.last_at is None else moment(report.last_at),
    }


def _rows(name: str, rows: Iterable[dict[str, Json]]) -> Iterator[str]:
    yield f',\n  "{name}": ['
    separator = "\n    "
    for row in rows:
        yield separator + json.dumps(row)
        separator = ",\n    "
    yield "]" if separator == "\n    " else "\n  ]"
