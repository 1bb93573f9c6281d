"""What tracing costs a request: bare SDK, the SDK's own tracing, stoplint over it, stoplint alone, and every peer installed.

    python benchmarks/trace_overhead.py                 # all of it, about four minutes
    python benchmarks/trace_overhead.py --quick         # fewer samples
    python benchmarks/trace_overhead.py --memory        # 100,000 turns in chains: memory only

All variants run in one process and take turns, round by round in another order each, against an in-process transport with canned
bytes, a batch span processor and an exporter that drops. Measured is the CPU time of the calling thread for each request that continues a
known conversation; a figure is the median over the rounds of the difference to the round's baseline, where a round counts by its
cheapest request (the machine may be busy). Peers are whatever of PEERS is importable: `uv pip install` them beside the SDK.
"""

# ruff: noqa: PLC0415 - what is measured is imported when its turn comes

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import itertools
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

os.environ.setdefault("TRACELOOP_TRACE_CONTENT", "false")  # OpenLLMetry's cheaper mode, the one comparable with ours

SMALL, LARGE = 2, 2_000
EVENTS = (20, 820)
TEXT = "The answer is forty-two, and that is the end of it."
SERIAL = itertools.count()


# --- an SDK without a network ----------------------------------------------------------------------------------------


def message_bytes() -> bytes:
    return json.dumps(
        {
            "id": f"msg_{next(SERIAL):024x}",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-5-5",
            "content": [{"type": "text", "text": TEXT}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 9, "output_tokens": 12},
        }
    ).encode()


def stream_bytes(deltas: int) -> bytes:
    start = json.loads(message_bytes()) | {"content": [], "stop_reason": None}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "some words "}},)
        * deltas,
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": deltas},
        },
        {"type": "message_stop"},
    ]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events).encode()


def client(deltas: int = 0, **options: Any) -> Any:
    import anthropic
    import httpx2

    def answer(_request: httpx2.Request) -> httpx2.Response:
        if deltas:
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream_bytes(deltas))
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=message_bytes())

    return anthropic.Anthropic(
        api_key="none", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)), max_retries=0, **options
    )


# --- variants --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variant:
    """`native` is whether the SDK's own tracing is on; `around` switches everything else on and off again."""

    name: str
    native: bool
    around: Callable[[], contextlib.AbstractContextManager[Any]]


@contextlib.contextmanager
def stoplint_on() -> Iterator[None]:
    from stoplint.trace import StopReasonInstrumentor

    StopReasonInstrumentor().instrument()
    try:
        yield
    finally:
        StopReasonInstrumentor().uninstrument()


def instrumentor(module: str) -> Callable[[], contextlib.AbstractContextManager[Any]]:
    @contextlib.contextmanager
    def on() -> Iterator[None]:
        one = importlib.import_module(module).AnthropicInstrumentor()
        one.instrument()
        try:
            yield
        finally:
            one.uninstrument()

    return on


@contextlib.contextmanager
def logfire_on() -> Iterator[None]:
    import logfire

    logfire.configure(send_to_logfire=False, console=False)
    with logfire.instrument_anthropic():
        yield


PEERS = (
    ("official", "opentelemetry.instrumentation.genai.anthropic", None),
    ("OpenLLMetry, content off", "opentelemetry.instrumentation.anthropic", None),
    ("OpenInference", "openinference.instrumentation.anthropic", None),
    ("logfire", "logfire", logfire_on),
)


def variants() -> list[Variant]:
    found = [
        Variant("bare", False, contextlib.nullcontext),
        Variant("native", True, contextlib.nullcontext),
        Variant("stoplint over native", True, stoplint_on),
        Variant("stoplint alone", False, stoplint_on),
    ]
    for name, module, on in PEERS:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            continue
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        found.append(Variant(name, False, on or instrumentor(module)))
    return found


# --- measuring -------------------------------------------------------------------------------------------------------


