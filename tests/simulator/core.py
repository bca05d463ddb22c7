"""The pure core: ``Simulator.handle(request) -> response``. No socket, no event loop, one lock."""

from __future__ import annotations

import dataclasses
import threading
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from . import control, directory, faults, tokens
from .authentication import ANONYMOUS, Caller, authenticate
from .clock import DAY_MS, Clock
from .context import Context
from .errors import RestError, not_found
from .exchange import Request, Response, html_response
from .faults import Fault, Faults
from .holds import Holds
from .limits import RateLimiter
from .log import LogEntry, RequestLog
from .model import Project, Repository, Token, User, World
from .switches import switches_for

VERSIONS = ("1.0", "latest")
ROUTES = {"access-tokens": tokens.route, "api": directory.route, "basicauth": directory.basic_auth_route}
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


class Simulator:
    """One Bitbucket Data Center of the given profile.

    ``handle`` is for callers without a network; a front that can wait uses ``claim`` and ``answer`` and holds or
    delays the request between them. ``seed`` makes ids, secrets and passwords repeatable.
    """

    def __init__(
        self,
        profile: str = "10.4",
        *,
        clock: Clock | None = None,
        seed: int | str | None = None,
        world: World | None = None,
        context_path: str = "",
        switches: Mapping[str, object] | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.profile = profile
        self.switches = switches_for(profile)
        self.switches.update(switches or {})
        self.clock = clock or Clock()
        self.world = world or World(seed)
        self.context_path = "/" + context_path.strip("/") if context_path.strip("/") else ""
        self.requests = RequestLog()
        self.faults = Faults()
        self.holds = Holds()
        self._limiter = RateLimiter()

    # Building the world

    def add_user(self, name: str, password: str | None = None, roles: Iterable[str] = (), **more: t.Any) -> User:
        with self.lock:
            return self.world.add_user(name, password, roles, **more)

    def add_project(self, key: str, name: str | None = None, admins: Iterable[str] = ()) -> Project:
        with self.lock:
            return self.world.add_project(key, name, admins)

    def add_repository(
        self, project_key: str, slug: str, *, archived: bool = False, admins: Iterable[str] = ()
    ) -> Repository:
        with self.lock:
            return self.world.add_repository(project_key, slug, archived=archived, admins=admins)

    def add_token(
        self,
        owner_path: str,
        name: str,
        permissions: Iterable[str] = ("REPO_READ",),
        *,
        created_days_ago: float = 0,
        expires_in_days: float | None = None,
        last_used_days_ago: float | None = None,
        token_id: str | None = None,
    ) -> Token:
        """A token that was there before; days count from the clock's now, past every rule and switch."""
        with self.lock:
            owner, now = self.world.owner(owner_path), self.clock.now_ms()
            if owner is None:
                raise KeyError(owner_path)
            return self.world.add_token(
                owner.path,
                name,
                permissions,
                created=now - round(created_days_ago * DAY_MS),
                expires=None if expires_in_days is None else now + round(expires_in_days * DAY_MS),
                last_used=None if last_used_days_ago is None else now - round(last_used_days_ago * DAY_MS),
                prefix=self.switches.secret_prefix,
                token_id=token_id,
            )

    def add_oauth_bearer(self, user_name: str) -> str:
        with self.lock:
            return self.world.add_oauth(user_name)

    # Looking at it

    def tokens(self, owner_path: str) -> list[Token]:
        """The owner's tokens that are not revoked, oldest first."""
        with self.lock:
            return sorted(self.world.tokens_of(owner_path), key=lambda token: token.created)

    def token(self, token_id: str) -> Token:
        """Any token ever issued, revoked ones too."""
        with self.lock:
            found = {token.id: token for token in self.world.all_tokens()} | self.world.revoked
            return found[token_id]

    def authenticates(self, secret: str) -> bool:
        """Would this secret work now? Asking is not a use."""
        token = self.world.by_secret(secret)
        return token is not None and token.authenticates(self.clock.now_ms())

    # Serving

    def handle(self, request: Request) -> Response:
        return self.answer(self.claim(request))

    def claim(self, request: Request) -> Ticket:
        with self.lock:
            arrived = self.clock.now_ms()
            inner = request.path[len(self.context_path) :] if self._below_context(request.path) else None
            for path in (request.path, inner or ""):
                if path.startswith(control.PREFIX):
                    return Ticket(dataclasses.replace(request, path=path), None, arrived, control=True)
            if inner is None:
                return Ticket(request, self.faults.claim(request), arrived, stray=True)
            request = dataclasses.replace(request, path=inner) if self.context_path else request
            return Ticket(request, self.faults.claim(request), arrived)

    def answer(self, ticket: Ticket) -> Response:
        with self.lock:
            if ticket.control:
                return control.route(self, ticket.request)
            response, caller = self._faulty(ticket)
            self._complete(response)
            user = caller.user.name if caller.user else None
            request, fault = ticket.request, ticket.fault
            now = self.clock.now_ms()
            kind = fault.kind if fault else None
            self.requests.add(
                LogEntry(request.method, request.path, request.query, user, response.status, kind, ticket.arrived, now)
            )
            return response

    def _below_context(self, path: str) -> bool:
        return not self.context_path or path == self.context_path or path.startswith(self.context_path + "/")

    def _faulty(self, ticket: Ticket) -> tuple[Response, Caller]:
        fault = ticket.fault
        if fault is None:
            return self._serve(ticket)
        if fault.kind == "call" and fault.run and fault.when == "before":
            fault.run()
        instead = faults.before(fault)
        if instead is not None:
            return instead, ANONYMOUS
        response, caller = self._serve(ticket)
        if fault.kind == "call" and fault.run and fault.when == "after":
            fault.run()
        return faults.after(fault, response, self._useless_secret), caller

    def _serve(self, ticket: Ticket) -> tuple[Response, Caller]:
        if ticket.stray:
            return html_response(404, "Not Found"), ANONYMOUS
        request, caller = ticket.request, ANONYMOUS
        try:
            caller = authenticate(request, self.world, self.switches, self.clock.now_ms())
            name = caller.user.name if caller.user else None
            response = self._limiter.refusal(name, self.clock, self.switches)
            response = response or self._route(request, caller)
        except RestError as error:
            response = error.response
        if caller.user is not None:  # D22 [live]: both are missing for anonymous
            response.headers["X-AUSERNAME"] = quote(caller.user.name, safe="")
            response.headers["X-AUSERID"] = str(caller.user.id)
        return response, caller

    def _route(self, request: Request, caller: Caller) -> Response:
        parts = request.segments
        if parts[:1] != ["rest"]:
            return self._outside_rest(request, caller)
        self._check_xsrf(request)
        route = ROUTES.get(parts[1]) if len(parts) > 3 and parts[2] in VERSIONS else None
        if route is None:
            raise not_found("There is no such resource")
        base_url = request.base_url + self.context_path
        return route(Context(request, caller, self.world, self.switches, self.clock.now_ms(), base_url, parts[3:]))

    def _outside_rest(self, request: Request, caller: Caller) -> Response:
        """D4 [doc]: tokens are honoured only under /rest and /scm; nothing else is simulated there."""
        if caller.token is not None and not request.path.startswith("/scm/"):
            if self.switches.token_outside_rest == "redirect":
                return Response(302, {"Location": f"{request.base_url}{self.context_path}/login"})
            if self.switches.token_outside_rest == "refuse":
                return html_response(401, "Unauthorized")
        return html_response(404, "Not Found")

    def _check_xsrf(self, request: Request) -> None:
        """D25 [live]: a mutation needs a JSON content type or the header that says no-check."""
        if request.method == "GET" or not self.switches.xsrf_check:
            return
        is_json = request.headers.get("content-type", "").lower().startswith("application/json")
        if not is_json and request.headers.get("x-atlassian-token", "").lower() not in ("no-check", "nocheck"):
            raise RestError(403, "XSRF check failed", shape="html")

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

    def _useless_secret(self, token_id: str | None) -> str:
        return self.world.secret(token_id or self.world.token_id(), self.switches.secret_prefix)
