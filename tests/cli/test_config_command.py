"""`stoplint config`."""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_what_applies_and_where_it_comes_from(stoplint, write):
    write("pyproject.toml", '[tool.stoplint]\nignore = ["SL101"]\n')
    write("pkg/stoplint.toml", 'strict = true\nexclude = ["gen.py"]\n[per-file-ignores]\n"a.py" = ["SL2", "SL3"]\n')
    write("pkg/a.py")
    lines = {line.split()[0]: line.split() for line in stoplint("config", "pkg/a.py").out.splitlines() if line}
    assert lines["pkg/a.py:"][1] == "pkg/stoplint.toml"
    assert lines["strict"] == ["strict", "true", "pkg/stoplint.toml"]
    assert lines["ignore"] == ["ignore", "[]", "default"]
    assert {"SL101", "SL106"} <= set(stoplint("config", "pkg/a.py").out.split())
    assert "SL201" not in stoplint("config", "pkg/a.py").out.split()
    found = json.loads(stoplint("config", "pkg/gen.py", "--output-format", "json").out) if write("pkg/gen.py") else {}
    assert found["excluded"] is True
    assert found["settings"]["strict"] == {"value": True, "source": "pkg/stoplint.toml"}
    found = json.loads(stoplint("config", "--output-format", "json").out)
    assert (found["path"], found["file"], "SL101" in found["rules"]) == (".", "pyproject.toml", False)
    assert found["settings"]["ignore"]["source"] == "pyproject.toml [tool.stoplint]"


def test_no_configuration_and_a_wrong_one(stoplint, write):
    assert "no configuration file; the defaults" in stoplint("config").out
    assert stoplint("config", "none").code == 2
    write("stoplint.toml", "nonsense = 1\n")
    assert (stoplint("config").code, "nonsense" in stoplint("config").err) == (2, True)


def test_the_schema_that_is_checked_in(stoplint):
    assert stoplint("config", "--schema").out == (ROOT / "stoplint.schema.json").read_text(encoding="utf-8")
