"""Faults that tests arm: what networks, proxies and crashed servers do to one chosen exchange.

A fault counts the requests that match it and that no fault armed earlier has taken; it strikes from the ``nth`` on,
``times`` times (None: for ever). ``before`` is before the server has acted, ``after`` is when it has.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .exchange import Delivery, Request, Response, html_response

When = t.Literal["before", "after"]
Say = Callable[["Fault"], Response]
"""The answer to a fault of the kind status, in the shape of the product's own errors."""

# What each kind may be told besides the match. The first group never reaches the server or leaves no answer.
ARGUMENTS: dict[str, frozenset[str]] = {
    "refuse": frozenset(),
    "connect_timeout": frozenset(),
    "drop_before": frozenset(),
    "drop_after": frozenset(),
    "timeout": frozenset({"when"}),
    "status": frozenset({"when", "status", "body", "message", "exception_name", "retry_after", "headers"}),
    "html": frozenset({"when"}),
    "redirect": frozenset({"status", "location"}),
    "cut_json": frozenset({"at"}),
    "broken_json": frozenset({"at"}),
    "slow_body": frozenset({"seconds", "chunks"}),
    "delay": frozenset({"seconds"}),
    "no_date": frozenset(),
    "date": frozenset({"date"}),
    "wrong_secret": frozenset({"secret"}),
    "no_secret": frozenset(),
    "hold": frozenset({"when"}),
    "call": frozenset({"when", "run"}),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "when": ("before", "after"),
    "body": ("json", "html", "empty", "message"),
    "at": ("before_id", "after_id", "in_secret"),
    "secret": ("dead", "other_id", "template"),
}
#: What a hostile server sends as a secret: Ansible would run it if it took it for a template.
TEMPLATE = "{{lookup('pipe','touch${IFS}hostile')}}AAAA"
MATCH = frozenset({"method", "path", "query", "nth", "times"})


@dataclass
class Fault:
    id: int
    kind: str
    method: str | None = None
    path: str | None = None
    """A regular expression, searched in the encoded path below the context path."""
    query: str | None = None
    nth: int = 1
    times: int | None = 1
    when: When = "before"
    status: int | None = None
    body: t.Literal["json", "html", "empty", "message"] = "json"
    message: str = "The server is not available"
    exception_name: str | None = None
    retry_after: int | str | None = None
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    location: str = "https://elsewhere.example.com/"
    at: t.Literal["before_id", "after_id", "in_secret"] = "after_id"
    seconds: float = 1.0
    chunks: int = 4
    date: str = "Thu, 01 Jan 1970 00:00:00 GMT"
    secret: t.Literal["dead", "other_id", "template"] = "dead"
    run: Callable[[], object] | None = None
    seen: int = 0
    hits: int = 0

    @property
    def spent(self) -> bool:
        return self.times is not None and self.hits >= self.times

    def matches(self, request: Request) -> bool:
        if self.method is not None and request.method != self.method.upper():
            return False
        if self.query is not None and not re.search(self.query, request.query):
            return False
        return self.path is None or re.search(self.path, request.path) is not None

    def as_dict(self) -> dict[str, t.Any]:
        shown = {"id", "kind", "seen", "hits"} | MATCH | ARGUMENTS[self.kind] - {"run"}
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name in shown}


class Faults:
    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._last_id = 0

    def __iter__(self) -> t.Iterator[Fault]:
        return iter(list(self._armed))

    def arm(self, kind: str, **arguments: t.Any) -> Fault:
        if kind not in ARGUMENTS:
            raise ValueError(f"no fault {kind!r}; there are {', '.join(ARGUMENTS)}")
        strangers = set(arguments) - ARGUMENTS[kind] - MATCH
        if strangers:
            raise ValueError(f"{kind} does not take {', '.join(sorted(strangers))}")
        for name, value in arguments.items():
            if name in CHOICES and value not in CHOICES[name]:
                raise ValueError(f"{name} must be one of {', '.join(CHOICES[name])}")
        for name in ("path", "query"):
            re.compile(arguments.get(name) or "")
        self._last_id += 1
        fault = Fault(self._last_id, kind, **arguments)
        self._armed.append(fault)
        return fault

    def clear(self) -> None:
        self._armed.clear()

    def claim(self, request: Request) -> Fault | None:
        for fault in self._armed:
            if not fault.spent and fault.matches(request):
                fault.seen += 1
                if fault.seen >= fault.nth:
                    fault.hits += 1
                    return fault
        return None


