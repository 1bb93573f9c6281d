"""The pytest plugin of stoplint: the fixture `fake_messages`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stoplint.testing.fake import FakeMessages


@pytest.fixture
def fake_messages() -> Iterator[FakeMessages]:
    """A scripted Messages API without a script: `fake_messages.add(text("Hello"))`, then `fake_messages.client()`.

    The test fails at its end when a request found no answer, or when answers are left over (`fake_messages.allow_unused = True`
    permits that).
    """
    from stoplint.testing.fake import FakeMessages  # noqa: PLC0415 - only tests that use the fixture pay for it

    with FakeMessages() as fake:
        yield fake
    fake.verify()
