"""Running the command line in a scratch folder, on top of the stand-in engine."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stoplint.cli import run

sys.path.insert(0, str(Path(__file__).parents[1]))

import fake_engine

if TYPE_CHECKING:
    from collections.abc import Callable

APP = """import anthropic

client = anthropic.Anthropic()


def ask(question):
    reply = client.messages.create(
        model="claude-sonnet-4-5",
        max_tokens=1024,
        messages=[{"role": "user", "content": question}],
    )
    return reply.content[0].text
"""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def stoplint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Runs a command line in a folder of its own; `stdin` is what "-" reads."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("stoplint.check.engine.run", fake_engine.run)
    for name in (
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
        "STOPLINT_CACHE_DIR",
        "STOPLINT_OUTPUT_FORMAT",
        "GITHUB_STEP_SUMMARY",
    ):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def write() -> Callable[[str, str], Path]:
    """Writes a file below the working folder."""

    def put(name: str, text: str = APP) -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return put