def before(fault: Fault, say: Say) -> Response | None:
    """The answer that takes the place of the server's own, or None to let the server act."""
    if fault.kind in ("refuse", "connect_timeout"):
        return Response(0, delivery=Delivery(t.cast("t.Any", fault.kind)))
    if fault.kind == "drop_before":
        return Response(0, delivery=Delivery("drop"))
    if fault.kind == "redirect":
        return Response(fault.status or 302, {"Location": fault.location})
    if fault.when == "before":
        return _instead(fault, say)
    return None


def after(fault: Fault, response: Response, mint: Callable[[str | None], str], say: Say) -> Response:
    """What becomes of the server's answer; ``mint`` makes a secret that works nowhere."""
    if fault.kind == "drop_after":
        return Response(0, delivery=Delivery("drop"))
    if fault.when == "after" and (instead := _instead(fault, say)) is not None:
        return instead
    change = _CHANGES.get(fault.kind)
    return change(fault, response, mint) if change else response


def _instead(fault: Fault, say: Say) -> Response | None:
    if fault.kind == "timeout":
        return Response(0, delivery=Delivery("timeout"))
    if fault.kind == "html":
        return html_response(200, "Please log in")
    if fault.kind != "status":
        return None
    response = say(fault)
    response.headers.update(fault.headers)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    return response


def _cut(fault: Fault, response: Response, _mint: object) -> Response:
    length = _cut_at(fault, response.body)
    if fault.kind == "cut_json":
        response.delivery = Delivery("cut", length=length)
    else:
        response.body = response.body[:length]  # a proxy that ends the body early and says so
    return response


def _cut_at(fault: Fault, body: bytes) -> int:
    """Where to cut: a readable id or not, part of the secret or nothing of it, never all of it."""
    id_match = re.search(rb'"id":"(\d+)"', body)
    secret_match = re.search(rb'"token":"([^"]*)"', body)
    if id_match is None:
        return len(body) // 2
    if fault.at == "before_id":
        return id_match.start(1) + 5
    if fault.at == "in_secret" and secret_match is not None:
        return (secret_match.start(1) + secret_match.end(1)) // 2 + 6
    return id_match.end() + 1


def _slow(fault: Fault, response: Response, _mint: object) -> Response:
    response.delivery = Delivery("slow", seconds=fault.seconds, chunks=max(2, fault.chunks))
    return response


def _delay(fault: Fault, response: Response, _mint: object) -> Response:
    response.delivery = Delivery(seconds=fault.seconds)
    return response


def _no_date(_fault: Fault, response: Response, _mint: object) -> Response:
    response.headers["Date"] = ""
    return response


def _date(fault: Fault, response: Response, _mint: object) -> Response:
    response.headers["Date"] = fault.date
    return response


def _secret(fault: Fault, response: Response, mint: Callable[[str | None], str]) -> Response:
    body = _object(response)
    if "token" in body:
        if fault.kind == "no_secret":
            del body["token"]
        elif fault.secret == "template":
            body["token"] = TEMPLATE
        else:
            body["token"] = mint(body["id"] if fault.secret == "dead" else None)
        response.body = json.dumps(body, separators=(",", ":")).encode()
    return response


def _object(response: Response) -> dict[str, t.Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


_CHANGES: dict[str, Callable[[Fault, Response, Callable[[str | None], str]], Response]] = {
    "cut_json": _cut,
    "broken_json": _cut,
    "slow_body": _slow,
    "delay": _delay,
    "no_date": _no_date,
    "date": _date,
    "wrong_secret": _secret,
    "no_secret": _secret,
}
