"""The model of a server: users, projects, repositories, tokens. It knows nothing of HTTP."""

from __future__ import annotations

import base64
import random
import re
import typing as t
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

ADMIN_ROLES = frozenset({"ADMIN", "SYS_ADMIN"})
LICENSED_ROLE = "LICENSED_USER"
PASSWORD_ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass
class User:
    name: str
    slug: str
    display_name: str
    email: str
    id: int
    password: str = field(repr=False)
    roles: frozenset[str] = frozenset()
    active: bool = True
    licensed: bool = True
    type: str = "NORMAL"
    failures: int = 0
    """Bad passwords in a row (D24)."""

    @property
    def is_admin(self) -> bool:
        return bool(self.roles & ADMIN_ROLES)


@dataclass
class Repository:
    project_key: str
    slug: str
    name: str
    id: int
    archived: bool = False
    admins: set[str] = field(default_factory=set)
    description: str | None = None
    public: bool = False


@dataclass
class Project:
    key: str
    name: str
    id: int
    admins: set[str] = field(default_factory=set)
    repositories: dict[str, Repository] = field(default_factory=dict)
    description: str | None = None
    public: bool = False

    @property
    def personal(self) -> bool:
        return self.key.startswith("~")  # D29 [doc]


@dataclass(frozen=True)
class Owner:
    """Whose tokens: a user, a project, or a repository of that project."""

    path: str
    user: User | None = None
    project: Project | None = None
    repository: Repository | None = None

    @property
    def scope(self) -> t.Literal["USER", "PROJECT", "REPOSITORY"]:
        if self.repository is not None:
            return "REPOSITORY"
        return "PROJECT" if self.project is not None else "USER"


@dataclass
class Token:
    id: str
    secret: str = field(repr=False)
    owner: str
    name: str
    permissions: tuple[str, ...]
    created: int
    expires: int | None = None
    revoked: int | None = None
    last_used: int | None = None
    """The newest use that a reader may see."""
    pending_use: int | None = None
    """A use that does not show yet (open question 9)."""

    def expired(self, now: int) -> bool:
        return self.expires is not None and self.expires <= now

    def authenticates(self, now: int) -> bool:
        return self.revoked is None and not self.expired(now)  # D17 [inferred]: expired ones only stay listed

    def use(self, now: int, delay_ms: int) -> None:
        self.settle_use(now, delay_ms)
        if delay_ms <= 0:
            self.last_used = now
        elif self.pending_use is None:
            self.pending_use = now

    def settle_use(self, now: int, delay_ms: int) -> None:
        if self.pending_use is not None and now >= self.pending_use + delay_ms:
            self.last_used, self.pending_use = self.pending_use, None


