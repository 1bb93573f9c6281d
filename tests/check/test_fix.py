"""What fixes make of code, and where there is rather none than a wrong one."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from stoplint.check.fix import choose, with_fixes
from stoplint.check.fix.tree import Tree
from stoplint.check.source import parse
from stoplint.cli import fixing
from stoplint.cli.analysis import Request, analyse
from stoplint.findings import Edit, Finding, Fix, Place

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = "import anthropic\n\nclient = anthropic.Anthropic()\n\n\n"
CALL = 'client.messages.create(model="m", max_tokens=9, messages=messages)'
STREAM = 'client.messages.stream(model="m", max_tokens=9, messages=messages)'
RAISE = 'raise RuntimeError(f"no complete answer: stop_reason is {%s.stop_reason}")'


def fixed(tmp_path, body):
    """The body of the file after all fixes."""
    path = tmp_path / "app.py"
    path.write_text(HEAD + body, encoding="utf-8")
    done = fixing.fix(Request((str(path),), isolated=True), unsafe=True)
    text = done.changes[0].after.decode() if done.changes else HEAD + body
    return text.removeprefix(HEAD)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*/flawed.py")), ids=lambda path: path.parent.name)
def test_fixes_of_the_examples_hold(example, tmp_path):
    """The fixed program parses, has no finding that had a fix, no new one, and nothing more to fix."""
    path = tmp_path / "flawed.py"
    path.write_bytes(example.read_bytes())
    request = Request((str(path),), isolated=True)
    before = analyse(request).report.findings
    done = fixing.fix(request, unsafe=True)
    fixing.write(done.changes)
    compile(path.read_text(encoding="utf-8"), str(path), "exec")
    after = analyse(request).report.findings
    assert {one.code for one in after} <= {one.code for one in before}
    assert [one.code for one in after if one.fix is not None] == []
    assert len(after) < len(before) or all(one.fix is None for one in before)
    assert not fixing.fix(request, unsafe=True).changes


class TestGuards:
    """A test that raises, behind the request."""

    def test_an_awaited_answer_with_a_comment_behind_it(self, tmp_path):
        call = CALL.replace("client", "anthropic.AsyncAnthropic()")
        body = f"async def ask(messages):\n\treply = await {call}  # slow\n\treturn reply.content\n"
        assert fixed(tmp_path, body).splitlines()[2:4] == [
            '\tif reply.stop_reason != "end_turn":',
            f"\t\t{RAISE % 'reply'}",
        ]

    def test_an_answer_without_a_name_gets_one(self, tmp_path):
        body = f"import json\n\n\ndef ask(messages):\n    # read\n    return json.loads({CALL}.content[0].text)\n"
        lines = fixed(tmp_path, body).splitlines()
        assert lines[4:] == [
            "    # read",
            f"    response = {CALL}",
            '    if response.stop_reason != "end_turn":',
            f"        {RAISE % 'response'}",
            '    return json.loads("".join(block.text for block in response.content if block.type == "text"))',
        ]

    @pytest.mark.parametrize(
        "statement",
        [
            f"return log(), {CALL}.content",
            f"return [block for block in {CALL}.content]",
            f"return 'no' if not messages else {CALL}.content",
            f"if messages: return {CALL}.content",
        ],
    )
    def test_what_is_evaluated_first_stays_first(self, statement, tmp_path):
        body = f"def ask(messages, log):\n    {statement}\n"
        assert fixed(tmp_path, body) == body

    def test_a_stream_that_is_left_early_has_none(self, tmp_path):
        body = (
            f"def ask(messages):\n    with {STREAM} as stream:\n        for text in stream.text_stream:\n"
            "            if text:\n                break\n            print(text)\n"
        )
        assert fixed(tmp_path, body) == body

    def test_a_stream_that_is_returned_from(self, tmp_path):
        body = f"def ask(messages):\n    with {STREAM} as stream:\n        return stream.get_final_message().content\n"
        assert fixed(tmp_path, body).splitlines()[2:] == [
            "        response = stream.get_final_message()",
            '        if response.stop_reason != "end_turn":',
            f"            {RAISE % 'response'}",
            "        return response.content",
        ]

    def test_stop_sequences_are_an_end_that_was_asked_for(self, tmp_path):
        call = CALL.replace("messages=", 'stop_sequences=["END"], messages=')
        body = f"def ask(messages):\n    reply = {call}\n    return reply.content\n"
        assert '    if reply.stop_reason not in ("end_turn", "stop_sequence"):' in fixed(tmp_path, body)

    def test_handlers_that_end_the_path_do_not_catch_it(self, tmp_path):
        body = (
            f"def ask(messages):\n    try:\n        reply = {CALL}\n    except anthropic.APIError:  # down\n"
            "        return None\n\n    return reply.content\n"
        )
        assert fixed(tmp_path, body).splitlines()[4:7] == [
            "        return None",
            '    if reply.stop_reason != "end_turn":',
            f"        {RAISE % 'reply'}",
        ]

    def test_a_use_in_a_loop_over_the_blocks_is_guarded_ahead_of_the_loop(self, tmp_path):
        body = (
            f'def ask(messages):\n    reply = {CALL}\n    if reply.stop_reason == "refusal":\n        return\n'
            '    for block in reply.content:\n        if block.type == "text":\n            print(block.text)\n'
        )
        assert fixed(tmp_path, body).splitlines()[4:7] == [
            '    if reply.stop_reason == "max_tokens":',
            f"        {RAISE % 'reply'}",
            "    for block in reply.content:",
        ]

    def test_a_branch_for_certain_reasons_gets_no_test_of_others(self, tmp_path):
        body = (
            f'def ask(messages):\n    reply = {CALL}\n    if reply.stop_reason == "refusal":\n        return ""\n'
            "    return reply.content\n"
        )
        lines = fixed(tmp_path, body).splitlines()
        assert lines[4:6] == ['    if reply.stop_reason == "max_tokens":', f"        {RAISE % 'reply'}"]

    @pytest.mark.parametrize(("switch", "told"), [("", True), ('    options["stream"] = mode\n', False)])
    def test_an_answer_that_may_be_a_stream(self, tmp_path, switch, told):
        """What is splatted into the request may say that it streams; a stream has no stop reason."""
        body = (
            "def ask(messages, mode):\n"
            '    options = {"model": "m", "max_tokens": 9, "messages": messages}\n'
            f"{switch}"
            "    reply = client.messages.create(**options)\n"
            '    return "".join(block.text for block in reply.content)\n'
        )
        assert ("reply.stop_reason" in fixed(tmp_path, body)) == told


class TestText:
    """The text by type, in the place of one block's."""

    LOOKED = f"def ask(messages):\n    reply = {CALL}\n    print(reply.stop_reason)\n"

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (
                "return reply.content[0].text",
                'return "".join(block.text for block in reply.content if block.type == "text")',
            ),
            (
                'return f"{reply.content[0].text}!"',
                "return f\"{''.join(block.text for block in reply.content if block.type == 'text')}!\"",
            ),
            (
                "block = reply\n    return block.content[0].text",
                'block = reply\n    return "".join(part.text for part in block.content if part.type == "text")',
            ),
            ("return reply.content[0]", "return reply.content[0]"),
        ],
    )
    def test_quotes_and_names(self, before, after, tmp_path):
        assert fixed(tmp_path, f"{self.LOOKED}    {before}\n") == f"{self.LOOKED}    {after}\n"


