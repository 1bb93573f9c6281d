"""What an application has to rely on: with the tracer at work everything else is as it was."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import threading

import anthropic
import anyio
import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from tracing import PARAMS, TOOL, Traced, assistant, collect, fake, result, user

from stoplint.testing import cut_stream, empty, error, text, tool_use, truncated
from stoplint.trace import StopReasonInstrumentor, fault_counts, live_turns, runtime

HELLO = user("Hello")


def hooked():
    """Every attribute that the tracer replaces, by its place."""
    from anthropic import _base_client, _response, _streaming
    from anthropic._decoders import jsonl

    places = [
        (_base_client.SyncAPIClient, ("_request", "request", "_sleep_for_retry")),
        (_base_client.AsyncAPIClient, ("_request", "request", "_sleep_for_retry")),
        (_base_client, ("finish_api_call_span", "start_api_call_span")),
        (_response.APIResponse, ("parse", "read", "close", "iter_bytes", "iter_text", "iter_lines")),
        (_response.AsyncAPIResponse, ("parse", "read", "close", "iter_bytes", "iter_text", "iter_lines")),
        (_streaming.Stream, ("__stream__", "close")),
        (_streaming.AsyncStream, ("__stream__", "close")),
        (jsonl.JSONLDecoder, ("__decode__",)),
        (jsonl.AsyncJSONLDecoder, ("__decode__",)),
    ]
    return {(str(holder), name): vars(holder).get(name) for holder, names in places for name in names}


def test_uninstrument_restores_every_identity():
    before = hooked()

    async def raw(client):
        await client.messages.with_raw_response.create(messages=[HELLO], **PARAMS)

    with Traced().at_work() as traced, fake(text("Hi."), repeat_last=True) as api:
        traced.client(api).messages.with_raw_response.create(messages=[HELLO], **PARAMS)
        asyncio.run(raw(traced.async_client(api)))
        during = hooked()
    after = hooked()
    assert all(after[place] is before[place] for place in before)
    assert {place[1] for place in before if during[place] is before[place]} == {"request"}


def test_instrumenting_twice_is_instrumenting_once(traced):
    during = hooked()
    assert runtime.start()
    assert all(hooked()[place] is during[place] for place in during)


def test_a_wrapper_put_on_ours_survives_and_ours_in_it_passes_through():
    from anthropic._streaming import Stream

    original = Stream.close
    try:
        with Traced().at_work():
            ours = Stream.close

            def theirs(stream):
                return ours(stream)

            Stream.close = theirs
        assert Stream.close is theirs
        with fake(text("Hi.")) as api:
            api.client().messages.create(messages=[HELLO], stream=True, **PARAMS).close()
    finally:
        Stream.close = original


def test_what_a_later_sdk_passes_beside_reaches_it(monkeypatch):
    from anthropic import _base_client, _response
    from anthropic._streaming import Stream

    def later(*_args, more=None):
        return more

    places = [(Stream, "close"), (_response.APIResponse, "read"), (_base_client, "finish_api_call_span")]
    for holder, name in places:
        monkeypatch.setattr(holder, name, functools.wraps(getattr(holder, name))(later))
    with Traced(native=False).at_work() as traced, fake(text("Hi."), repeat_last=True) as api:
        client = traced.client(api)
        raw = client.messages.with_raw_response.create
        assert client.messages.create(messages=[HELLO], stream=True, **PARAMS).close(more=1) == 1
        assert raw(messages=[HELLO], **PARAMS).read(more=1) == 1
        assert _base_client.finish_api_call_span(client, None, None, more=1) == 1


def test_types_and_values_are_the_sdks_own(traced):
    with fake(text("Hi."), text("Hi."), text("Hi.")) as api:
        client = traced.client(api)
        message = client.messages.create(messages=[HELLO], **PARAMS)
        assert type(message) is anthropic.types.Message
        assert set(message.to_dict()) <= set(anthropic.types.Message.model_fields)
        assert type(client.messages.create(messages=[HELLO], stream=True, **PARAMS)) is anthropic.Stream
        raw = client.messages.with_raw_response.create(messages=[HELLO], **PARAMS)
        assert type(raw) is anthropic.APIResponse
        assert type(raw.parse()) is anthropic.types.Message


def test_clients_made_before_are_seen_and_after_uninstrument_not():
    found = Traced()
    with fake(*[text("Hi.")] * 3) as api:
        client = found.client(api)
        client.messages.create(messages=[HELLO], **PARAMS)
        with found.at_work():
            client.messages.create(messages=[HELLO], **PARAMS)
        client.messages.create(messages=[HELLO], **PARAMS)
    assert len(found.spans) == 3
    assert len(found.turns) == 1


@pytest.mark.parametrize("kind", ["messages", "content", "tools"])
def test_one_shot_iterables_arrive_whole(traced, kind):
    blocks = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    with fake(text("Hi.")) as api:
        traced.client(api).messages.create(
            model=PARAMS["model"],
            max_tokens=9,
            messages=iter([HELLO, user("Again")]) if kind == "messages" else [user(iter(blocks))],
            tools=iter([TOOL]) if kind == "tools" else [TOOL],
        )
    sent = api.requests[0].body
    assert len(sent["messages"]) == (2 if kind == "messages" else 1)
    assert len(sent["messages"][0]["content"]) == (5 if kind == "messages" else 2)
    assert len(sent["tools"]) == 1
    assert traced.relations == ["new"]


def test_requests_are_the_same_with_and_without():
    def play(client):
        first = client.messages.create(messages=[HELLO], tools=[TOOL], **PARAMS)
        answered = [HELLO, assistant(first.content), user([result("toolu_1")])]
        client.messages.create(messages=answered, tools=[TOOL], **PARAMS)

    found = Traced(native=False)
    script = [tool_use("look", id="toolu_1"), text("Done.")]
    with fake(*script) as plain:
        play(found.client(plain))
    with fake(*script) as watched, found.at_work():
        play(found.client(watched))
    assert [one.body for one in plain.requests] == [one.body for one in watched.requests]


@pytest.mark.parametrize("status", [400, 429, 529])
def test_errors_are_raised_as_they_are(traced, status):
    with fake(error(status)) as api:
        client = traced.client(api, max_retries=0)
        with pytest.raises(anthropic.APIStatusError) as raised:
            client.messages.create(messages=[HELLO], **PARAMS)
    assert raised.value.status_code == status
    assert raised.value.__cause__ is None
    (turn,) = traced.turns
    assert "stop_reason" not in turn
    (record,) = traced.sink.turns
    assert record.error in ("invalid_request_error", "rate_limit_error", "overloaded_error")
    assert traced.metrics()["stoplint.turns"] == {
        (("model", PARAMS["model"]), ("relation", "new"), ("stop_reason", "error"), ("streaming", False)): 1
    }


def test_a_wrong_call_is_the_applications_own_error(traced):
    with fake() as api, pytest.raises(TypeError, match="max_tokens"):
        traced.client(api).messages.create(messages=[HELLO], model="m")
    assert traced.turns == []


def test_retries_of_the_sdk_are_one_turn(traced):
    with fake(error(529), error(529), text("Hi.")) as api:
        traced.client(api).messages.create(messages=[HELLO], **PARAMS)
    (turn,) = traced.turns
    assert (turn["retries"], turn["stop_reason"]) == (2, "end_turn")


# --- streams ----------------------------------------------------------------------------------------------------------

SURFACES = ["create", "helper"]


def opened(client, surface):
    if surface == "create":
        return client.messages.create(messages=[HELLO], stream=True, **PARAMS)
    return client.messages.stream(messages=[HELLO], **PARAMS)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("surface", SURFACES)
def test_a_stream_read_to_its_end_is_complete(native, surface):
    with Traced(native=native).at_work() as traced, fake(truncated("Once upon a time"), chunk_size=4) as api:
        with opened(traced.client(api), surface) as stream:
            kinds = [event.type for event in stream]
        (turn,) = traced.turns
    assert kinds.count("content_block_delta") == 4
    assert (turn["stop_reason"], turn["stream.outcome"]) == ("max_tokens", "complete")
    assert turn["content.kinds"] == ("text",)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("leave", ["break", "raise", "close", "drop", "unread"])
def test_a_stream_given_up_ends_its_turn(native, surface, leave):
    with Traced(native=native).at_work() as traced, fake(text("Once upon a time")) as api:
        give_up(opened(traced.client(api), surface), leave)
        collect()
        traced.tracer.drain()  # as the next request does: what the collector frees is only noted
        (turn,) = traced.turns
        assert turn["stream.outcome"] == "abandoned"
        assert "stop_reason" not in turn
        assert [record.stream_outcome for record in traced.sink.turns] == ["abandoned"]


def give_up(stream, leave):
    if leave in ("break", "raise"):
        with contextlib.suppress(KeyError), stream as events:
            for _ in events:
                if leave == "break":
                    break
                raise KeyError
        return
    entered = stream.__enter__()
    if leave != "unread":
        next(iter(entered))
    if leave == "close":
        entered.close()


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("surface", SURFACES)
def test_an_asynchronous_stream_given_up_ends_its_turn(native, surface):
    async def go(traced, api):
        client = traced.async_client(api)
        if surface == "create":
            stream = await client.messages.create(messages=[HELLO], stream=True, **PARAMS)
        else:
            stream = await client.messages.stream(messages=[HELLO], **PARAMS).__aenter__()
        async for _ in stream:
            break
        await stream.close()

    with Traced(native=native).at_work() as traced, fake(text("Once upon a time")) as api:
        asyncio.run(go(traced, api))
        (turn,) = traced.turns
    assert turn["stream.outcome"] == "abandoned"


@pytest.mark.parametrize("native", [True, False])
def test_a_cancelled_task_ends_its_turn(native):
    async def go(traced, api):
        client = traced.async_client(api)
        reading = asyncio.Event()

        async def read():
            async with client.messages.stream(messages=[HELLO], **PARAMS) as stream:
                async for _ in stream:
                    reading.set()
                    await asyncio.sleep(60)

        task = asyncio.create_task(read())
        await reading.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Traced(native=native).at_work() as traced, fake(text("Once upon a time")) as api:
        asyncio.run(go(traced, api))
        (turn,) = traced.turns
    assert turn["stream.outcome"] == "abandoned"


@pytest.mark.parametrize("native", [True, False])
def test_a_request_closed_in_another_context_closes_in_silence(native, caplog):
    """What the garbage collector does to a task that a closed loop has left: it closes the coroutine where it runs."""

    async def go(traced):
        sent = asyncio.Event()

        async def no_answer(_request):
            sent.set()
            await asyncio.sleep(60)

        http = sys.modules[anthropic.DefaultAsyncHttpxClient.__mro__[1].__module__.partition(".")[0]]
        transport = http.MockTransport(no_answer)
        options = {"http_client": http.AsyncClient(transport=transport), **traced.options()}
        client = anthropic.AsyncAnthropic(api_key="none", **options)
        task = asyncio.create_task(client.messages.create(messages=[HELLO], **PARAMS))
        await sent.wait()
        task.get_coro().close()
        task.cancel()

    with Traced(native=native).at_work() as traced:
        asyncio.run(go(traced))
        (turn,) = traced.sink.turns
    assert turn.error == "cancelled"
    told = [record for record in caplog.records if record.name.startswith(("opentelemetry", "stoplint"))]
    # The SDK makes its own span current the same way; OpenTelemetry may say that this cannot be undone.
    assert len(told) <= native


@pytest.mark.parametrize("native", [True, False])
def test_a_stream_cut_by_the_server_is_cut(native):
    with Traced(native=native).at_work() as traced, fake(cut_stream(text("Once upon a time"), after_events=3)) as api:
        with contextlib.suppress(Exception):
            for _ in opened(traced.client(api), "create"):
                pass
        (turn,) = traced.turns
    assert turn["stream.outcome"] == "cut"


@pytest.mark.parametrize("native", [True, False])
def test_an_error_event_in_a_stream_is_an_error(native):
    script = cut_stream(text("Once upon a time"), after_events=3, error=error(529))
    with Traced(native=native).at_work() as traced, fake(script) as api:
        with pytest.raises(anthropic.APIStatusError):
            for _ in opened(traced.client(api), "create"):
                pass
        (turn,) = traced.turns
        assert traced.sink.turns[0].error == "overloaded_error"
    assert turn["stream.outcome"] == "error"


@pytest.mark.parametrize("native", [True, False])
def test_leaving_after_the_reason_is_complete(native):
    with Traced(native=native).at_work() as traced, fake(truncated("Once")) as api:
        with opened(traced.client(api), "create") as stream:
            for event in stream:
                if event.type == "message_delta":
                    break
        (turn,) = traced.turns
    assert (turn["stream.outcome"], turn["stop_reason"]) == ("complete", "max_tokens")


def test_nothing_is_attached_while_a_stream_is_open(alone):
    with fake(text("Once upon a time"), text("Hi.")) as api:
        client = alone.client(api)
        before = otel_context.get_current()
        with opened(client, "create") as stream:
            assert otel_context.get_current() == before
            next(iter(stream))
            assert trace.get_current_span() is trace.INVALID_SPAN
            client.messages.create(messages=[user("Other")], **PARAMS)
    assert [span.parent for span in alone.spans] == [None, None]


def test_an_empty_streamed_answer_keeps_its_reason(traced):
    with fake(empty()) as api, opened(traced.client(api), "helper") as stream:
        stream.until_done()
    (turn,) = traced.turns
    assert (turn["stop_reason"], turn["content.empty"]) == ("end_turn", True)


# --- raw responses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("how", ["parse", "json", "text", "read"])
def test_a_streaming_response_stays_lazy_and_tells_its_reason(native, how):
    with Traced(native=native).at_work() as traced, fake(truncated("Once")) as api:
        with traced.client(api).messages.with_streaming_response.create(messages=[HELLO], **PARAMS) as raw:
            assert not raw.is_closed
            assert traced.turns == []
            getattr(raw, how)()
        (turn,) = traced.turns
    assert turn["stop_reason"] == "max_tokens"


def test_a_streaming_response_that_nobody_reads_ends_its_turn(traced):
    with fake(truncated("Once")) as api:
        with traced.client(api).messages.with_streaming_response.create(messages=[HELLO], **PARAMS):
            pass
        (turn,) = traced.turns
    assert "stop_reason" not in turn


def test_a_raw_response_read_as_json_only_keeps_its_reason(traced):
    with fake(truncated("Once")) as api:
        raw = traced.client(api).messages.with_raw_response.create(messages=[HELLO], **PARAMS)
        assert raw.http_response.json()["stop_reason"] == "max_tokens"
    assert traced.turns[0]["stop_reason"] == "max_tokens"


def test_a_truncated_parse_raises_and_keeps_its_reason(traced):
    from pydantic import BaseModel, ValidationError

    class Weather(BaseModel):
        degrees: int

    with fake(truncated('{"degrees": ')) as api, pytest.raises(ValidationError):
        traced.client(api).messages.parse(messages=[HELLO], output_format=Weather, **PARAMS)
    (turn,) = traced.turns
    assert turn["stop_reason"] == "max_tokens"
    assert traced.sink.turns[0].error == "ValidationError"


# --- threads, tasks, state --------------------------------------------------------------------------------------------


def test_many_threads_and_tasks_keep_their_chains_apart(traced):
    def chain(client, name):
        messages = [user(f"Start {name}")]
        for number in range(5):
            answer = client.messages.create(messages=messages, **PARAMS)
            messages += [assistant(answer.content), user(f"Next {number}")]

    async def tasks(client):
        async def one(name):
            messages = [user(f"Start {name}")]
            for number in range(5):
                answer = await client.messages.create(messages=messages, **PARAMS)
                messages += [assistant(answer.content), user(f"Next {number}")]

        await asyncio.gather(*[one(f"task {number}") for number in range(5)])

    with fake(text("Hi."), repeat_last=True) as api:
        client = traced.client(api)
        threads = [threading.Thread(target=chain, args=(client, f"thread {number}")) for number in range(5)]
        for thread in threads:
            thread.start()
        asyncio.run(tasks(traced.async_client(api)))
        for thread in threads:
            thread.join()
    chains = {}
    for turn in traced.turns:
        chains.setdefault(turn["chain.id"], []).append((turn["chain.index"], turn["relation"]))
    assert len(chains) == 10
    expected = [(0, "new"), *[(number, "reply") for number in range(1, 5)]]
    assert all(sorted(turns) == expected for turns in chains.values())
    assert live_turns() == 50


def test_the_call_site_is_the_applications_line(traced):
    def asks(client):
        return client.messages.create(messages=[HELLO], **PARAMS)

    with fake(text("Hi.")) as api:
        asks(traced.client(api))
    (turn,) = traced.turns
    assert turn["code.file.path"] == __file__
    assert turn["code.function.name"].endswith("asks")
    assert turn["code.line.number"] == asks.__code__.co_firstlineno + 1


async def in_tasks(request):
    await asyncio.gather(request(1), request(2))


async def in_a_task(request):
    await asyncio.create_task(request(1))


async def in_an_anyio_group(request):
    async with anyio.create_task_group() as group:
        group.start_soon(request, 1)


@pytest.mark.parametrize("start", [in_tasks, in_a_task, in_an_anyio_group])
def test_a_request_that_is_a_task_of_its_own_has_no_place_rather_than_a_wrong_one(traced, start):
    async def go(api):
        client = traced.async_client(api)
        await start(lambda number: client.messages.create(messages=[user(f"Question {number}")], **PARAMS))

    with fake(text("Hi."), repeat_last=True) as api:
        asyncio.run(go(api))
    assert traced.turns
    assert not any(name.startswith("code.") for turn in traced.turns for name in turn)


@pytest.mark.parametrize("start", [in_tasks, in_a_task, in_an_anyio_group, lambda request: request(1)])
def test_a_task_of_the_application_has_its_place(traced, start):
    async def go(api):
        client = traced.async_client(api)

        async def asks(number):
            await client.messages.create(messages=[user(f"Question {number}")], **PARAMS)

        await start(asks)

    with fake(text("Hi."), repeat_last=True) as api:
        asyncio.run(go(api))
    assert {turn["code.function.name"].rpartition(".")[2] for turn in traced.turns} == {"asks"}


def test_other_requests_are_left_alone(traced):
    with fake(text("Hi.")) as api:
        traced.client(api).messages.count_tokens(messages=[HELLO], model=PARAMS["model"])
    assert len(traced.spans) == 1
    assert traced.turns == []


def test_the_instrumentor_is_one_and_says_what_it_is_for():
    assert StopReasonInstrumentor() is StopReasonInstrumentor()
    assert list(StopReasonInstrumentor().instrumentation_dependencies()) == ["anthropic >= 0.70, < 3"]
    assert isinstance(fault_counts(), dict)
