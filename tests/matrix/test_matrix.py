"""The surfaces, run on every supported SDK version in an environment of its own."""

from __future__ import annotations

import pytest
from environments import NEWEST, VERSIONS, UnavailableError, run
from table import table


@pytest.fixture(params=VERSIONS)
def column(request):
    """What `surfaces.py` printed with one SDK version."""
    try:
        return request.param, run(request.param, "surfaces.py")
    except UnavailableError as exc:
        pytest.skip(f"anthropic {request.param} cannot be installed here: {exc}")


def test_every_surface_works(column):
    version, printed = column
    assert version in (NEWEST, printed["anthropic"])
    failed = {name: cell["detail"] for name, cell in printed["cells"].items() if cell["outcome"] == "failed"}
    assert not failed
    assert printed["cells"]["messages.create"]["outcome"] == "ok"


def test_the_newest_version_has_every_surface():
    try:
        printed = run(NEWEST, "surfaces.py")
    except UnavailableError as exc:
        pytest.skip(f"the newest anthropic cannot be installed here: {exc}")
    assert {cell["outcome"] for cell in printed["cells"].values()} == {"ok"}


def test_table_shows_each_outcome():
    cells = {"a": {"outcome": "ok", "detail": "end_turn"}, "b": {"outcome": "failed", "detail": "saw nothing"}}
    old = {"anthropic": "0.70.0", "cells": {"a": {"outcome": "absent", "detail": "since 1.1"}}}
    lines = table([old, {"anthropic": "2.0.0", "cells": cells}]).splitlines()
    assert lines == [
        "| surface | anthropic 0.70.0 | anthropic 2.0.0 |",
        "| --- | --- | --- |",
        "| `a` | - (since 1.1) | ok |",
        "| `b` |  | **failed** |",
    ]
