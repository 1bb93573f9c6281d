"""A request as the fake Messages API received it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Header names are lower case; the values of `x-api-key` and `authorization` are not kept."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] = field(default_factory=dict)

    @property
    def messages(self) -> Sequence[Mapping[str, object]]:
        """The `messages` of the body, empty when there are none."""
        value = self.body.get("messages")
        return cast("Sequence[Mapping[str, object]]", value) if isinstance(value, list) else ()

    @property
    def model(self) -> str:
        """The model asked for: from the body, or from the path on Bedrock and Vertex."""
        value = self.body.get("model")
        if isinstance(value, str):
            return value
        if "/model/" in self.path:
            return self.path.split("/model/", 1)[1].split("/", 1)[0]
        if "/models/" in self.path:
            return self.path.split("/models/", 1)[1].split(":", 1)[0]
        return ""

    @property
    def stream(self) -> bool:
        """Whether a stream was asked for."""
        return (
            self.path.endswith(("/invoke-with-response-stream", ":streamRawPredict")) or self.body.get("stream") is True
        )

    @property
    def betas(self) -> tuple[str, ...]:
        """The beta features asked for, in the order given: from the header or, on Bedrock and Vertex, the body."""
        named = self.headers.get("anthropic-beta", "").split(",")
        in_body = self.body.get("anthropic_beta")
        if isinstance(in_body, list):
            named += [str(name) for name in in_body]
        return tuple(dict.fromkeys(name.strip() for name in named if name.strip()))
