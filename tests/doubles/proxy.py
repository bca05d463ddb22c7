"""A tiny proxy that knows CONNECT and nothing else, and remembers every byte that passes it."""

from __future__ import annotations

import contextlib
import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

CHUNK = 65536


@dataclass
class Proxy:
    """``refusal`` is a status to answer with in place of the tunnel; ``destination`` (host and port) is where all
    tunnels lead, whatever they are for.
    """

    refusal: str = ""
    destination: tuple[str, int] | None = None
    url: str = ""
    targets: list[str] = field(default_factory=list)
    passed: bytearray = field(default_factory=bytearray)

    def serve(self, client: socket.socket) -> None:
        with client.makefile("rb") as lines:
            method, target, _version = lines.readline().decode("ascii").split()
            while lines.readline().strip():
                pass
        self.targets.append(f"{method} {target}")
        if self.refusal or method != "CONNECT":
            client.sendall(f"HTTP/1.1 {self.refusal or '405 No'}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        host, _colon, port = target.rpartition(":")
        with socket.create_connection(self.destination or (host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            self._pump(client, server)

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _events in ready.select():
                    data = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                    if not data:
                        return
                    self.passed += data
                    key.data.sendall(data)


@contextlib.contextmanager
def running(refusal: str = "", destination: tuple[str, int] | None = None) -> Iterator[Proxy]:
    """The proxy on a port of its own while the block runs."""
    proxy = Proxy(refusal, destination)

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
