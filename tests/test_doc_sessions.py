"""The program that plays the documentation notices what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import doc_sessions
import pytest

if TYPE_CHECKING:
    from pathlib import Path


def problems(folder: Path, page: str) -> list[str]:
    path = folder / "PAGE.md"
    path.write_text(page, encoding="utf-8")
    return doc_sessions.run(path).problems


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("```console\n$ echo one\ntwo\n```\n", "--- printed\none"),
        ("```console\n$ echo one\none\ntwo\n```\n", "--- printed\none"),
        ("```console\n$ exit 2\n$ echo on\non\n```\n", "exited with 2"),
        ("```sh\nfalse\n```\n", "exited with 1"),
        ("```python\nraise SystemExit('no')\n```\n", "the page's Python fails"),
        ("```toml\nnonsense = 1\n```\n", "exited with 2"),
        ("```yaml\nscript: [exit 3]\n```\n", "exited with 3"),
        ("```ruby\nputs 1\n```\n", "nothing checks a fence of the language 'ruby'"),
        ("`a.txt`:\n\n```text\nx\n```\n\n```console\n$ cat a.txt\ny\n```\n", "--- printed\nx"),
    ],
)
def test_a_difference_is_a_problem(tmp_path: Path, page: str, complaint: str) -> None:
    (found,) = problems(tmp_path, page)
    assert complaint in found
    assert found.startswith("PAGE.md")


@pytest.mark.parametrize(
    "page",
    [
        "```console\n$ echo one; echo two\none\ntwo\n```\n",
        "```console\n$ seq 5\n1\n...\n5\n```\n",
        "```console\n$ seq 5\n...\n```\n",
        "```console\n$ exit 2\n$ echo $?\n2\n```\n",
        "```console\n$ echo 2026-11-25 02:06:30 to 02:06:31, 12 ms, 75a343b1\n2025-01-01 10:00:00, 7 ms, 00000000\n```\n",
        "<!-- not run: it would take a year -->\n\n```sh\nsleep 31536000\n```\n",
        "`a.md`:\n\n````markdown\n```python\nraise\n```\n````\n",
        "Of `a.txt` it says:\n\n```text\nx\n```\n\n```console\n$ cat a.txt 2>/dev/null || echo none\nnone\n```\n",
    ],
)
def test_what_is_the_same_is_none(tmp_path: Path, page: str) -> None:
    """The last one: a name within a sentence does not name the fence."""
    assert problems(tmp_path, page) == []


def test_the_real_output_is_put_into_the_page(tmp_path: Path) -> None:
    path = tmp_path / "PAGE.md"
    path.write_text("Before.\n\n```console\n$ echo one\nold\n```\n\nAfter.\n", encoding="utf-8")
    assert doc_sessions.run(path).page == "Before.\n\n```console\n$ echo one\none\n```\n\nAfter.\n"
