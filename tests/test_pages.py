"""Every rule page is a test: its sections are linted, and what they mark must be found, no more and no less."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from pathlib import Path

import page_harness
import page_mutation
import pytest

import stoplint.check.rules
from stoplint import catalog, pages
from stoplint.check.judge import SILENT_BESIDE
from stoplint.cli import fixing
from stoplint.cli.analysis import Request, analyse
from stoplint.findings import Finding, Place

RULES = catalog.rules()
CASES = [case for rule in RULES.values() for case in pages.cases(rule)]

# SL900 and SL901 are about files and comments: no event of the engine leads to them.
WITHOUT_MODULE = {"SL900", "SL901"}
TWINS = {"SL101", "SL102", "SL103", *(f"SL{number}" for number in range(201, 214))}
HEADINGS = ("What goes wrong", "The fix", "When it can be wrong", "Sources")


def named(case: pages.Case) -> str:
    return f"{case.code}-{case.title}"


def blinded(case: pages.Case) -> pages.Case:
    """The case without any look at `stop_reason` in its Python files."""
    sources = (
        dataclasses.replace(one, text=page_mutation.without_looks(one.text)) if one.file.endswith(".py") else one
        for one in case.sources
    )
    return dataclasses.replace(case, sources=tuple(sources))


def mutable(case: pages.Case) -> bool:
    silent = case.code in {"SL101", "SL102", "SL103"} and not case.expected and case.no_mutation is None
    return silent and blinded(case) != case


def headings(rule: catalog.Rule) -> list[str]:
    return re.findall(r"^## (.+?)\s*$", rule.text, re.MULTILINE)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_section(case: pages.Case, tmp_path: Path) -> None:
    """The findings are exactly the marks."""
    wrong = page_harness.difference(case, page_harness.lint(case, tmp_path), tmp_path)
    assert not wrong, f"{RULES[case.code].path.name}:{case.line}\n" + "\n".join(wrong)


@pytest.mark.parametrize("case", [case for case in CASES if case.diff is not None], ids=named)
def test_fix_makes_the_diff(case: pages.Case, tmp_path: Path) -> None:
    """A `diff` fence is what --fix changes, to the letter, but for the space at the end of lines."""
    made = [line.rstrip() for line in page_harness.fix_diff(case, tmp_path).splitlines()]
    assert made == (case.diff or "").splitlines()


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_fix_is_shown(rule: catalog.Rule) -> None:
    """A rule that says it has a fix shows one, and no other rule does."""
    shown = [case.title for case in pages.cases(rule) if case.diff is not None]
    assert bool(shown) == (rule.fix != "none")


@pytest.mark.parametrize("case", [case for case in CASES if case.title.startswith("Flagged")], ids=named)
def test_fixes_hold(case: pages.Case, tmp_path: Path) -> None:
    """Fixed code parses, each fixed finding is gone, nothing new is found, and a second run changes nothing."""
    before = page_harness.lint(case, tmp_path)
    done = page_harness.fix(case, tmp_path)
    for change in done.changes:
        if change.file.path.endswith(".py"):
            compile(change.after, change.file.path, "exec")
    request = Request((str(tmp_path),), use_baseline=False, jobs=1)
    after = analyse(request).report.findings
    grown = Counter(one.code for one in after) - Counter(one.code for one in before)
    assert set(grown) <= set(SILENT_BESIDE)
    fixable = [one for one in before if one.fix is not None]
    assert not {one.fingerprint for one in fixable} & {one.fingerprint for one in after}
    assert not done.refused
    assert [one.code for one in fixable if one.fix and RULES[one.code].fix != one.fix.applicability] == []
    assert fixing.fix(request, unsafe=True).changes == ()


@pytest.mark.parametrize("case", [case for case in CASES if mutable(case)], ids=named)
def test_silent_section_speaks_without_its_look(case: pages.Case, tmp_path: Path) -> None:
    """A silent example is silent because it looks at stop_reason: without the look there is a finding."""
    mutated = blinded(case)
    found = page_harness.lint(mutated, tmp_path)
    text = "\n".join(source.text for source in mutated.sources)
    assert found, f"{RULES[case.code].path.name}:{case.line}: nothing is found in\n{text}"


@pytest.mark.parametrize(
    "case", [case for case in CASES if any(one.file.endswith((".txt", ".toml")) for one in case.sources)], ids=named
)
def test_pins_are_read_in_isolation_too(case: pages.Case, tmp_path: Path) -> None:
    """--isolated sets stoplint's configuration aside; what the project pins is a fact of the project."""
    page_harness.write(case, tmp_path)
    request = Request((str(tmp_path),), isolated=True, use_baseline=False, jobs=1)
    wrong = page_harness.difference(case, analyse(request).report.findings, tmp_path)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_page_is_complete(rule: catalog.Rule) -> None:
    """What goes wrong, two shapes flagged, two near misses, the fix, the limits, the sources, the twin."""
    titles = headings(rule)
    wanted = [*HEADINGS]
    wanted += ["Seen at run time"] if rule.code in TWINS else []
    wanted += ["Fix safety"] if rule.fix != "none" else []
    assert [title for title in wanted if title not in titles] == []
    assert len(titles) == len(set(titles))
    assert rule.text.startswith(f"# {rule.name} ({rule.code})\n")


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_titles_say_what_the_marks_say(rule: catalog.Rule) -> None:
    """Sections called "Flagged" mark the page's own code; "Silent" ones and the fix do not."""
    sections = pages.cases(rule)
    flagged = [case for case in sections if case.title.startswith("Flagged: ")]
    silent = [case for case in sections if case.title.startswith("Silent: ")]
    marked = {case.title: {mark.code for mark in (*case.expected, *case.todo)} for case in sections}
    assert len(flagged) >= 2
    assert len(silent) >= 2
    assert [case.title for case in flagged if rule.code not in marked[case.title]] == []
    assert [case.title for case in sections if case not in flagged and rule.code in marked[case.title]] == []


