"""What the options of a request tell beside its body, and what a span of our own starts with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from stoplint.trace.records import Surface
    from stoplint.trace.turn import Turn, Value

_SURFACES: Final[tuple[tuple[str, Surface], ...]] = (
    ("ToolRunner", "tool_runner"),
    ("message-thread", "thread"),
    (".parse", "parse"),
)
_STREAM_HELPER: Final = ("X-Stainless-Helper-Method", "x-stainless-helper-method", "X-Stainless-Stream-Helper")


def surface_of(options: object, *, thread: bool) -> tuple[Surface, bool]:
    """The surface of the SDK that a request came through, by the SDK's own headers, and whether it is a beta one."""
    headers = getattr(options, "headers", None)
    # Not given, it is a sentinel without items.
    get = getattr(headers, "get", None) if headers else None
    helper = "" if get is None else str(get("x-stainless-helper") or "")
    stream = get is not None and any(map(get, _STREAM_HELPER))
    beta = "beta=true" in getattr(options, "url", "") or bool((getattr(options, "qualifiers", None) or {}).get("beta"))
    for mark, name in _SURFACES:
        if mark in helper:
            return name, beta
    if thread:
        return "thread", beta
    return "stream" if stream else "create", beta


def remembered(current: Turn, parser: Callable[..., object]) -> Callable[..., object]:
    """Keep the message the SDK is about to parse: `parse()` raises on a cut one, and its reason would be lost."""

    def post_parser(parsed: object) -> object:
        if not current.done:
            current.parsed = parsed
        return parser(parsed)

    return post_parser


def request_attributes(current: Turn, client: object) -> dict[str, Value]:
    """The attributes of a request by the GenAI conventions."""
    asked = current.view.parameters
    url = getattr(client, "base_url", None)
    found: dict[str, Value] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _provider(client),
    }
    if asked.model is not None:
        found["gen_ai.request.model"] = asked.model
    if asked.max_tokens is not None:
        found["gen_ai.request.max_tokens"] = asked.max_tokens
    if current.streaming:
        found["gen_ai.request.stream"] = True
    known = _servers.get(id(url))
    if known is None:
        if len(_servers) >= _SERVERS:
            _servers.clear()
        known = _servers[id(url)] = (url, *_server(url))
    if known[1] is not None:
        found["server.address"], found["server.port"] = known[1], known[2]
    return found


_SERVERS: Final = 64
_servers: dict[int, tuple[object, str | None, int]] = {}
"""By the identity of URL objects, which never change and are kept for it: httpx takes one apart anew each time."""


def _server(url: object) -> tuple[str | None, int]:
    host = getattr(url, "host", None)
    port = getattr(url, "port", None) or (80 if getattr(url, "scheme", "") == "http" else 443)
    return (host if isinstance(host, str) else None, port)


def _provider(client: object) -> str:
    name = getattr(client, "_gen_ai_provider_name", None)
    if isinstance(name, str):
        return name
    kind = type(client).__name__
    if "Bedrock" in kind:
        return "aws.bedrock"
    return "gcp.vertex_ai" if "Vertex" in kind else "anthropic"
