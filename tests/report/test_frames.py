"""Frames: what is marked, what is elided, and that every terminal can show it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoplint.check.source import SourceFile
from stoplint.cli.sources import Sources
from stoplint.findings import Finding, Place, Related
from stoplint.report import Report, Style, load
from stoplint.report._frames import frame
from stoplint.report._terminal import columns, listed, plural, printable, width, wrap

PLAIN = Style(width=80)


def report(findings: tuple[Finding, ...] = (), **texts: str) -> Report:
    sources = Sources()
    sources.add(SourceFile(f"{name}.py", None, "python", text.encode()) for name, text in texts.items())
    return Report(findings, 1, sources.source, sources.file_line)


def at(line: int, column: int, end: int, path: str = "a.py", end_line: int = 0) -> Place:
    return Place(path, None, line, column, end_line or line, end)


def finding(place: Place, *related: tuple[Place, str], label: str = "read here", **more: object) -> Finding:
    return Finding(
        "SL101", "stop-reason-ignored", "error", "default", place, "f", "message", label=label,
        related=tuple(Related(where, text) for where, text in related), **more,  # type: ignore[arg-type]
    )  # fmt: skip


def lines(found: Finding, style: Style = PLAIN, **texts: str) -> list[str]:
    return list(frame(found, report(**texts), style))


class TestLayout:
    def test_lines_between_two_marks_are_elided_and_short_gaps_are_shown(self):
        text = "\n".join(f"line{number}" for number in range(1, 13))
        shown = lines(finding(at(12, 1, 7), (at(2, 1, 3), "made"), (at(5, 1, 3), "changed")), a=text)
        assert shown == [
            "    │",
            "  2 │ line2",
            "    │ -- made",
            "  3 │ line3",
            "  4 │ line4",
            "  5 │ line5",
            "    │ -- changed",
            "    ┆",
            " 12 │ line12",
            "    │ ^^^^^^ read here",
        ]

    def test_several_marks_of_one_line_hang_their_labels(self):
        shown = lines(
            finding(at(1, 19, 24), (at(1, 8, 25), "handed on"), (at(1, 1, 7), "left")), a="return first_text(reply)"
        )
        assert shown[1:] == [
            " 1 │ return first_text(reply)",
            "   │ ------ -----------^^^^^- handed on",
            "   │ │                 │",
            "   │ │                 read here",
            "   │ left",
        ]

    def test_a_label_that_is_too_long_for_its_place_ends_with_the_line(self):
        label = "may be max_tokens or model_context_window_exceeded"
        text = " " * 40 + "made = Updates(**response)"
        shown = lines(finding(at(1, 48, 67), label=label), a=text)
        assert shown[2:] == ["   │ " + " " * 47 + "^" * 19, ("   │ " + label.rjust(75))]
        assert max(map(len, shown)) == 80

    def test_other_files_follow_under_their_names(self):
        shown = lines(finding(at(1, 1, 2), (at(30, 5, 7, "b.py"), "created here")), a="x", b="\n" * 29 + "    yz")
        assert shown == [
            "    │",
            "  1 │ x",
            "    │ ^ read here",
            "    ├─ b.py:30:5",
            " 30 │     yz",
            "    │     -- created here",
        ]

    def test_the_request_is_shown_where_no_related_place_does(self):
        shown = lines(finding(at(2, 1, 2), origin=at(1, 1, 2)), a="m\nx")
        assert shown[2] == "   │ - the request is made here"
        shown = lines(finding(at(2, 1, 2), (at(1, 1, 2), "made"), origin=at(1, 1, 2)), a="m\nx")
        assert shown[2] == "   │ - made"

    def test_a_span_of_several_lines_is_marked_to_the_end_of_its_first(self):
        assert lines(finding(at(1, 5, 2, end_line=3)), a="x = f(\n  1,\n)")[2] == "   │     ^^ read here"

    def test_an_empty_span_and_one_past_the_end_get_one_mark(self):
        assert lines(finding(at(1, 2, 2)), a="abc")[2] == "   │  ^ read here"
        assert lines(finding(at(1, 9, 12)), a="abc")[2] == "   │    ^ read here"

    def test_a_file_that_is_gone_or_shorter_still_has_a_frame(self):
        assert lines(finding(at(7, 1, 2)), a="x")[1:] == [" 7 │", "   │ ^ read here"]
        assert lines(finding(at(7, 1, 2, "gone.py"), (at(1, 1, 2), "made")), a="x")[1:] == [
            "   ├─ a.py:1:1",
            " 1 │ x",
            "   │ - made",
        ]

    def test_carriage_returns_are_line_ends(self):
        assert lines(finding(at(2, 1, 2)), a="a\r\nb\r\n")[1:] == [" 2 │ b", "   │ ^ read here"]


class TestCharacters:
    def test_wide_and_combining_characters_keep_marks_in_place(self):
        shown = lines(finding(at(1, 8, 9)), a='x("日本e\u0301", y)')
        assert shown[1] == ' 1 │ x("日本e\u0301", y)'
        assert width(shown[2].split("^")[0]) == width(' 1 │ x("日本e\u0301')

    def test_tabs_are_expanded(self):
        assert lines(finding(at(1, 2, 3)), a="\ty")[1:] == [" 1 │     y", "   │     ^ read here"]
        assert columns("a\tb") == ("a   b", [0, 1, 4, 5])

    @pytest.mark.parametrize("sign", ["\x1b", "\x07", "\u202e", "\x0c", "\ufeff"])
    def test_signs_that_steer_a_terminal_are_escaped(self, sign):
        text = "".join(lines(finding(at(1, 1, 2), label=f"a{sign}b"), a=f"x{sign}y"))
        assert sign not in text

    def test_ascii_where_the_console_has_nothing_else(self):
        style = Style(unicode=False)
        shown = list(
            load("full").render(
                report((finding(at(1, 1, 2), (at(9, 1, 2, "b.py"), "made")),), a="x", b="\n" * 8 + "y"), style
            )
        )
        assert "".join(shown).isascii()
        assert "    --> b.py:9:1\n"[1:] in "".join(shown)

    @given(st.text(st.sampled_from("ab \t日e\u0301\x01\x1bé"), max_size=40), st.integers(1, 45), st.integers(0, 20))
    def test_any_line_has_its_mark_under_its_text(self, text, column, length):
        line = text.replace("\n", "")
        shown, starts = columns(line)
        assert width(shown) == starts[-1]
        rows = lines(finding(at(1, column, column + length)), Style(width=60), a=line)
        assert rows[2].count("^") >= 1
        assert all(width(row) <= 60 + len(" read here") for row in rows)


class TestLongLines:
    LINE = "x = [" + "1, " * 100 + "reply.content[0].text" + ", 2" * 100 + "]"

    def test_the_marked_part_is_shown(self):
        start = self.LINE.index("reply") + 1
        shown = lines(finding(at(1, start, start + 21)), a=self.LINE)
        assert "reply.content[0].text" in shown[1]
        assert shown[1].index("reply") == shown[2].index("^")
        assert shown[1].count("…") == 2
        assert all(width(line) <= 80 for line in shown)

    def test_a_mark_that_cannot_fit_begins_where_its_line_does(self):
        shown = lines(finding(at(1, 20, 300), label="long"), a=self.LINE)
        assert shown[1].startswith(" 1 │ x = [1, 1,")
        assert shown[2].endswith("^")
        assert shown[3] == "   │" + " " * 20 + "long"
        assert all(width(line) <= 80 for line in shown)

    def test_lines_in_between_are_cut_too(self):
        shown = lines(finding(at(3, 1, 2), (at(1, 1, 2), "made")), a=f"x\n{self.LINE}\ny")
        assert shown[3].endswith("…")
        assert width(shown[3]) <= 80

    def test_marks_far_apart_get_a_row_each(self):
        start = self.LINE.index("reply") + 1
        shown = lines(finding(at(1, start, start + 21), (at(1, 1, 2), "made")), a=self.LINE)
        assert [line[:3].strip() for line in shown] == ["", "1", "", "1", ""]
        assert shown[2].endswith("made")
        assert shown[4].endswith("read here")


class TestFull:
    def test_a_whole_finding(self):
        long = "`reply` is read, but nothing looks at `reply.stop_reason`; a reply cut at max_tokens passes here as complete"
        found = Finding("SL101", "stop-reason-ignored", "error", "default", at(1, 1, 2), "f", long, label="read here")
        assert "".join(load("full").render(report((found,), a="x"), PLAIN)) == (
            "a.py:1:1: error[SL101] stop-reason-ignored\n"
            "  `reply` is read, but nothing looks at `reply.stop_reason`; a reply cut at\n"
            "  max_tokens passes here as complete\n"
            "   │\n"
            " 1 │ x\n"
            "   │ ^ read here\n"
            "   ╰─ read more: stoplint rule stop-reason-ignored\n"
            "\n"
        )

    def test_colours_change_nothing_but_colours(self):
        found = finding(at(1, 1, 2), (at(1, 3, 4), "made"), (at(3, 1, 2, "b.py"), "handed on"))
        import re

        plain = "".join(load("full").render(report((found,), a="x y", b="\n\nz"), PLAIN))
        colored = "".join(load("full").render(report((found,), a="x y", b="\n\nz"), Style(color=True)))
        assert colored != plain
        assert re.sub(r"\x1b\[[\d;]*m", "", colored) == plain

    @pytest.mark.parametrize("columns_", [40, 80, 200])
    def test_prose_fits_the_terminal(self, columns_):
        found = Finding("SL101", "stop-reason-ignored", "error", "default", at(1, 1, 2), "f", "word `a b c` " * 40)
        text = "".join(load("full").render(report((found,), a="x"), Style(width=columns_)))
        assert max(width(line) for line in text.splitlines()) <= max(min(columns_, 100), 46)


class TestTerminal:
    def test_code_is_not_torn_apart(self):
        assert wrap("aaaa bbbb `one two` cccc", Style(width=22)) == ["aaaa bbbb `one two`", "cccc"]
        assert wrap("an odd ` stays", Style(width=40)) == ["an odd ` stays"]

    def test_words(self):
        assert [plural(1, "file"), plural(2, "file"), plural(1234, "file")] == ["1 file", "2 files", "1,234 files"]
        assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
            "",
            "a",
            "a and b",
            "a, b and c",
        ]
        assert printable("a\x00\nb é") == "a\\x00\\nb é"
