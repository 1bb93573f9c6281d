"""HTTP for the fake Messages API: a loopback server on a free port, one thread a connection."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit

from stoplint.testing.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from stoplint.testing.api import Reply

_SECRET_HEADERS = ("x-api-key", "authorization")
_POLL_SECONDS = 0.02


class Server:
    """Serves `handle` on 127.0.0.1 from the moment it is made until `close`."""

    def __init__(self, handle: Callable[[Request], Reply]) -> None:
        self._http = _HttpServer(("127.0.0.1", 0), _Handler)
        self._http.handle = handle
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(_POLL_SECONDS,), name="fake-messages-api", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL, without a path."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        """Stop listening and break every open connection."""
        self._http.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._http.disconnect()
        self._thread.join()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a burst of async clients must not be refused
    handle: Callable[[Request], Reply]

    def __init__(self, address: tuple[str, int], handler: type[_Handler]) -> None:
        super().__init__(address, handler)
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()

    def track(self, connection: socket.socket, *, is_open: bool) -> None:
        with self._lock:
            (self._connections.add if is_open else self._connections.discard)(connection)

    def disconnect(self) -> None:
        with self._lock:
            for connection in self._connections:
                _break(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave in the middle are what tests are about: nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one segment: otherwise delayed acknowledgements cost 40 ms a call
    connection: socket.socket

    @property
    def _server(self) -> _HttpServer:
        return cast("_HttpServer", self.server)

    def setup(self) -> None:
        super().setup()
        self._server.track(self.connection, is_open=True)

    def finish(self) -> None:
        self._server.track(self.connection, is_open=False)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: what was asked is in `FakeMessages.requests`."""

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        reply = self._server.handle(self._read())
        if reply.pieces is None and reply.ending == "abort":
            self._abort()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.pieces is None:
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
            return
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in reply.pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self._end(reply)

    def _end(self, reply: Reply) -> None:
        if reply.ending == "stall":
            self.wfile.flush()
            while not self._server.closing.is_set() and not select.select([self.connection], [], [], _POLL_SECONDS)[0]:
                pass
        if reply.ending == "close":
            self.wfile.write(b"0\r\n\r\n")
        else:
            self._abort()

    def _abort(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        _break(self.connection)

    def _read(self) -> Request:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = None
        target = urlsplit(self.path)
        headers = {
            name.lower(): "(not kept)" if name.lower() in _SECRET_HEADERS else value
            for name, value in self.headers.items()
        }
        return Request(
            str(self.command),
            target.path,
            dict(parse_qsl(target.query)),
            headers,
            body if isinstance(body, dict) else {},
        )


def _break(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the client may have left already
        connection.shutdown(socket.SHUT_RDWR)
