"""Servers and proxies made of sockets, which say what no simulator would, and as slowly as they like."""

from __future__ import annotations

import itertools
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

Answer = Callable[[socket.socket], None]

#: Far longer than any test waits, and an end of its own for a server that nobody leaves.
PATIENCE = 60
GAP = 0.02
_OK = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def raw_server(answer: Answer) -> Iterator[str]:
    """Every connection is told the same; gives the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _peer = listener.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def drips(at_once: bytes, slowly: Iterable[bytes]) -> Answer:
    """Read a request, then say something at once, and the rest piece by piece."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(at_once)
        end = time.monotonic() + PATIENCE
        for piece in slowly:
            connection.sendall(piece)
            time.sleep(GAP)
            if time.monotonic() > end:
                return

    return answer


_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
#: By the part of the body that never ends.
ANSWERS: dict[str, Answer] = {
    "body": drips(_OK + b"Content-Length: 60000\r\n\r\n", itertools.repeat(b" ")),
    "body without a length": drips(_OK + b"\r\n", itertools.repeat(b" ")),
    "a chunk": drips(_CHUNKED + b"ffff\r\n", itertools.repeat(b" ")),
    "chunks": drips(_CHUNKED, itertools.repeat(b"1\r\n \r\n")),
}
#: A server's first record of TLS, 16 KiB long.
HANDSHAKE = drips(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03", itertools.repeat(b"\x03"))


def relays(url: str, slowly: Callable[[str], bool]) -> Answer:
    """A proxy in front of a server that acts at once. The body of its answer to some requests arrives byte by byte.

    :param slowly: whether it does, by the method of the request.
    """
    address = urlsplit(url)

    def answer(connection: socket.socket) -> None:
        request = _request(connection)
        with socket.create_connection((str(address.hostname), int(address.port or 80))) as server:
            server.sendall(request.replace(b"Connection: keep-alive", b"Connection: close"))
            said = b"".join(iter(lambda: server.recv(65536), b""))
        head, _end, body = said.partition(b"\r\n\r\n")
        parts = [body[at : at + 1] for at in range(len(body))] if slowly(request.split()[0].decode()) else [body]
        connection.sendall(head + b"\r\n\r\n")
        for part in parts:
            connection.sendall(part)
            time.sleep(GAP)

    return answer


def _request(connection: socket.socket) -> bytes:
    """All of it: the body comes after the headers."""
    said = b""
    while piece := connection.recv(65536):
        said += piece
        head, end, body = said.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if end and len(body) >= (int(length[1]) if length else 0):
            break
    return said


def behind_tls(answer: Answer, certificate: str, key: str) -> Answer:
    """The same, to somebody who speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def wrapped(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inside:
            answer(inside)

    return wrapped
