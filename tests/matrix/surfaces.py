"""Every way through the `anthropic` package to a Message, each as a small program against the fake Messages API.

    python surfaces.py      # runs all of them on the installed SDK and prints JSON

A surface gets a `FakeMessages` with its script and returns the stop reasons that the application saw, in order. Surfaces are data:
other scripts of this folder run the same ones with something else around them (see README.md).
"""

from __future__ import annotations

import asyncio
import json
import platform
import sys
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anthropic
from pydantic import BaseModel

from stoplint.testing import FakeMessages, Scripted, error, pause, refusal, text, tool_use, truncated

Reasons = Sequence["str | None"]
MODEL = "claude-opus-5-5"
PARAMS: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "What is the weather in Paris?"}],
}
VERSION = tuple(int(part) for part in anthropic.__version__.split(".")[:2])


class Weather(BaseModel):
    degrees: int


PARSABLE = text('{"degrees": 21}')


@dataclass(frozen=True)
class Surface:
    """`use` runs it; `reasons` are those it must see; `since` is the first SDK version that has it."""

    name: str
    script: Sequence[Scripted]
    reasons: Reasons
    use: Callable[[FakeMessages], Reasons]
    since: tuple[int, int] = (0, 0)


SURFACES: list[Surface] = []


def surface(
    name: str, *script: Scripted, reasons: Reasons, since: tuple[int, int] = (0, 0)
) -> Callable[[Callable[[FakeMessages], Any]], Callable[[FakeMessages], Any]]:
    """Register a function, plain or async, as the surface `name`."""

    def register(use: Callable[[FakeMessages], Any]) -> Callable[[FakeMessages], Any]:
        def run(fake: FakeMessages) -> Reasons:
            result = use(fake)
            return asyncio.run(_finish(result)) if asyncio.iscoroutine(result) else result

        SURFACES.append(Surface(name, script, reasons, run, since))
        return use

    return register


async def _finish(result: Awaitable[Reasons]) -> Reasons:
    return await result


def run(one: Surface) -> dict[str, object]:
    """One cell of the table: `ok`, `absent` (the SDK is older than the surface) or `failed`, and why."""
    if one.since > VERSION:
        return {"outcome": "absent", "detail": f"since {one.since[0]}.{one.since[1]}"}
    try:
        with FakeMessages(one.script) as fake:
            seen = one.use(fake)
        fake.verify()
    except Exception:  # noqa: BLE001 - whatever it is, it is this cell's result
        return {"outcome": "failed", "detail": traceback.format_exc()}
    if list(seen) != list(one.reasons):
        return {"outcome": "failed", "detail": f"saw {list(seen)}, expected {list(one.reasons)}"}
    return {"outcome": "ok", "detail": ", ".join(map(str, seen))}


def main(runner: Callable[[Surface], dict[str, object]] = run) -> int:
    """Print the table's column for the installed SDK."""
    column = {
        "anthropic": anthropic.__version__,
        "python": platform.python_version(),
        "cells": {one.name: runner(one) for one in SURFACES},
    }
    json.dump(column, sys.stdout)
    return 0


# --- create -----------------------------------------------------------------------------------------------------------


@surface("messages.create", truncated("It is"), reasons=["max_tokens"])
def _create(fake: FakeMessages) -> Reasons:
    return [fake.client().messages.create(**PARAMS).stop_reason]


@surface("messages.create, async", truncated("It is"), reasons=["max_tokens"])
async def _create_async(fake: FakeMessages) -> Reasons:
    return [(await fake.async_client().messages.create(**PARAMS)).stop_reason]


@surface("messages.create, retried by the SDK", error(529), error(529), text("Sunny."), reasons=["end_turn"])
def _create_retried(fake: FakeMessages) -> Reasons:
    return [fake.client().messages.create(**PARAMS).stop_reason]


@surface("beta.messages.create", truncated("It is"), reasons=["max_tokens"])
def _beta_create(fake: FakeMessages) -> Reasons:
    return [fake.client().beta.messages.create(**PARAMS).stop_reason]


@surface("beta.messages.create, async", truncated("It is"), reasons=["max_tokens"])
async def _beta_create_async(fake: FakeMessages) -> Reasons:
    return [(await fake.async_client().beta.messages.create(**PARAMS)).stop_reason]


@surface('post("/v1/messages")', truncated("It is"), reasons=["max_tokens"])
def _post(fake: FakeMessages) -> Reasons:
    return [fake.client().post("/v1/messages", cast_to=anthropic.types.Message, body=PARAMS).stop_reason]


