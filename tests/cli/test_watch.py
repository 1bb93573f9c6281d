"""`--watch`: one run at the start, one a change, none without."""

from __future__ import annotations

from pathlib import Path

READ = "x = reply.content[0].text\n"


def script(monkeypatch, *steps):
    """Does one step a poll, then interrupts."""
    left = list(steps)

    def sleep(_: float) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    monkeypatch.setattr("stoplint.cli.watch.watch.__defaults__", (sleep,))


def test_it_checks_again_after_changes_only(stoplint, write, monkeypatch):
    write("a.py", READ)
    script(
        monkeypatch,
        lambda: None,
        lambda: write("a.py", "x = 1\n"),
        lambda: None,
        lambda: write("sub/b.py", READ),
        lambda: write("stoplint.toml", 'ignore = ["SL101"]\n'),
        lambda: Path("stoplint.toml").unlink(),
    )
    done = stoplint("check", "--watch", "--output-format", "concise")
    assert done.code == 0
    assert [line.split(":")[0] for line in done.out.splitlines()] == [
        "a.py", "Found 1 finding (1 error) in 1 file",
        "No findings in 1 file",
        "sub/b.py", "Found 1 finding (1 error) in 1 of 2 files",
        "No findings in 2 files",
        "sub/b.py", "Found 1 finding (1 error) in 1 of 2 files",
    ]  # fmt: skip


def test_what_is_wrong_for_a_moment_is_told_and_waited_out(stoplint, write, monkeypatch):
    script(
        monkeypatch,
        lambda: write("a.py", READ),
        lambda: write("stoplint.toml", "oops\n"),
        lambda: write("stoplint.toml", ""),
    )
    done = stoplint("check", "--watch")
    assert done.out.count("error[SL101]") == 2
    assert "no Python files" in done.err
    assert "stoplint.toml: is no valid TOML" in done.err


def test_it_goes_with_files_only(stoplint):
    assert stoplint("check", "-", "--watch").code == 2
    assert stoplint("check", "--watch", "--add-ignores", "x").code == 2
