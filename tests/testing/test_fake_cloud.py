"""The event streams of Bedrock, decoded by the library that the SDK decodes them with."""

from __future__ import annotations

import json

import pytest

from stoplint.testing import FakeMessages, cut_stream, error, text
from stoplint.testing.wire import aws_frame

PARAMS = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}


def test_frames_are_valid():
    eventstream = pytest.importorskip("botocore.eventstream", reason="needs botocore")
    buffer = eventstream.EventStreamBuffer()
    events = [("ping", {"type": "ping"}), ("message_stop", {"type": "message_stop", "text": "ü" * 500})]
    for event in events:
        buffer.add_data(aws_frame(event))
    decoded = list(buffer)  # checks both checksums of each frame
    assert len(decoded) == 2
    assert [frame.headers[":event-type"] for frame in decoded] == ["chunk", "chunk"]
    assert set(json.loads(decoded[1].payload)) == {"bytes"}


def test_an_error_in_the_middle_reaches_the_bedrock_client():
    pytest.importorskip("boto3", reason="needs boto3")
    import anthropic

    keys = {"aws_access_key": "fake", "aws_secret_key": "fake", "aws_region": "us-east-1"}
    with FakeMessages([cut_stream(text("Hello there"), after_events=3, error=error(500, message="broken"))]) as fake:
        direct = anthropic.DefaultHttpxClient(mounts={"all://127.0.0.1": None})
        client = anthropic.AnthropicBedrock(base_url=fake.url, **keys, http_client=direct)
        with pytest.raises(anthropic.APIStatusError, match="broken"):
            list(client.messages.create(**PARAMS, stream=True))
        assert fake.requests[0].path == "/model/claude-opus-5-5/invoke-with-response-stream"
        assert fake.requests[0].model == "claude-opus-5-5"
