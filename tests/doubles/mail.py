"""A mail server on loopback that keeps what it is sent."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    """What arrived, and what the server says to a mail."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    answer: bytes = b"250 kept"


class _Server(socketserver.ThreadingTCPServer):
    # A client that stays connected keeps no test waiting.
    daemon_threads = True
    block_on_close = False

    def __init__(self, box: Mailbox) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.box = box
        box.port = self.server_address[1]


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        box = self.server.box
        self._say(b"220 ready")
        for line in self.rfile:
            command = line.upper()
            if command.startswith(b"RCPT"):
                box.recipients.append(line.decode().partition("<")[2].partition(">")[0])
            if command.startswith(b"DATA"):
                self._say(b"354 go on")
                box.messages.append(self._mail())
                self._say(box.answer)
            elif command.startswith(b"QUIT"):
                self._say(b"221 bye")
                return
            else:
                self._say(b"250 as you say")

    def _say(self, text: bytes) -> None:
        self.wfile.write(text + b"\r\n")

    def _mail(self) -> EmailMessage:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b"."))
        return message_from_bytes(b"".join(lines), EmailMessage, policy=policy.default)


@contextlib.contextmanager
def receiving() -> Iterator[Mailbox]:
    """A server in a thread."""
    box = Mailbox()
    with _Server(box) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join(5)
