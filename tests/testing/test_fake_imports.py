"""What the package costs those who only have it installed: pytest loads the plugin in every run."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("anthropic", "http.server", "libcst", "opentelemetry", "pydantic", "stoplint.testing.server")


@pytest.mark.parametrize("module", ["stoplint.testing", "stoplint.testing.plugin", "stoplint.testing.answers"])
def test_importing_loads_nothing_heavy(module):
    program = f"import sys, {module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_running_fake_does_not_need_the_sdk():
    program = "import sys, stoplint.testing as t; t.FakeMessages().url; print('anthropic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
