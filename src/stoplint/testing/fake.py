"""`FakeMessages`: a scripted Messages API for tests."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from stoplint.testing.script import Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

    from anthropic import Anthropic, AsyncAnthropic
    from typing_extensions import Self

    from stoplint.testing.answers import Scripted
    from stoplint.testing.api import Reply
    from stoplint.testing.request import Request
    from stoplint.testing.server import Server

_KEY = "sk-ant-fake"
_CREDENTIALS = ("api_key", "auth_token", "credentials", "config", "profile")  # the SDK takes one of them
_NO_PROXY = {"all://127.0.0.1": None}  # httpx: no proxy of the environment for the fake's address


class FakeMessages:
    """A Messages API on the loopback interface that answers from a script.

    >>> with FakeMessages([truncated("Once upon a"), text(" time.")]) as fake:
    ...     reply = fake.client().messages.create(model="claude-opus-5-5", max_tokens=5, messages=[...])

    `script` holds one entry a request, or is one function that answers all of them. `strict` refuses requests as the real API does
    (see `stoplint.testing.validation`). `chunk_size` is the number of characters in one event of a stream.

    The server starts with the first use of `url`, `environ`, `client()` or `async_client()`.
    """

    def __init__(
        self,
        script: Iterable[Scripted] | Callable[[Request], Scripted] = (),
        *,
        repeat_last: bool = False,
        strict: bool = True,
        chunk_size: int = 20,
    ) -> None:
        if callable(script):
            self._script = Script([script], repeat_last=True)
        else:
            self._script = Script(script, repeat_last=repeat_last)
        self.allow_unused = False
        self._lock = threading.RLock()
        self._requests: list[Request] = []
        self._rejected: list[str] = []
        self._clients: list[Anthropic] = []
        self._server: Server | None = None
        from stoplint.testing.api import Api  # noqa: PLC0415 - pytest imports this module in every run

        self._api = Api(self._script, strict=strict, chunk_size=chunk_size)

    def add(self, *entries: Scripted) -> Self:
        """Append to the script."""
        self._script.extend(entries)
        return self

    @property
    def requests(self) -> Sequence[Request]:
        """Every request so far, in the order of arrival."""
        with self._lock:
            return tuple(self._requests)

    @property
    def remaining(self) -> int:
        """How many scripted answers no request has asked for yet."""
        return self._script.remaining

    @property
    def strict(self) -> bool:
        """Whether requests are checked as the real API checks them."""
        return self._api.strict

    @strict.setter
    def strict(self, value: bool) -> None:
        self._api.strict = value

    @property
    def url(self) -> str:
        """The base URL, for clients of your own making."""
        return self._started().url

    @property
    def environ(self) -> Mapping[str, str]:
        """Environment variables that point an application at the fake, to be laid over `os.environ`."""
        direct = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), "127.0.0.1"]))
        return {"ANTHROPIC_BASE_URL": self.url, "ANTHROPIC_API_KEY": _KEY, "NO_PROXY": direct, "no_proxy": direct}

    def client(self, **options: object) -> Anthropic:
        """An `anthropic.Anthropic` bound to the fake, and closed with it. `options` go to its constructor; imports `anthropic`."""
        import anthropic  # noqa: PLC0415 - a fake that nobody asks for a client must not cost two seconds

        make: Callable[..., Anthropic] = anthropic.Anthropic
        options.setdefault("http_client", anthropic.DefaultHttpxClient(mounts=_NO_PROXY))
        client = make(**self._bound(options))
        with self._lock:
            self._clients.append(client)
        return client

    def async_client(self, **options: object) -> AsyncAnthropic:
        """An `anthropic.AsyncAnthropic` bound to the fake. `options` go to its constructor; imports `anthropic`.

        Close it in its event loop, as any other (`async with`).
        """
        import anthropic  # noqa: PLC0415

        make: Callable[..., AsyncAnthropic] = anthropic.AsyncAnthropic
        options.setdefault("http_client", anthropic.DefaultAsyncHttpxClient(mounts=_NO_PROXY))
        return make(**self._bound(options))

    def forget_threads(self) -> None:
        """Lose the state of every message thread: the next request that continues one gets a 404."""
        self._api.threads.forget()

    def verify(self) -> None:
        """Raise AssertionError when a request found no answer, a script function raised, or answers were left over.

        `allow_unused = True` permits the last.
        """
        problems = list(self._script.problems)
        if not self.allow_unused and self.remaining:
            problems.append(
                f"{self.remaining} scripted answer(s) were never asked for, after {len(self.requests)} request(s)"
            )
        if problems:
            with self._lock:
                problems += self._rejected
            raise AssertionError("fake Messages API: " + "; ".join(problems))

    def close(self) -> None:
        """Stop the server, break its connections and close the clients. What was recorded stays readable."""
        with self._lock:
            server, self._server = self._server, None
            clients, self._clients = self._clients, []
        if server is not None:
            server.close()
        for client in clients:
            client.close()

    def __enter__(self) -> Self:
        self._started()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _bound(self, options: Mapping[str, object]) -> dict[str, object]:
        given = {"base_url": self.url, **options}
        return given if any(name in options for name in _CREDENTIALS) else {"api_key": _KEY, **given}

    def _started(self) -> Server:
        from stoplint.testing.server import Server  # noqa: PLC0415 - http.server is slow to import, too

        with self._lock:
            if self._server is None:
                self._server = Server(self._handle)
            return self._server

    def _handle(self, request: Request) -> Reply:
        with self._lock:
            self._requests.append(request)
            number = len(self._requests)
        reply = self._api.handle(request)
        if reply.status == 400:
            with self._lock:
                self._rejected.append(f"request {number} was refused with {reply.body.decode()}")
        return reply
