"""The in-process front: a transport adapter for ``requests`` that asks the simulator instead of a network.

The answers go through http.client and urllib3, so that what a client sees of them, streaming and broken bodies
included, is what it would see of a real connection. Nothing here waits: a delay counts only against the timeout.
"""

from __future__ import annotations

import http.client
import io
import socket
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError
from urllib3.response import HTTPResponse

from .core import Core, Ticket
from .exchange import Delivery, Request, Response

LONGEST_HOLD = 60.0


@dataclass(frozen=True)
class Call:
    """What the session asked of its transport, for tests of TLS, proxy and timeout settings."""

    method: str
    url: str
    headers: Mapping[str, str]
    stream: bool
    timeout: t.Any
    verify: bool | str
    cert: t.Any
    proxies: Mapping[str, str]


class SimulatorAdapter(BaseAdapter):
    """``SimulatorAdapter(simulator).install(session)``, or ``session.mount("https://", ...)``."""

    def __init__(self, simulator: Core) -> None:
        super().__init__()
        self.simulator = simulator
        self.calls: list[Call] = []
        self._builder = HTTPAdapter()

    def install(self, session: requests.Session) -> SimulatorAdapter:
        session.mount("http://", self)
        session.mount("https://", self)
        return self

    def close(self) -> None:
        self._builder.close()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: t.Any = None,
        verify: bool | str = True,
        cert: t.Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        url, method = request.url or "", request.method or "GET"
        headers = {str(name): _text(value) for name, value in request.headers.items()}
        self.calls.append(Call(method, url, headers, stream, timeout, verify, cert, dict(proxies or {})))
        response = self._exchange(_request_of(request, headers))
        read_timeout = timeout[1] if isinstance(timeout, tuple) else timeout
        late = response.delivery.kind == "whole" and self._delay(response) > (read_timeout or float("inf"))
        _raise_for(Delivery("timeout") if late else response.delivery, request)
        raw = _raw_response(response, method, url, read_timeout)
        answer = self._builder.build_response(request, t.cast("t.Any", raw))
        if not stream:
            _ = answer.content
        return answer

    def _exchange(self, request: Request) -> Response:
        ticket = self.simulator.claim(request)
        if not self._pass(ticket, "before"):
            return Response(0, delivery=Delivery("drop"))
        response = self.simulator.answer(ticket)
        return response if self._pass(ticket, "after") else Response(0, delivery=Delivery("drop"))

    def _pass(self, ticket: Ticket, when: str) -> bool:
        """Wait at a hold; False when the request is to be dropped."""
        if not ticket.held(when):
            return True
        hold = self.simulator.holds.begin(ticket.request, when)
        return hold.released.wait(LONGEST_HOLD) and not hold.abandoned

    def _delay(self, response: Response) -> float:
        return response.delivery.seconds + self.simulator.switches.latency_ms / 1000


def _request_of(request: requests.PreparedRequest, headers: Mapping[str, str]) -> Request:
    parts = urlsplit(request.url or "")
    lowered = {name.lower(): value for name, value in headers.items()}
    lowered.setdefault("host", parts.netloc)
    body: t.Any = request.body or b""
    if isinstance(body, str):
        body = body.encode()
    content = body if isinstance(body, bytes) else b"".join(body)
    return Request(request.method or "GET", parts.path or "/", parts.query, lowered, content, parts.scheme)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _raise_for(delivery: Delivery, request: requests.PreparedRequest) -> None:
    """The exceptions that requests makes of a network that fails, with the same causes inside."""
    if delivery.kind in ("whole", "slow", "cut"):
        return
    parts = urlsplit(request.url or "")
    host, port = parts.hostname or "localhost", parts.port or {"https": 443}.get(parts.scheme, 80)
    pool = HTTPConnectionPool(host, port)
    if delivery.kind == "drop":
        lost = http.client.RemoteDisconnected("Remote end closed connection without response")
        raise requests.exceptions.ConnectionError(ProtocolError("Connection aborted.", lost), request=request)
    if delivery.kind == "timeout":
        late = ReadTimeoutError(pool, parts.path, "Read timed out.")
        raise requests.exceptions.ReadTimeout(late, request=request)
    if delivery.kind == "connect_timeout":
        slow = ConnectTimeoutError(HTTPConnection(host, port), f"Connection to {host} timed out.")
        raise requests.exceptions.ConnectTimeout(MaxRetryError(pool, parts.path, slow), request=request)
    refused = NewConnectionError(
        HTTPConnection(host, port), "Failed to establish a new connection: [Errno 111] Connection refused"
    )
    raise requests.exceptions.ConnectionError(MaxRetryError(pool, parts.path, refused), request=request)


class _Stream(io.RawIOBase):
    """The bytes of one answer; a slow body stalls for ``gap`` after its first part."""

    def __init__(self, head: bytes, body: bytes, delivery: Delivery, read_timeout: float | None) -> None:
        super().__init__()
        slow = delivery.kind == "slow" and bool(body)
        self._stalls = slow and read_timeout is not None and delivery.gap > read_timeout
        self._data = head + (body[: len(body) // delivery.chunks] if self._stalls else body)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        part, self._data = self._data[: len(buffer)], self._data[len(buffer) :]
        if not part and self._stalls:
            raise TimeoutError("timed out")
        buffer[: len(part)] = part
        return len(part)


class _Socket:
    """As much of a socket as http.client reads a response from."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._stream)


def _raw_response(response: Response, method: str, url: str, read_timeout: float | None) -> HTTPResponse:
    head = [f"HTTP/1.1 {response.status} {http.client.responses.get(response.status, '')}"]
    head += [f"{name}: {value}" for name, value in response.headers.items()]
    body = response.body[: response.delivery.length] if response.delivery.kind == "cut" else response.body
    stream = _Stream("\r\n".join([*head, "", ""]).encode("latin-1"), body, response.delivery, read_timeout)
    parsed = http.client.HTTPResponse(t.cast("socket.socket", _Socket(stream)), method=method)
    parsed.begin()
    return HTTPResponse(
        body=parsed,
        headers=dict(parsed.msg.items()),
        status=parsed.status,
        version=parsed.version,
        reason=parsed.reason,
        preload_content=False,
        decode_content=False,
        original_response=parsed,
        enforce_content_length=True,
        request_method=method,
        request_url=url,
    )
