"""A double of AWX, as far as a store in its credentials goes; built from the public API reference of AWX.

It is not AWX, which cannot be installed from a package index. It knows organizations, the managed credential type for
Bitbucket Data Center, and credentials, whose secrets it never shows.
"""

from __future__ import annotations

import contextlib
import threading
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.doubles.loopback import DROP, Answer, Json, Request, serving

TOKEN = "an-oauth-token-of-the-double-4711"
TYPE, ORGANIZATION = 27, 3
ENCRYPTED = "$encrypted$"


@dataclass
class AwxDouble:
    """The state of the controller, and what a test may do to it."""

    credentials: dict[int, Json] = field(default_factory=dict)
    #: Whether the login may create, and change what is there.
    creates: bool = True
    edits: bool = True
    before: Callable[[Request], Answer | None] = lambda _request: None
    after: Callable[[Request, Answer], Answer | None] = lambda _request, _answer: None
    requests: list[Request] = field(default_factory=list)
    largest_page: int = 200
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            spoilt = self.before(request)
            if spoilt is not None:
                return spoilt
            answer = self._route(request)
            return self.after(request, answer) or answer

    def put(self, name: str, token: str, description: str = "", **more: t.Any) -> int:
        """A credential that somebody has made by hand."""
        number = len(self.credentials) + 100
        place = {"organization": ORGANIZATION, "credential_type": TYPE}
        kept = {"id": number, "name": name, "description": description, "inputs": {"token": token}, **place, **more}
        self.credentials[number] = kept
        return number

    def _route(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401, {"detail": "Authentication credentials were not provided."})
        parts = request.path.removeprefix("/api/v2/").strip("/").split("/")
        if request.method == "OPTIONS":
            return Answer(200, {"actions": {"GET": {}, **({"POST": {}} if self.creates else {})}})
        if parts == ["organizations"]:
            return self._list([{"id": ORGANIZATION, "name": "Payments"}], request)
        if parts == ["credential_types"]:
            return self._list([{"id": TYPE, "namespace": "bitbucket_dc_token", "managed": True}], request)
        if parts == ["credentials"] and request.method == "GET":
            return self._list([self._shown(item) for item in self.credentials.values()], request)
        if parts == ["credentials"]:
            return self._create(request.body)
        return self._change(int(parts[1]), request.body)

    def _create(self, body: Json) -> Answer:
        if not self.creates:
            return Answer(403, {"detail": "You do not have permission to perform this action."})
        unique = ("name", "organization", "credential_type")
        if any(all(item[key] == body[key] for key in unique) for item in self.credentials.values()):
            return Answer(400, {"__all__": [f"Credential with this {unique} already exists: {body}"]})
        number = self.put(body["name"], body["inputs"]["token"], body["description"])
        return Answer(201, self._shown(self.credentials[number]))

    def _change(self, number: int, body: Json) -> Answer:
        if not self.edits:
            return Answer(403, {"detail": "You do not have permission to perform this action."})
        self.credentials[number].update(body)
        return Answer(200, self._shown(self.credentials[number]))

    def _shown(self, item: Json) -> Json:
        shown = {key: ENCRYPTED for key, value in item["inputs"].items() if value}
        return {**item, "inputs": shown, "summary_fields": {"user_capabilities": {"edit": self.edits}}}

    def _list(self, items: list[Json], request: Request) -> Answer:
        filters = {key: value for key, value in request.query.items() if key not in ("page", "page_size", "order_by")}
        found = [item for item in items if all(str(item.get(key)) == value for key, value in filters.items())]
        size = min(int(request.query.get("page_size", 25)), self.largest_page)
        page = int(request.query.get("page", 1))
        more = page * size < len(found)
        following = f"http://elsewhere.example/api/v2/?page={page + 1}" if more else None
        return Answer(200, {"count": len(found), "next": following, "results": found[(page - 1) * size : page * size]})


def lose_answers(*methods: str) -> Callable[[Request, Answer], Answer | None]:
    """The controller does what it was asked to, and the answer is lost."""
    return lambda request, _answer: DROP if request.method in methods else None


@contextlib.contextmanager
def running(**state: t.Any) -> Iterator[tuple[AwxDouble, str]]:
    double = AwxDouble(**state)
    with serving(double.handle) as url:
        yield double, url
