# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One deadline for a whole request, however slowly its answer drips in.

The libraries limit each wait for data, but not how often they wait: a peer that sends a byte now and then holds them
for as long as it likes. Here every wait is also cut short by what is left of the request's time. A TLS handshake needs
nothing more, unless it is inside another: Python counts the limit of a wait over all of it.
"""

from __future__ import annotations

import functools
import io
import socket
import threading
import time
import typing as t
from http.client import HTTPResponse

try:
    from requests.adapters import HTTPAdapter
except ImportError:  # pragma: no cover - whoever sends requests reports it with missing_required_lib
    HTTPAdapter = object  # type: ignore[misc, assignment]

#: How many times the limit of each wait a request may last. A big page of a slow server comes in one long wait or in
#: many short ones; ten long ones are none that works.
FACTOR = 10

# When the request of this thread ends at the latest. A connection serves many, so it cannot know by itself.
_running = threading.local()


class TooSlowError(socket.timeout):
    """The deadline is over. The libraries wrap it like any other wait that was too long."""


def _waited(sock: t.Any, receive: t.Callable[[], t.Any]) -> t.Any:
    """What ``receive`` gets from ``sock`` before the deadline."""
    left = _running.deadline - time.monotonic()
    if left <= 0:
        raise TooSlowError
    limit = sock.gettimeout()
    if limit is None or left < limit:
        sock.settimeout(left)
    try:
        return receive()
    except socket.timeout:
        if time.monotonic() < _running.deadline:
            raise
        raise TooSlowError from None


class _Stream(io.RawIOBase):
    """What arrives at ``sock``, as its own ``makefile`` gives it."""

    def __init__(self, sock: t.Any, raw: t.Any) -> None:
        super().__init__()
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> t.Any:
        return _waited(self._sock, lambda: self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """Status line, headers and body, of the server or of a proxy that is asked for a tunnel."""

    def __init__(self, sock: t.Any, *options: t.Any, **named: t.Any) -> None:
        super().__init__(sock, *options, **named)
        self.fp = io.BufferedReader(_Stream(sock, t.cast("t.Any", self.fp).detach()))

    def _read_next_chunk_size(self) -> int:
        """Below zero it would mean all there is, however much; the library makes a broken answer of a ValueError."""
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:
            raise ValueError(size)
        return size


class _Connection:
    """What is added to the libraries' connections."""

    response_class = _Response

    def _connect_tls_proxy(self, *options: t.Any) -> t.Any:
        """A proxy spoken to by TLS. Inside, TLS with the server is made of single reads, its handshake as well."""
        sock = super()._connect_tls_proxy(*options)  # type: ignore[misc]
        receive = sock.recv
        sock.recv = lambda *size: _waited(sock, lambda: receive(*size))
        return sock


@functools.cache
def _bounded(pool: type[t.Any]) -> type[t.Any]:
    """The same kind of pool, with connections that keep to the deadline."""
    if issubclass(pool.ConnectionCls, _Connection):
        return pool
    connection = type("BoundedConnection", (_Connection, pool.ConnectionCls), {})
    return type("BoundedPool", (pool,), {"ConnectionCls": connection})


class DeadlineAdapter(HTTPAdapter):
    """The network for a session of requests: each request, with all of its answer, ends in ``FACTOR`` timeouts.

    The answer is to be read by the thread that sent the request, before it sends another.
    """

    # Of a session that several threads share none may meet a manager that is not bound yet.
    _binding = threading.Lock()

    def init_poolmanager(self, *options: t.Any, **named: t.Any) -> None:
        super().init_poolmanager(*options, **named)
        _bound(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: t.Any) -> t.Any:
        with self._binding:
            manager = super().proxy_manager_for(proxy, **options)
            _bound(manager)
        return manager

    def send(
        self, request: t.Any, stream: bool = False, timeout: t.Any = None, *options: t.Any, **named: t.Any
    ) -> t.Any:
        limit = max(timeout) if isinstance(timeout, tuple) else timeout
        _running.deadline = time.monotonic() + FACTOR * limit
        return super().send(request, stream, timeout, *options, **named)


def _bound(manager: t.Any) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _bounded(pool) for scheme, pool in pools.items()}