class TestSpelling:
    """One value that can have been meant, or none."""

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ('== "END TURN"', '== "end_turn"'),
            ("== 'max-tokens'", "== 'max_tokens'"),
            ('== "length"', '== "length"'),
            ('in ("end_turn", "end-turn")', 'in ("end_turn", "end-turn")'),
            ('in ("end-turn", "tool-use")', 'in ("end_turn", "tool_use")'),
        ],
    )
    def test_only_the_spelling_changes(self, before, after, tmp_path):
        body = "def f(message: anthropic.types.Message) -> bool:\n    return message.stop_reason %s\n"
        assert fixed(tmp_path, body % before) == body % after


class TestTree:
    """Positions and refusals."""

    def test_a_tree_that_loses_something_is_refused(self):
        with pytest.raises(ValueError, match="does not give the text back"):
            Tree.of("try:\n    x\nexcept A :\n    x\n")

    def test_bytes_that_decode_in_more_ways_than_one_are_refused(self):
        data = "# coding: utf-7\nx = 1\n".encode("ascii").replace(b"1", b"+ADE-")
        source = parse("a.py", "python", data)
        finding = Finding("SL101", "n", "error", "default", Place("a.py", None, 2, 1, 2, 2), "<module>", "m")
        assert with_fixes(source, data, [finding]).refused == "its text does not give the bytes back unchanged"

    def test_rules_without_fixes_need_no_tree(self):
        source = parse("a.py", "python", b"def f(:\n")
        finding = Finding("SL900", "n", "warning", "default", Place("a.py", None, 1, 1, 1, 1), "<module>", "m")
        outcome = with_fixes(source, b"def f(:\n", [finding])
        assert (outcome.findings, outcome.refused) == ((finding,), None)