class Model:
    """Everything the server stores. Keys and slugs are found in any spelling and kept in their own (D1)."""

    def __init__(self, seed: int | str | None = None) -> None:
        self.random: random.Random = random.SystemRandom() if seed is None else random.Random(seed)
        self.users: dict[str, User] = {}
        self.projects: dict[str, Project] = {}
        self.tokens: dict[str, dict[str, Token]] = {}
        self.revoked: dict[str, Token] = {}
        self.oauth: dict[str, str] = {}
        self.issued = 0
        self._by_slug: dict[str, User] = {}
        self._by_secret: dict[str, Token] = {}
        self._ids: set[str] = set()
        self._services: dict[str, User] = {}
        self._last_id = 0

    # Making things

    def add_user(
        self,
        name: str,
        password: str | None = None,
        roles: Iterable[str] = (),
        *,
        slug: str | None = None,
        display_name: str | None = None,
        email: str | None = None,
        active: bool = True,
        licensed: bool = True,
    ) -> User:
        user = User(
            name=name,
            slug=slug or slug_of(name),
            display_name=display_name or name,
            email=email or f"{slug_of(name)}@example.com",
            id=self._next_id(),
            password=self.password() if password is None else password,
            roles=frozenset(roles),
            active=active,
            licensed=licensed,
        )
        self.users[name.lower()] = user
        self._by_slug[user.slug.lower()] = user
        return user

    def add_project(
        self,
        key: str,
        name: str | None = None,
        admins: Iterable[str] = (),
        *,
        description: str | None = None,
        public: bool = False,
    ) -> Project:
        project = Project(key, name or key.title(), self._next_id(), set(admins), {}, description, public)
        self.projects[key.lower()] = project
        return project

    def add_repository(
        self,
        project_key: str,
        slug: str,
        *,
        archived: bool = False,
        admins: Iterable[str] = (),
        name: str | None = None,
        description: str | None = None,
        public: bool = False,
    ) -> Repository:
        project = self.projects[project_key.lower()]
        what = (project.key, slug, name or slug, self._next_id(), archived, set(admins))
        repository = Repository(*what, description, public)
        project.repositories[slug.lower()] = repository
        return repository

    def add_token(
        self,
        owner: str,
        name: str,
        permissions: Iterable[str],
        *,
        created: int,
        expires: int | None = None,
        last_used: int | None = None,
        prefix: str = "",
        token_id: str | None = None,
    ) -> Token:
        """Issue one; ``owner`` is the canonical path."""
        issued_id = token_id or self.token_id()
        secret = self.secret(issued_id, prefix)
        token = Token(issued_id, secret, owner, name, tuple(permissions), created, expires, last_used=last_used)
        self._ids.add(issued_id)
        self.issued += 1
        self.tokens.setdefault(owner, {})[issued_id] = token
        self._by_secret[secret] = token
        return token

    def add_oauth(self, user_name: str) -> str:
        """An OAuth 2.0 bearer of that user, as an incoming application link gives out (D20, D23)."""
        secret = self.password()
        self.oauth[secret] = user_name.lower()
        return secret

    def revoke(self, token: Token, now: int) -> None:
        token.revoked = now
        self.tokens[token.owner].pop(token.id, None)
        self.revoked[token.id] = token

    # Finding things

    def owner(self, path: str) -> Owner | None:
        """``projects/PAY``, ``projects/PAY/repos/ledger`` or ``users/svc-ci``, in any spelling."""
        return self.owner_at(path.strip("/").split("/"))

    def owner_at(self, parts: list[str]) -> Owner | None:
        if len(parts) == 2 and parts[0] == "users":
            user = self._by_slug.get(parts[1].lower())
            return Owner(f"users/{user.slug}", user=user) if user else None
        project = self.projects.get(parts[1].lower()) if len(parts) > 1 and parts[0] == "projects" else None
        if project is None:
            return None
        if len(parts) == 2:
            return Owner(f"projects/{project.key}", project=project)
        repository = project.repositories.get(parts[3].lower()) if len(parts) == 4 and parts[2] == "repos" else None
        if repository is None:
            return None
        path = f"projects/{project.key}/repos/{repository.slug}"
        return Owner(path, project=project, repository=repository)

    def user(self, name: str) -> User | None:
        return self.users.get(name.lower())

    def tokens_of(self, owner: str) -> list[Token]:
        found = self.owner(owner)
        return list(self.tokens.get(found.path if found else owner, {}).values())

    def all_tokens(self) -> Iterator[Token]:
        for tokens in self.tokens.values():
            yield from tokens.values()

    def by_secret(self, secret: str) -> Token | None:
        return self._by_secret.get(secret)

    def service_user(self, owner: Owner) -> User:
        """D18 [inferred]: the hidden user behind a project's or repository's tokens; its names are made up here."""
        if owner.path not in self._services:
            thing = owner.repository or owner.project
            identity = thing.id if thing else 0
            kind = "2" if owner.repository else "1"
            name, title = f"access-token-user/{kind}/{identity}", owner.path.rsplit("/", 1)[-1]
            service = User(name, slug_of(name), title, "", self._next_id(), "", type="SERVICE")
            self._services[owner.path] = service
        return self._services[owner.path]

    # Chance

    def password(self) -> str:
        return "".join(self.random.choices(PASSWORD_ALPHABET, k=32))

    def token_id(self) -> str:
        """D7 [live]: twelve digits; here every fourth has a leading zero, so that no test misses them."""
        while True:
            number = f"{self.random.randrange(10**12):012d}"
            if len(self._ids) % 4 == 1:
                number = "0" + number[1:]
            if number not in self._ids:
                return number

    def secret(self, token_id: str, prefix: str = "") -> str:
        """D8 [doc example, live samples]: base64 of the id, a colon and 20 bytes."""
        noise = self.random.getrandbits(160).to_bytes(20, "big")
        return prefix + base64.b64encode(token_id.encode() + b":" + noise).decode()

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id


def slug_of(name: str) -> str:
    """D22 [live]: paths need the slug, which is not always the name."""
    return re.sub(r"[^a-z0-9._-]", "_", name.lower())
