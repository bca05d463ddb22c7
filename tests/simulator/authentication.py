"""Who is calling: anonymous, a user by password or OAuth, or a token."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from fnmatch import fnmatchcase

from .errors import RestError, bad_credentials, captcha, no_licence
from .exchange import Request
from .model import Model, Owner, Project, Repository, Token, User
from .switches import Switches


@dataclass(frozen=True)
class Caller:
    """``user`` is who answers in X-AUSERNAME; ``token`` is set when a token stood in for a password."""

    user: User | None = None
    token: Token | None = None
    owner: Owner | None = None

    @property
    def is_admin(self) -> bool:
        """D20 [doc]: administration refuses tokens, whoever they belong to (BSERV-10482)."""
        return self.user is not None and self.user.is_admin and self.token is None

    def administers_project(self, project: Project) -> bool:
        if self.token is not None and "PROJECT_ADMIN" not in self.token.permissions:
            return False
        if self.owner is not None and self.owner.scope != "USER":
            return self.owner.scope == "PROJECT" and self.owner.project is project
        return self._holds(project.admins, project)

    def administers_repository(self, project: Project, repository: Repository) -> bool:
        if self.administers_project(project):
            return True
        if self.token is not None and "REPO_ADMIN" not in self.token.permissions:
            return False
        if self.owner is not None and self.owner.scope != "USER":
            return self.owner.project is project and self.owner.repository in (None, repository)
        return self._holds(repository.admins | project.admins, project)

    def sees(self, project: Project) -> bool:
        """Logged-in users see every shared project; a token sees what its owner does."""
        if self.owner is not None and self.owner.scope != "USER":
            return self.owner.project is project
        return not project.personal or self._holds(project.admins, project)

    def _holds(self, admins: set[str], project: Project) -> bool:
        if self.user is None:
            return False
        return self.user.is_admin or self.user.name in admins or project.key.lower() == f"~{self.user.slug}".lower()


ANONYMOUS = Caller()


def authenticate(request: Request, model: Model, switches: Switches, now: int) -> Caller:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return _basic(request, value.strip(), model, switches, now)
    if scheme.lower() == "bearer":
        return _bearer(value.strip(), model, switches, now)
    return ANONYMOUS


def _bearer(secret: str, model: Model, switches: Switches, now: int) -> Caller:
    if secret in model.oauth:
        return Caller(_usable(model.users[model.oauth[secret]]))  # D20 [doc]: as good as the password
    token = model.by_secret(secret)
    if token is None or not token.authenticates(now):
        raise bad_credentials()
    return _token_caller(token, model, switches, now)  # D21 [doc]: every kind of token works as Bearer


def _basic(request: Request, value: str, model: Model, switches: Switches, now: int) -> Caller:
    try:
        name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise bad_credentials() from None
    if not _basic_allowed(request, name, switches):
        # D23 [live], D9 [live]: this filter has an error shape of its own
        raise RestError(403, "Basic Authentication has been disabled on this instance.", shape="message")
    user = model.user(name)
    if user is None:
        raise bad_credentials()
    if 0 < switches.captcha_after <= user.failures:
        raise captcha()  # D24 [live]: the right password does not help either
    token = _personal_token(user, password, model, now)
    if token is None and not hmac.compare_digest(password.encode(), user.password.encode()):
        user.failures += 1
        raise bad_credentials()
    user.failures = 0
    return _token_caller(token, model, switches, now) if token else Caller(_usable(user))


def _personal_token(user: User, secret: str, model: Model, now: int) -> Token | None:
    """D21 [doc]: only a personal token of that very user stands in for the password."""
    token = model.by_secret(secret)
    if token is None or token.owner != f"users/{user.slug}" or not token.authenticates(now):
        return None
    return token


def _token_caller(token: Token, model: Model, switches: Switches, now: int) -> Caller:
    owner = model.owner(token.owner)
    if owner is None:
        raise bad_credentials()
    user = _usable(owner.user) if owner.user else model.service_user(owner)
    token.use(now, round(switches.last_authenticated_delay * 1000))
    return Caller(user, token, owner)


def _usable(user: User) -> User:
    if not (user.active and user.licensed):
        raise no_licence()
    return user


def _basic_allowed(request: Request, name: str, switches: Switches) -> bool:
    if switches.basic_auth:
        return True
    users = (pattern.lower() for pattern in switches.basic_auth_allowed_users)
    if any(fnmatchcase(name.lower(), pattern) for pattern in users):
        return True
    return any(fnmatchcase(request.path, pattern) for pattern in switches.basic_auth_allowed_paths)
