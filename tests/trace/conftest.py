"""Fixtures of the tracer's tests."""

from __future__ import annotations

import pytest
from tracing import Traced


@pytest.fixture
def traced():
    """A tracer over the SDK's own spans."""
    pytest.importorskip("anthropic")
    with Traced().at_work() as found:
        yield found


@pytest.fixture
def alone():
    """A tracer with the SDK's own tracing off."""
    pytest.importorskip("anthropic")
    with Traced(native=False).at_work() as found:
        yield found
