"""Conversations that look alike and are not the same, and one conversation that does not look it."""

from __future__ import annotations

import pytest
from tracing import PARAMS, fake, user

from stoplint.testing import empty, refusal, text, truncated
from stoplint.trace import canonical

RULES = "Guideline. " * 120
POLICY = "Policy text. " * 120


def ask(client, *messages, **more):
    return client.messages.create(messages=list(messages), **{**PARAMS, **more})


def chains(traced):
    return [turn["chain.id"] for turn in traced.turns]


# --- Long texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["message", "block", "document"])
def test_prompts_of_one_template_are_told_apart(traced, place):
    def prompt(number):
        words = f"{RULES}\nOrder number: {number}\n{POLICY}"
        if place == "message":
            return user(words)
        if place == "block":
            return user([{"type": "text", "text": words}, {"type": "text", "text": "Answer."}])
        return user([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": words}}])

    with fake(truncated("x"), empty(), refusal("cyber"), text("ok")) as api:
        client = traced.client(api)
        for number in range(48213, 48217):
            ask(client, prompt(number))
    assert traced.relations == ["new"] * 4
    assert traced.codes == [[]] * 4
    assert len(set(chains(traced))) == 4
    assert len({turn["turn.digest"] for turn in traced.turns}) == 4


def test_a_long_system_prompt_counts_whole(traced):
    with fake(truncated("x"), text("ok")) as api:
        client = traced.client(api)
        for day in "12":
            ask(client, user("Hello"), system=f"{RULES}\nToday is the {day}.\n{POLICY}")
    assert traced.relations == ["new", "new"]


def test_a_long_text_is_known_again_in_another_string(traced):
    with fake(truncated("x"), text("ok")) as api:
        client = traced.client(api)
        for _ in range(2):
            ask(client, user("".join([RULES, POLICY])))
    assert traced.codes == [[], ["SL207"]]


def test_what_stands_for_a_long_text_is_the_same_in_every_process():
    expected = "\x002049\x008482a58314bce0bca2191fca7cc31508"
    assert canonical.clip("x" * 2049) == expected
    canonical._clipped.clear()
    assert canonical.clip("x" * 2049) == expected


def test_the_long_texts_remembered_are_bounded():
    for number in range(1000):
        canonical.clip(f"{number:>3000}")
    assert len(canonical._clipped) <= 256
    assert all(len(short) < 50 for short in canonical._clipped.values())
