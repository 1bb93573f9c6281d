"""Client classes that other packages derive from the SDK's, and look-alikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stoplint.cli.analysis import Request, analyse

if TYPE_CHECKING:
    from pathlib import Path

USED = """

def answer(messages: list[dict]) -> str:
    return client.messages.create(messages=messages, **OPTIONS).content[0].text
"""


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("from posthog.ai.anthropic import Anthropic\nclient = Anthropic()", ["SL101"]),
        ("from posthog.ai.anthropic import AsyncAnthropicBedrock as Client\nclient = Client()", ["SL101"]),
        ("import posthog.ai.anthropic\nclient = posthog.ai.anthropic.Anthropic()", ["SL101"]),
        ("import instructor, anthropic\nclient = instructor.from_anthropic(anthropic.Anthropic())", []),
        ("from somewhere.else_ import Anthropic\nclient = Anthropic()", []),
    ],
)
def test_whose_client_it_is(tmp_path: Path, made: str, expected: list[str]) -> None:
    (tmp_path / "app.py").write_text(f"{made}\nOPTIONS = dict(model='claude-haiku-5-5', max_tokens=9)\n{USED}")
    report = analyse(Request((str(tmp_path),), use_baseline=False, jobs=1)).report
    assert [one.code for one in report.findings] == expected