def finding(code, line, *edits, applicability="safe", function="f"):
    place = Place("a.py", None, line, 1, line, 2)
    fix = Fix(applicability, "Do", tuple(Edit(one, 1, one, 1, text) for one, text in edits)) if edits else None
    return Finding(code, "n", "error", "default", place, function, "m", fix=fix)


class TestChoice:
    """All fixes that do not overlap, in one pass."""

    def test_overlapping_ones_wait(self):
        first, second, third = (
            finding("SL104", 1, (1, "a")),
            finding("SL105", 2, (1, "b")),
            finding("SL105", 3, (3, "c")),
        )
        assert choose.chosen([second, first, third], unsafe=False) == [first, third]

    def test_equal_ones_go_together(self):
        both = [finding("SL105", 1, (1, "a")), finding("SL105", 2, (1, "a"))]
        assert choose.chosen(both, unsafe=False) == both

    def test_one_guard_for_one_request(self):
        origin = Place("a.py", None, 1, 1, 1, 2)
        guards = [
            replace(finding(code, 2, (line, "x")), origin=origin)
            for line, code in enumerate(("SL102", "SL103", "SL101"), 1)
        ]
        assert [one.code for one in choose.chosen(guards, unsafe=False)] == ["SL101"]

    def test_what_hides_others_of_a_kind_first(self):
        positional, ignored = finding("SL104", 1, (1, "a")), finding("SL101", 2, (2, "b"))
        assert choose.chosen([positional, ignored], unsafe=False) == [ignored]
        assert choose.chosen([positional], unsafe=False) == [positional]

    def test_unsafe_ones_only_on_demand(self):
        unsafe = finding("SL104", 1, (1, "a"), applicability="unsafe")
        assert choose.chosen([unsafe], unsafe=False) == []
        assert choose.chosen([unsafe], unsafe=True) == [unsafe]


class TestComplaints:
    """A pass that does not do what it promised is not kept."""

    mine, other = finding("SL101", 1, (1, "a")), finding("SL103", 5, function="g")

    def test_a_finding_that_stays(self):
        found = choose.complaint({self.mine: "x"}, {replace(self.mine, message="again"): "x"}, [self.mine])
        assert found == choose.Complaint("SL101 would still be found", (self.mine,))

    def test_a_finding_that_is_new(self):
        fixed_too = finding("SL105", 5, (5, "b"), function="g")
        found = choose.complaint({self.mine: "x", fixed_too: "y"}, {self.other: "z"}, [self.mine, fixed_too])
        assert found == choose.Complaint("SL103 would appear", (fixed_too,))

    def test_what_was_silent_beside_another_may_be_said(self):
        assert choose.complaint({self.mine: "x"}, {finding("SL104", 1): "x"}, [self.mine]) is None

    def test_the_rest_of_the_file_is_fixed_all_the_same(self, tmp_path, monkeypatch):
        path = tmp_path / "app.py"
        spelt = 'def %s(m: anthropic.types.Message) -> bool:\n    return m.stop_reason == "%s"\n'
        path.write_text(HEAD + spelt % ("f", "end-turn") + spelt % ("g", "max-tokens"), encoding="utf-8")
        real = choose.complaint

        def unhappy(before, after, made):
            return real(before, after, made) or next(
                (choose.Complaint("no", (one,)) for one in made if one.function == "f"), None
            )

        monkeypatch.setattr(choose, "complaint", unhappy)
        done = fixing.fix(Request((str(path),), isolated=True), unsafe=False)
        assert done.changes[0].after.decode() == HEAD + spelt % ("f", "end-turn") + spelt % ("g", "max_tokens")
        assert done.refused == (
            (
                os.path.relpath(path).replace(os.sep, "/") if Path.cwd() in path.parents else path.as_posix(),
                "line 7: no",
            ),
        )
        assert done.count == 1
