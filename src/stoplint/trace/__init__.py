"""The run-time half: which turns were cut, refused, paused or empty, how they hang together, what went wrong.

    import stoplint.auto                    # at the top of an application, or

    from stoplint.trace import StopReasonInstrumentor
    StopReasonInstrumentor().instrument()   # also found by `opentelemetry-instrument` under the name `stoplint`

Importing this package imports neither `anthropic` nor OpenTelemetry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stoplint.trace.instrumentor import StopReasonInstrumentor as StopReasonInstrumentor

__all__ = ["StopReasonInstrumentor", "end_chain", "fault_counts", "live_turns"]


def end_chain(chain_id: str) -> bool:
    """Tell that a chain is over, as `stoplint.chain.id` names it; whether it was open."""
    from stoplint.trace import runtime  # noqa: PLC0415 - keeps this package free of cost

    tracer = runtime.tracer()
    return tracer is not None and tracer.end_chain(chain_id)


def live_turns() -> int:
    """How many turns are kept in memory: at most 10,000, none older than an hour."""
    from stoplint.trace import runtime  # noqa: PLC0415

    tracer = runtime.tracer()
    return 0 if tracer is None else len(tracer.chains)


def fault_counts() -> dict[str, int]:
    """How many faults of stoplint's own were swallowed in this process, by hook."""
    from stoplint.trace.faults import counts  # noqa: PLC0415

    return counts()


def __getattr__(name: str) -> object:
    if name == "StopReasonInstrumentor":
        from stoplint.trace.instrumentor import StopReasonInstrumentor  # noqa: PLC0415

        return StopReasonInstrumentor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
