"""The state: bounded in number and age, chains that end, work that finalizers leave."""

from __future__ import annotations

import gc
import sys
import threading
import time
from pathlib import Path

import pytest
from tracing import PARAMS, MemorySink, Traced, assistant, fake, user

from stoplint.testing import text, truncated
from stoplint.trace import chains, end_chain, live_turns
from stoplint.trace.chains import Chains
from stoplint.trace.tracer import Tracer


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def message(number, reason="end_turn", words="Hi."):
    return {
        "id": f"msg_{number}",
        "model": "m",
        "content": [{"type": "text", "text": words}],
        "stop_reason": reason,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def made(**options):
    clock, sink = Clock(), MemorySink()
    return Tracer(None, lambda _: sink, chains=Chains(clock=clock, **options)), clock, sink


def ask(tracer, number, *messages, reason="end_turn", words="Hi."):
    turn = tracer.begin({"model": "m", "max_tokens": 9, "messages": list(messages)}, streaming=False)
    tracer.answered(turn, message(number, reason, words))
    return turn


def test_the_number_of_turns_is_bounded_and_chains_end_with_their_last():
    tracer, _, sink = made(limit=10)
    for number in range(100):
        ask(tracer, number, user(f"Question {number}"))
    chains = tracer.chains
    assert len(chains) == 10
    assert len(chains._open) == 10
    assert len(sink.chains) == 90
    assert len(chains._index) <= 10 * 4


def test_the_least_recently_used_turn_goes_first():
    tracer, _, _ = made(limit=3)
    for number in range(3):
        ask(tracer, number, user(f"Question {number}"))
    used = ask(tracer, 3, user("Question 0"), assistant("Hi."), user("And?"))
    again = ask(tracer, 4, user("Question 0"), assistant("Hi."), user("Or?"))
    gone = ask(tracer, 5, user("Question 1"), assistant("Hi."), user("And?"))
    assert [turn.decision.relation for turn in (used, again, gone)] == ["reply", "fork", "new"]


def test_a_turn_is_forgotten_after_an_hour():
    tracer, clock, _ = made()
    ask(tracer, 0, user("Hello"))
    clock.now = 3601
    late = ask(tracer, 1, user("Hello"), assistant("Hi."), user("And?"))
    assert late.decision.relation == "new"
    assert len(tracer.chains) == 1


def test_a_chain_is_over_after_ten_minutes():
    tracer, clock, sink = made()
    ask(tracer, 0, user("Hello"), reason="max_tokens")
    clock.now = 599
    ask(tracer, 1, user("Other"))
    assert sink.chains == []
    clock.now = 1198
    ask(tracer, 2, user("Third"))
    assert [(chain.outcome, chain.length) for chain in sink.chains] == [("truncated", 1)]
    assert [finding.code for finding in sink.findings] == ["SL102"]


def test_a_request_under_way_keeps_its_chain_open():
    tracer, clock, sink = made()
    slow = tracer.begin({"model": "m", "messages": [user("Slow")]}, streaming=False)
    clock.now = 700
    ask(tracer, 1, user("Other"))
    assert sink.chains == []
    tracer.answered(slow, message(0))
    tracer.end_all()
    assert [chain.outcome for chain in sink.chains] == ["finished", "finished"]


def test_a_chain_ends_when_told(traced):
    with fake(truncated("Once"), text("Hi.")) as api:
        client = traced.client(api)
        client.messages.create(messages=[user("Tell")], **PARAMS)
        client.messages.create(messages=[user("Hello")], **PARAMS)
    first, second = (turn["chain.id"] for turn in traced.turns)
    assert live_turns() == 2
    assert end_chain(first) is True
    assert end_chain(first) is False
    assert [chain.chain_id for chain in traced.sink.chains] == [first]
    assert [finding.code for finding in traced.sink.findings] == ["SL102"]
    traced.tracer.end_all()
    assert [chain.chain_id for chain in traced.sink.chains] == [first, second]


def test_uninstrument_ends_all_chains():
    traced = Traced()
    with traced.at_work(), fake(truncated("Once")) as api:
        traced.client(api).messages.create(messages=[user("Tell")], **PARAMS)
    assert [chain.outcome for chain in traced.sink.chains] == ["truncated"]
    assert live_turns() == 0


def test_the_first_turns_of_many_threads_open_one_store():
    opened = []

    def open_sink(_has_backend):
        time.sleep(0.01)  # its modules are loaded here
        opened.append(MemorySink())
        return opened[-1]

    tracer = Tracer(None, open_sink)
    together = threading.Barrier(8)

    def run(number):
        together.wait()
        ask(tracer, number, user(f"Question {number}"))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(sink.turns) for sink in opened] == [8]


def test_a_finalizer_within_our_own_code_waits():
    tracer, _, sink = made()
    dropped = tracer.begin({"model": "m", "messages": [user("Dropped")]}, streaming=True)
    tracer.start_stream(dropped)
    original = tracer.chains.add_locked

    def interrupted(state):
        over = original(state)
        # What the garbage collector may do in the middle of anything, with the lock held.
        tracer.stream_over(dropped, "abandoned")
        assert sink.turns == []
        return over

    tracer.chains.add_locked = interrupted
    turn = tracer.begin({"model": "m", "messages": [user("Other")]}, streaming=False)
    assert [record.stream_outcome for record in sink.turns] == ["abandoned"]
    tracer.chains.add_locked = original
    tracer.answered(turn, message(1))
    assert len(sink.turns) == 2


