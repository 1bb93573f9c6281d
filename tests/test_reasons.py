"""The stop reasons that stoplint knows against those of the installed `anthropic`."""

from __future__ import annotations

import typing

import pytest
from anthropic.types import Message, StopReason
from anthropic.types.beta import BetaMessage, BetaStopReason

from stoplint import reasons


def test_values_are_those_of_the_types() -> None:
    plain, beta = set(typing.get_args(StopReason)), set(typing.get_args(BetaStopReason))
    assert set(reasons.VALUES) == plain | beta
    assert {one.value for one in reasons.STOP_REASONS if one.beta} == beta - plain


def test_messages_carry_them() -> None:
    assert StopReason in typing.get_args(Message.model_fields["stop_reason"].annotation)
    assert BetaStopReason in typing.get_args(BetaMessage.model_fields["stop_reason"].annotation)


def test_every_reason_has_a_bit_of_its_own() -> None:
    bits = [reasons.BIT[value] for value in reasons.VALUES]
    assert len({*bits, reasons.OTHER}) == len(bits) + 1
    assert sum(bits) + reasons.OTHER == reasons.EVERY
    assert reasons.names(reasons.EVERY) == reasons.VALUES


def test_words_of_others_mean_reasons() -> None:
    assert set(reasons.FOREIGN.values()) <= set(reasons.VALUES)
    assert set(reasons.FOREIGN).isdisjoint(reasons.VALUES)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("end-turn", "end_turn"),
        ("MAX_TOKENS", "max_tokens"),
        ("length", "max_tokens"),
        ("pause", "pause_turn"),
        ("refuse", "refusal"),
        ("safety", None),
        ("done", None),
    ],
)
def test_nearest(written: str, meant: str | None) -> None:
    assert reasons.nearest(written) == meant