@surface("with_options().messages.create", truncated("It is"), reasons=["max_tokens"])
def _with_options(fake: FakeMessages) -> Reasons:
    return [fake.client().with_options(timeout=30).messages.create(**PARAMS).stop_reason]


MIDDLEWARE = (0, 108)


@surface("messages.create through middleware", truncated("It is"), reasons=["max_tokens"], since=MIDDLEWARE)
def _middleware(fake: FakeMessages) -> Reasons:
    passed = []

    def note(request: Any, call_next: Callable[[Any], Any]) -> Any:
        passed.append(request)
        return call_next(request)

    reason = fake.client(middleware=[note]).messages.create(**PARAMS).stop_reason
    assert len(passed) == 1
    return [reason]


@surface(
    "beta.messages.create, refused and served by another model",
    refusal(),
    text("21"),
    reasons=["end_turn"],
    since=MIDDLEWARE,
)
def _fallback(fake: FakeMessages) -> Reasons:
    fallback = anthropic.BetaRefusalFallbackMiddleware([{"model": "claude-haiku-5-5"}])
    message = fake.client(middleware=[fallback]).beta.messages.create(**PARAMS)
    assert [request.model for request in fake.requests] == [MODEL, "claude-haiku-5-5"]
    return [message.stop_reason]


# --- streams ----------------------------------------------------------------------------------------------------------


def _reason_of(event: Any) -> Reasons:
    return [event.delta.stop_reason] if event.type == "message_delta" else []


@surface("messages.create(stream=True)", truncated("It is"), reasons=["max_tokens"])
def _raw_stream(fake: FakeMessages) -> Reasons:
    return [reason for event in fake.client().messages.create(**PARAMS, stream=True) for reason in _reason_of(event)]


@surface("messages.create(stream=True), async", truncated("It is"), reasons=["max_tokens"])
async def _raw_stream_async(fake: FakeMessages) -> Reasons:
    stream = await fake.async_client().messages.create(**PARAMS, stream=True)
    return [reason async for event in stream for reason in _reason_of(event)]


@surface("messages.stream", truncated("It is"), reasons=["max_tokens"])
def _stream(fake: FakeMessages) -> Reasons:
    with fake.client().messages.stream(**PARAMS) as stream:
        return [stream.get_final_message().stop_reason]


@surface("messages.stream, async", truncated("It is"), reasons=["max_tokens"])
async def _stream_async(fake: FakeMessages) -> Reasons:
    async with fake.async_client().messages.stream(**PARAMS) as stream:
        return [(await stream.get_final_message()).stop_reason]


@surface("beta.messages.create(stream=True)", truncated("It is"), reasons=["max_tokens"])
def _beta_raw_stream(fake: FakeMessages) -> Reasons:
    return [
        reason for event in fake.client().beta.messages.create(**PARAMS, stream=True) for reason in _reason_of(event)
    ]


@surface("beta.messages.stream", truncated("It is"), reasons=["max_tokens"])
def _beta_stream(fake: FakeMessages) -> Reasons:
    with fake.client().beta.messages.stream(**PARAMS) as stream:
        return [stream.get_final_message().stop_reason]


@surface("beta.messages.stream, async", truncated("It is"), reasons=["max_tokens"])
async def _beta_stream_async(fake: FakeMessages) -> Reasons:
    async with fake.async_client().beta.messages.stream(**PARAMS) as stream:
        return [(await stream.get_final_message()).stop_reason]


# --- parse ------------------------------------------------------------------------------------------------------------


@surface("messages.parse", PARSABLE, reasons=["end_turn"], since=(0, 77))
def _parse(fake: FakeMessages) -> Reasons:
    parsed = fake.client().messages.parse(**PARAMS, output_format=Weather)
    assert parsed.parsed_output == Weather(degrees=21)
    return [parsed.stop_reason]


@surface("messages.parse, async", PARSABLE, reasons=["end_turn"], since=(0, 77))
async def _parse_async(fake: FakeMessages) -> Reasons:
    return [(await fake.async_client().messages.parse(**PARAMS, output_format=Weather)).stop_reason]


@surface("beta.messages.parse", PARSABLE, reasons=["end_turn"], since=(0, 73))
def _beta_parse(fake: FakeMessages) -> Reasons:
    return [fake.client().beta.messages.parse(**PARAMS, output_format=Weather).stop_reason]


# --- raw responses ----------------------------------------------------------------------------------------------------


@surface("messages.with_raw_response.create", truncated("It is"), reasons=["max_tokens"])
def _raw_response(fake: FakeMessages) -> Reasons:
    return [fake.client().messages.with_raw_response.create(**PARAMS).parse().stop_reason]


