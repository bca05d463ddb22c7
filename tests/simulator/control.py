"""The control endpoints below ``/__simulator__/``: JSON, no authentication, not in the request log.

They are the simulator's own and no part of Bitbucket.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping

from .clock import to_ms
from .core import CONTROL_PREFIX, Core
from .exchange import Request, Response, json_response


def route(simulator: Core, request: Request) -> Response:
    resource = request.path[len(CONTROL_PREFIX) :].strip("/")
    handler = _RESOURCES.get((request.method, resource))
    if handler is None:
        return json_response(404, {"error": f"{request.method} {resource} is no control endpoint"})
    try:
        body = Response(0, body=request.body).json() if request.body else {}
        return json_response(200, handler(simulator, request, body))
    except (ValueError, AttributeError, TypeError, KeyError, re.error) as error:
        return json_response(400, {"error": f"{type(error).__name__}: {error}"})


def _state(simulator: Core, _request: Request, _body: object) -> dict[str, t.Any]:
    return simulator.state()


def _read_clock(simulator: Core, _request: Request, _body: object) -> dict[str, t.Any]:
    clock = simulator.clock
    return {"now": clock.now().isoformat(), "now_ms": clock.now_ms(), "frozen": clock.frozen}


def _move_clock(simulator: Core, request: Request, body: dict[str, t.Any]) -> dict[str, t.Any]:
    _only(body, "set", "freeze", "advance_days", "advance_hours", "advance_minutes", "advance_seconds")
    clock = simulator.clock
    if "set" in body:
        clock.set(to_ms(body["set"]))
    clock.advance(**{name[8:]: value for name, value in body.items() if name.startswith("advance_")})
    if "freeze" in body:
        (clock.freeze if body["freeze"] else clock.unfreeze)()
    return _read_clock(simulator, request, body)


def _requests(simulator: Core, request: Request, _body: object) -> dict[str, t.Any]:
    log = simulator.requests
    answer: dict[str, t.Any] = {"count": len(log), "counts": log.counts()}
    if not request.parameters.get("count"):
        answer["requests"] = log.as_list()
    return answer


def _clear_requests(simulator: Core, _request: Request, _body: object) -> dict[str, t.Any]:
    simulator.requests.clear()
    return {}


def _list_faults(simulator: Core, _request: Request, _body: object) -> dict[str, t.Any]:
    return {"faults": [fault.as_dict() for fault in simulator.faults]}


def _arm(simulator: Core, _request: Request, body: dict[str, t.Any]) -> dict[str, t.Any]:
    arguments = dict(body)
    kind = arguments.pop("kind")
    if kind == "call":
        raise ValueError("call is for tests in the same process")
    return simulator.faults.arm(kind, **arguments).as_dict()


def _clear_faults(simulator: Core, _request: Request, _body: object) -> dict[str, t.Any]:
    simulator.faults.clear()
    return {}


def _list_holds(simulator: Core, _request: Request, _body: object) -> dict[str, t.Any]:
    held = simulator.holds.as_list()
    return {"count": len(held), "held": held}


def _release(simulator: Core, _request: Request, body: dict[str, t.Any]) -> dict[str, t.Any]:
    _only(body, "id", "drop")
    return {"released": simulator.holds.release(body.get("id"), abandon=bool(body.get("drop")))}


def _read_switches(simulator: Core, _request: Request, _body: object) -> dict[str, t.Any]:
    return simulator.switches.as_dict()


def _switch(simulator: Core, request: Request, body: dict[str, t.Any]) -> dict[str, t.Any]:
    simulator.switches.update(body)
    return _read_switches(simulator, request, body)


def _seed(simulator: Core, _request: Request, body: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return simulator.plant(body)


def _authenticate(simulator: Core, _request: Request, body: dict[str, t.Any]) -> dict[str, t.Any]:
    return simulator.recognise(body["secret"])


def _only(body: Mapping[str, t.Any], *known: str) -> None:
    strangers = set(body) - set(known)
    if strangers:
        raise ValueError(f"unknown: {', '.join(sorted(strangers))}")


_RESOURCES: dict[tuple[str, str], Callable[[Core, Request, dict[str, t.Any]], dict[str, t.Any]]] = {
    ("GET", "state"): _state,
    ("GET", "clock"): _read_clock,
    ("POST", "clock"): _move_clock,
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _clear_requests,
    ("GET", "faults"): _list_faults,
    ("POST", "faults"): _arm,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "hold"): _list_holds,
    ("POST", "hold/release"): _release,
    ("GET", "switches"): _read_switches,
    ("POST", "switches"): _switch,
    ("POST", "seed"): _seed,
    ("POST", "authenticate"): _authenticate,
}
