"""Results of batches: each is one turn, however often and by whomever it is read."""

from __future__ import annotations

import asyncio
import threading

from tracing import PARAMS, fake, user

from stoplint.testing import text, truncated
from stoplint.trace.seen import Seen


def made(client, names="ab"):
    requests = [{"custom_id": name, "params": {"messages": [user(name)], **PARAMS}} for name in names]
    return client.messages.batches.create(requests=requests).id


def told(traced):
    return [(turn.surface, turn.stop_reason) for turn in traced.sink.turns]


def test_results_that_are_read_again_are_the_same_turns(traced):
    with fake(text("One."), truncated("Two.")) as api:
        client = traced.client(api)
        batch = made(client)

        async def again():
            return [item async for item in await traced.async_client(api).messages.batches.results(batch)]

        readings = [[item.custom_id for item in client.messages.batches.results(batch)] for _ in range(3)]
        readings.append([item.custom_id for item in client.beta.messages.batches.results(batch)])
        readings.append([item.custom_id for item in asyncio.run(again())])
    assert readings == [["a", "b"]] * 5
    assert told(traced) == [("batch", "end_turn"), ("batch", "max_tokens")]
    assert len(traced.turns) == 2
    assert sum(traced.metrics()["stoplint.turns"].values()) == 2
    assert [chain.outcome for chain in traced.sink.chains] == ["finished", "truncated"]


def test_a_reading_that_was_broken_off_is_gone_on_with(traced):
    with fake(text("One."), truncated("Two.")) as api:
        client = traced.client(api)
        batch = made(client)
        next(iter(client.messages.batches.results(batch)))
        assert told(traced) == [("batch", "end_turn")]
        list(client.messages.batches.results(batch))
    assert told(traced) == [("batch", "end_turn"), ("batch", "max_tokens")]


def test_threads_that_read_the_same_results(traced):
    with fake(*[text("One.")] * 20) as api:
        client = traced.client(api)
        batch = made(client, [str(number) for number in range(20)])
        readers = [threading.Thread(target=lambda: list(client.messages.batches.results(batch))) for _ in range(4)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    assert len(traced.sink.turns) == 20


def test_what_is_remembered_is_bounded_and_covers_a_whole_batch():
    seen = Seen(limit=100)
    batch = [f"msg_{number}" for number in range(100)]
    for _ in range(3):
        first = [seen.again(identity) for identity in batch]
    assert all(first)
    for number in range(1000):
        assert not seen.again(f"other_{number}")
        assert len(seen) <= 200
    assert not seen.again("msg_0")