@surface("messages.with_raw_response.create, async", truncated("It is"), reasons=["max_tokens"])
async def _raw_response_async(fake: FakeMessages) -> Reasons:
    parsed: Any = (await fake.async_client().messages.with_raw_response.create(**PARAMS)).parse()
    return [(await parsed if asyncio.iscoroutine(parsed) else parsed).stop_reason]


@surface("messages.with_streaming_response.create", truncated("It is"), reasons=["max_tokens"])
def _streaming_response(fake: FakeMessages) -> Reasons:
    with fake.client().messages.with_streaming_response.create(**PARAMS) as response:
        return [response.parse().stop_reason]


@surface("messages.with_streaming_response.create, async", truncated("It is"), reasons=["max_tokens"])
async def _streaming_response_async(fake: FakeMessages) -> Reasons:
    async with fake.async_client().messages.with_streaming_response.create(**PARAMS) as response:
        return [(await response.parse()).stop_reason]


@surface("beta.messages.with_raw_response.create", truncated("It is"), reasons=["max_tokens"])
def _beta_raw_response(fake: FakeMessages) -> Reasons:
    return [fake.client().beta.messages.with_raw_response.create(**PARAMS).parse().stop_reason]


# --- tool_runner and threads ------------------------------------------------------------------------------------------


def _weather_tool() -> Any:
    @anthropic.beta_tool
    def get_weather(city: str) -> str:
        """Look up the weather.

        Args:
            city: The city's name.

        """
        return f"21 degrees in {city}"

    return get_weather


def _async_weather_tool() -> Any:
    @anthropic.beta_async_tool
    async def get_weather(city: str) -> str:
        """Look up the weather.

        Args:
            city: The city's name.

        """
        return f"21 degrees in {city}"

    return get_weather


CALL = text("Let me look.") + tool_use("get_weather", {"city": "Paris"})


@surface("beta.messages.tool_runner", CALL, text("21 degrees."), reasons=["tool_use", "end_turn"])
def _tool_runner(fake: FakeMessages) -> Reasons:
    runner = fake.client().beta.messages.tool_runner(**PARAMS, tools=[_weather_tool()])
    return [message.stop_reason for message in runner]


@surface("beta.messages.tool_runner, async", CALL, text("21 degrees."), reasons=["tool_use", "end_turn"])
async def _tool_runner_async(fake: FakeMessages) -> Reasons:
    runner = fake.async_client().beta.messages.tool_runner(**PARAMS, tools=[_async_weather_tool()])
    return [message.stop_reason async for message in runner]


@surface("beta.messages.tool_runner(stream=True)", CALL, text("21 degrees."), reasons=["tool_use", "end_turn"])
def _tool_runner_stream(fake: FakeMessages) -> Reasons:
    runner = fake.client().beta.messages.tool_runner(**PARAMS, tools=[_weather_tool()], stream=True)
    return [stream.get_final_message().stop_reason for stream in runner]


@surface(
    "beta.messages.tool_runner, paused", pause("Paris"), text("21."), reasons=["pause_turn", "end_turn"], since=(1, 1)
)
def _tool_runner_paused(fake: FakeMessages) -> Reasons:
    tools = [_weather_tool(), {"type": "web_search_20250305", "name": "web_search"}]
    runner = fake.client().beta.messages.tool_runner(**PARAMS, tools=tools)
    return [message.stop_reason for message in runner]


THREADS = (2, 2)


@surface(
    "beta.messages.thread().send", text("Where?"), truncated("21"), reasons=["end_turn", "max_tokens"], since=THREADS
)
def _thread(fake: FakeMessages) -> Reasons:
    thread = fake.client().beta.messages.thread(model=MODEL, max_tokens=64)
    replies = [thread.send({"role": "user", "content": word}) for word in ("Weather?", "Paris.")]
    assert [len(request.messages) for request in fake.requests] == [1, 1]
    return [reply.stop_reason for reply in replies]


@surface(
    "beta.messages.thread().send, async",
    text("Where?"),
    truncated("21"),
    reasons=["end_turn", "max_tokens"],
    since=THREADS,
)
async def _thread_async(fake: FakeMessages) -> Reasons:
    thread = fake.async_client().beta.messages.thread(model=MODEL, max_tokens=64)
    return [(await thread.send({"role": "user", "content": word})).stop_reason for word in ("Weather?", "Paris.")]