@pytest.mark.parametrize("case", CASES, ids=named)
def test_marks_name_rules(case: pages.Case) -> None:
    assert {mark.code for mark in (*case.expected, *case.todo)} <= set(RULES)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_examples_are_python(case: pages.Case) -> None:
    """Only the page about unreadable files may hold one."""
    if case.code == "SL900":
        pytest.skip("its examples are meant to be unreadable")
    for source in case.sources:
        if source.file.endswith(".py"):
            compile(source.text, source.file, "exec")


def test_every_rule_has_its_module_and_every_module_its_page() -> None:
    folder = Path(stoplint.check.rules.__path__[0])
    modules = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    rules = {rule.name.replace("-", "_") for rule in RULES.values() if rule.code not in WITHOUT_MODULE}
    assert modules == rules


PAGE = """---
front: matter
---

# made-up (SL199)

```python
outside = "of any section"
```

## Prose only

```console
$ stoplint
```

## Flagged: two files

```toml
strict = true
```

`pkg/one.py`:

```python
import two
first()  # SL101
second()  # SL102 (max_tokens, tool_use), SL103
third()  # todo: SL104
```

The other one.

`pkg/two.py`:

```python
fine()  # stoplint: ignore[SL101]  # SL901
```

`requirements.txt`:

```text
anthropic==1.0.0
```

## Silent: a notebook

<!-- no mutation: there is nothing to take out -->

`chat.ipynb`:

```python
x = 1
```

`chat.ipynb`:

```python
x
y  # SL101
```

## Unnamed files and a diff

```python
a
```

```python
b
```

```diff
--- example.py
```
"""


class TestPages:
    """The page's form."""

    def test_sections_with_python_become_cases(self) -> None:
        titles = [case.title for case in pages.parse("SL199", PAGE)]
        assert titles == ["Flagged: two files", "Silent: a notebook", "Unnamed files and a diff"]

    def test_marks_are_read_and_taken_out(self) -> None:
        case = next(pages.parse("SL199", PAGE))
        assert [(mark.file, mark.line, mark.code) for mark in case.expected] == [
            ("pkg/one.py", 2, "SL101"),
            ("pkg/one.py", 3, "SL102"),
            ("pkg/one.py", 3, "SL103"),
            ("pkg/two.py", 1, "SL901"),
        ]
        assert [(mark.code, reasons) for mark, reasons in case.reasons] == [("SL102", ("max_tokens", "tool_use"))]
        assert [(mark.line, mark.code) for mark in case.todo] == [(4, "SL104")]
        assert [source.text for source in case.sources] == [
            "import two\nfirst()\nsecond()\nthird()\n",
            "fine()  # stoplint: ignore[SL101]\n",
            "anthropic==1.0.0\n",
        ]
        assert case.config == "strict = true\n"
        assert case.line == 17

    def test_fences_of_one_notebook_are_its_cells(self) -> None:
        case = list(pages.parse("SL199", PAGE))[1]
        assert [(source.file, source.cell) for source in case.sources] == [("chat.ipynb", 1), ("chat.ipynb", 2)]
        assert [(mark.cell, mark.line) for mark in case.expected] == [(2, 2)]
        assert case.no_mutation == "there is nothing to take out"

    def test_unnamed_fences_are_numbered(self) -> None:
        case = list(pages.parse("SL199", PAGE))[2]
        assert [source.file for source in case.sources] == ["example.py", "example_2.py"]
        assert case.diff == "--- example.py\n"

    @pytest.mark.parametrize(
        ("page", "complaint"),
        [
            ("## A\n\n```python\nx\n", "3: this fence has no end"),
            ("## A\n\n`a.py`:\n\n```python\nx\n```\n\n`a.py`:\n\n```python\ny\n```\n", "1: the section has two files"),
        ],
    )
    def test_a_malformed_section_is_refused(self, page: str, complaint: str) -> None:
        with pytest.raises(ValueError, match=re.escape(complaint)):
            list(pages.parse("SL199", page))

    def test_a_bad_page_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "SL199-made-up.md"
        path.write_text("## A\n\n```python\n", encoding="utf-8")
        rule = dataclasses.replace(RULES["SL101"], path=path)
        with pytest.raises(ValueError, match=r"SL199-made-up\.md:3: "):
            pages.cases(rule)


