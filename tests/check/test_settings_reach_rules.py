"""What the configuration says reaches the rules, for each file by its own nearest configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stoplint.cli.analysis import Request, analyse

if TYPE_CHECKING:
    from pathlib import Path

    from stoplint.findings import Finding

RUNNER = """
import anthropic
from anthropic import beta_tool

client = anthropic.Anthropic()


@beta_tool
def dim(room: str) -> str:
    return room


def run() -> None:
    runner = client.beta.messages.tool_runner(model="claude-sonnet-4-5", max_tokens=300, tools=[dim], messages=[])
    print(runner.until_done().stop_reason)
"""

LOOKED = """
import anthropic

client = anthropic.Anthropic()


def ask(prompt: str) -> str:
    message = client.messages.create(
        model="claude-haiku-5-5", max_tokens=20, messages=[{"role": "user", "content": prompt}]
    )
    if message.stop_reason == "max_tokens":
        raise RuntimeError("cut")
    return "".join(block.text for block in message.content if block.type == "text")
"""

FROM_ELSEWHERE = """
from llmkit import ask, Gateway

gateway = Gateway("fast")


def one(prompt: str) -> str:
    return ask(prompt).content[0].text


async def two(prompt: str) -> str:
    reply = await gateway.complete(prompt)
    return "".join(block.text for block in reply.content)


def three(other: Gateway, prompt: str) -> str:
    return other.complete(prompt).content[0].text
"""

CHECKED = """
import anthropic

client = anthropic.Anthropic()


def gate(message: anthropic.types.Message) -> None:
    assert message.id


def ask(prompt: str, run) -> str:
    message = client.messages.create(
        model="claude-haiku-5-5",
        max_tokens=20,
        tools=[{"name": "look", "input_schema": {"type": "object"}}],
        messages=[{"role": "user", "content": prompt}],
    )
    gate(message)
    for block in message.content:
        if block.type == "tool_use":
            run(block.name, **block.input)
    return "".join(block.text for block in message.content if block.type == "text")
"""


def found(folder: Path, **files: str) -> list[Finding]:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(analyse(Request((str(folder),), use_baseline=False, jobs=1)).report.findings)


def codes(folder: Path, config: str, source: str) -> list[str]:
    return [one.code for one in found(folder, stoplint_dot_toml=config, app_dot_py=source)]


@pytest.mark.parametrize(("version", "expected"), [("0.84.0", ["SL103"]), ("1.1", []), ("2.12.0", [])])
def test_sdk_version(tmp_path: Path, version: str, expected: list[str]) -> None:
    assert codes(tmp_path, f'sdk-version = "{version}"', RUNNER) == expected


@pytest.mark.parametrize(("version", "expected"), [("1.4", []), ("0.90", ["SL103"])])
def test_sdk_version_goes_before_the_pins(tmp_path: Path, version: str, expected: list[str]) -> None:
    (tmp_path / "requirements.txt").write_text(f"anthropic=={'0.84.0' if not expected else '1.9.0'}\n")
    assert codes(tmp_path, f'sdk-version = "{version}"', RUNNER) == expected


def test_required_reasons(tmp_path: Path) -> None:
    assert codes(tmp_path / "a", "", LOOKED) == []
    (one,) = found(tmp_path / "b", stoplint_dot_toml='required-reasons = ["refusal", "tool_use"]', app_dot_py=LOOKED)
    assert (one.code, one.reasons, one.profile) == ("SL102", ("refusal",), "default")


def test_every_file_has_its_own_configuration(tmp_path: Path) -> None:
    (one,) = found(
        tmp_path,
        strict__stoplint_dot_toml='required-reasons = ["refusal"]',
        strict__app_dot_py=LOOKED,
        loose__app_dot_py=LOOKED,
    )
    assert one.place.path.endswith("strict/app.py")


def test_returns_response(tmp_path: Path) -> None:
    wrappers = '[wrappers]\nreturns-response = ["llmkit.ask", "llmkit.Gateway.complete"]'
    assert codes(tmp_path / "a", "", FROM_ELSEWHERE) == []
    assert [
        (one.code, one.function) for one in found(tmp_path / "b", stoplint_dot_toml=wrappers, app_dot_py=FROM_ELSEWHERE)
    ] == [
        ("SL101", "one"),
        ("SL101", "two"),
        ("SL101", "three"),
    ]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("", ["SL101", "SL103"]),
        ('[wrappers]\nchecks-response = ["app.gate"]', []),
        ('[wrappers]\nexposes-response = ["app.gate"]', ["SL103"]),
        ('[wrappers]\nexposes-response = ["other.gate"]', ["SL101", "SL103"]),
    ],
)
def test_checks_and_exposes_response(tmp_path: Path, config: str, expected: list[str]) -> None:
    assert sorted(codes(tmp_path, config, CHECKED)) == expected
