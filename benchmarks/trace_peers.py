"""What each instrumentation of the SDK records on the same script: a table of scenarios.

    python -m pytest tests/trace/test_peers.py     # builds the environments under .cache/peers/, once
    python benchmarks/trace_peers.py               # the table, in Markdown; every cell is run for it

One process a column: the SDK's own tracing alone, each peer with the SDK's own tracing off, stoplint over the SDK's own tracing. Every
scenario runs against the fake Messages API; a cell says what the spans that were exported by then hold of the stop reason: the value itself, or
what is missing. For the scenarios of several requests it says how they are related.
"""

# ruff: noqa: PLC0415 - each column imports what it is about

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = ("native", "official", "openllmetry", "openinference", "logfire", "stoplint")
CACHE = Path(__file__).resolve().parents[1] / ".cache" / "peers"
REASON_KEYS = (
    "stoplint.stop_reason",
    "anthropic.message.stop_reason",
    "gen_ai.response.finish_reasons",
    "llm.finish_reason",
)
PARAMS = {"model": "claude-opus-5-5", "max_tokens": 50}
ASK = [{"role": "user", "content": "Tell me."}]


# --- the scenarios ---------------------------------------------------------------------------------------------------


def scenarios() -> dict[str, tuple[list[Any], Callable[[Any], object], str]]:
    """Name -> the answers of the API, what the application does, and what is looked at."""
    from stoplint.testing import cut_stream, empty, error, pause, refusal, stop_sequence, text, tool_use, truncated

    def create(client: Any, **more: Any) -> Any:
        return client.messages.create(**{**PARAMS, "messages": ASK, **more})

    def raw_stream(client: Any) -> None:
        for _ in create(client, stream=True):
            pass

    def helper(messages: Any) -> None:
        with messages.stream(messages=ASK, **PARAMS) as stream:
            stream.get_final_message()

    def left(client: Any) -> None:
        with client.messages.stream(messages=ASK, **PARAMS) as stream:
            next(iter(stream))

    def streaming_response(client: Any) -> None:
        with client.messages.with_streaming_response.create(messages=ASK, **PARAMS) as response:
            response.parse()

    def parse(client: Any) -> None:
        import pydantic

        class Answer(pydantic.BaseModel):
            value: int

        client.messages.parse(messages=ASK, output_format=Answer, **PARAMS)

    def batch(client: Any) -> None:
        made = client.messages.batches.create(requests=[{"custom_id": "a", "params": {"messages": ASK, **PARAMS}}])
        list(client.messages.batches.results(made.id))

    def carried_on(client: Any, *more: Any) -> None:
        first = create(client)
        create(client, messages=[*ASK, {"role": "assistant", "content": first.content}, *more])

    def tool_round(client: Any) -> None:
        tools = [{"name": "look", "description": "Look.", "input_schema": {"type": "object"}}]
        first = create(client, tools=tools)
        result = {"type": "tool_result", "tool_use_id": first.content[0].id, "content": "seen"}
        answered = [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        create(client, tools=tools, messages=[*ASK, *answered])

    def again(client: Any) -> None:
        create(client)
        create(client)

    def within(client: Any) -> None:
        with client.messages.stream(messages=ASK, **PARAMS) as stream:
            for number, _ in enumerate(stream):
                if number == 0:
                    create(client, messages=[{"role": "user", "content": "Another."}])

    return {
        "cut at max_tokens": ([truncated("Once")], create, "reason"),
        "stopped by a sequence": ([stop_sequence("END", "Once")], create, "sequence"),
        "refused, with a category": ([refusal("cyber")], create, "category"),
        "`create(stream=True)`, paused": ([pause()], raw_stream, "reason"),
        "`.stream()`, refused": ([refusal("cyber")], lambda client: helper(client.messages), "reason"),
        "`.stream()`, empty end_turn": ([empty()], lambda client: helper(client.messages), "reason"),
        "`beta.messages.stream()`, cut": ([truncated("Once")], lambda client: helper(client.beta.messages), "reason"),
        "`with_raw_response`, not parsed": (
            [truncated("Once")],
            lambda client: client.messages.with_raw_response.create(messages=ASK, **PARAMS),
            "reason",
        ),
        "`with_streaming_response`": ([truncated("Once")], streaming_response, "reason"),
        "`parse()` that raises on a cut answer": ([truncated('{"val')], parse, "reason"),
        "batch result, cut": ([truncated("Once")], batch, "reason"),
        "stream left after one event": ([text("Hi there.")], left, "outcome"),
        "connection breaks in the stream": ([cut_stream(text("Hi there."), after_events=4)], raw_stream, "outcome"),
        "two overloads, then an answer": (
            [error(529), error(529), text("Hi.")],
            lambda client: create(client.with_options(max_retries=2)),
            "retries",
        ),
        "a request inside an open stream": ([truncated("Once upon"), text("Hi.")], within, "reasons"),
        "a generator as `messages`": ([text("Hi.")], lambda client: create(client, messages=iter(ASK)), "sent"),
        "pause, then resumed": ([pause(), text("Hi.")], carried_on, "relation"),
        "cut, then carried on": (
            [truncated("Once"), text("Hi.")],
            lambda client: carried_on(client, {"role": "user", "content": "Go on."}),
            "relation",
        ),
        "tool call, then its result": ([tool_use("look", {}), text("Hi.")], tool_round, "relation"),
        "empty, then the same again": ([empty(), text("Hi.")], again, "relation"),
    }


# --- one column ------------------------------------------------------------------------------------------------------


def instrument(column: str, spans: Any) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    if column == "logfire":
        import logfire

        logfire.configure(send_to_logfire=False, console=False, additional_span_processors=[SimpleSpanProcessor(spans)])
        logfire.instrument_anthropic()
        return
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(provider)
    if column == "stoplint":
        import stoplint.auto  # noqa: F401
    elif column == "official":
        from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

        AnthropicInstrumentor().instrument()
    elif column == "openllmetry":
        from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

        AnthropicInstrumentor().instrument()
    elif column == "openinference":
        from openinference.instrumentation.anthropic import AnthropicInstrumentor

        AnthropicInstrumentor().instrument()


def reasons_of(spans: list[Any]) -> list[str]:
    found = []
    for span in spans:
        # One a span: ours stands on the span that has the SDK's as well.
        value = next((span.attributes[key] for key in REASON_KEYS if key in span.attributes), None)
        if value is not None:
            found.append(value if isinstance(value, str) else ",".join(value))
    return found


def cell(look: str, spans: list[Any], fake: Any, expected: list[str]) -> str:
    """What the spans tell of the one thing looked at."""
    attributes: dict[str, Any] = {}
    for span in spans:
        attributes.update(span.attributes)
    reasons = reasons_of(spans)
    requests = [
        span for span in spans if reasons_of([span]) or span.kind.name == "CLIENT" or "LLM" in str(span.attributes)
    ]
    if look == "sent":
        return f"{len(fake.requests[-1].body['messages'])} of 1 sent"
    if not requests:
        return "no span"
    if look == "relation":
        relations = [span.attributes["stoplint.relation"] for span in spans if "stoplint.relation" in span.attributes]
        links = sum(len(span.links) for span in spans)
        return f"`{relations[-1]}`, {links} link{'s' * (links != 1)}" if relations else "-"
    if look == "reason":
        return f"`{reasons[-1]}`" if reasons else "no reason"
    if look == "reasons":
        return f"{', '.join(f'`{reason}`' for reason in sorted(reasons)) or 'no reason'} of {len(expected)}"
    if look == "outcome":
        status = requests[-1].status.status_code.name
        return f"`{attributes['stoplint.stream.outcome']}`" if "stoplint.stream.outcome" in attributes else status
    if look == "retries":
        count = attributes.get("stoplint.retries", attributes.get("http.request.resend_count"))
        return "-" if count is None else str(count)
    names = {"sequence": ("stoplint.stop_sequence", "END"), "category": ("stoplint.refusal.category", "cyber")}
    name, word = names[look]
    reason = f"`{reasons[-1]}`" if reasons else "no reason"
    if name in attributes:
        return f"{reason}, `{attributes[name]}`"
    hidden = any(
        word in str(value) and "input" not in key and "request" not in key for key, value in attributes.items()
    )
    return f"{reason}, in the content only" if hidden else reason


def play(column: str) -> dict[str, str]:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans = InMemorySpanExporter()
    instrument(column, spans)
    from stoplint.testing import FakeMessages

    cells = {}
    for name, (answers, use, look) in scenarios().items():
        spans.clear()
        # Another question each time, so that no scenario carries on the one before.
        ASK[0]["content"] = f"Tell me about this: {name}."
        fake = FakeMessages(answers, strict=False)
        fake.allow_unused = True
        with fake, contextlib.suppress(Exception):
            use(fake.client())
        expected = [answer for answer in answers if hasattr(answer, "stop_reason")]
        cells[name] = cell(look, list(spans.get_finished_spans()), fake, expected)
    return cells


# --- the table -------------------------------------------------------------------------------------------------------


def run(column: str) -> dict[str, str] | None:
    folder = CACHE / column / ("Scripts" if os.name == "nt" else "bin")
    python = sys.executable if column in ("native", "stoplint") else str(folder / "python")
    if not Path(python).exists():
        print(f"{column} left out: no {python}; tests/trace/test_peers.py builds it", file=sys.stderr)
        return None
    native = "true" if column in ("native", "stoplint") else "false"
    environ = {**os.environ, "ANTHROPIC_OPEN_TELEMETRY": native, "STOPLINT_STORE": "off"}
    done = subprocess.run(
        [python, __file__, "--play", column], capture_output=True, text=True, env=environ, timeout=120, check=False
    )
    if done.returncode:
        sys.exit(f"{column}: {done.stderr.strip()}")
    printed: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return printed


def main() -> int:
    if sys.argv[1:2] == ["--play"]:
        print("\n" + json.dumps(play(sys.argv[2])))
        return 0
    columns = {column: cells for column in COLUMNS if (cells := run(column)) is not None}
    print(f"| scenario | {' | '.join(columns)} |\n| --- |{' --- |' * len(columns)}")
    for name in next(iter(columns.values())):
        print(f"| {name} | {' | '.join(cells[name] for cells in columns.values())} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