def test_the_child_of_a_fork_leaves_the_parents_chains_alone():
    tracer, _, sink = made()
    ask(tracer, 0, user("Tell"), reason="max_tokens")
    tracer.chains.lock.acquire()
    tracer.after_fork()
    tracer.end_all()
    assert sink.chains == []
    on = ask(tracer, 1, user("Tell"), assistant("Hi."), user("Go on."))
    assert on.decision.relation == "continue"
    tracer.end_all()
    assert [chain.outcome for chain in sink.chains] == ["finished"]


def test_an_answer_that_the_child_of_a_fork_lets_go_is_the_parents_to_tell():
    tracer, _, sink = made()
    body = {"model": "m", "messages": [user("Tell")]}
    stream, raw, read = (tracer.begin(body, streaming=True) for _ in range(3))
    for turn in (stream, read):
        tracer.start_stream(turn)
    tracer.after_fork()
    tracer.stream_over(stream, "abandoned")
    tracer.unknown(raw, "abandoned")
    assert sink.turns == []
    tracer.stream_over(read, "complete")
    mine = tracer.begin(body, streaming=True)
    tracer.stream_over(mine, "abandoned")
    assert [turn.stream_outcome for turn in sink.turns] == ["complete", "abandoned"]


@pytest.mark.parametrize("length", [3, 63, 2001])
def test_what_is_looked_at_does_not_follow_the_length(length):
    class Counted(list):
        looked_at = 0

        def __getitem__(self, index):
            Counted.looked_at += len(range(*index.indices(len(self)))) if isinstance(index, slice) else 1
            return super().__getitem__(index)

    history = Counted(user("Q") if number % 2 == 0 else assistant("A") for number in range(length))
    tracer, _, _ = made()
    tracer.begin({"model": "m", "messages": history}, streaming=False)
    assert Counted.looked_at <= 12


def test_the_same_instructions_run_for_a_long_conversation(traced):
    home = str(Path(chains.__file__).parent)
    counts = []

    def trace(frame, event, _argument):
        if not frame.f_code.co_filename.startswith(home):
            return None
        frame.f_trace_opcodes = True
        counts[-1] += event == "opcode"
        return trace

    def counted(client, messages):
        counts.append(0)
        before = sys.gettrace()
        gc.disable()  # when it comes by has to do with the allocations of the SDK
        sys.settrace(trace)
        try:
            client.messages.create(messages=messages, **PARAMS)
        finally:
            sys.settrace(before)
            gc.enable()

    with fake(text("Hi."), repeat_last=True) as api:
        client = traced.client(api)
        for length in (4, 6, 2000):
            # The first is for what is only done once.
            history = [user(f"Q {length} {i}") if i % 2 == 0 else assistant(f"A {i}") for i in range(length)]
            client.messages.create(messages=history[:-1], **PARAMS)
            counted(client, [*history[:-1], assistant("Hi."), user("And?")])
    assert traced.relations[1::2] == ["reply"] * 3
    # The digits of a number take no instructions of ours.
    assert counts[1] == counts[2] > 100


def test_a_chain_that_is_over_needs_no_garbage_collector():
    tracer, _, _ = made(limit=3)
    gc.collect()
    gc.disable()
    try:
        chain_id = ask(tracer, 0, user("Question 0")).state.chain.chain_id
        assert tracer.end_chain(chain_id)
        for number in range(1, 50):
            ask(tracer, number, user(f"Question {number}"))
            ask(tracer, number, user(f"Question {number}"), assistant("Hi."), user("And?"))
        kept = [one for one in gc.get_objects() if isinstance(one, (chains.Chain, chains.TurnState))]
        assert len(kept) <= 3 + 2
    finally:
        gc.enable()


def test_a_chain_told_to_be_over_goes_on_with_its_next_turn():
    tracer, _, sink = made()
    chain = ask(tracer, 0, user("Tell"), reason="max_tokens").state.chain
    tracer.end_chain(chain.chain_id)
    assert chain.last is None
    ask(tracer, 1, user("Tell"), assistant("Hi."), user("Go on."))
    tracer.end_all()
    assert [(one.outcome, one.length) for one in sink.chains] == [("truncated", 1), ("finished", 2)]


def test_a_chain_told_to_be_over_under_way_ends_again():
    tracer, _, sink = made()
    turn = tracer.begin({"model": "m", "messages": [user("Tell")]}, streaming=False)
    tracer.end_chain(turn.state.chain.chain_id)
    tracer.answered(turn, message(0))
    tracer.end_all()
    assert [(one.outcome, one.length) for one in sink.chains] == [("failed", 0), ("finished", 1)]


def test_a_long_run_of_one_role_is_looked_at_from_its_end():
    tracer, _, _ = made()
    first = ask(tracer, 0, *[user(f"Part {number}") for number in range(500)])
    second = ask(tracer, 1, *[user(f"Part {number}") for number in range(500)], assistant("Hi."), user("And?"))
    assert second.decision.relation == "reply"
    assert second.state.parent_digest == first.state.digest


def test_conversations_that_end_alike_are_told_apart():
    tracer, _, _ = made()
    chains = set()
    for name in "abc":
        history = [user(f"Opening {name}")]
        for number in range(4):
            turn = ask(tracer, f"{name}{number}", *history)
            history += [assistant("Hi."), user("Next")]
            chains.add(turn.state.chain.chain_id)
    assert len(chains) == 3
