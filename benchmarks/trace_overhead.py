"""What tracing costs a request: bare SDK, the SDK's own tracing, stoplint over it, stoplint alone, and every peer installed.

    python benchmarks/trace_overhead.py                 # all of it, about six minutes
    python benchmarks/trace_overhead.py --quick         # fewer samples
    python benchmarks/trace_overhead.py --memory        # 100,000 turns in chains: memory only; --bare without stoplint

All variants run in one process, against an in-process transport with canned bytes, a batch span processor and an exporter that drops, the
same for all. Measured is the CPU time of the calling thread for each request that continues a known conversation. In every round each variant
runs right beside its baseline (which of the two is first is drawn by lot), both after the same warm-up and with the garbage collector off; a pair
counts by the difference of the medians of its requests, and a figure is the median of all pairs. Peers are whatever of PEERS is importable:
`uv pip install` them beside the SDK.
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
    from typing import TypeAlias

    Pairs: TypeAlias = dict[str, dict[str, list[tuple[float, float]]]]

os.environ.setdefault("TRACELOOP_TRACE_CONTENT", "false")  # OpenLLMetry's cheaper mode, the one comparable with ours

SMALL, LARGE = 2, 2_000
EVENTS = (20, 820)
TEXT = "The answer is forty-two, and that is the end of it."
SERIAL = itertools.count()
WARM_UP = 60
"""Requests before each block: more than the interpreter's inline caches need to settle."""


# --- an SDK without a network ----------------------------------------------------------------------------------------


def message_bytes(*, tool: bool = False) -> bytes:
    number = next(SERIAL)
    call = {"type": "tool_use", "id": f"toolu_{number}", "name": "weather", "input": {"place": "Vienna", "days": 3}}
    return json.dumps(
        {
            "id": f"msg_{number:024x}",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-5-5",
            "content": [call if tool else {"type": "text", "text": TEXT}],
            "stop_reason": "tool_use" if tool else "end_turn",
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


def client(deltas: int = 0, *, tool: bool = False, **options: Any) -> Any:
    import anthropic
    import httpx2

    def answer(_request: httpx2.Request) -> httpx2.Response:
        if deltas:
            return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=stream_bytes(deltas))
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=message_bytes(tool=tool))

    return anthropic.Anthropic(
        api_key="none", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)), max_retries=0, **options
    )


# --- variants --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variant:
    """`base` is what it is compared with, `native` whether the SDK's own tracing is on; `around` switches everything else on
    and off again.
    """

    name: str
    base: str
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
        Variant("bare", "bare", False, contextlib.nullcontext),
        Variant("native", "bare", True, contextlib.nullcontext),
        Variant("stoplint over native", "native", True, stoplint_on),
        Variant("stoplint alone", "bare", False, stoplint_on),
    ]
    for name, module, on in PEERS:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            continue
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        found.append(Variant(name, "bare", False, on or instrumentor(module)))
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


def tool_results(c: Any, samples: int) -> list[int]:
    """The same for requests that answer a tool_use, in a conversation that is new each time."""
    times = []
    tool = {"name": "weather", "description": "The weather.", "input_schema": {"type": "object", "properties": {}}}
    fixed = {"model": "claude-opus-5-5", "max_tokens": 100, "tools": [tool]}
    for _ in range(samples):
        opening = conversation(SMALL)
        content = c.messages.create(messages=opening, **fixed).content
        result = {"type": "tool_result", "tool_use_id": content[0].id, "content": "Rain, 12 degrees, west wind."}
        messages = [*opening, {"role": "assistant", "content": content}, {"role": "user", "content": [result]}]
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
        (f"create, {SMALL} messages", lambda c: requests(c["plain"], SMALL, sized(40))),
        (f"create, {LARGE:,} messages", lambda c: requests(c["plain"], LARGE, sized(12))),
        ("create, tool result", lambda c: tool_results(c["tool"], sized(40))),
        (f"stream, {EVENTS[0]} deltas", lambda c: streams(c[EVENTS[0]], sized(30))),
        (f"stream, {EVENTS[1]} deltas", lambda c: streams(c[EVENTS[1]], sized(10))),
    ]


