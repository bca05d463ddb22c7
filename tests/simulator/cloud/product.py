"""Bitbucket Cloud: a model, and what it answers. One simulator plays all of Atlassian's hosts."""

from __future__ import annotations

import hashlib
import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping

from .. import control
from ..clock import DAY_MS, Clock
from ..core import Core, Ticket
from ..exchange import Request, Response, html_response
from ..faults import Fault
from ..git import Shelf
from ..limits import RateLimiter
from . import admin, git, oauth, planting, rest
from .authentication import Presented, presented
from .errors import TOO_MANY, error_response, text_response
from .model import (
    ACCESS_TOKEN_KINDS,
    Account,
    Consumer,
    Environment,
    Model,
    Organization,
    Repository,
    Token,
    Variable,
    Workspace,
)
from .state import model_state, token_state
from .switches import CloudSwitches

START = "2026-11-02T09:00:00Z"
"""After the end of app passwords (C1)."""
HOSTS = {"api.bitbucket.org": ("rest",), "bitbucket.org": ("oauth", "git"), "api.atlassian.com": ("admin",)}
"""What each real host serves (C4, C6, C10); any other host, such as 127.0.0.1, serves all of it."""
SIDES = {"2.0": "rest", "site": "oauth", "admin": "admin", "users": "admin", "orgs": "admin"}


