"""Run the HTTP front: in a process of its own (``python -m``), or in a thread of a test."""

from __future__ import annotations

import contextlib
import signal
import socket
import ssl
import threading
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import uvicorn

from .asgi import Application
from .core import Core

BACKLOG = 2048
START_SECONDS = 10.0


@dataclass(frozen=True)
class Tls:
    """A certificate, its key, and the CA that clients must come from (None: no client certificates)."""

    certificate: str
    key: str
    client_ca: str | None = None


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, simulator: Core, ready: Callable[[], object]) -> None:
        super().__init__(config)
        self._simulator = simulator
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._simulator.holds.release(abandon=True)
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it every answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener


def url_of(listener: socket.socket, context_path: str = "", *, tls: bool = False) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}{context_path}"


def serve(simulator: Core, listener: socket.socket, tls: Tls | None, ready: Callable[[], object]) -> None:
    """Serve until SIGTERM or SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # uvicorn raises the signal again once it is done
    _Server(_config(simulator, tls), simulator, ready).run([listener])


@contextlib.contextmanager
def running(simulator: Core, tls: Tls | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """The simulator behind a real port while the block runs; gives the base URL."""
    listener, started = listen(host, 0), threading.Event()
    server = _Server(_config(simulator, tls), simulator, started.set)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        if not started.wait(START_SECONDS):
            raise RuntimeError("the simulator did not start")
        yield url_of(listener, simulator.context_path, tls=tls is not None)
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listener.close()


def _config(simulator: Core, tls: Tls | None) -> uvicorn.Config:
    options: dict[str, t.Any] = {}
    if tls is not None:
        options = {"ssl_certfile": tls.certificate, "ssl_keyfile": tls.key}
        if tls.client_ca:
            options |= {"ssl_ca_certs": tls.client_ca, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return uvicorn.Config(
        Application(simulator),
        access_log=False,
        date_header=False,  # the simulator's clock sends Date
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        log_level="critical",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        **options,
    )
