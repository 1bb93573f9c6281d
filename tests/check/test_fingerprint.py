"""Fingerprints: the same through moves, formatters and working folders, different where the code is."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoplint.check.fingerprint import digest, normalised, statement_text, with_fingerprints
from stoplint.check.source import parse
from stoplint.check.statements import layout
from stoplint.findings import Finding, Place

READ = "content[0].text"


def findings(text: str, path: str = "a.py") -> list[Finding]:
    """A finding at each `content[0].text` of a text, with its fingerprint."""
    source = parse(path, "python", text.encode())
    found = []
    function = "<module>"
    for number, line in enumerate(source.lines, 1):
        if match := re.match(r"\s*def (\w+)", line):
            function = match[1]
        for match in re.finditer(re.escape(READ), line):
            place = Place(path, None, number, match.start() + 1, number, match.end() + 1)
            found.append(Finding("SL101", "n", "error", "default", place, function, "m"))
    made = layout(source.lines)
    return with_fingerprints(found, {one: statement_text(one, source, made) for one in found}, lambda path: path)


def prints(text: str, path: str = "a.py") -> list[str]:
    return [one.fingerprint for one in findings(text, path)]


BEFORE = """\
def ask(q):
    reply = client.messages.create(model = 'm', messages = q,)
    if q: return reply.content[0].text
    text = "it's " + foo(reply.content[0].text, 'a', other_argument_with_a_long_name, another_argument_with_a_long_name)
    x = 1; y = [reply.content[0].text,
        'b']
    return {  'first': (reply.content[0].text), U'second': 0XFF, 'f': f'{y!r:>{x}} {x}', 'g': not  (x) }
"""


class TestMoves:
    def test_no_line_number_is_in_it(self):
        text = f"def f():\n    return r.{READ}\n"
        assert prints(text) == prints(f"import os\n\n\nX = 1\n\n{text}\n\n# end\n")

    def test_ruff_format_changes_none(self):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", "format", "--isolated", "-"],
            input=BEFORE, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout != BEFORE
        assert prints(done.stdout) == prints(BEFORE)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("x = a.content[0].text", "x = (\n    a.content[0].text  # why\n)"),
            ("f(a.content[0].text, 1)", "f(\n    a.content[0].text,\n    1,\n)"),
            ("f('a', a.content[0].text)", 'f("a", a.content[0].text)'),
            ("x = 1; y = a.content[0].text", "x = 1\ny = a.content[0].text"),
            ("x = b + \\\n  a.content[0].text", "x = b + a.content[0].text"),
            ("if b: y = a.content[0].text", "if b:\n    y = a.content[0].text"),
            ("with open(a.content[0].text) as f: pass", "with open(a.content[0].text) as f:\n    pass"),
            ("f(lambda: a.content[0].text)", "f(lambda:   a.content[0].text)"),
        ],
    )
    def test_forms_of_the_same_statement(self, one, other):
        assert prints(one) == prints(other)

    @given(
        st.lists(
            st.sampled_from(["", "# c", "x = 1", "def g():\n    pass", '"""s"""', "if x:\n    y = {1: 2}"]), max_size=6
        )
    )
    def test_whatever_stands_before(self, lines):
        text = f"def f():\n    return r.{READ}\n"
        assert prints("".join(line + "\n" for line in lines) + text) == prints(text)


class TestDifferences:
    def test_rule_path_function_and_statement_count(self):
        base = f"def f():\n    return r.{READ}\n"
        others = [base.replace("def f", "def g"), base.replace("r.", "s."), base.replace("return", "x =")]
        seen = {*prints(base), *prints(base, "b.py"), *(one for other in others for one in prints(other))}
        assert len(seen) == 5

    def test_equal_ones_are_counted_through(self):
        once = f"def f():\n    use(r.{READ})\n"
        twice = once + f"    use(r.{READ})\n"
        assert prints(twice)[0] == prints(once)[0]
        assert len(set(prints(twice))) == 2

    def test_strict_findings_do_not_move_the_others(self):
        def made(code: str, line: int, profile: str) -> Finding:
            return Finding(code, "n", "error", profile, Place("a.py", None, line, 1, line, 2), "f", "m")  # type: ignore[arg-type]

        strict, default = made("SL102", 1, "strict"), made("SL102", 2, "default")
        alone = with_fingerprints([default], {}, str)
        both = with_fingerprints([strict, default], {}, str)
        assert both[1].fingerprint == alone[0].fingerprint
        assert both[0].fingerprint != both[1].fingerprint

    def test_parts_cannot_run_into_each_other(self):
        assert digest("a", "bc") != digest("ab", "c")
        assert len(digest("\udcff")) == 32


def test_normalising_is_stable():
    assert normalised("f( 'a',\n  b, )") == normalised('F("a", b)') == "fa,b"
    for text in ("f(a,)", "x = [1,\n]", "a, b = c,"):
        assert normalised(normalised(text)) == normalised(text)
