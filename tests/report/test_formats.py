"""Every output format: what readers of it rely on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from stoplint import catalog, report
from stoplint.check.discover import Skipped
from stoplint.check.source import Source, SourceFile, parse
from stoplint.cli.sources import Sources
from stoplint.findings import Edit, Finding, Fix, Place, Related
from stoplint.report import Report, Style

TEXT = {
    "src/app.py": 'import llm\n\n\ndef ask():\n    reply = llm.call()\n    log(1)\n    log(2)\n    log(3)\n    return "é" + reply.content[0].text\n',
    "src/llm.py": "def call():\n    return client.messages.create(\n        model=MODEL)\n",
}
CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# Title\n", "text"]},
    {"cell_type": "code", "outputs": [], "source": ["%time\n", "x = r.content[0].text"]},
]
NOTEBOOK = json.dumps({"cells": CELLS, "metadata": {}}, indent=1)
# The line of the notebook's JSON that the second line of its second cell stands in.
CELL_LINE = NOTEBOOK.splitlines().index('    "x = r.content[0].text"') + 1
KEYS = [
    "code", "name", "severity", "profile", "path", "cell", "line", "column", "end_line", "end_column", "function",
    "message", "reasons", "origin", "related", "fix", "fingerprint",
]  # fmt: skip


def place(path: str, line: int, column: int, end: int, cell: int | None = None) -> Place:
    return Place(path, cell, line, column, line, end)


def finding(code: str, where: Place, message: str = "a `thing` went wrong", **more: object) -> Finding:
    rule = catalog.rules()[code]
    given = {"fingerprint": f"{code}-{where.path}-{where.line}", "function": "ask"} | more
    return Finding(code, rule.name, rule.severity, rule.profile, where, message=message, **given)  # type: ignore[arg-type]


READ = finding(
    "SL101",
    place("src/app.py", 9, 18, 39),
    "`reply` is read, but nothing looks at `reply.stop_reason`: cut at 100%",
    reasons=("max_tokens", "refusal"),
    origin=Place("src/llm.py", None, 2, 12, 3, 21),
    related=(
        Related(Place("src/llm.py", None, 2, 12, 3, 21), "created here"),
        Related(place("src/app.py", 5, 13, 23), "handed on by `call`"),
    ),
    label="text read here",
)
FIXED = finding(
    "SL301",
    place("src/app.py", 5, 5, 10),
    fix=Fix("safe", "Write `x`", (Edit(9, 13, 9, 14, "e"), Edit(6, 1, 7, 1, ""))),
)
IN_NOTEBOOK = finding("SL104", place("nb.ipynb", 2, 5, 22, cell=2))
FINDINGS = (IN_NOTEBOOK, FIXED, READ)


def made(*findings: Finding, **more: object) -> Report:
    sources = Sources()
    files = {**TEXT, "nb.ipynb": NOTEBOOK}
    kinds = {"nb.ipynb": "notebook"}
    sources.add(SourceFile(path, None, kinds.get(path, "python"), text.encode()) for path, text in files.items())  # type: ignore[arg-type]
    given = {"files_checked": 3} | more
    return Report(tuple(findings), source=sources.source, file_line=sources.file_line, **given)  # type: ignore[arg-type]


def rendered(name: str, *findings: Finding, **more: object) -> str:
    return "".join(report.load(name).render(made(*findings, **more), Style()))


class TestRegistry:
    def test_each_module_is_a_format_called_like_its_file(self):
        files = {path.stem for path in Path(report.__path__[0]).glob("[!_]*.py")}
        assert {name.replace("-", "_") for name in report.names()} == files
        assert report.names()[0] == "full"
        assert set(report.names()) == {
            "full", "concise", "grouped", "json", "json-lines", "sarif", "github", "gitlab", "junit", "rdjson", "azure",
        }  # fmt: skip

    @pytest.mark.parametrize("name", report.names())
    def test_every_format_takes_any_finding_and_none(self, name):
        odd = finding("SL105", place("weird\nname;,%:\udce9.py", 3, 1, 2), "line\none | two\r\x1b[31m ] ;")
        assert rendered(name, *FINDINGS, odd)
        rendered(name)

    @pytest.mark.parametrize(
        "name", [name for name in report.names() if name not in {"full", "concise", "grouped", "github", "azure"}]
    )
    def test_what_programs_read_is_ascii(self, name):
        assert rendered(name, *FINDINGS, finding("SL105", place("é.py", 1, 1, 2), "日本")).isascii()

    @pytest.mark.parametrize("name", ["full", "concise", "grouped"])
    def test_control_characters_never_reach_a_terminal(self, name):
        odd = finding("SL105", place("a\x1b.py", 1, 1, 2), "x\x1b[2Jy")
        assert "\x1b" not in rendered(name, odd)

    def test_an_unknown_name(self):
        with pytest.raises(KeyError):
            report.load("_frames")


class TestJson:
    def test_the_contract(self):
        found = json.loads(rendered("json", *FINDINGS))
        assert [list(one) for one in found] == [KEYS] * 3
        assert found[2] == {
            "code": "SL101",
            "name": "stop-reason-ignored",
            "severity": "error",
            "profile": "default",
            "path": "src/app.py",
            "cell": None,
            "line": 9,
            "column": 18,
            "end_line": 9,
            "end_column": 39,
            "function": "ask",
            "message": READ.message,
            "reasons": ["max_tokens", "refusal"],
            "origin": {"path": "src/llm.py", "cell": None, "line": 2, "column": 12},
            "related": [
                {"path": "src/llm.py", "cell": None, "line": 2, "column": 12, "message": "created here"},
                {"path": "src/app.py", "cell": None, "line": 5, "column": 13, "message": "handed on by `call`"},
            ],
            "fix": None,
            "fingerprint": "SL101-src/app.py-9",
        }
        assert list(found[2]["related"][0]) == ["path", "cell", "line", "column", "message"]
        assert found[1]["fix"] == {
            "applicability": "safe",
            "message": "Write `x`",
            "edits": [
                {"line": 9, "column": 13, "end_line": 9, "end_column": 14, "content": "e"},
                {"line": 6, "column": 1, "end_line": 7, "end_column": 1, "content": ""},
            ],
        }
        assert (found[0]["cell"], found[0]["line"]) == (2, 2)

    def test_no_findings_are_an_empty_array(self):
        assert json.loads(rendered("json")) == []
        assert rendered("json-lines") == ""

    def test_lines_are_the_same_objects(self):
        lines = rendered("json-lines", *FINDINGS).splitlines()
        assert [json.loads(line) for line in lines] == json.loads(rendered("json", *FINDINGS))

    def test_the_order_of_reports(self):
        found = [finding("SL102", place("b.py", 1, 1, 2)), finding("SL101", place("b.py", 1, 1, 2)),
                 finding("SL101", place("a.ipynb", 9, 1, 2, cell=1)), finding("SL101", place("a.ipynb", 1, 5, 6, cell=2)),
                 finding("SL101", place("a.ipynb", 1, 2, 6, cell=2))]  # fmt: skip
        order = sorted(found, key=report.sort_key)
        assert order == [found[2], found[4], found[3], found[1], found[0]]


class TestSarif:
    def run(self, *findings: Finding, **more: object) -> dict:
        log = json.loads(rendered("sarif", *findings, **more))
        assert log["version"] == "2.1.0"
        assert log["$schema"].endswith("sarif-schema-2.1.0.json")
        assert len(log["runs"]) == 1
        return log["runs"][0]

    def test_rules_carry_their_pages_and_results_point_at_them(self):
        run = self.run(*FINDINGS)
        rules = run["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == ["SL101", "SL104", "SL301"]
        for rule in rules:
            page = catalog.rules()[rule["id"]]
            assert rule["help"]["markdown"] == page.text
            assert rule["defaultConfiguration"]["level"] == page.severity
            assert rule["helpUri"].endswith(page.path.name)
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["partialFingerprints"]["stoplint/v1"]
            assert result["level"] in {"error", "warning"}

    def test_regions_count_characters_from_one(self):
        run = self.run(READ)
        assert run["columnKind"] == "unicodeCodePoints"
        location = run["results"][0]["locations"][0]
        assert location["physicalLocation"] == {
            "artifactLocation": {"uri": "src/app.py"},
            "region": {"startLine": 9, "startColumn": 18, "endLine": 9, "endColumn": 39},
        }
        assert location["logicalLocations"][0] == {"fullyQualifiedName": "ask", "kind": "function"}

    def test_related_places_are_numbered_and_the_origin_is_not_told_twice(self):
        related = self.run(READ)["results"][0]["relatedLocations"]
        assert [(one["id"], one["message"]["text"]) for one in related] == [
            (1, "created here"),
            (2, "handed on by `call`"),
        ]

    def test_fixes_are_replacements(self):
        (fix,) = self.run(FIXED)["results"][0]["fixes"]
        assert fix["artifactChanges"][0]["replacements"][0] == {
            "deletedRegion": {"startLine": 9, "startColumn": 13, "endLine": 9, "endColumn": 14},
            "insertedContent": {"text": "e"},
        }

    def test_a_notebook_is_located_in_its_json(self):
        result = self.run(IN_NOTEBOOK)["results"][0]
        assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": CELL_LINE, "endLine": CELL_LINE}
        assert result["message"]["text"].startswith("cell 2, line 2: ")

    def test_paths_are_uris(self):
        odd = [finding("SL101", place(path, 1, 1, 2)) for path in ("a b/ü%.py", "/abs/x.py", "C:/x/y.py")]
        uris = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in self.run(*odd)["results"]]
        assert uris == ["a%20b/%C3%BC%25.py", "file:///abs/x.py", "file:///C:/x/y.py"]

    def test_skipped_files_are_notifications(self):
        run = self.run(skipped=(Skipped("big.py", "larger than 2 MB"),))
        note = run["invocations"][0]["toolExecutionNotifications"][0]
        assert (run["invocations"][0]["executionSuccessful"], note["level"]) == (True, "note")
        assert note["message"]["text"] == "big.py was not checked: larger than 2 MB"

    @pytest.mark.skipif(
        "STOPLINT_SARIF_SCHEMA" not in os.environ, reason="STOPLINT_SARIF_SCHEMA names no copy of the schema"
    )
    def test_the_official_schema(self):
        schema = json.loads(Path(os.environ["STOPLINT_SARIF_SCHEMA"]).read_text(encoding="utf-8"))
        for text in (rendered("sarif"), rendered("sarif", *FINDINGS, skipped=(Skipped("a", "b"),))):
            jsonschema.validate(json.loads(text), schema, format_checker=jsonschema.FormatChecker())


class TestGithub:
    def test_an_annotation(self):
        assert rendered("github", READ) == (
            "::error file=src/app.py,line=9,endLine=9,col=18,endColumn=38,title=SL101 stop-reason-ignored::"
            "`reply` is read, but nothing looks at `reply.stop_reason`: cut at 100%25\n"
        )
        odd = finding("SL101", place("a,b:c.py", 1, 1, 2), "x\ny")
        assert "file=a%2Cb%3Ac.py," in rendered("github", odd)
        assert rendered("github", odd).endswith("::x%0Ay\n")

    def test_a_notebook_has_its_files_line_and_no_columns(self):
        assert f",line={CELL_LINE},endLine={CELL_LINE},title=" in rendered("github", IN_NOTEBOOK)
        assert "::cell 2, line 2: a `thing`" in rendered("github", IN_NOTEBOOK)

    def test_the_worst_come_first_and_the_rest_is_counted(self):
        warnings = [finding("SL104", place("a.py", line, 1, 2)) for line in range(1, 14)]
        errors = [finding("SL101", place("b.py", line, 1, 2)) for line in range(1, 13)]
        lines = rendered("github", *warnings, *errors).splitlines()
        assert [line.split()[0] for line in lines[:20]] == ["::error"] * 10 + ["::warning"] * 10
        assert lines[20].startswith("b.py:11:1: error SL101 stop-reason-ignored: ")
        assert len(lines) == 26
        assert lines[-1].startswith("::notice title=stoplint::5 more findings not shown here")

    def test_the_summary_of_the_step(self):
        files = report.load("github").files
        assert files(made(READ), {}) == {}
        text = files(made(*FINDINGS), {"GITHUB_STEP_SUMMARY": "s.md"})["s.md"]
        assert text.startswith("### stoplint: 3 findings in 3 checked files\n\n| Place |")
        assert "| `nb.ipynb:cell 2:2:5` | [SL104 positional-content](" in text
        assert files(made(), {"GITHUB_STEP_SUMMARY": "s.md"})["s.md"].endswith("No findings in 3 files.\n\n")


class TestOthers:
    def test_gitlab(self):
        found = json.loads(rendered("gitlab", *FINDINGS))
        assert len({one["fingerprint"] for one in found}) == 3
        assert [one["severity"] for one in found] == ["minor", "critical", "critical"]
        assert found[0]["location"] == {"path": "nb.ipynb", "lines": {"begin": CELL_LINE, "end": CELL_LINE}}
        assert set(found[0]) == {"description", "check_name", "fingerprint", "severity", "location"}

    def test_junit(self):
        tree = ET.fromstring(rendered("junit", *FINDINGS))
        assert (tree.tag, tree.get("tests"), tree.get("failures")) == ("testsuites", "3", "3")
        assert [suite.get("name") for suite in tree] == ["nb.ipynb", "src/app.py"]
        case = tree.find(".//testcase[@line='9']")
        assert case is not None
        assert case.get("classname") == "src/app.py:ask"
        assert case.find("failure").get("message") == READ.message  # type: ignore[union-attr]
        clean = ET.fromstring(rendered("junit"))
        assert (clean.get("tests"), clean.get("failures")) == ("1", "0")
        assert len(clean.findall(".//testcase")) == 1

    def test_rdjson_counts_bytes(self):
        found = json.loads(rendered("rdjson", *FINDINGS))["diagnostics"]
        assert found[2]["location"]["range"] == {"start": {"line": 9, "column": 19}, "end": {"line": 9, "column": 40}}
        assert found[2]["severity"] == "ERROR"
        assert found[1]["suggestions"][0] == {
            "range": {"start": {"line": 9, "column": 13}, "end": {"line": 9, "column": 15}},
            "text": "e",
        }
        assert found[0]["location"]["range"] == {"start": {"line": CELL_LINE}, "end": {"line": CELL_LINE}}
        assert found[2]["related_locations"][0]["message"] == "created here"

    def test_azure(self):
        odd = finding("SL101", place("a;b].py", 1, 2, 3), "100%; x]\ny")
        assert rendered("azure", odd) == (
            "##vso[task.logissue type=error;sourcepath=a%3Bb%5D.py;linenumber=1;columnnumber=2;code=SL101;]"
            "stop-reason-ignored: 100%AZP25; x]%0Ay\n"
        )

    def test_concise(self):
        assert rendered("concise", IN_NOTEBOOK, READ).splitlines() == [
            "nb.ipynb:cell 2:2:5: SL104 positional-content: a `thing` went wrong",
            f"src/app.py:9:18: SL101 stop-reason-ignored: {READ.message}",
        ]

    def test_grouped(self):
        assert rendered("grouped", IN_NOTEBOOK, FIXED, READ) == (
            "nb.ipynb\n  cell 2:2:5  SL104 positional-content\n              a `thing` went wrong\n\n"
            "src/app.py\n  5:5   SL301 stop-reason-too-early\n        a `thing` went wrong\n"
            "  9:18  SL101 stop-reason-ignored\n        `reply` is read, but nothing looks at `reply.stop_reason`: cut at 100%\n\n"
        )


def test_sources_are_read_only_when_asked_for():
    assert isinstance(made().source("src/app.py"), Source)
    assert made().source("none.py") is None
    assert parse("a.py", "python", b"x").lines == ("x",)