class TestHarness:
    """What a failing section says."""

    case = next(pages.parse("SL199", PAGE))

    @staticmethod
    def finding(mark: pages.Mark, *reasons: str) -> Finding:
        place = Place(f"/project/{mark.file}", mark.cell or None, mark.line, 1, mark.line, 2)
        return Finding(mark.code, "name", "error", "default", place, "<module>", "message", reasons)

    def test_exact_marks_are_no_difference(self) -> None:
        found = [self.finding(mark, *dict(self.case.reasons).get(mark, ())) for mark in self.case.expected]
        assert page_harness.difference(self.case, found, Path("/project")) == []

    def test_missing_doubled_surplus_and_other_findings_differ(self) -> None:
        first, *others = self.case.expected
        surplus = [pages.Mark("pkg/one.py", 0, 3, "SL103"), pages.Mark("pkg/one.py", 0, 4, "SL104")]
        found = [self.finding(mark, "tool_use") for mark in (*others, *surplus)]
        assert first.line == 2
        assert page_harness.difference(self.case, found, Path("/project")) == [
            "- pkg/one.py:2 SL101 not found: first()",
            "! pkg/one.py:3 SL102 lists tool_use instead of max_tokens, tool_use: second()",
            "+ pkg/one.py:3 SL103 not expected: second()",
            "+ pkg/one.py:4 SL104 found at last: drop the todo: third()",
        ]

    def test_files_are_written(self, tmp_path: Path) -> None:
        written = page_harness.write(self.case, tmp_path)
        assert written == [tmp_path / "pkg/one.py", tmp_path / "pkg/two.py"]
        assert (tmp_path / "stoplint.toml").read_text() == "strict = true\n"
        assert (tmp_path / "requirements.txt").read_text() == "anthropic==1.0.0\n"

    def test_notebooks_are_written(self, tmp_path: Path) -> None:
        case = list(pages.parse("SL199", PAGE))[1]
        (written,) = page_harness.write(case, tmp_path)
        cells = page_harness.json.loads(written.read_text())["cells"]
        assert [cell["source"] for cell in cells] == [["x = 1"], ["x\n", "y"]]


class TestMutation:
    """Every way to look is taken out, and nothing else."""

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("if r.stop_reason == 'max_tokens': raise E", "if random.random() == 'max_tokens': raise E"),
            ("log(r.stop_reason)", "log(random.random())"),
            ("reason = getattr(r, 'stop_reason', None)", "reason = random.random()"),
            ("x = d['stop_reason']", "x = random.random()"),
            ("x = d.get('stop_reason')", "x = random.random()"),
            ("A(text=t, stop_reason=r.stop_reason)", "A(text=t, stop_reason=random.random())"),
            ("self.stop_reason = r.stop_reason", "self.stop_reason = random.random()"),
            ("self.stop_reason: str = r.stop_reason", "self.stop_reason: str = random.random()"),
            (
                "match r:\n    case Message(stop_reason='max_tokens'):\n        pass",
                "match r:\n    case Message() if random.random():\n        pass",
            ),
            (
                "match r:\n    case Message(id=i, stop_reason='max_tokens'):\n        pass",
                "match r:\n    case Message(id=i) if random.random():\n        pass",
            ),
        ],
    )
    def test_looks_are_replaced(self, before: str, after: str) -> None:
        assert page_mutation.without_looks(before + "\n") == f"import random\n{after}\n"

    def test_the_import_comes_after_the_future(self) -> None:
        text = '"""Doc."""\nfrom __future__ import annotations\nr.stop_reason\n'
        assert page_mutation.without_looks(text) == (
            '"""Doc."""\nfrom __future__ import annotations\nimport random\nrandom.random()\n'
        )

    def test_a_program_without_a_look_stays(self) -> None:
        text = "print(r.content[0].text)\n"
        assert page_mutation.without_looks(text) is text