def conversation(length: int) -> list[dict[str, str]]:
    """A history of `length` messages that ends with an answer, no other conversation's."""
    number = next(SERIAL)
    roles = itertools.cycle(("user", "assistant"))
    history = [{"role": next(roles), "content": f"Message {i} of a conversation."} for i in range(length - 2)]
    return [*history, {"role": "user", "content": f"Question {number}?"}]


def requests(c: Any, length: int, samples: int) -> list[int]:
    """CPU nanoseconds of the calling thread for each request; each continues one made just before."""
    times = []
    fixed = {"model": "claude-opus-5-5", "max_tokens": 100}
    for _ in range(samples):
        opening = conversation(length)
        c.messages.create(messages=opening, **fixed)
        messages = [*opening, {"role": "assistant", "content": TEXT}, {"role": "user", "content": "And then?"}]
        before = time.thread_time_ns()
        c.messages.create(messages=messages, **fixed)
        times.append(time.thread_time_ns() - before)
    return times


def streams(c: Any, samples: int) -> list[int]:
    times = []
    for _ in range(samples):
        messages = [{"role": "user", "content": f"Question {next(SERIAL)}?"}]
        before = time.thread_time_ns()
        for _ in c.messages.create(model="claude-opus-5-5", max_tokens=100, messages=messages, stream=True):
            pass
        times.append(time.thread_time_ns() - before)
    return times


def cases(scale: float) -> list[tuple[str, Callable[[dict[str, Any]], Any]]]:
    def sized(n: int) -> int:
        return max(3, int(n * scale))

    return [
        (f"create, {SMALL} messages", lambda c: requests(c["plain"], SMALL, sized(60))),
        (f"create, {LARGE:,} messages", lambda c: requests(c["plain"], LARGE, sized(12))),
        (f"stream, {EVENTS[0]} deltas", lambda c: streams(c[EVENTS[0]], sized(40))),
        (f"stream, {EVENTS[1]} deltas", lambda c: streams(c[EVENTS[1]], sized(8))),
    ]


