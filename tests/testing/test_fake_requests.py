"""What a test can assert about the requests, and the pages beside `/v1/messages`."""

from __future__ import annotations

import anthropic
import pytest

from stoplint.testing import FakeMessages, Request, text

PARAMS = {"model": "claude-opus-5-5", "max_tokens": 64, "messages": [{"role": "user", "content": "Hello"}]}


def test_requests_are_recorded(fake_messages):
    fake_messages.add(text("1"), text("2"))
    client = fake_messages.client(default_headers={"X-Mine": "yes"})
    client.messages.create(**PARAMS)
    client.beta.messages.create(**PARAMS, betas=["one-2026-01-01", "two-2026-01-01"], stream=True).close()
    first, second = fake_messages.requests
    assert (first.method, first.path, first.model, first.stream) == ("POST", "/v1/messages", "claude-opus-5-5", False)
    assert first.messages == PARAMS["messages"]
    assert first.body["max_tokens"] == 64
    assert first.headers["x-mine"] == "yes"
    assert first.betas == ()
    assert second.stream
    assert second.betas == ("one-2026-01-01", "two-2026-01-01")


def test_secrets_are_not_kept(fake_messages):
    fake_messages.add(text("1"), text("2"))
    fake_messages.client(api_key="sk-secret").messages.create(**PARAMS)
    fake_messages.client(auth_token="also-secret").messages.create(**PARAMS)
    assert "secret" not in repr(fake_messages.requests)


@pytest.mark.parametrize(
    ("request_", "model", "stream"),
    [
        (Request("POST", "/model/anthropic.claude-opus-5-5/invoke"), "anthropic.claude-opus-5-5", False),
        (Request("POST", "/model/claude-x/invoke-with-response-stream"), "claude-x", True),
        (Request("POST", "/p/models/claude-y@20260101:streamRawPredict"), "claude-y@20260101", True),
        (Request("POST", "/p/models/claude-y@20260101:rawPredict", body={"stream": True}), "claude-y@20260101", True),
        (Request("POST", "/v1/messages"), "", False),
    ],
)
def test_model_and_stream_come_from_the_path_on_cloud_platforms(request_, model, stream):
    assert (request_.model, request_.stream) == (model, stream)


def test_betas_come_from_header_and_body():
    request = Request("POST", "/", headers={"anthropic-beta": "a, b,"}, body={"anthropic_beta": ["b", "c"]})
    assert request.betas == ("a", "b", "c")


def test_count_tokens_needs_no_script(fake_messages):
    client = fake_messages.client()
    short = client.messages.count_tokens(model="claude-opus-5-5", messages=PARAMS["messages"])
    long = client.beta.messages.count_tokens(
        model="claude-opus-5-5", messages=[{"role": "user", "content": "Hello" * 99}]
    )
    assert 0 < short.input_tokens < long.input_tokens


def test_other_pages_are_not_found(fake_messages):
    with pytest.raises(anthropic.NotFoundError, match="the fake has no GET /v1/models"):
        fake_messages.client().models.list()
    with pytest.raises(anthropic.NotFoundError, match="the fake has no DELETE"):
        fake_messages.client().messages.batches.delete("msgbatch_1")


def test_a_body_that_is_no_json_object_is_refused():
    import urllib.error
    import urllib.request

    with FakeMessages() as fake:
        for body in (b"[1]", b"{", b""):
            request = urllib.request.Request(f"{fake.url}/v1/messages", data=body, method="POST")
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
            refused.value.close()
            assert refused.value.code == 400


def test_environ_points_an_application_at_the_fake(fake_messages, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "example.com")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    for name, value in fake_messages.environ.items():
        monkeypatch.setenv(name, value)
    fake_messages.add(text("1"))
    assert anthropic.Anthropic().messages.create(**PARAMS).content[0].text == "1"
    assert fake_messages.environ["NO_PROXY"].startswith("example.com")


def test_clients_ignore_proxies(fake_messages, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    fake_messages.add(text("1"))
    assert fake_messages.client().messages.create(**PARAMS).content[0].text == "1"


def test_ids_of_two_runs_differ():
    with FakeMessages([text("one")]) as first, FakeMessages([text("two")]) as second:
        ids = {fake.client().messages.create(**PARAMS).id for fake in (first, second)}
    assert len(ids) == 2
