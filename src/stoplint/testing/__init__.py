"""A scripted Messages API for tests of code that has to deal with stop reasons.

    from stoplint.testing import FakeMessages, text, truncated

    with FakeMessages([truncated("Once upon a"), text(" time.")]) as fake:
        client = fake.client()          # an anthropic.Anthropic; fake.async_client() for the other kind
        ...
        assert len(fake.requests) == 2

Importing this package imports neither `anthropic` nor a server. With pytest, the fixture `fake_messages` is there by itself.
"""

from stoplint.testing.answers import (
    Answer,
    Block,
    CutStream,
    HttpError,
    Scripted,
    compaction,
    context_window,
    cut_stream,
    empty,
    error,
    pause,
    refusal,
    stop_sequence,
    text,
    thinking,
    tool_use,
    truncated,
    truncated_tool_use,
    web_search,
)
from stoplint.testing.fake import FakeMessages
from stoplint.testing.request import Request

__all__ = [
    "Answer",
    "Block",
    "CutStream",
    "FakeMessages",
    "HttpError",
    "Request",
    "Scripted",
    "compaction",
    "context_window",
    "cut_stream",
    "empty",
    "error",
    "pause",
    "refusal",
    "stop_sequence",
    "text",
    "thinking",
    "tool_use",
    "truncated",
    "truncated_tool_use",
    "web_search",
]
