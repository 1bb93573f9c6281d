"""Which findings a comment silences: placement, lists, reasons, and comments that silence nothing."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from stoplint import catalog
from stoplint.check import directives, suppress
from stoplint.check.edits import edit_text
from stoplint.check.source import parse
from stoplint.check.statements import layout
from stoplint.findings import Finding, Place

EVERY = frozenset(catalog.rules())


def finding(line: int, code: str = "SL101", column: int = 1) -> Finding:
    rule = catalog.rules()[code]
    place = Place("a.py", None, line, column, line, column + 1)
    return Finding(code, rule.name, rule.severity, "default", place, "<module>", "text")


def outcome(text: str, *found: Finding, judged: frozenset[str] = EVERY) -> suppress.Outcome:
    source = parse("a.py", "python", text.encode())
    return suppress.apply(source, layout(source.lines), found, judged)


def silenced(text: str, line: int, code: str = "SL101") -> bool:
    return bool(outcome(text, finding(line, code)).suppressed)


CALL = """\
x = 0
reply = call(
    a,  # one
    # two
    b="# stoplint: ignore[SL101]",
)  # three
y = 0
"""


class TestPlacement:
    @pytest.mark.parametrize("mark", ["# one", "# two", "# three"])
    @pytest.mark.parametrize("line", [2, 3, 5, 6])
    def test_any_line_of_a_statement_speaks_for_all_of_it(self, mark, line):
        text = CALL.replace(mark, "# stoplint: ignore[SL101] why")
        assert silenced(text, line)
        assert not silenced(text, 1)
        assert not silenced(text, 7)

    def test_a_comment_in_a_string_is_none(self):
        assert not silenced(CALL, 5)
        assert not outcome(CALL).unused

    @pytest.mark.parametrize(
        "text",
        [
            "# stoplint: ignore[SL101]\nx = 1\n",
            "# stoplint: ignore[SL101]\n# more words\nx = 1\n",
            "# first\n# stoplint: ignore[SL101]\nx = 1\n",
            "if a:\n    # stoplint: ignore[SL101]\n    x = 1\n",
            "# stoplint: ignore[SL101]\n@decorator(\n    1\n)\n@other\ndef f(): pass\n",
            "# stoplint: ignore[SL101]\nx = 1 + \\\n    2\n",
        ],
    )
    def test_alone_above_the_statement(self, text):
        assert silenced(text, len(text.splitlines()))

    @pytest.mark.parametrize(
        "text",
        [
            "# stoplint: ignore[SL101]\n\nx = 1\n",
            "# stoplint: ignore[SL101]\ny = 0\nx = 1\n",
            "y = 0  # stoplint: ignore[SL101]\nx = 1\n",
            "x = 0\nx = 1\n# stoplint: ignore[SL101]\n",
            "# stoplint: ignore[SL101]\nif a:\n    x = 1\n",
        ],
    )
    def test_elsewhere_it_says_nothing(self, text):
        assert not silenced(text, len(text.splitlines()) - text.endswith("]\n"))

    def test_a_decorated_definition_is_one_statement(self):
        text = "@one  # stoplint: ignore[SL101]\n@two\ndef f(\n    a,\n):\n    x = 1\n"
        assert [silenced(text, line) for line in range(1, 7)] == [True, True, True, True, True, False]

    def test_a_backslash_joins_lines(self):
        text = "x = 1 + \\\n    2  # stoplint: ignore[SL101]\n"
        assert silenced(text, 1)

    def test_a_file_that_does_not_tokenize_is_read_line_by_line(self):
        text = "x = 1  # stoplint: ignore[SL101]\nprint 'a # stoplint: ignore[SL101]'\n'''\ny = (  # stoplint: ignore[SL102]\n"
        assert silenced(text, 1)
        assert not silenced(text, 2)
        assert silenced(text, 4, "SL102")

    def test_ranges_that_are_known_count_where_tokens_do_not(self):
        lines = ["x = f(", "  1)  # stoplint: ignore[SL101]", "'''"]
        broken = ["  0 x = $", *lines]
        found = directives.read(layout(broken, ((2, 3),)))
        assert [one.covers for one in found] == [(2, 3)]

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="older interpreters read such a string differently")
    def test_nested_quotes_of_new_f_strings(self):
        assert silenced('x = f"{a["#"]}"  # stoplint: ignore[SL101]\n', 1)


class TestForms:
    @pytest.mark.parametrize(
        ("comment", "codes"),
        [
            ("# stoplint: ignore[SL101]", {"SL101"}),
            ("#stoplint:ignore[SL101]", {"SL101"}),
            ("# stoplint: ignore[stop-reason-ignored] a reason, issue #12", {"SL101"}),
            ("# stoplint: ignore[SL101, SL102]", {"SL101", "SL102"}),
            ("# stoplint: ignore[sl101,stop-reason-unhandled]", {"SL101", "SL102"}),
            ("# stoplint: ignore[SL10]", {"SL101", "SL102"}),
            ("# stoplint: ignore[ALL]", {"SL101", "SL102"}),
            ("# noqa: SL101", {"SL101"}),
            ("#noqa:E501,SL101", {"SL101"}),
            ("# NoQA: E501 SL102 because", {"SL102"}),
            ("# noqa", set()),
            ("# noqa: E501", set()),
            ("# type: ignore[attr]  # stoplint: ignore[SL101] why  # noqa: SL102", {"SL101", "SL102"}),
            ("# stoplint: ignore", set()),
            ("# see the manual: stoplint: ignore[SL101]", set()),
        ],
    )
    def test_what_a_comment_silences(self, comment, codes):
        found = [finding(1, "SL101"), finding(1, "SL102")]
        assert {one.code for one in outcome(f"x = 1  {comment}\n", *found).suppressed} == codes

    def test_a_whole_file(self):
        text = "x = 1\n# stoplint: ignore-file[SL101] generated\n\n\ny = 2\n"
        result = outcome(text, finding(1), finding(5), finding(5, "SL102"))
        assert [(one.code, one.place.line) for one in result.kept] == [("SL102", 5)]
        assert not result.unused

    def test_the_reason_is_kept(self):
        text = "x = 1  # stoplint: ignore[SL101] - see #12, later  # noqa: E501\n"
        (found,) = directives.read(layout(text.splitlines()))
        assert found.reason == "see #12, later"

    def test_bytes_are_screened(self):
        assert directives.mentions(b"# stoplint: ignore[SL101]")
        assert directives.mentions(b"# noqa: E501, SL101")
        assert not directives.mentions(b"x = 1  # noqa: E501\n# SL101\n")


class TestUnused:
    def test_a_used_comment_is_not_reported(self):
        assert not outcome("x = 1  # stoplint: ignore[SL101]\n", finding(1)).unused

    @pytest.mark.parametrize(
        ("text", "fixed", "message"),
        [
            ("x = 1  # stoplint: ignore[SL101] old\ny\n", "x = 1\ny\n", "suppresses nothing; remove it"),
            ("# stoplint: ignore[SL101] old\ny\n", "y\n", "suppresses nothing; remove it"),
            ("y\n# stoplint: ignore[SL101]", "y\n", "suppresses nothing; remove it"),
            ("x = 1  # stoplint: ignore\n", "x = 1\n", "names no rule"),
            (
                "x = 1  # stoplint: disable[SL101]\n",
                "x = 1\n",
                "is not understood; write `# stoplint: ignore[SL101] reason`",
            ),
            ("x = 1  # noqa: SL101\n", "x = 1\n", "`# noqa: SL101` suppresses nothing"),
            ("x = 1  # noqa: E501, SL101\n", "x = 1  # noqa: E501\n", "suppresses nothing"),
            (
                "x = 1  # stoplint: ignore[SL101] a  # type: ignore\n",
                "x = 1  # type: ignore\n",
                "`# stoplint: ignore[SL101]` suppresses nothing",
            ),
            ("x = 1  # type: ignore  # stoplint: ignore[SL101] a\n", "x = 1  # type: ignore\n", "suppresses nothing"),
        ],
    )
    def test_a_comment_that_silences_nothing_and_its_removal(self, text, fixed, message):
        (found,) = outcome(text).unused
        assert message in found.message
        assert (found.code, found.fix.applicability) == ("SL901", "safe")
        assert edit_text(text, found.fix.edits) == fixed
        assert not outcome(fixed).unused

    def test_of_several_codes_only_the_idle_ones_are_named(self):
        text = "x = 1  # stoplint: ignore[SL101, SL102, SL999] why\n"
        found = outcome(text, finding(1)).unused
        assert [one.message for one in found] == [
            "`SL102` in `# stoplint: ignore[SL101, SL102, SL999]` suppresses nothing; remove it",
            'in `# stoplint: ignore[SL101, SL102, SL999]` "SL999" is no rule; did you mean "SL901"?',
        ]
        assert edit_text(text, found[0].fix.edits) == "x = 1  # stoplint: ignore[SL101, SL999] why\n"

    def test_rules_that_were_not_looked_for_are_not_judged(self):
        assert not outcome("x = 1  # stoplint: ignore[SL101]\n", judged=EVERY - {"SL101"}).unused
        assert outcome("x = 1  # stoplint: ignore[SL999]\n", judged=EVERY - {"SL101"}).unused
        assert not outcome("x = 1  # stoplint: ignore[SL1]\n", judged=EVERY - {"SL109"}).unused

    def test_it_can_be_told_to_stay(self):
        assert not outcome("x = 1  # stoplint: ignore[SL101, SL901]\n").unused
        assert not outcome("# stoplint: ignore-file[SL901]\nx = 1  # stoplint: ignore[SL101]\n").unused

    def test_the_finding_points_at_the_comment(self):
        (found,) = outcome("x = 1  # type: ignore # stoplint: ignore[SL101] why\n").unused
        assert (found.place.line, found.place.column, found.place.end_column) == (1, 23, 52)


def test_order_of_kept_findings_is_the_given_one():
    found = [finding(2), finding(1), replace(finding(3), code="SL102")]
    assert outcome("a\nb\nc\n", *found).kept == tuple(found)