class Cloud(Core):
    """``seed`` makes ids and secrets repeatable."""

    switches: CloudSwitches

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: int | str | None = None,
        switches: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(clock or Clock(START), CloudSwitches(), "")
        self.switches.update(switches or {})
        self.model = Model(seed)
        self.shelf = Shelf()
        self._admin = admin.Admin()
        self._limiter = RateLimiter()
        self._presented: Counter[str] = Counter()

    # Building the model

    def add_account(
        self,
        nickname: str,
        *,
        email: str | None = None,
        username: str | None = None,
        display_name: str | None = None,
    ) -> Account:
        with self.lock:
            model = self.model
            account = Account(
                nickname,
                username or f"{nickname}-bb",
                display_name or nickname.title(),
                email or f"{nickname}@company.example",
                model.braced_uuid(),
                f"712020:{model.plain_uuid()}",
            )
            model.accounts[nickname] = account
            return account

    def add_api_token(
        self,
        account: Account,
        label: str,
        scopes: Iterable[str] = ("read:user:bitbucket",),
        *,
        expires_in_days: float | None = 365,
        created_days_ago: float = 0,
        last_active_days_ago: float | None = None,
    ) -> Token:
        """Days count from the clock's now. Scopes of other products, or none, make a token that is not Bitbucket's."""
        with self.lock:
            made = Token("api_token", self._id(), self.model.api_token(), label, tuple(scopes), 0, account)
            self._date(made, created_days_ago, expires_in_days, last_active_days_ago)
            return self.model.add(made)

    def add_app_password(self, account: Account) -> str:
        """One that is dead, as all of them are."""
        with self.lock:
            secret = self.model.app_password()
            self.model.app_passwords[secret] = account
            return secret

    def add_access_token(
        self,
        kind: t.Literal["repository", "project", "workspace"],
        reach: str,
        scopes: Iterable[str] = ("repository",),
        *,
        label: str = "access token",
        expires_in_days: float | None = None,
        created_days_ago: float = 0,
    ) -> Token:
        """``reach``: ``acme``, ``acme/PAY`` or ``acme/ledger``; ``scopes`` in the older words."""
        with self.lock:
            name = t.cast("t.Any", ACCESS_TOKEN_KINDS[kind])
            made = Token(name, self._id(), self.model.access_token(), label, tuple(scopes), 0, reach=reach)
            self._date(made, created_days_ago, expires_in_days, None)
            return self.model.add(made)

    def add_organization(self, name: str, accounts: Iterable[Account] = ()) -> Organization:
        """``accounts`` are the managed ones; ``.id`` and ``.admin_key`` are what a client needs."""
        with self.lock:
            made = Organization(self.model.plain_uuid(), name, self.model.access_token(), list(accounts))
            self.model.organizations[made.id] = made
            return made

    def add_workspace(self, slug: str, members: Iterable[Account] = (), *, name: str | None = None) -> Workspace:
        with self.lock:
            made = Workspace(slug, name or slug.title(), self.model.braced_uuid(), list(members))
            self.model.workspaces[slug.lower()] = made
            return made

    def add_repository(self, workspace: str, slug: str, *, project: str = "PROJ") -> Repository:
        with self.lock:
            home = self.model.workspaces[workspace.lower()]
            made = Repository(home.slug, slug, project, self.model.braced_uuid())
            home.repositories[slug.lower()] = made
            return made

    def add_environment(self, repository: str, name: str) -> Environment:
        """``repository`` is ``acme/ledger``."""
        with self.lock:
            home = self.model.holder(repository)
            if not isinstance(home, Repository):
                raise KeyError(repository)
            made = Environment(name, self.model.braced_uuid())
            home.environments.append(made)
            return made

    def add_variable(self, holder: str, key: str, value: str, *, secured: bool = True) -> Variable:
        """``holder`` is ``acme``, ``acme/ledger`` or ``acme/ledger/Production``."""
        with self.lock:
            made = Variable(self.model.braced_uuid(), key, value, secured)
            self.model.holder(holder).variables.append(made)
            return made

    def add_consumer(
        self,
        workspace: str,
        name: str = "consumer",
        scopes: Iterable[str] = ("account",),
        account: Account | None = None,
    ) -> Consumer:
        """An OAuth client of a workspace, with ``.client_id`` and ``.client_secret``."""
        with self.lock:
            made = Consumer(name, workspace, self.model.noise(18), self.model.noise(32), tuple(scopes), account)
            self.model.consumers[made.client_id] = made
            return made

    # Looking at it

    def tokens(self, account: Account) -> list[Token]:
        """The account's API tokens that are not revoked, oldest first."""
        with self.lock:
            alive = [token for token in self.model.api_tokens_of([account]) if token.revoked is None]
            return sorted(alive, key=lambda token: token.created)

    def variables(self, holder: str) -> list[Variable]:
        """With their values, secured ones too."""
        with self.lock:
            return list(self.model.holder(holder).variables)

    def authenticates(self, secret: str) -> bool:
        """Would this secret work now, for anything at all? Asking is not a use."""
        if any(each.admin_key == secret for each in self.model.organizations.values()):
            return True
        token = self.model.by_secret(secret)
        return token is not None and token.works(self.clock.now_ms())

    def presented(self, secret: str) -> int:
        """How many requests carried this secret, whatever it is."""
        return self._presented[_digest(secret)]

    @property
    def disasters(self) -> list[str]:
        """C12: the organizations whose tokens somebody revoked all at once. Nobody ever may."""
        return list(self._admin.disasters)

    def state(self) -> dict[str, t.Any]:
        answer = model_state(self.model, self.clock.now_ms())
        answer["counts"]["requests"] = len(self.requests)
        return {"product": "cloud", **answer, "disasters": self.disasters}

    def plant(self, document: Mapping[str, t.Any]) -> dict[str, t.Any]:
        return planting.plant(self, document).as_dict(secrets=bool(document.get("return_secrets")))

    def recognise(self, secret: str) -> dict[str, t.Any]:
        token, seen = self.model.by_secret(secret), {"presented": self.presented(secret)}
        if token is not None:
            return {**token_state(token, self.clock.now_ms()), **seen}
        return {"id": None, "alive": self.authenticates(secret), **seen}

    # Serving

    def _serve(self, ticket: Ticket) -> tuple[Response, str | None]:
        request = ticket.request
        came = presented(request)
        if came.secret:
            self._presented[_digest(came.secret)] += 1
        side = _side(request)
        now = self.clock.now_ms()
        if side == "admin":
            call = admin.Call(request, self.model, self.switches, self.clock, self._admin)
            response, organization = admin.serve(call, came)
            return response, organization.name if organization else None
        if side == "oauth":
            return oauth.serve(request, came, self.model, self.switches, now), came.user or None
        if side == "git":
            response, token = git.serve(request, came, self.model, self.shelf, self.switches, now)
            return response, _name(token)
        if side == "rest":
            return self._rest(request, came, now)
        return html_response(404, "Not Found"), None

    def _rest(self, request: Request, came: Presented, now: int) -> tuple[Response, str | None]:
        token = self.model.by_secret(came.secret)
        capacity = self.switches.rate_limit_capacity
        if capacity > 0 and token is not None:
            wait = self._limiter.take(token.secret, now, capacity, self.switches.rate_limit_refill)
            if wait is not None:
                return self._too_many(token, wait), _name(token)
        answer = rest.serve(request, came, self.model, self.switches, now)
        if capacity > 0:
            self._tell_limit(answer.response, answer.token, near=False)
        return answer.response, _name(answer.token)

    def _too_many(self, token: Token, wait: int) -> Response:
        """C16 [doc]: the text."""
        json = self.switches.rate_limit_body == "json"
        response = error_response(429, TOO_MANY) if json else text_response(429, TOO_MANY)
        self._tell_limit(response, token, near=True)
        admin.add_retry_after(response, wait, self.clock, self.switches)
        return response

    def _tell_limit(self, response: Response, token: Token | None, *, near: bool) -> None:
        """C16 [doc]: these headers are for access tokens only; the name of the resource is made up."""
        if token is not None and token.is_access_token:
            response.headers["X-RateLimit-Limit"] = str(self.switches.rate_limit_capacity)
            response.headers["X-RateLimit-Resource"] = "api"
            response.headers["X-RateLimit-NearLimit"] = str(near).lower()

    def _control(self, request: Request) -> Response:
        return control.route(self, request)

    def _say(self, fault: Fault) -> Response:
        return error_response(fault.status or 503, fault.message, shape=fault.body)

    def _useless_secret(self, _token_id: str | None) -> str:
        return self.model.api_token()

    def _id(self) -> str:
        return self.model.noise(24)

    def _date(self, token: Token, created: float, expires: float | None, active: float | None) -> None:
        now = self.clock.now_ms()
        token.created = now - round(created * DAY_MS)
        token.expires = None if expires is None else now + round(expires * DAY_MS)
        token.last_active = None if active is None else now - round(active * DAY_MS)


def _side(request: Request) -> str | None:
    parts = request.segments
    side = SIDES.get(parts[0]) if parts else None
    if side is None and git.is_git(parts):
        side = "git"
    if side == "oauth" and parts != ["site", "oauth2", "access_token"]:
        side = None
    served = HOSTS.get(request.headers.get("host", "").lower().removesuffix(":443"))
    return side if served is None or side in served else None


def _name(token: Token | None) -> str | None:
    if token is None:
        return None
    return token.account.nickname if token.account else token.label


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
