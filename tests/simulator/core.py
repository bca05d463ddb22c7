"""The pure core: ``handle(request) -> response``. No socket, no event loop, one lock.

Here is what is the same for every product: the clock's Date, faults, holds, the log, the control endpoints. What a
product answers is its own class (datacenter.py).
"""

from __future__ import annotations

import abc
import dataclasses
import threading
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from . import faults
from .clock import Clock
from .exchange import Request, Response
from .faults import Fault, Faults
from .holds import Holds
from .log import LogEntry, RequestLog
from .switchboard import Switchboard

CONTROL_PREFIX = "/__simulator__/"
ABSURD_DATE = "Thu, 01 Jan 1970 00:00:00 GMT"


@dataclass(frozen=True)
class Ticket:
    """A request that has arrived, with the fault it has drawn."""

    request: Request
    fault: Fault | None
    arrived: int
    control: bool = False
    stray: bool = False
    """Outside the context path (D1)."""

    def held(self, when: str) -> bool:
        return self.fault is not None and self.fault.kind == "hold" and self.fault.when == when


class Core(abc.ABC):
    """``handle`` is for callers without a network; a front that can wait uses ``claim`` and ``answer`` and holds or
    delays the request between them.
    """

    def __init__(self, clock: Clock, switches: Switchboard, context_path: str) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.switches = switches
        self.context_path = "/" + context_path.strip("/") if context_path.strip("/") else ""
        self.requests = RequestLog()
        self.faults = Faults()
        self.holds = Holds()

    @abc.abstractmethod
    def _serve(self, ticket: Ticket) -> tuple[Response, str | None]:
        """The product's answer, and the name of the user who asked."""

    @abc.abstractmethod
    def _control(self, request: Request) -> Response:
        """The answer of a control endpoint."""

    @abc.abstractmethod
    def _say(self, fault: Fault) -> Response:
        """The error that a fault asks for, in the product's own shape."""

    @abc.abstractmethod
    def state(self) -> dict[str, t.Any]:
        """All there is, without secrets."""

    @abc.abstractmethod
    def plant(self, document: Mapping[str, t.Any]) -> dict[str, t.Any]:
        """Add what a seed document says; what was made, with the secrets where the document asks for them."""

    @abc.abstractmethod
    def recognise(self, secret: str) -> dict[str, t.Any]:
        """Which token a secret is, and whether it would work now; asking is not a use."""

    @abc.abstractmethod
    def _useless_secret(self, token_id: str | None) -> str:
        """A secret that works nowhere, for that id or for one that does not exist."""

    def handle(self, request: Request) -> Response:
        return self.answer(self.claim(request))

    def claim(self, request: Request) -> Ticket:
        with self.lock:
            arrived = self.clock.now_ms()
            inner = request.path[len(self.context_path) :] if self._below_context(request.path) else None
            for path in (request.path, inner or ""):
                if path.startswith(CONTROL_PREFIX):
                    return Ticket(dataclasses.replace(request, path=path), None, arrived, control=True)
            if inner is None:
                return Ticket(request, self.faults.claim(request), arrived, stray=True)
            request = dataclasses.replace(request, path=inner) if self.context_path else request
            return Ticket(request, self.faults.claim(request), arrived)

    def answer(self, ticket: Ticket) -> Response:
        if ticket.control:
            with self.lock:
                return self._control(ticket.request)
        self._call(ticket, "before")
        with self.lock:
            response, user = self._faulty(ticket)
        self._call(ticket, "after")
        with self.lock:
            self._complete(response)
            self._log(ticket, response, user)
            return response

    def _call(self, ticket: Ticket, when: str) -> None:
        """What a fault runs. It does not hold the lock, since it may send requests of its own from several threads."""
        fault = ticket.fault
        if fault is not None and fault.kind == "call" and fault.run and fault.when == when:
            fault.run()

    def _log(self, ticket: Ticket, response: Response, user: str | None) -> None:
        request, kind = ticket.request, ticket.fault.kind if ticket.fault else None
        what = (request.method, request.path, request.query, user, response.status, kind)
        host = request.headers.get("host", "")
        self.requests.add(LogEntry(*what, arrived=ticket.arrived, answered=self.clock.now_ms(), host=host))

    def _below_context(self, path: str) -> bool:
        return not self.context_path or path == self.context_path or path.startswith(self.context_path + "/")

    def _faulty(self, ticket: Ticket) -> tuple[Response, str | None]:
        fault = ticket.fault
        if fault is None:
            return self._serve(ticket)
        instead = faults.before(fault, self._say)
        if instead is not None:
            return instead, None
        response, user = self._serve(ticket)
        return faults.after(fault, response, self._useless_secret, self._say), user

    def _complete(self, response: Response) -> None:
        """``Date`` (an empty one is taken out) and ``Content-Length``."""
        headers, date = response.headers, self.switches.date_header
        if "Date" not in headers:
            if date == "server":
                headers["Date"] = self.clock.http_date(self.switches.date_age_seconds)
            elif date != "missing":
                headers["Date"] = ABSURD_DATE if date == "absurd" else date
        elif not headers["Date"]:
            del headers["Date"]
        if response.status != 204:
            headers["Content-Length"] = str(len(response.body))
