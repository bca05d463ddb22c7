"""Bitbucket Data Center: a model, and what it answers."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from urllib.parse import quote

from . import control, directory, scm, tokens
from . import seed as planting
from .authentication import ANONYMOUS, Caller, authenticate
from .clock import DAY_MS, Clock
from .context import Context
from .core import Core, Ticket
from .errors import RestError, error_response, not_found
from .exchange import Request, Response, html_response
from .faults import Fault
from .git import Shelf
from .limits import RateLimiter
from .model import Model, Project, Repository, Token, User
from .state import model_state, token_state
from .switches import Switches, switches_for

VERSIONS = ("1.0", "latest")
ROUTES = {"access-tokens": tokens.route, "api": directory.route, "basicauth": directory.basic_auth_route}


class Simulator(Core):
    """One Bitbucket Data Center of the given profile. ``seed`` makes ids, secrets and passwords repeatable."""

    switches: Switches

    def __init__(
        self,
        profile: str = "10.4",
        *,
        clock: Clock | None = None,
        seed: int | str | None = None,
        model: Model | None = None,
        context_path: str = "",
        switches: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(clock or Clock(), switches_for(profile), context_path)
        self.switches.update(switches or {})
        self.profile = profile
        self.model = model or Model(seed)
        self.shelf = Shelf()
        self._limiter = RateLimiter()

    # Building the model

    def add_user(self, name: str, password: str | None = None, roles: Iterable[str] = (), **more: t.Any) -> User:
        with self.lock:
            return self.model.add_user(name, password, roles, **more)

    def add_project(self, key: str, name: str | None = None, admins: Iterable[str] = (), **more: t.Any) -> Project:
        with self.lock:
            return self.model.add_project(key, name, admins, **more)

    def add_repository(
        self, project_key: str, slug: str, *, archived: bool = False, admins: Iterable[str] = (), **more: t.Any
    ) -> Repository:
        with self.lock:
            return self.model.add_repository(project_key, slug, archived=archived, admins=admins, **more)

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
            owner, now = self.model.owner(owner_path), self.clock.now_ms()
            if owner is None:
                raise KeyError(owner_path)
            return self.model.add_token(
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
            return self.model.add_oauth(user_name)

    # Looking at it

    def tokens(self, owner_path: str) -> list[Token]:
        """The owner's tokens that are not revoked, oldest first."""
        with self.lock:
            return sorted(self.model.tokens_of(owner_path), key=lambda token: token.created)

    def token(self, token_id: str) -> Token:
        """Any token ever issued, revoked ones too."""
        with self.lock:
            found = {token.id: token for token in self.model.all_tokens()} | self.model.revoked
            return found[token_id]

    def authenticates(self, secret: str) -> bool:
        """Would this secret work now? Asking is not a use."""
        token = self.model.by_secret(secret)
        return token is not None and token.authenticates(self.clock.now_ms())

    def state(self) -> dict[str, t.Any]:
        answer = model_state(self.model, self.clock.now_ms())
        answer["counts"]["requests"] = len(self.requests)
        return {"profile": self.profile, **answer}

    def plant(self, document: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return planting.plant(self, document).as_dict(secrets=bool(document.get("return_secrets")))

    def recognise(self, secret: str) -> dict[str, t.Any]:
        token = self.model.by_secret(secret)
        return token_state(token, self.clock.now_ms()) if token else {"id": None, "alive": False}

    # Serving

    def _serve(self, ticket: Ticket) -> tuple[Response, str | None]:
        if ticket.stray:
            return html_response(404, "Not Found"), None
        request, caller = ticket.request, ANONYMOUS
        try:
            caller = authenticate(request, self.model, self.switches, self.clock.now_ms())
            name = caller.user.name if caller.user else None
            response = self._limiter.refusal(name, self.clock, self.switches)
            response = response or self._route(request, caller)
        except RestError as error:
            response = error.response
        if caller.user is not None:  # D22 [live]: both are missing for anonymous
            response.headers["X-AUSERNAME"] = quote(caller.user.name, safe="")
            response.headers["X-AUSERID"] = str(caller.user.id)
        return response, caller.user.name if caller.user else None

    def _route(self, request: Request, caller: Caller) -> Response:
        parts = request.segments
        if parts[:1] != ["rest"]:
            return self._outside_rest(request, caller)
        self._check_xsrf(request)
        route = ROUTES.get(parts[1]) if len(parts) > 3 and parts[2] in VERSIONS else None
        if route is None:
            raise not_found("There is no such resource")
        base_url = request.base_url + self.context_path
        return route(Context(request, caller, self.model, self.switches, self.clock.now_ms(), base_url, parts[3:]))

    def _outside_rest(self, request: Request, caller: Caller) -> Response:
        """D4 [doc]: tokens are honoured only under /rest and /scm; outside of both nothing is simulated."""
        if len(request.segments) > 3 and request.segments[0] == "scm":
            return scm.serve(request, caller, self.model, self.shelf)
        if caller.token is not None:
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

    def _control(self, request: Request) -> Response:
        return control.route(self, request)

    def _say(self, fault: Fault) -> Response:
        return error_response(fault.status or 503, fault.message, fault.exception_name, shape=fault.body)

    def _useless_secret(self, token_id: str | None) -> str:
        return self.model.secret(token_id or self.model.token_id(), self.switches.secret_prefix)
