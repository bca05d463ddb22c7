"""An HTTP server on loopback that asks one function what to answer, for the doubles of services."""

from __future__ import annotations

import abc
import contextlib
import json
import ssl
import threading
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.simulator.tls import Certificates

Json = dict[str, t.Any]


@dataclass(frozen=True)
class Request:
    method: str
    #: Decoded.
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json


@dataclass(frozen=True)
class Answer:
    status: int
    body: t.Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        if isinstance(self.body, str):
            return self.body.encode()
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass
class Double(abc.ABC):
    """One service: what it was asked, and what a test may do about its answers."""

    #: Asked before each request; what it returns is answered instead.
    before: Callable[[Request], Answer | None] = lambda _request: None
    #: Asked after each, with the answer; what it returns is answered instead.
    after: Callable[[Request, Answer], Answer | None] = lambda _request, _answer: None
    requests: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            spoilt = self.before(request)
            if spoilt is not None:
                return spoilt
            answer = self._route(request)
            return self.after(request, answer) or answer

    @abc.abstractmethod
    def _route(self, request: Request) -> Answer:
        """What the service answers."""


#: In place of an answer: the connection breaks.
DROP = Answer(0)
Handle = Callable[[Request], Answer]


@contextlib.contextmanager
def serving(handle: Handle, tls: Certificates | None = None) -> Iterator[str]:
    """A server in a thread, behind TLS where it has certificates; its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(handle))
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.server_certificate, tls.server_key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _handler(handle: Handle) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            request = Request(
                self.command,
                unquote(parts.path),
                {name: values[-1] for name, values in parse_qs(parts.query).items()},
                {name.lower(): value for name, value in self.headers.items()},
                json.loads(self.rfile.read(length) or b"{}"),
            )
            answer = handle(request)
            if answer is DROP:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.data)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.data)

        do_DELETE = do_GET = do_POST = do_PUT = do_PATCH = do_OPTIONS = do_LIST = _serve

        def log_message(self, format: str, *args: t.Any) -> None:
            """Nothing: what is asked for here holds secrets."""

    return Handler
