"""Edits touch what they name and nothing else."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoplint.check.edits import by_cell, edit_bytes, edit_text, replace_file
from stoplint.findings import Edit

if TYPE_CHECKING:
    from pathlib import Path


class TestText:
    def test_several_edits_count_in_the_original(self):
        edits = [Edit(2, 1, 2, 4, "TWO"), Edit(1, 1, 1, 1, "zero\n"), Edit(3, 1, 4, 1, "")]
        assert edit_text("one\ntwo\nthree\nfour\n", edits) == "zero\none\nTWO\nfour\n"

    def test_line_ends_are_the_texts_own(self):
        assert edit_text("a\r\nb\r\n", [Edit(2, 1, 2, 1, "x\ny\n")]) == "a\r\nx\r\ny\r\nb\r\n"

    def test_the_end_of_the_text_can_be_named(self):
        assert edit_text("a\n", [Edit(2, 1, 2, 1, "b\n")]) == "a\nb\n"
        assert edit_text("a", [Edit(1, 2, 1, 2, "b")]) == "ab"

    @pytest.mark.parametrize(
        "edits", [[Edit(1, 1, 1, 3, ""), Edit(1, 2, 1, 4, "")], [Edit(9, 1, 9, 1, "x")], [Edit(1, 3, 1, 1, "x")]]
    )
    def test_overlapping_and_foreign_edits_are_refused(self, edits):
        with pytest.raises(ValueError, match="line"):
            edit_text("abcd\nefg\n", edits)

    @given(st.text(st.sampled_from("ab\n\r\x0c\u2028é"), max_size=30))
    def test_no_edit_changes_nothing(self, text):
        assert edit_text(text, []) == text
        assert edit_bytes(text.encode(), "python", {}) == text.encode()


class TestNotebook:
    @pytest.mark.parametrize("indent", [None, 1, 2])
    @pytest.mark.parametrize("source", [["a = 1\n", "b = 'é'"], "a = 1\nb = 'é'"])
    @pytest.mark.parametrize("ascii_only", [True, False])
    def test_only_the_cell_changes_and_in_its_own_style(self, indent, source, ascii_only):
        def written(first: object) -> str:
            cells = [
                {"cell_type": "code", "outputs": [{"text": ["a = 1\n"]}], "source": first},
                {"cell_type": "code", "source": ["b = 'é'"], "metadata": {}},
            ]
            return json.dumps({"cells": cells, "metadata": {"k": 1.50}}, indent=indent, ensure_ascii=ascii_only) + "\n"

        changed = ["a = 2\n", "b = 'é'"] if isinstance(source, list) else "a = 2\nb = 'é'"
        edits = by_cell([(1, Edit(1, 5, 1, 6, "2")), (1, Edit(1, 5, 1, 6, "2"))])
        assert edit_bytes(written(source).encode(), "notebook", edits).decode() == written(changed)


class TestFile:
    def test_links_and_permissions_stay(self, tmp_path: Path):
        target = tmp_path / "real.py"
        target.write_text("a")
        target.chmod(0o755)
        (tmp_path / "link.py").symlink_to(target)
        replace_file(tmp_path / "link.py", b"b")
        assert (tmp_path / "link.py").is_symlink()
        assert target.read_bytes() == b"b"
        assert stat.S_IMODE(target.stat().st_mode) == 0o755

    def test_nothing_half_written_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        target = tmp_path / "a.py"
        target.write_text("a")

        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.replace", fail)
        with pytest.raises(OSError, match="No space"):
            replace_file(target, b"b")
        assert [path.name for path in tmp_path.iterdir()] == ["a.py"]
        assert target.read_text() == "a"
