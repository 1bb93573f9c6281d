"""`stoplint check`: exit codes, options and messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stoplint.check import engine

READ = "x = reply.content[0].text\n"
CLEAN = "x = 1\n"


class TestExitCodes:
    def test_zero_without_findings(self, stoplint, write):
        write("a.py", CLEAN)
        done = stoplint("check")
        assert (done.code, done.out, done.err) == (0, "No findings in 1 file\n", "")

    def test_one_with_findings_and_zero_on_demand(self, stoplint, write):
        write("a.py", READ)
        assert stoplint("check").code == 1
        assert stoplint("check", "--exit-zero").code == 0

    def test_two_for_a_path_that_does_not_exist(self, stoplint, write):
        write("a.py", READ)
        done = stoplint("check", "a.py", "nope/b.py", "--exit-zero")
        assert (done.code, done.out) == (2, "")
        assert done.err == "stoplint: error: nope/b.py: there is no such file or folder\n"

    def test_two_for_an_unknown_option_naming_the_nearest(self, stoplint):
        done = stoplint("check", "--selct", "SL101")
        assert done.code == 2
        assert "--select" in done.err

    def test_two_for_an_unknown_rule_naming_the_nearest(self, stoplint, write):
        write("a.py", READ)
        done = stoplint("check", "--select", "SL101,stop-reason-ignord", "--ignore", "SL99")
        assert done.code == 2
        assert '--select: "stop-reason-ignord" is no rule; did you mean "stop-reason-ignored"?' in done.err

    def test_two_for_a_wrong_configuration(self, stoplint, write):
        write("stoplint.toml", "strct = true\n")
        write("a.py", READ)
        done = stoplint("check", "--exit-zero")
        assert done.code == 2
        assert 'stoplint.toml: strct: there is no such option; did you mean "strict"?' in done.err
        assert stoplint("check", "--isolated").code == 1

    def test_two_for_an_unknown_command(self, stoplint):
        assert "Did you mean 'check'?" in stoplint("chek").err
        assert "stoplint check src" in stoplint("src").err
        assert stoplint("src").code == 2

    @pytest.mark.parametrize("arguments", [("check",), ("check", "empty", "--exit-zero")])
    def test_three_when_there_is_nothing(self, stoplint, write, arguments):
        Path("empty").mkdir()
        write("notes.txt", "")
        done = stoplint(*arguments)
        assert done.code == 3
        assert done.err.startswith("stoplint: nothing to check: no Python files or notebooks under ")

    def test_three_says_what_was_left_out(self, stoplint, write):
        write(".venv/a.py", READ)
        assert "left out: .venv is never searched" in stoplint("check").err

    def test_a_hook_that_is_given_excluded_files_only_passes(self, stoplint, write):
        write("stoplint.toml", 'exclude = ["gen/"]\n')
        write("gen/a.py", READ)
        done = stoplint("check", "gen/a.py")
        assert (done.code, done.out) == (
            0,
            "No findings in 0 files; skipped 1 file (excluded by the configuration), -v names them\n",
        )
        assert stoplint("check", "gen/a.py", "--no-force-exclude").code == 1


class TestLastResort:
    def test_a_bug_is_one_line_and_with_vv_a_traceback(self, stoplint, write, monkeypatch):
        def fail(*_: object, **__: object) -> None:
            raise KeyError("boom\nand more")

        monkeypatch.setattr(engine, "run", fail)
        write("a.py", READ)
        done = stoplint("check")
        assert done.code == 2
        assert len(done.err.splitlines()) == 1
        assert done.err.startswith("stoplint: internal error: KeyError: ")
        assert "Traceback" in stoplint("check", "-vv").err
        assert "Traceback" in stoplint("check", "-v", "-v").err

    def test_an_interrupt_is_no_traceback(self, stoplint, write, monkeypatch):
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(engine, "run", interrupt)
        write("a.py", READ)
        assert stoplint("check").code == 130


class TestStdin:
    def test_its_name_decides_configuration_and_shows(self, stoplint, write):
        write("sub/stoplint.toml", 'ignore = ["SL101"]\n')
        done = stoplint("check", "-", "--output-format", "concise", stdin=READ.encode())
        assert (done.code, done.out.split(": ")[0]) == (1, "<stdin>:1:5")
        assert stoplint("check", "-", "--stdin-filename", "sub/a.py", stdin=READ.encode()).code == 0
        done = stoplint("check", "-", "--stdin-filename", "x/a.py", stdin=READ.encode())
        assert done.out.startswith("x/a.py:1:5")
        assert "reply.content[0].text" in done.out

    def test_a_notebook_and_an_excluded_name(self, stoplint, write):
        cell = {"cell_type": "code", "source": READ}
        notebook = json.dumps({"cells": [cell], "metadata": {}}).encode()
        done = stoplint("check", "-", "--stdin-filename", "a.ipynb", "--output-format", "concise", stdin=notebook)
        assert done.out.startswith("a.ipynb:cell 1:1:5: SL101")
        write("stoplint.toml", 'exclude = ["a.py"]\n')
        assert stoplint("check", "-", "--stdin-filename", "a.py", stdin=READ.encode()).code == 0

    def test_it_goes_with_no_other_path_and_a_name_needs_it(self, stoplint, write):
        write("a.py", READ)
        assert stoplint("check", "-", "a.py").code == 2
        done = stoplint("check", "a.py", "--stdin-filename", "b.py")
        assert (done.code, '"-"' in done.err) == (2, True)


class TestSelection:
    def test_select_ignore_strict(self, stoplint, write):
        write("a.py", READ + 'y = r == "end-turn"\nrun_tool(1)\n')

        def codes(*options: str) -> list[str]:
            found = json.loads(stoplint("check", "--output-format", "json", *options).out)
            return [one["code"] for one in found]

        assert codes() == ["SL101", "SL105"]
        assert codes("--select", "stop-reason-ignored") == ["SL101"]
        assert codes("--select", "SL2", "--select", "SL105") == ["SL105"]
        assert codes("--ignore", "SL10") == []
        assert codes("--strict") == ["SL101", "SL105", "SL103"]

    def test_per_file_ignores(self, stoplint, write):
        write("stoplint.toml", '[per-file-ignores]\n"tests/" = ["SL101"]\n')
        write("tests/a.py", READ)
        write("src/a.py", READ)
        done = stoplint("check", "--output-format", "concise", "-q")
        assert done.out.count("SL101") == 1
        assert done.out.startswith("src/a.py")

    def test_an_unreadable_file_that_is_not_reported_is_still_said(self, stoplint, write):
        Path("a.py").write_bytes(b"x = '\xe9'\n")
        write("b.py", CLEAN)
        assert "SL900" in stoplint("check").out
        done = stoplint("check", "--select", "SL101", "-v")
        assert done.code == 0
        assert "skipped a.py: cannot be decoded as utf-8" in done.out


class TestPaths:
    def test_several_paths_in_any_order_give_the_same_output(self, stoplint, write):
        for name in ("b/x.py", "a/y.py", "c.py"):
            write(name)
        first = stoplint("check", "b", "a", "c.py")
        assert first.out == stoplint("check", "c.py", "a", "b").out
        assert [line for line in first.out.splitlines() if line.startswith(("a/", "b/", "c"))] == [
            "a/y.py:12:12: error[SL101] stop-reason-ignored",
            "b/x.py:12:12: error[SL101] stop-reason-ignored",
            "c.py:12:12: error[SL101] stop-reason-ignored",
        ]

    def test_the_rest_of_the_project_is_given_to_the_engine_but_not_reported(self, stoplint, write, monkeypatch):
        seen: dict[str, list[str]] = {}
        real = engine.run

        def spy(files, *, project, settings_of, options):
            seen["project"] = [file.path for file in project]
            return real(files, project=project, settings_of=settings_of, options=options)

        monkeypatch.setattr(engine, "run", spy)
        write("pyproject.toml", "[project]\nname = 'x'\n")
        write("pkg/a.py", READ)
        write("pkg/b.py", READ)
        write("c.py", READ)
        assert "Found 1 finding (1 error) in 1 file" in stoplint("check", "pkg/a.py").out
        assert seen["project"] == ["c.py", "pkg/b.py"]
        stoplint("check")
        assert seen["project"] == []

    def test_markdown_on_demand(self, stoplint, write):
        write("a.py", CLEAN)
        write("README.md", f"# T\n\n- item\n\n  ```python\n  {READ}  ```\n")
        assert stoplint("check").code == 0
        done = stoplint("check", "--markdown", "--output-format", "concise")
        assert done.out.startswith("README.md:6:7: SL101")


class TestOutput:
    def test_closing_line_counts_and_v_names_what_was_skipped(self, stoplint, write):
        write(".gitignore", "gen/\n")
        write("gen/a.py", READ)
        write(".venv/b.py", READ)
        write("c.py", "#" * 2_000_001)
        write("d.py", READ + READ)
        write("e.py", "x = r.content[0].text  # stoplint: ignore[SL101] shown raw on purpose\n")
        done = stoplint("check", "-v")
        assert done.out.splitlines()[-4:] == [
            "skipped .venv/: .venv is never searched",
            "skipped c.py: larger than 2 MB",
            "skipped gen/: ignored by git",
            (
                "Found 2 findings (2 errors) in 1 of 2 files; 1 suppressed; skipped 1 file and 2 folders "
                "(1 ignored by git, 1 installed packages, 1 larger than 2 MB)"
            ),
        ]
        assert stoplint("check").out.splitlines()[-1].endswith(", -v names them")
        assert "Found" not in stoplint("check", "-q").out

    def test_machine_formats_have_standard_output_for_themselves(self, stoplint, write):
        write("a.py", READ)
        done = stoplint("check", "--output-format", "json", "-v")
        assert len(json.loads(done.out)) == 1
        assert "Found 1 finding" in done.err
        assert stoplint("check", "--output-format", "json").err == ""

    def test_output_file_is_whole_or_not_there(self, stoplint, write):
        write("a.py", READ)
        done = stoplint("check", "--no-cache", "--output-format", "json", "-o", "out.json")
        assert done.out == "Found 1 finding (1 error) in 1 file\n"
        assert len(json.loads(Path("out.json").read_text(encoding="utf-8"))) == 1
        assert sorted(path.name for path in Path().iterdir()) == ["a.py", "out.json"]
        done = stoplint("check", "-o", "none/out.txt")
        assert (done.code, done.err) == (2, "stoplint: error: --output-file: none/out.txt: No such file or directory\n")

    def test_statistics(self, stoplint, write):
        write("a.py", READ * 2 + 'y = r == "end-turn"\n')
        lines = stoplint("check", "--statistics").out.splitlines()
        assert lines[:2] == ["2  SL101  stop-reason-ignored", "1  SL105  unknown-stop-reason"]
        found = json.loads(stoplint("check", "--statistics", "--output-format", "json").out)
        assert found[0] == {"code": "SL101", "name": "stop-reason-ignored", "count": 2}
        assert stoplint("check", "--statistics", "--output-format", "sarif").code == 2

    def test_color_follows_option_then_environment(self, stoplint, write, monkeypatch):
        write("a.py", READ)
        assert "\x1b[" not in stoplint("check").out
        assert "\x1b[" in stoplint("check", "--color", "always").out
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert "\x1b[" in stoplint("check").out
        assert "\x1b[" not in stoplint("check", "--color", "never").out
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" not in stoplint("check").out

    def test_the_format_can_come_from_the_environment(self, stoplint, write, monkeypatch):
        write("a.py", READ)
        monkeypatch.setenv("STOPLINT_OUTPUT_FORMAT", "concise")
        assert stoplint("check").out.startswith("a.py:1:5: SL101")
