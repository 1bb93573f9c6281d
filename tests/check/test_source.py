"""The text that is linted of notebooks, Markdown and oddly encoded files, and the way back to the file."""

from __future__ import annotations

import json

import pytest

from stoplint.check import notebook
from stoplint.check.source import SourceError, decode, parse, split_lines
from stoplint.findings import Place


def ipynb(*cells: tuple[str, object], **metadata: object) -> bytes:
    made = [{"cell_type": kind, "metadata": {}, "outputs": [], "source": source} for kind, source in cells]
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1).encode()


class TestPython:
    def test_encodings_and_byte_order_marks(self):
        assert decode("x = 'é'\n".encode()) == "x = 'é'\n"
        assert decode(b"\xef\xbb\xbfx = 1\n") == "x = 1\n"
        assert decode(b"# -*- coding: latin-1 -*-\nx = '\xe9'\n").endswith("'é'\n")

    @pytest.mark.parametrize(
        ("data", "line", "message"),
        [
            (b"x = 1\ny = '\xe9'\n", 2, "cannot be decoded as utf-8: invalid continuation byte"),
            (b"# coding: klingon\n", 1, "cannot be decoded: unknown encoding: klingon"),
            (b"a\n\nx\0y\n", 3, "contains a NUL character"),
        ],
    )
    def test_what_cannot_be_decoded_is_said_with_its_line(self, data, line, message):
        with pytest.raises(SourceError, match=message) as error:
            decode(data)
        assert error.value.line == line

    def test_lines_end_where_python_ends_them(self):
        assert split_lines("a\r\nb\rc\nd\x0ce\u2028f\n") == ("a", "b", "c", "d\x0ce\u2028f")


class TestNotebooks:
    def test_code_cells_stand_under_each_other_and_lines_lead_back(self):
        data = ipynb(("markdown", "# T"), ("code", ["x = 1\n", "y = 2"]), ("code", "z = 3\n"))
        source = parse("a.ipynb", "notebook", data)
        assert source.text == "x = 1\ny = 2\nz = 3\n"
        assert source.cells == ((2, 0), (2, 0), (3, 2))
        assert [source.cell_line(flat) for flat in (1, 2, 3)] == [(2, 1), (2, 2), (3, 1)]
        assert [source.flat_line(cell, line) for cell, line in ((2, 1), (2, 2), (3, 1))] == [1, 2, 3]
        assert (source.last_line(2), source.last_line(3)) == (2, 3)

    def test_magics_become_statements_and_the_user_still_sees_them(self):
        cell = "%matplotlib inline\nif x:\n    !ls\nfiles = !ls\nprint?\nrest = 7 % 2\ntext = '''\n!kept\n'''\n"
        source = parse("a.ipynb", "notebook", ipynb(("code", cell)))
        assert source.text == "pass\nif x:\n    pass\nfiles = None\npass\nrest = 7 % 2\ntext = '''\n!kept\n'''\n"
        assert source.lines[0] == "%matplotlib inline"

    @pytest.mark.parametrize(
        ("cell", "text"),
        [
            ("%%time\nx = 1\n", "pass\nx = 1\n"),
            ("%%bash\nls\n", "\n\n"),
            ("%%capture out\n%pip install x\ny = 1", "pass\npass\ny = 1"),
            ("f(\n  a\n  % b)\n!ls", "f(\n  a\n  % b)\npass"),
            ("x = 'a # ! b'\n!ls", "x = 'a # ! b'\npass"),
            ("df = %sql select 1\n", "df = None\n"),
        ],
    )
    def test_magics_line_for_line(self, cell, text):
        assert notebook.without_magics(cell) == text

    @pytest.mark.parametrize(
        ("data", "message", "skip"),
        [
            (b"{", "is no valid JSON", False),
            (b"[]", "has no list of cells", False),
            (b'{"worksheets": []}', "has no list of cells", False),
            (ipynb(language_info={"name": "R"}), "is a notebook in r", True),
        ],
    )
    def test_what_is_no_python_notebook(self, data, message, skip):
        with pytest.raises(SourceError, match=message) as error:
            parse("a.ipynb", "notebook", data)
        assert error.value.skip is skip

    def test_every_source_line_is_found_in_the_file(self):
        data = ipynb(("markdown", ["# a\n", "b"]), ("code", ["x = 'é\\n'\n", "y"]), ("code", "one\ntwo"), ("code", []))
        text = data.decode()
        spans = notebook.source_spans(text)
        lines = text.splitlines()
        assert [lines[number - 1].strip() for number in spans[1].lines] == ["\"x = '\\u00e9\\\\n'\\n\",", '"y"']
        assert [json.loads(text[span.start : span.end]) for span in spans] == [
            ["# a\n", "b"], ["x = 'é\\n'\n", "y"], "one\ntwo", [],
        ]  # fmt: skip
        assert spans[2].lines[0] == spans[2].lines[1]

    def test_spans_of_something_else_are_none(self):
        assert notebook.source_spans("[1, 2") == notebook.source_spans("") == []


class TestMarkdown:
    TEXT = (
        "# T\n\n```python\nx = 1\n```\n\ntext = 2\n\n- item\n\n"
        "  ~~~py title\n  y = x\n\n  ~~~\n\n```python\nx = = 1\n```\n\n```sh\nls\n```\n"
    )

    def test_python_blocks_keep_their_lines(self):
        source = parse("a.md", "markdown", self.TEXT.encode())
        code = {number: line for number, line in enumerate(source.text.split("\n"), 1) if line}
        assert code == {4: "x = 1", 12: "y = x"}
        assert source.dropped == 1
        assert source.lines[2] == "```python"

    def test_columns_of_an_indented_block_are_the_files(self):
        source = parse("a.md", "markdown", self.TEXT.encode())
        assert source.shifted(Place("a.md", None, 12, 1, 12, 2)) == Place("a.md", None, 12, 3, 12, 4)
        assert source.shifted(Place("a.md", None, 4, 1, 4, 2)) == Place("a.md", None, 4, 1, 4, 2)
