"""One program beside another instrumentation of the SDK: `python peers.py PEER on|off`, the last for the SDK's own tracing.

Prints JSON: for each surface the spans, and the faults of ours. Run by test_peers.py in an environment that has the peer.
"""

# ruff: noqa: E402 - the order of imports is what is tried here

from __future__ import annotations

import json
import os
import sys

PEER, NATIVE = sys.argv[1:3]
if NATIVE == "off":
    os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

SPANS = InMemorySpanExporter()
if PEER == "logfire":
    import logfire

    logfire.configure(
        send_to_logfire=False,
        console=False,
        additional_span_processors=[SimpleSpanProcessor(SPANS)],
        inspect_arguments=False,
    )
else:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(SPANS))
    trace.set_tracer_provider(provider)

import stoplint.auto  # noqa: F401 - before the peer: theirs wraps ours or stands beside it

if PEER == "official":
    from opentelemetry.instrumentation.genai.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()
elif PEER == "openllmetry":
    from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()
elif PEER == "openinference":
    from openinference.instrumentation.anthropic import AnthropicInstrumentor

    AnthropicInstrumentor().instrument()
elif PEER == "logfire":
    logfire.instrument_anthropic()

from stoplint.testing import FakeMessages, pause, refusal, text, truncated
from stoplint.trace import fault_counts

PARAMS = {"model": "claude-opus-5-5", "max_tokens": 50}


def messages(words):
    return [{"role": "user", "content": words}]


def raw_stream(client):
    for _ in client.messages.create(messages=messages("stream"), stream=True, **PARAMS):
        pass


def helper(client):
    with client.messages.stream(messages=messages("helper"), **PARAMS) as stream:
        stream.get_final_message()


def left(client):
    with client.messages.stream(messages=messages("left"), **PARAMS) as stream:
        for _ in stream:
            break


SURFACES = {
    "create": (truncated("Once"), lambda client: client.messages.create(messages=messages("create"), **PARAMS)),
    "raw stream": (pause(), raw_stream),
    "helper stream": (refusal("cyber"), helper),
    "left stream": (text("Hi."), left),
    "raw response": (
        text("Hi."),
        lambda client: client.messages.with_raw_response.create(messages=messages("raw"), **PARAMS).parse(),
    ),
    "beta": (truncated("Once"), lambda client: client.beta.messages.create(messages=messages("beta"), **PARAMS)),
}


def main():
    found = {}
    for name, (answer, use) in SURFACES.items():
        SPANS.clear()
        with FakeMessages([answer]) as fake:
            use(fake.client())
        found[name] = [
            {
                "name": span.name,
                "kind": span.kind.name,
                "scope": span.instrumentation_scope.name,
                "ours": {k: v for k, v in span.attributes.items() if k.startswith("stoplint.")},
                "llm": any(k.startswith(("gen_ai.", "llm.")) for k in span.attributes),
            }
            for span in SPANS.get_finished_spans()
        ]
    json.dump({"spans": found, "faults": fault_counts()}, sys.stdout)


if __name__ == "__main__":
    main()