def measure(rounds: int, scale: float) -> dict[str, dict[str, list[float]]]:
    """Microseconds a request: variant -> case -> one figure a round."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

    class Drop(SpanExporter):
        def export(self, _spans: Any) -> SpanExportResult:
            return SpanExportResult.SUCCESS

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Drop()))
    trace.set_tracer_provider(provider)
    clients = {
        native: {
            "plain": client(open_telemetry={"traces": native}),
            **{deltas: client(deltas, open_telemetry={"traces": native}) for deltas in EVENTS},
        }
        for native in (False, True)
    }
    found: dict[str, dict[str, list[float]]] = {v.name: {name: [] for name, _ in cases(scale)} for v in variants()}
    for number in range(rounds + 1):
        for name, run in cases(scale):
            for variant in random.sample(variants(), len(variants())):
                with variant.around():
                    run_warm = requests(clients[variant.native]["plain"], SMALL, 5)
                    assert run_warm
                    gc.collect()
                    gc.disable()
                    taken = run(clients[variant.native])
                    gc.enable()
                if number:  # the first round warms up
                    found[variant.name][name].append(min(taken) / 1000)
        print(f"round {number} of {rounds}", file=sys.stderr)
    return found


# --- reporting -------------------------------------------------------------------------------------------------------


def difference(found: dict[str, dict[str, list[float]]], name: str, base: str, case: str) -> float:
    return statistics.median(a - b for a, b in zip(found[name][case], found[base][case], strict=True))


def per_event(found: dict[str, dict[str, list[float]]], name: str, base: str) -> float:
    few, many = (f"stream, {n} deltas" for n in EVENTS)
    return (difference(found, name, base, many) - difference(found, name, base, few)) / (EVENTS[1] - EVENTS[0])


def table(found: dict[str, dict[str, list[float]]]) -> str:
    names = list(next(iter(found.values())))
    lines = [
        "| microseconds of CPU a call | " + " | ".join(names) + " | per stream event |",
        "| --- |" + " ---: |" * (len(names) + 1),
        "| bare SDK | " + " | ".join(f"{statistics.median(found['bare'][name]):.0f}" for name in names) + " | |",
    ]
    for variant in found:
        if variant == "bare":
            continue
        cells = [f"{difference(found, variant, 'bare', name):+.0f}" for name in names]
        lines.append(f"| {variant} | {' | '.join(cells)} | {per_event(found, variant, 'bare'):+.2f} |")
    over = [f"{difference(found, 'stoplint over native', 'native', name):+.1f}" for name in names]
    event = per_event(found, "stoplint over native", "native")
    lines.append(f"| **stoplint, over native** | {' | '.join(over)} | {event:+.2f} |")
    ratios = [
        f"{statistics.median(found['stoplint over native'][n]) / statistics.median(found['native'][n]):.3f}"
        for n in names
    ]
    lines.append(f"| stoplint over native : native | {' | '.join(ratios)} | |")
    return "\n".join(lines)


def budgets(found: dict[str, dict[str, list[float]]]) -> list[tuple[str, float, float]]:
    """What each budget is about, what was measured, and the budget; microseconds."""
    small, large = f"create, {SMALL} messages", f"create, {LARGE:,} messages"
    return [
        (f"over native, {SMALL} messages", difference(found, "stoplint over native", "native", small), 25),
        (f"over native, {LARGE:,} messages", difference(found, "stoplint over native", "native", large), 25),
        ("a stream event, over native", per_event(found, "stoplint over native", "native"), 1),
        ("a stream event, alone", per_event(found, "stoplint alone", "bare"), 1),
        ("alone", difference(found, "stoplint alone", "bare", small), 130),
    ]


def import_cost() -> float:
    """CPU milliseconds of `import stoplint.auto` in a new interpreter, the least of nine."""
    code = "import time; t = time.process_time(); import stoplint.auto; print(time.process_time() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in range(9)]
    return min(float(run.stdout) for run in runs) * 1000


def memory(turns: int) -> list[tuple[int, int, float]]:
    """(turns so far, turns kept, megabytes resident) over `turns` turns in chains of ten."""
    from stoplint.trace import StopReasonInstrumentor, live_turns

    c = client(open_telemetry={"traces": False})
    points = []
    with stoplint_on():
        assert StopReasonInstrumentor().is_instrumented_by_opentelemetry
        for start in range(0, turns, 10):
            messages = conversation(SMALL)
            for _ in range(10):
                c.messages.create(model="claude-opus-5-5", max_tokens=100, messages=messages)
                messages = [*messages, {"role": "assistant", "content": TEXT}, {"role": "user", "content": "And then?"}]
            done = start + 10
            if done % (turns // 10) == 0:
                points.append((done, live_turns(), resident()))
    return points


def resident() -> float:
    try:
        with open("/proc/self/statm") as statm:  # noqa: PTH123
            return int(statm.read().split()[1]) * resource.getpagesize() / 2**20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--turns", type=int, default=100_000)
    chosen = parser.parse_args()
    os.environ["STOPLINT_STORE"] = "off"
    if chosen.memory:
        print("| turns | kept | MB resident |\n| ---: | ---: | ---: |")
        for done, kept, size in memory(chosen.turns):
            print(f"| {done:,} | {kept:,} | {size:.0f} |", flush=True)
        return 0
    found = measure(3 if chosen.quick else chosen.rounds, 0.3 if chosen.quick else 1.0)
    print(table(found))
    print()
    results = [*budgets(found), ("import stoplint.auto (ms)", import_cost(), 60)]
    for what, taken, budget in results:
        print(f"{'ok  ' if taken <= budget else 'OVER'} {what}: {taken:.2f} of {budget}")
    return int(any(taken > budget for _, taken, budget in results))


if __name__ == "__main__":
    sys.exit(main())
