"""The HTTP front as a plain ASGI application. Waiting happens here, never under the simulator's lock."""

from __future__ import annotations

import asyncio
import sys
import traceback
import typing as t
from collections.abc import Awaitable, Callable, MutableMapping
from urllib.parse import parse_qsl

from .core import CONTROL_PREFIX, Core, Ticket
from .exchange import Delivery, Request, Response, html_response

Message = MutableMapping[str, t.Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

POLL_SECONDS = 0.005
LONGEST_WAIT = 60.0


class Application:
    def __init__(self, simulator: Core) -> None:
        self.simulator = simulator

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the simulator does not speak {scope['type']}")
        body = await _body(receive)
        if body is None:
            return
        request = _request_of(scope, body)
        try:
            response = await self._answer(request)
        except Exception:  # noqa: BLE001  a bug of the simulator: say so, loudly, and stay up
            traceback.print_exc(file=sys.stderr)
            response = html_response(500, "The simulator failed; see its standard error")
        await _deliver(response, receive, send)

    async def _answer(self, request: Request) -> Response:
        simulator = self.simulator
        ticket = simulator.claim(request)
        if ticket.control:
            await self._await_holds(ticket.request)
            return simulator.answer(ticket)
        if simulator.switches.latency_ms:
            await asyncio.sleep(simulator.switches.latency_ms / 1000)
        if not await self._pass(ticket, "before"):
            return Response(0, delivery=Delivery("drop"))
        response = simulator.answer(ticket)
        if not await self._pass(ticket, "after"):
            return Response(0, delivery=Delivery("drop"))
        return response

    async def _pass(self, ticket: Ticket, when: str) -> bool:
        """Wait at a hold; False when the request is to be dropped."""
        if not ticket.held(when):
            return True
        hold = self.simulator.holds.begin(ticket.request, when)
        while not hold.released.is_set():
            await asyncio.sleep(POLL_SECONDS)
        return not hold.abandoned

    async def _await_holds(self, request: Request) -> None:
        """``GET hold?wait=SECONDS`` answers as soon as a request is held."""
        wait = dict(parse_qsl(request.query)).get("wait", "")
        if request.path != f"{CONTROL_PREFIX}hold" or not wait.replace(".", "", 1).isdigit():
            return
        turns = round(min(float(wait), LONGEST_WAIT) / POLL_SECONDS)
        for _turn in range(turns):
            if len(self.simulator.holds):
                return
            await asyncio.sleep(POLL_SECONDS)


async def _body(receive: Receive) -> bytes | None:
    """None when the client went before its request was complete: such a one is never acted on."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _request_of(scope: Message, body: bytes) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    path = scope["raw_path"].decode("latin-1").partition("?")[0]
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], path, query, headers, body, scope["scheme"])


async def _deliver(response: Response, receive: Receive, send: Send) -> None:
    delivery = response.delivery
    if delivery.kind in ("drop", "refuse", "connect_timeout"):
        # A listening server can't refuse one connection: over HTTP these look like a lost one.
        return await _hang_up(receive, send, abruptly=True)
    if delivery.kind == "timeout":
        return await _until_gone(receive)
    if delivery.kind == "whole" and delivery.seconds:
        await asyncio.sleep(delivery.seconds)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if delivery.kind == "cut":
        await send({"type": "http.response.body", "body": response.body[: delivery.length], "more_body": True})
        return await _hang_up(receive, send, abruptly=False)
    if delivery.kind == "slow" and response.body:
        await _drip(response, send)
    else:
        await send({"type": "http.response.body", "body": response.body})
    return None


async def _drip(response: Response, send: Send) -> None:
    delivery = response.delivery
    size = max(1, -(-len(response.body) // delivery.chunks))
    for start in range(0, len(response.body), size):
        if start:
            await asyncio.sleep(delivery.gap)
        last = start + size >= len(response.body)
        part = response.body[start : start + size]
        await send({"type": "http.response.body", "body": part, "more_body": not last})


async def _hang_up(receive: Receive, send: Send, *, abruptly: bool) -> None:
    """Break the connection itself. ASGI has no word for that, so this asks the server's own cycle."""
    transport: asyncio.Transport = t.cast("t.Any", send).__self__.transport
    if abruptly:
        transport.abort()
    else:
        transport.close()  # what was written still goes out
    await _until_gone(receive)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
