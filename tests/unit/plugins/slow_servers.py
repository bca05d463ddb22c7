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
_TUNNEL = b"HTTP/1.1 200 Connection established\r\n\r\n"
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


#: By what never ends: an answer to a request. None pauses for long.
ANSWERS: dict[str, Answer] = {
    "status line": drips(b"HTTP/1.1 200 ", itertools.repeat(b"O")),
    "a header": drips(_OK + b"X-A: ", itertools.repeat(b"a")),
    "interim answers": drips(b"", itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "interim answers in haste": drips(b"", itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000)),
    "size of a chunk": drips(_OK + b"Transfer-Encoding: chunked\r\n\r\n", itertools.repeat(b"0")),
    "a chunk": drips(_OK + b"Transfer-Encoding: chunked\r\n\r\nffff\r\n", itertools.repeat(b" ")),
    "chunks": drips(_OK + b"Transfer-Encoding: chunked\r\n\r\n", itertools.repeat(b"1\r\n \r\n")),
    "a trailer": drips(_OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", itertools.repeat(b"a")),
    "body": drips(_OK + b"Content-Length: 60000\r\n\r\n", itertools.repeat(b" ")),
    "body without a length": drips(_OK + b"\r\n", itertools.repeat(b" ")),
}
#: The same, and what a proxy says first when it is asked for a tunnel.
PROXIES: dict[str, Answer] = {
    "status line": ANSWERS["status line"],
    "a header": ANSWERS["a header"],
    "headers": drips(b"HTTP/1.1 200 OK\r\n", itertools.repeat(b"X: a\r\n")),
    "handshake inside": drips(
        _TUNNEL, itertools.chain([b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"], itertools.repeat(b"\x03"))
    ),
}
#: A server's first record of TLS, 16 KiB long.
HANDSHAKE = drips(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03", itertools.repeat(b"\x03"))


def relays(url: str, slowly: Callable[[str], bool]) -> Answer:
    """A proxy in front of a server that acts at once, and whose answer to some requests drips.

    :param slowly: whether it does, by the method of the request.
    """
    address = urlsplit(url)

    def answer(connection: socket.socket) -> None:
        request = _request(connection)
        with socket.create_connection((str(address.hostname), int(address.port or 80))) as server:
            server.sendall(request.replace(b"Connection: keep-alive", b"Connection: close"))
            said = b"".join(iter(lambda: server.recv(65536), b""))
        for part in [said[at : at + 1] for at in range(len(said))] if slowly(request.split()[0].decode()) else [said]:
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