def measure(rounds: int, scale: float) -> Pairs:
    """Microseconds a request: variant -> case -> a pair a round, the baseline's first."""
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
            "tool": client(tool=True, open_telemetry={"traces": native}),
            **{deltas: client(deltas, open_telemetry={"traces": native}) for deltas in EVENTS},
        }
        for native in (False, True)
    }

    def once(variant: Variant, run: Callable[[dict[str, Any]], list[int]]) -> float:
        with variant.around():
            # Switching on replaces methods of the SDK; the interpreter has to specialise its code anew.
            requests(clients[variant.native]["plain"], SMALL, WARM_UP)
            gc.collect()
            gc.disable()
            try:
                return statistics.median(run(clients[variant.native])) / 1000
            finally:
                gc.enable()

    all_of_them = {variant.name: variant for variant in variants()}
    found: Pairs = {v: {name: [] for name, _ in cases(1)} for v in all_of_them}
    for number in range(rounds + 1):
        for name, run in cases(scale):
            for variant in random.sample(list(all_of_them.values()), len(all_of_them)):
                base = all_of_them[variant.base]
                if variant is base:
                    pair = (once(base, run),) * 2
                elif random.random() < 0.5:
                    pair = (once(base, run), once(variant, run))
                else:
                    pair = (once(variant, run), once(base, run))[::-1]
                if number:  # the first round warms up
                    found[variant.name][name].append(pair)
        print(f"round {number} of {rounds}", file=sys.stderr)
    return found


# --- reporting -------------------------------------------------------------------------------------------------------


def differences(found: Pairs, name: str, case: str) -> list[float]:
    return [mine - base for base, mine in found[name][case]]


def difference(found: Pairs, name: str, case: str) -> float:
    return statistics.median(differences(found, name, case))


def per_event(found: Pairs, name: str) -> float:
    few, many = (f"stream, {n} deltas" for n in EVENTS)
    return (difference(found, name, many) - difference(found, name, few)) / (EVENTS[1] - EVENTS[0])


def table(found: Pairs) -> str:
    names = list(next(iter(found.values())))
    absolute = [f"{statistics.median(mine for _, mine in found['bare'][name]):.0f}" for name in names]
    lines = [
        "| microseconds of CPU a call | " + " | ".join(names) + " | per stream event |",
        "| --- |" + " ---: |" * (len(names) + 1),
        f"| bare SDK | {' | '.join(absolute)} | |",
    ]
    for variant in found:
        if variant != "bare":
            cells = [f"{difference(found, variant, name):+.0f}" for name in names]
            lines.append(f"| {variant} | {' | '.join(cells)} | {per_event(found, variant):+.2f} |")
    spread = [quartiles(differences(found, "stoplint over native", name)) for name in names]
    lines.append(f"| stoplint over native, middle half of the pairs | {' | '.join(spread)} | |")
    return "\n".join(lines)


def quartiles(values: list[float]) -> str:
    low, _, high = statistics.quantiles(values, n=4)
    return f"{low:+.0f} to {high:+.0f}"


def budgets(found: Pairs) -> list[tuple[str, float, float]]:
    """What each budget is about, what was measured, and the budget; microseconds."""
    small, large = f"create, {SMALL} messages", f"create, {LARGE:,} messages"
    return [
        (f"over native, {SMALL} messages", difference(found, "stoplint over native", small), 25),
        (f"over native, {LARGE:,} messages", difference(found, "stoplint over native", large), 25),
        ("a stream event, over native", per_event(found, "stoplint over native"), 1),
        ("a stream event, alone", per_event(found, "stoplint alone"), 1),
        ("alone", difference(found, "stoplint alone", small), 130),
    ]


def import_cost() -> float:
    """CPU milliseconds of `import stoplint.auto` in a new interpreter, the least of nine."""
    code = "import time; t = time.process_time(); import stoplint.auto; print(time.process_time() - t)"
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True) for _ in range(9)]
    return min(float(run.stdout) for run in runs) * 1000


def memory(turns: int, *, traced: bool) -> list[tuple[int, int, int, float]]:
    """(turns so far, turns kept, blocks of Python objects, megabytes resident) over `turns` turns in chains of ten."""
    from stoplint.trace import live_turns

    c = client(open_telemetry={"traces": False})
    points = []
    with stoplint_on() if traced else contextlib.nullcontext():
        for start in range(0, turns, 10):
            messages = conversation(SMALL)
            for _ in range(10):
                c.messages.create(model="claude-opus-5-5", max_tokens=100, messages=messages)
                messages = [*messages, {"role": "assistant", "content": TEXT}, {"role": "user", "content": "And then?"}]
            done = start + 10
            if done % (turns // 10) == 0:
                points.append((done, live_turns(), sys.getallocatedblocks(), resident()))
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
    parser.add_argument("--bare", action="store_true", help="with --memory: the SDK alone, for comparison")
    parser.add_argument("--turns", type=int, default=100_000)
    chosen = parser.parse_args()
    os.environ["STOPLINT_STORE"] = "off"
    if chosen.memory:
        print("| turns | kept | Python blocks | MB resident |\n| ---: | ---: | ---: | ---: |")
        for done, kept, blocks, size in memory(chosen.turns, traced=not chosen.bare):
            print(f"| {done:,} | {kept:,} | {blocks:,} | {size:.1f} |", flush=True)
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
