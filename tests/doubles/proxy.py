"""A tiny proxy that knows CONNECT and nothing else, and remembers every byte that passes it."""

from __future__ import annotations

import contextlib
import selectors
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CHUNK = 65536


@dataclass(frozen=True)
class Route:
    """Where a tunnel leads. With ``tls`` the proxy is the server that the client does its handshake with, and speaks
    plain text to the destination.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass
class Proxy:
    """``refusal`` is a status to answer with in place of the tunnel; ``destination`` (host and port) is where all
    tunnels lead, whatever they are for. ``route`` finds the destination by the host that is asked for; None refuses.
    """

    refusal: str = ""
    destination: tuple[str, int] | None = None
    route: Callable[[str], Route | None] | None = None
    url: str = ""
    targets: list[str] = field(default_factory=list)
    passed: bytearray = field(default_factory=bytearray)

    def serve(self, client: socket.socket) -> None:
        with client.makefile("rb") as lines:
            method, target, _version = lines.readline().decode("ascii").split()
            while lines.readline().strip():
                pass
        self.targets.append(f"{method} {target}")
        host, _colon, port = target.rpartition(":")
        found = self._route_to(host, int(port)) if method == "CONNECT" else None
        if self.refusal or found is None:
            refusal = self.refusal or ("502 Unknown host" if method == "CONNECT" else "405 No")
            client.sendall(f"HTTP/1.1 {refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        with socket.create_connection((found.host, found.port)) as server:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            if found.tls is None:
                self._pump(client, server)
            else:
                with found.tls.wrap_socket(client, server_side=True) as decrypted:
                    self._pump(decrypted, server)

    def _route_to(self, host: str, port: int) -> Route | None:
        if self.route is not None:
            return self.route(host)
        return Route(*(self.destination or (host, port)))

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _events in ready.select():
                    data = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                    if not data:
                        return
                    # TLS may have decrypted more than was asked for, which no selector sees.
                    while isinstance(key.fileobj, ssl.SSLSocket) and key.fileobj.pending():
                        data += key.fileobj.recv(CHUNK)
                    self.passed += data
                    key.data.sendall(data)


@contextlib.contextmanager
def running(
    refusal: str = "",
    destination: tuple[str, int] | None = None,
    route: Callable[[str], Route | None] | None = None,
) -> Iterator[Proxy]:
    """The proxy on a port of its own while the block runs."""
    proxy = Proxy(refusal, destination, route)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                proxy.serve(self.request)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield proxy
        finally:
            server.shutdown()
