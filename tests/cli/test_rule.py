"""`stoplint rule`, `--help`, `--version` and completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import stoplint as package
from stoplint import catalog
from stoplint.cli.page import render_page
from stoplint.report import Style

PAGE = """
Some *words* and **more words** with [a link](https://example.org/x) and `code with * and [brackets](x)` that go on.

## Heading

- one item that is long enough to be wrapped over the end of the line, twice if need be
  and continued here
1. numbered

```python
x = 1  # SL101
# a comment
```

| a | b |
|---|---|

<!-- no mutation: because -->
"""


class TestPage:
    def test_prose_is_wrapped_code_is_indented_and_markup_is_gone(self):
        lines = list(render_page(PAGE.strip(), Style(width=50)))
        assert lines == [
            "Some words and more words with a link",
            "(https://example.org/x) and",
            "`code with * and [brackets](x)` that go on.",
            "",
            "Heading",
            "",
            "- one item that is long enough to be wrapped over",
            "  the end of the line, twice if need be and",
            "  continued here",
            "1. numbered",
            "",
            "    x = 1  # SL101",
            "    # a comment",
            "",
            "| a | b |",
            "|---|---|",
            "",
        ]

    def test_every_page_of_the_catalog_fits(self):
        for rule in catalog.rules().values():
            prose = [line for line in render_page(rule.text, Style(width=80)) if not line.startswith(("    ", "|"))]
            assert max(map(len, prose)) <= 80 or any(len(word) > 60 for line in prose for word in line.split())


class TestRule:
    @pytest.mark.parametrize("name", ["SL101", "sl101", "stop-reason-ignored"])
    def test_a_page_by_code_or_name(self, stoplint, name):
        done = stoplint("rule", name)
        assert done.code == 0
        assert done.out.startswith("SL101 stop-reason-ignored\nerror, on by default, ")

    def test_all_and_json(self, stoplint):
        lines = stoplint("rule", "--all").out.splitlines()
        assert [line.split()[0] for line in lines] == list(catalog.rules())
        found = json.loads(stoplint("rule", "--all", "--output-format", "json").out)
        assert [one["code"] for one in found] == list(catalog.rules())
        one = json.loads(stoplint("rule", "SL102", "--output-format", "json").out)
        assert one["text"] == catalog.rules()["SL102"].text
        assert list(one) == ["code", "name", "severity", "profile", "fix", "since", "summary", "text"]

    def test_an_unknown_one_names_the_nearest(self, stoplint):
        done = stoplint("rule", "unbound-continuation")
        assert (done.code, done.err) == (
            2,
            'stoplint: error: "unbound-continuation" is no rule; did you mean "unbounded-continuation"?\n',
        )

    @pytest.mark.parametrize("arguments", [(), ("SL101", "--all"), ("SL1",), ("ALL",)])
    def test_one_rule_or_all(self, stoplint, arguments):
        assert stoplint("rule", *arguments).code == 2


class TestHelp:
    def test_version_and_help(self, stoplint):
        assert stoplint("--version").out == f"stoplint {package.__version__}\n"
        assert "Exit codes: 0 clean, 1 findings, 2 the run failed, 3 nothing to check" in " ".join(
            stoplint("--help").out.split()
        )
        for command in ("check", "rule", "baseline", "config", "completion"):
            assert stoplint(command, "--help").code == 0
            assert f"  {command} " in stoplint("--help").out

    def test_help_and_version_import_neither_libcst_nor_the_engine(self):
        code = (
            "import sys; from stoplint.cli import run; run(['--help']); run(['--version']); run(['check', '--help']);"
            "heavy = [m for m in sys.modules if m.startswith(('libcst', 'stoplint.check', 'stoplint.config', 'stoplint.trace', 'anthropic', "
            "'opentelemetry', 'pathspec'))]; sys.exit(repr(heavy) if heavy else 0)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.returncode == 0

    def test_reading_a_rule_imports_no_engine(self):
        code = (
            "import sys; from stoplint.cli import run; run(['rule', 'SL101']);"
            "sys.exit(any(m in sys.modules for m in ('libcst', 'stoplint.check.engine', 'pathspec')))"
        )
        assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


class TestCompletion:
    @pytest.mark.parametrize(("shell", "word"), [("bash", "complete"), ("zsh", "#compdef"), ("fish", "complete ")])
    def test_scripts(self, stoplint, shell, word):
        done = stoplint("completion", shell)
        assert done.code == 0
        assert word in done.out
        assert "_STOPLINT_COMPLETE" in done.out

    def test_the_program_answers_the_script(self):
        code = "import sys; from stoplint.cli import main; sys.argv = ['stoplint']; main()"
        environment = {
            **os.environ,
            "_STOPLINT_COMPLETE": "bash_complete",
            "COMP_WORDS": "stoplint rule stop-reason-i",
            "COMP_CWORD": "2",
        }
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout == "plain,stop-reason-ignored\n"
