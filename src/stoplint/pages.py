"""Takes a rule page apart into its cases: one small project a section, and the findings that it must have.

A page's form, which `tests/` and the documentation rely on:

* A section starts with `## Title`; its Python fences are linted together as one project.
* `# SL101` at a line's end: exactly one finding of that code there.  `# SL101, SL103`: one of each.  Anything that is
  found and not marked is as wrong as a mark without a finding.  `# SL102 (max_tokens, tool_use)` also says which stop
  reasons the finding lists.
* `# todo: SL101`: a known miss; wrong as soon as it is found, so that the mark goes.
* `` `name.py`: `` alone on the line before a fence names its file, whatever the fence's language; without it the
  fences are `example.py`, `example_2.py`, ...  Fences that share the name of a notebook are its cells.
* A `toml` fence without a name holds the project's stoplint.toml (`strict = true`); a `diff` fence the exact result
  of the rule's own fixes, unsafe ones too; other fences are prose.
* `<!-- no mutation: reason -->` takes the section out of the mutation test.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.catalog import Rule

_SECTION = re.compile(r"## (?P<title>\S.*)")
_FILE = re.compile(r"`(?P<name>[\w./-]+\.\w+)`:")
_FENCE = re.compile(r"```(?P<language>\w*)\s*")
_OPT_OUT = re.compile(r"<!-- no mutation: (?P<reason>\S.*?) -->")
_ONE = r"SL\d{3}(?: \([a-z_, ]+\))?"
_MARK = re.compile(rf"\s*#\s*(?P<todo>todo:\s*)?(?P<codes>{_ONE}(?:\s*,\s*{_ONE})*)\s*$")
_REASONS = re.compile(r"(?P<code>SL\d{3})(?: \((?P<reasons>[a-z_, ]+)\))?")
_PYTHON = ("python", "py")


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """One finding that a case must have: where, and of which code.  Lines from 1; `cell` from 1 in notebooks, else 0."""

    file: str
    cell: int
    line: int
    code: str


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or one cell of a notebook, without its marks.  `cell` as in `Mark`."""

    file: str
    cell: int
    text: str


@dataclass(frozen=True, slots=True)
class Case:
    """One section with at least one Python fence.  `line` is where it starts in the page; `reasons` what the findings at
    some marks must list; `config` the text of the project's stoplint.toml; `diff` what `--fix` must do; `no_mutation`
    why the mutation test leaves the section alone.
    """

    code: str
    title: str
    line: int
    sources: tuple[Source, ...]
    expected: tuple[Mark, ...]
    todo: tuple[Mark, ...]
    reasons: tuple[tuple[Mark, tuple[str, ...]], ...] = ()
    config: str = ""
    diff: str | None = None
    no_mutation: str | None = None


def cases(rule: Rule) -> tuple[Case, ...]:
    """The cases of a rule's page, in its order.  Raises ValueError naming the page and line of a malformed fence."""
    try:
        return tuple(parse(rule.code, rule.path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{rule.path}:{error}") from None


def parse(code: str, page: str) -> Iterator[Case]:
    """The cases of a page's text.  Raises ValueError, "LINE: what is wrong"."""
    lines = page.splitlines()
    starts = [number for number, line in enumerate(lines) if _SECTION.fullmatch(line)] + [len(lines)]
    for start, end in itertools.pairwise(starts):
        section = _Section(code, lines[start].removeprefix("## ").strip(), start + 1)
        section.read(lines[start + 1 : end])
        if any(source.file.endswith((".py", ".ipynb")) for source in section.sources):
            yield section.case()


@dataclass(slots=True)
class _Section:
    code: str
    title: str
    line: int
    sources: list[Source] = field(default_factory=list)
    expected: list[Mark] = field(default_factory=list)
    todo: list[Mark] = field(default_factory=list)
    reasons: list[tuple[Mark, tuple[str, ...]]] = field(default_factory=list)
    config: str = ""
    diff: str | None = None
    no_mutation: str | None = None

    def read(self, lines: list[str]) -> None:
        name = None
        number = 0
        while number < len(lines):
            line = lines[number]
            if fence := _FENCE.fullmatch(line):
                body = self._body(lines, number)
                self._fence(fence["language"], name, body)
                number += len(body) + 1
                name = None
            elif opt_out := _OPT_OUT.search(line):
                self.no_mutation = opt_out["reason"]
            elif line.strip():
                named = _FILE.fullmatch(line)
                name = named["name"] if named else None
            number += 1

    def case(self) -> Case:
        return Case(
            self.code,
            self.title,
            self.line,
            tuple(self.sources),
            tuple(sorted(self.expected)),
            tuple(sorted(self.todo)),
            tuple(self.reasons),
            self.config,
            self.diff,
            self.no_mutation,
        )

    def _body(self, lines: list[str], start: int) -> list[str]:
        try:
            end = lines.index("```", start + 1)
        except ValueError:
            raise ValueError(f"{self.line + start + 1}: this fence has no end within its section") from None
        return lines[start + 1 : end]

    def _fence(self, language: str, name: str | None, body: list[str]) -> None:
        if name is not None or language in _PYTHON:
            self._source(name or self._next_name(), body)
        elif language == "toml":
            self.config += "\n".join(body) + "\n"
        elif language == "diff":
            self.diff = "\n".join(body) + "\n"

    def _next_name(self) -> str:
        taken = sum(source.file.startswith("example") for source in self.sources)
        return f"example_{taken + 1}.py" if taken else "example.py"

    def _source(self, name: str, body: list[str]) -> None:
        earlier = sum(source.file == name for source in self.sources)
        notebook = name.endswith(".ipynb")
        if earlier and not notebook:
            raise ValueError(f"{self.line}: the section has two files called {name}")
        cell = earlier + 1 if notebook else 0
        text: list[str] = []
        for number, line in enumerate(body, 1):
            kept = line
            while mark := _MARK.search(kept):
                kept = kept[: mark.start()]
                self._mark(Mark(name, cell, number, ""), mark["codes"], self.todo if mark["todo"] else self.expected)
            text.append(kept)
        self.sources.append(Source(name, cell, "\n".join(text) + "\n"))

    def _mark(self, place: Mark, codes: str, kind: list[Mark]) -> None:
        for one in _REASONS.finditer(codes):
            mark = replace(place, code=one["code"])
            kind.append(mark)
            if one["reasons"]:
                self.reasons.append((mark, tuple(reason.strip() for reason in one["reasons"].split(","))))
