"""Does the tracer see every surface exactly once, with its raw reason, and leave one span a request?

Run by test_hooks.py in each environment. `hooks_alone.py` runs the same with the SDK's own tracing switched off.
"""

from __future__ import annotations

import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from surfaces import Surface, main, run

from stoplint.trace import StopReasonInstrumentor, fault_counts

SPANS = InMemorySpanExporter()


def traced(one: Surface) -> dict[str, object]:
    """The cell of a surface with the tracer at work."""
    SPANS.clear()
    cell = run(one)
    if cell["outcome"] != "ok":
        return cell
    spans = SPANS.get_finished_spans()
    turns = [span for span in spans if "stoplint.relation" in span.attributes]
    # A lost thread is one failed request more; a batch item that is no message is no turn.
    reasons = [span.attributes["stoplint.stop_reason"] for span in turns if "stoplint.stop_reason" in span.attributes]
    expected = [reason for reason in one.reasons if reason != "errored"]
    problems = []
    if reasons != expected:
        problems.append(f"recorded {reasons}, expected {expected}")
    requests = [span for span in spans if span.name == "anthropic.messages.create" or span.name.startswith("chat ")]
    if "batches" not in one.name and (len(requests) != len(turns) or any(span not in requests for span in turns)):
        problems.append(f"spans {[span.name for span in spans]} for {len(turns)} turns")
    if any("code.line.number" not in span.attributes for span in turns):
        problems.append("no call site")
    if fault_counts():
        problems.append(f"faults {fault_counts()}")
    return {"outcome": "failed", "detail": "; ".join(problems)} if problems else cell


def start() -> int:
    """Run all surfaces with the tracer on."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(SPANS))
    trace.set_tracer_provider(provider)
    StopReasonInstrumentor().instrument()
    return main(traced)


if __name__ == "__main__":
    sys.exit(start())
