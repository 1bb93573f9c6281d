"""The tracer on every surface of every supported SDK version, beside the SDK's own tracing and without it."""

from __future__ import annotations

import pytest
from environments import VERSIONS, UnavailableError, run


@pytest.mark.parametrize("script", ["hooks.py", "hooks_alone.py"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_surface_is_seen_once(version, script):
    try:
        printed = run(version, script)
    except UnavailableError as exc:
        pytest.skip(f"anthropic {version} cannot be installed here: {exc}")
    failed = {name: cell["detail"] for name, cell in printed["cells"].items() if cell["outcome"] == "failed"}
    assert not failed
    assert printed["cells"]["messages.create"]["outcome"] == "ok"