@surface(
    "beta.messages.thread().stream", text("Where?"), truncated("21"), reasons=["end_turn", "max_tokens"], since=THREADS
)
def _thread_stream(fake: FakeMessages) -> Reasons:
    thread = fake.client().beta.messages.thread(model=MODEL, max_tokens=64)
    reasons = []
    for word in ("Weather?", "Paris."):
        with thread.stream({"role": "user", "content": word}) as stream:
            reasons.append(stream.get_final_message().stop_reason)
    return reasons


@surface("beta.messages.thread().parse", PARSABLE, reasons=["end_turn"], since=THREADS)
def _thread_parse(fake: FakeMessages) -> Reasons:
    thread = fake.client().beta.messages.thread(model=MODEL, max_tokens=64, output_format=Weather)
    return [thread.parse({"role": "user", "content": "Weather?"}).stop_reason]


@surface(
    "beta.messages.thread(), lost by the API",
    text("Where?"),
    text("21"),
    reasons=["end_turn", "end_turn"],
    since=THREADS,
)
def _thread_lost(fake: FakeMessages) -> Reasons:
    thread = fake.client().beta.messages.thread(model=MODEL, max_tokens=64)
    first = thread.send({"role": "user", "content": "Weather?"})
    fake.forget_threads()
    second = thread.send({"role": "user", "content": "Paris."})
    assert [len(request.messages) for request in fake.requests] == [1, 1, 3]
    return [first.stop_reason, second.stop_reason]


# --- batches ----------------------------------------------------------------------------------------------------------

BATCH = [{"custom_id": name, "params": PARAMS} for name in ("a", "b", "c")]


def _batch_reasons(items: Any) -> Reasons:
    return [item.result.message.stop_reason if item.result.type == "succeeded" else item.result.type for item in items]


@surface(
    "messages.batches.results", text("1"), truncated("2"), error(529), reasons=["end_turn", "max_tokens", "errored"]
)
def _batches(fake: FakeMessages) -> Reasons:
    batches = fake.client().messages.batches
    batch = batches.create(requests=BATCH)
    assert (batch.processing_status, batches.retrieve(batch.id).processing_status) == ("in_progress", "ended")
    return _batch_reasons(batches.results(batch.id))


@surface(
    "messages.batches.results, async",
    text("1"),
    truncated("2"),
    error(529),
    reasons=["end_turn", "max_tokens", "errored"],
)
async def _batches_async(fake: FakeMessages) -> Reasons:
    batches = fake.async_client().messages.batches
    batch = await batches.create(requests=BATCH)
    return _batch_reasons([item async for item in await batches.results(batch.id)])


@surface(
    "beta.messages.batches.results",
    text("1"),
    truncated("2"),
    error(529),
    reasons=["end_turn", "max_tokens", "errored"],
)
def _beta_batches(fake: FakeMessages) -> Reasons:
    batches = fake.client().beta.messages.batches
    return _batch_reasons(batches.results(batches.create(requests=BATCH).id))


# --- cloud platforms --------------------------------------------------------------------------------------------------


def _bedrock(fake: FakeMessages) -> Any:
    keys = {"aws_access_key": "fake", "aws_secret_key": "fake", "aws_region": "us-east-1"}
    return anthropic.AnthropicBedrock(
        base_url=fake.url, **keys, http_client=anthropic.DefaultHttpxClient(mounts={"all://127.0.0.1": None})
    )


def _vertex(fake: FakeMessages) -> Any:
    place = {"region": "us-east5", "project_id": "fake", "access_token": "fake"}
    return anthropic.AnthropicVertex(
        base_url=fake.url, **place, http_client=anthropic.DefaultHttpxClient(mounts={"all://127.0.0.1": None})
    )


@surface("AnthropicBedrock messages.create", truncated("It is"), reasons=["max_tokens"])
def _bedrock_create(fake: FakeMessages) -> Reasons:
    return [_bedrock(fake).messages.create(**PARAMS).stop_reason]


@surface("AnthropicBedrock messages.create(stream=True)", truncated("It is"), reasons=["max_tokens"])
def _bedrock_stream(fake: FakeMessages) -> Reasons:
    return [reason for event in _bedrock(fake).messages.create(**PARAMS, stream=True) for reason in _reason_of(event)]


@surface("AnthropicVertex messages.create", truncated("It is"), reasons=["max_tokens"])
def _vertex_create(fake: FakeMessages) -> Reasons:
    return [_vertex(fake).messages.create(**PARAMS).stop_reason]


@surface("AnthropicVertex messages.create(stream=True)", truncated("It is"), reasons=["max_tokens"])
def _vertex_stream(fake: FakeMessages) -> Reasons:
    return [reason for event in _vertex(fake).messages.create(**PARAMS, stream=True) for reason in _reason_of(event)]


if __name__ == "__main__":
    sys.exit(main())
