"""Which SDK version a project's own files say it installs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stoplint.check.pins import NEWEST, Pins, locked, newest_allowed, parse, shown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ("anthropic==0.84.0\nhttpx>=0.27\n", (0, 84, 0)),
        ("httpx\nanthropic[bedrock] == 0.84.*\n", (0, 84, NEWEST)),
        ("anthropic<1  # the new one breaks us\n", (0, NEWEST)),
        ("anthropic>=0.71,<1.1\n", (1, 0, NEWEST)),
        ("anthropic>=0.71, <=0.90.1\n", (0, 90, 1)),
        ("anthropic~=0.84\n", (0, NEWEST)),
        ("anthropic~=0.84.2\n", (0, 84, NEWEST)),
        ("anthropic (>=0.84,<0.90)\n", (0, 89, NEWEST)),
        ('anthropic==1.1.0 ; python_version > "3.9"\n', (1, 1, 0)),
        ('dependencies = ["httpx", "anthropic>=0.71,<2"]', (1, NEWEST)),
        ('anthropic = "^0.71"', (0, 71, NEWEST)),
        ('anthropic = "~1.2"', (1, 2, NEWEST)),
        ('anthropic = {version = "^1.2", extras = ["vertex"]}', (1, NEWEST)),
        ("install_requires=['anthropic<2'],", (1, NEWEST)),
        ("anthropic>=0.71\n", None),
        ("anthropic\n", None),
        ('anthropic = "*"', None),
        ("langchain-anthropic==0.3.0\n", None),
        ("anthropic-tools==0.3.0\nmy.anthropic==1\n", None),
        ("# anthropic==0.5\n", None),
        ('packages = ["anthropic"]\nversion = "0.3"\n', None),
    ],
)
def test_the_newest_version_that_is_allowed(written: str, version: tuple[int, ...] | None) -> None:
    assert newest_allowed(written) == version


def test_lock_files() -> None:
    assert locked('[[package]]\nname = "anthropic"\nversion = "0.84.0"\nsource = { registry = "x" }\n') == (0, 84, 0)
    assert locked('"anthropic": {\n  "hashes": [],\n  "version": "==1.2.3"\n}') == (1, 2, 3)
    assert locked('[[package]]\nname = "langchain-anthropic"\nversion = "0.3.0"\n') is None
    assert locked('[[package]]\nname = "app"\ndependencies = [{ name = "anthropic" }]\n') is None


def test_what_is_locked_goes_before_what_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["anthropic<1"]\n')
    assert Pins().version_for(str(tmp_path / "app.py")) == (0, NEWEST)
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "anthropic"\nversion = "0.71.0"\n')
    assert Pins().version_for(str(tmp_path / "app.py")) == (0, 71, 0)


def test_the_nearest_folder_counts_up_to_the_top_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("anthropic==0.40.0\n")
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "service" / "src").mkdir(parents=True)
    assert Pins().version_for(str(project / "service" / "src" / "app.py")) is None
    (project / "requirements.txt").write_text("anthropic==1.0.0\n")
    assert Pins().version_for(str(project / "service" / "src" / "app.py")) == (1, 0, 0)
    (project / "service" / "requirements.txt").write_text("anthropic==2.0.0\n")
    assert Pins().version_for(str(project / "service" / "src" / "app.py")) == (2, 0, 0)


def test_files_that_cannot_be_read_say_nothing(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "uv.lock").mkdir()
    (tmp_path / "requirements.txt").write_bytes(b"\xff\xfeanthropic==0.8\n")
    assert Pins().version_for(str(tmp_path / "app.py")) is None


def test_versions_are_read_and_shown() -> None:
    assert parse("1.4.0rc1") == (1, 4, 0)
    assert parse("latest") is None
    assert shown((0, 84, NEWEST)) == "0.84.x"
