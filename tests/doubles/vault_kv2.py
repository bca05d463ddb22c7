"""A double of HashiCorp Vault, as far as a KV v2 store goes; built from Vault's public HTTP API reference.

It is not Vault. It has what a real server rarely shows on demand: lost answers, races between two requests, rubbish.
The contract of the store is tested against a real OpenBao beside it, wherever one is installed.
"""

from __future__ import annotations

import contextlib
import math
import time
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.doubles.loopback import DROP, Answer, Double, Json, Request, serving
from tests.simulator.tls import Certificates

TOKEN = "hvs.a-token-of-the-double-4711"
ROLE_ID, SECRET_ID = "a-role-id-of-the-double", "a-secret-id-of-the-double-4711"
JWT = "a-jwt.of-the.double-4711"
ALL = ("create", "read", "update", "delete", "list")


def errors(status: int, *texts: str) -> Answer:
    return Answer(status, {"errors": list(texts)})


@dataclass
class VaultDouble(Double):
    """The state of the server, and what a test may do to it."""

    mounts: dict[str, tuple[str, str]] = field(default_factory=lambda: {"kv": ("kv", "2"), "old": ("kv", "1")})
    #: Path below the mount to its versions, each the fields or ``None`` where it was deleted.
    versions: dict[str, list[Json | None]] = field(default_factory=dict)
    namespace: str = ""
    allowed: tuple[str, ...] = ALL
    sealed: bool = False
    #: Seconds that a login is good for.
    lease: float = 3600
    #: When the last login is over, in seconds of the monotonic clock.
    over: float = math.inf

    def put(self, path: str, fields: Json | None) -> None:
        """Write as another client does."""
        self.versions.setdefault(path, []).append(fields)

    def _route(self, request: Request) -> Answer:
        path = request.path.removeprefix("/v1/")
        if path == "sys/seal-status":
            return Answer(200, {"sealed": self.sealed, "initialized": True})
        if self.sealed:
            return errors(503, "Vault is sealed")
        if request.headers.get("x-vault-namespace", "") != self.namespace:
            return errors(404, "no handler for route. route entry not found.")
        if path.startswith("auth/"):
            return self._login(path, request.body)
        if request.headers.get("x-vault-token") != TOKEN or time.monotonic() > self.over:
            return errors(403, "permission denied")
        if path.startswith("sys/internal/ui/mounts/"):
            return self._mount(path.removeprefix("sys/internal/ui/mounts/"))
        if path == "sys/capabilities-self":
            found = {name: list(self.allowed) for name in request.body["paths"]}
            return Answer(200, {**found, "data": found})
        return self._data(path, request)

    def _login(self, path: str, body: Json) -> Answer:
        fits = {
            "auth/approle/login": (body.get("role_id"), body.get("secret_id")) == (ROLE_ID, SECRET_ID),
            "auth/jwt/login": (body.get("role"), body.get("jwt")) == ("ci", JWT),
        }
        if path not in fits:
            return errors(403, "permission denied")
        if not fits[path]:
            # The real ones quote what they were given in some of these.
            return errors(400, f"invalid role or secret ID: {body}")
        self.over = time.monotonic() + self.lease
        return Answer(200, {"auth": {"client_token": TOKEN, "lease_duration": self.lease}})

    def _mount(self, name: str) -> Answer:
        if name not in self.mounts:
            grant = f'please ensure client\'s policies grant access to path "{name}/"'
            return errors(403, f"preflight capability check returned 403, {grant}")
        kind, version = self.mounts[name]
        options = {"version": version} if kind == "kv" else None
        return Answer(200, {"data": {"type": kind, "options": options, "path": f"{name}/"}})

    def _data(self, path: str, request: Request) -> Answer:
        mount, _slash, rest = path.partition("/data/")
        if mount not in self.mounts:
            return errors(404, f'no handler for route "{path}". route entry not found.')
        if ("read" if request.method == "GET" else "update") not in self.allowed:
            return errors(403, "1 error occurred:\n\t* permission denied\n\n")
        versions = self.versions.get(rest, [])
        if request.method == "GET":
            return self._newest(versions)
        cas = request.body.get("options", {}).get("cas")
        if cas is not None and cas != len(versions):
            return errors(400, "check-and-set parameter did not match the current version")
        self.put(rest, request.body["data"])
        return Answer(200, {"data": self._metadata(self.versions[rest])})

    def _newest(self, versions: list[Json | None]) -> Answer:
        if not versions:
            return errors(404)
        deleted = versions[-1] is None
        return Answer(404 if deleted else 200, {"data": {"data": versions[-1], "metadata": self._metadata(versions)}})

    @staticmethod
    def _metadata(versions: list[Json | None]) -> Json:
        deletion = "2026-11-23T08:00:00Z" if versions[-1] is None else ""
        created = "2026-11-23T07:00:00Z"
        return {"version": len(versions), "deletion_time": deletion, "destroyed": False, "created_time": created}


def lose_answers(method: str) -> Callable[[Request, Answer], Answer | None]:
    """The server does what it was asked to, and the answer is lost."""
    return lambda request, _answer: DROP if request.method == method and "/data/" in request.path else None


@contextlib.contextmanager
def running(tls: Certificates | None = None, **state: t.Any) -> Iterator[tuple[VaultDouble, str]]:
    double = VaultDouble(**state)
    with serving(double.handle, tls) as url:
        yield double, url
