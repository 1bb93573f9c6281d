"""Configuration: which file counts for which path, what it may hold, and what is said of a wrong one."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from stoplint import catalog
from stoplint.config import ConfigError, Configs, Overrides, Selection, Settings, selector_problem
from stoplint.config.finder import project_root
from stoplint.config.schema import text
from stoplint.findings import Finding, Place

ROOT = Path(__file__).parents[1]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def finding(code: str, profile: str = "default") -> Finding:
    rule = catalog.rules()[code]
    return Finding(code, rule.name, rule.severity, profile, Place("a.py", None, 1, 1, 1, 2), "<module>", "text")  # type: ignore[arg-type]


class TestNearest:
    def test_the_nearest_file_with_our_section_counts_for_each_path(self, tmp_path):
        write(tmp_path / "pyproject.toml", '[tool.stoplint]\nignore = ["SL101"]\n')
        write(tmp_path / "inner/pyproject.toml", "[project]\nname = 'stoplint-user'\n")
        write(tmp_path / "inner/deep/stoplint.toml", "strict = true\n")
        configs = Configs()
        assert configs.for_path(tmp_path / "inner/a.py").settings.ignore == ("SL101",)
        deep = configs.for_path(tmp_path / "inner/deep/sub/a.py").settings
        assert (deep.strict, deep.ignore) == (True, ())

    def test_stoplint_toml_goes_before_pyproject_in_the_same_folder(self, tmp_path):
        write(tmp_path / "pyproject.toml", "[tool.stoplint]\nstrict = false\nmax-continuations = 3\n")
        write(tmp_path / "stoplint.toml", "strict = true\n")
        found = Configs().for_path(tmp_path / "a.py")
        assert (found.settings.strict, found.settings.max_continuations) == (True, None)
        assert found.file == tmp_path / "stoplint.toml"

    def test_a_broken_pyproject_without_our_name_in_it_is_not_our_business(self, tmp_path):
        write(tmp_path / "pyproject.toml", "[tool.other\n")
        assert Configs().for_path(tmp_path / "a.py").file is None

    def test_isolated_reads_nothing(self, tmp_path):
        write(tmp_path / "stoplint.toml", "nonsense = true\n")
        assert Configs(isolated=True).for_path(tmp_path / "a.py").settings == Settings()

    def test_the_command_line_goes_before_the_file_and_origins_say_so(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "stoplint.toml", 'select = ["SL1"]\nextend-select = ["SL2"]\nignore = ["SL104"]\n')
        configs = Configs(Overrides(select=("SL3",), ignore=("SL105",), strict=True))
        found = configs.for_path(tmp_path / "a.py")
        assert found.settings.select == ("SL3",)
        assert found.settings.extend_select == ()
        assert found.settings.ignore == ("SL104", "SL105")
        assert found.settings.strict
        assert found.origins["select"] == "command line"
        assert found.origins["ignore"] == "stoplint.toml and command line"
        assert found.origins["exclude"] == "default"

    def test_the_project_root_is_the_repository_before_the_configuration(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "repo/pkg/stoplint.toml", "")
        inner = tmp_path / "repo/pkg/a.py"
        assert project_root(inner, Configs()) == tmp_path / "repo/pkg"
        (tmp_path / "repo/.git").mkdir()
        assert project_root(inner, Configs()) == tmp_path / "repo"
        assert project_root(tmp_path / "b.py", Configs()) == tmp_path


class TestValues:
    def test_every_option_is_read(self, tmp_path):
        write(
            tmp_path / "stoplint.toml",
            """
            select = ["ALL"]
            extend-select = ["sl106"]
            ignore = ["stop-reason-ignored"]
            strict = true
            exclude = ["generated/"]
            required-reasons = ["refusal"]
            max-continuations = 5
            sdk-version = "1.0.3"
            per-file-ignores = { "tests/" = ["SL1"] }
            [wrappers]
            returns-response = ["app.llm.ask"]
            checks-response = ["app.llm.check"]
            exposes-response = ["app.log.store"]
            """,
        )
        assert Configs().for_path(tmp_path / "a.py").settings == Settings(
            select=("ALL",),
            extend_select=("sl106",),
            ignore=("stop-reason-ignored",),
            per_file_ignores=(("tests/", ("SL1",)),),
            strict=True,
            exclude=("generated/",),
            required_reasons=("refusal",),
            max_continuations=5,
            sdk_version="1.0.3",
            returns_response=("app.llm.ask",),
            checks_response=("app.llm.check",),
            exposes_response=("app.log.store",),
        )

    @pytest.mark.parametrize(
        ("toml", "message"),
        [
            ('selct = ["SL101"]', 'stoplint.toml: selct: there is no such option; did you mean "select"?'),
            ('select = ["SL999"]', 'stoplint.toml: select: "SL999" is no rule; did you mean "SL901"?'),
            ('ignore = ["stop-reason-ignord"]', 'did you mean "stop-reason-ignored"?'),
            ("select = 'SL101'", 'select: must be a list of strings, not "SL101"'),
            ("select = [1]", "select: must hold strings only, not a number"),
            ("strict = 1", "strict: must be true or false, not a number"),
            ("max-continuations = -1", "max-continuations: must be a whole number from 0, not -1"),
            ("max-continuations = true", "max-continuations: must be a whole number from 0, not a flag"),
            ("required-reasons = ['max_token']", '"max_token" is no stop reason; did you mean "max_tokens"?'),
            ("sdk-version = 'new'", 'sdk-version: must be a version like "1.4.0", not "new"'),
            ("[wrappers]\nreturn-response = []", 'did you mean "wrappers.returns-response"?'),
            ("[wrappers]\nchecks-response = ['a b']", 'wrappers.checks-response: "a b" is no dotted name'),
            ("wrappers = 3", "wrappers: must be a table"),
            ("per-file-ignores = ['SL101']", "per-file-ignores: must be a table from file pattern"),
            ("[tool.stoplint]\nstrict = true", "in stoplint.toml the options stand at the top"),
            ("strict = ", "stoplint.toml: is no valid TOML"),
        ],
    )
    def test_a_wrong_one_names_file_key_and_nearest(self, tmp_path, monkeypatch, toml, message):
        monkeypatch.chdir(tmp_path)
        write(tmp_path / "stoplint.toml", toml)
        with pytest.raises(ConfigError) as error:
            Configs().for_path(tmp_path / "a.py")
        assert message in str(error.value)
        assert str(error.value).startswith("stoplint.toml: ")

    def test_all_problems_of_a_file_are_told_at_once(self, tmp_path):
        write(tmp_path / "pyproject.toml", "[tool.stoplint]\nselct = []\nstrict = 3\n")
        with pytest.raises(ConfigError) as error:
            Configs().for_path(tmp_path / "a.py")
        assert len(str(error.value).splitlines()) == 2


class TestGlobs:
    def test_excludes_are_relative_to_the_configuration_and_never_match_above_it(self, tmp_path):
        project = tmp_path / "build/project"
        write(project / "stoplint.toml", 'exclude = ["build", "/gen.py"]\n')
        configs = Configs()
        assert not configs.excluded(str(project / "a.py"), folder=False)
        assert configs.excluded(str(project / "build"), folder=True)
        assert configs.excluded(str(project / "build/deep/a.py"), folder=False)
        assert configs.excluded(str(project / "gen.py"), folder=False)
        assert not configs.excluded(str(project / "sub/gen.py"), folder=False)

    def test_excludes_can_be_taken_back(self, tmp_path):
        write(tmp_path / "stoplint.toml", 'exclude = ["*.py", "!keep.py"]\n')
        assert not Configs().excluded(str(tmp_path / "keep.py"), folder=False)
        assert Configs().excluded(str(tmp_path / "other.py"), folder=False)

    def test_per_file_ignores_take_codes_names_and_prefixes(self, tmp_path):
        write(
            tmp_path / "stoplint.toml",
            '[per-file-ignores]\n"tests/" = ["SL4"]\n"*_demo.py" = ["stop-reason-ignored"]\n',
        )
        configs = Configs()
        assert configs.ignored_codes(tmp_path / "tests/x_demo.py") == {"SL401", "SL402", "SL101"}
        assert configs.ignored_codes(tmp_path / "src/x.py") == frozenset()


class TestSelection:
    def test_default_rules_without_a_selection(self):
        selection = Selection.of(Settings())
        assert selection.shows(finding("SL101"))
        assert not selection.shows(finding("SL106", "strict"))

    def test_strict_adds_the_strict_findings(self):
        selection = Selection.of(Settings(strict=True))
        assert selection.shows(finding("SL106", "strict"))
        assert selection.shows(finding("SL102", "strict"))

    def test_a_strict_rule_asked_for_by_name_needs_no_profile_but_strict_findings_of_others_do(self):
        selection = Selection.of(Settings(select=("stop-sequence-unread", "SL102")))
        assert selection.shows(finding("SL106", "strict"))
        assert selection.shows(finding("SL102"))
        assert not selection.shows(finding("SL102", "strict"))
        assert not selection.shows(finding("SL101"))

    @pytest.mark.parametrize(
        ("select", "ignore", "shown"),
        [
            (("SL101",), ("SL1",), True),
            (("SL1",), ("SL101",), False),
            (("SL1",), ("SL1",), False),
            (("SL10",), ("SL1",), True),
            (("stop-reason-ignored",), ("SL",), True),
            (("ALL",), ("ALL",), False),
            ((), ("ALL",), False),
            ((), ("SL2",), True),
        ],
    )
    def test_the_longer_selector_decides(self, select, ignore, shown):
        assert Selection.of(Settings(select=select, ignore=ignore)).shows(finding("SL101")) is shown

    def test_every_code_and_name_of_the_catalog_selects(self):
        for rule in catalog.rules().values():
            assert selector_problem(rule.code) is None
            assert selector_problem(rule.name) is None


class TestSchema:
    def test_the_checked_in_schema_is_fresh(self):
        """`stoplint config --schema > stoplint.schema.json` writes it."""
        assert (ROOT / "stoplint.schema.json").read_text(encoding="utf-8") == text()

    def test_it_takes_what_the_reader_takes_and_refuses_the_rest(self):
        schema = json.loads(text())
        jsonschema.Draft7Validator.check_schema(schema)
        good = {
            "select": ["SL1", "stop-reason-ignored", "ALL"],
            "wrappers": {"returns-response": ["app.ask"]},
            "per-file-ignores": {"tests/": ["SL101"]},
            "strict": True,
            "required-reasons": ["refusal"],
            "sdk-version": "1.2",
            "max-continuations": 0,
        }
        jsonschema.validate(good, schema)
        for bad in ({"selct": []}, {"strict": 1}, {"wrappers": {"x": []}}, {"required-reasons": ["length"]}):
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(bad, schema)
