"""The simulated cloud: accounts, credentials, workspaces, variables, organizations. It knows nothing of HTTP."""

from __future__ import annotations

import random
import typing as t
import uuid
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
ACCESS_TOKEN_KINDS = {"repository": "repo_access_token", "project": "project_access_token"} | {
    "workspace": "workspace_access_token"
}
BITBUCKET_SUFFIX = ":bitbucket"


@dataclass(eq=False)
class Account:
    nickname: str
    username: str
    """The Bitbucket user name (C3)."""
    display_name: str
    email: str
    uuid: str
    account_id: str


@dataclass(eq=False)
class Token:
    """An API token, an access token, or what an OAuth consumer was given."""

    kind: t.Literal[
        "api_token", "repo_access_token", "project_access_token", "workspace_access_token", "oauth_access_token"
    ]
    id: str
    secret: str = field(repr=False)
    label: str
    scopes: tuple[str, ...]
    created: int
    account: Account | None = None
    reach: str | None = None
    """Access tokens: ``workspace``, ``workspace/PROJECT`` or ``workspace/repository``."""
    expires: int | None = None
    last_active: int | None = None
    revoked: int | None = None

    def expired(self, now: int) -> bool:
        return self.expires is not None and self.expires <= now

    def works(self, now: int) -> bool:
        return self.revoked is None and not self.expired(now)

    @property
    def is_access_token(self) -> bool:
        return self.kind in ACCESS_TOKEN_KINDS.values()

    @property
    def family(self) -> t.Literal["bitbucket", "foreign", "unscoped"]:
        """What an API token is good for; anything else is Bitbucket's own."""
        if self.kind != "api_token" or any(scope.endswith(BITBUCKET_SUFFIX) for scope in self.scopes):
            return "bitbucket"
        return "foreign" if self.scopes else "unscoped"


@dataclass(eq=False)
class Variable:
    uuid: str
    key: str
    value: str = field(repr=False)
    secured: bool


@dataclass(eq=False)
class Environment:
    name: str
    uuid: str
    variables: list[Variable] = field(default_factory=list)


@dataclass(eq=False)
class Repository:
    workspace: str
    slug: str
    project: str
    uuid: str
    environments: list[Environment] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"{self.workspace}/{self.slug}"


@dataclass(eq=False)
class Workspace:
    slug: str
    name: str
    uuid: str
    members: list[Account] = field(default_factory=list)
    repositories: dict[str, Repository] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)


@dataclass(eq=False)
class Consumer:
    """An OAuth client of a workspace."""

    name: str
    workspace: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]
    account: Account | None = None


@dataclass(eq=False)
class Organization:
    id: str
    name: str
    admin_key: str = field(repr=False)
    accounts: list[Account] = field(default_factory=list)
    """The managed ones (C10)."""


Holder = Workspace | Repository | Environment


class Model:
    def __init__(self, seed: int | str | None = None) -> None:
        self.random: random.Random = random.SystemRandom() if seed is None else random.Random(seed)
        self.accounts: dict[str, Account] = {}
        self.workspaces: dict[str, Workspace] = {}
        self.organizations: dict[str, Organization] = {}
        self.consumers: dict[str, Consumer] = {}
        self.tokens: list[Token] = []
        self.app_passwords: dict[str, Account] = {}
        self._by_secret: dict[str, Token] = {}

    # Building

    def add(self, token: Token) -> Token:
        self.tokens.append(token)
        self._by_secret[token.secret] = token
        return token

    # Finding things

    def by_secret(self, secret: str) -> Token | None:
        return self._by_secret.get(secret)

    def api_tokens_of(self, accounts: Iterable[Account]) -> list[Token]:
        owners = list(accounts)
        return [token for token in self.tokens if token.kind == "api_token" and token.account in owners]

    def account_by_id(self, account_id: str) -> Account | None:
        return next((account for account in self.accounts.values() if account.account_id == account_id), None)

    def workspace(self, name: str) -> Workspace | None:
        """By slug or UUID."""
        found = self.workspaces.get(name.lower())
        return found or next((each for each in self.workspaces.values() if each.uuid == name), None)

    def repository(self, workspace: str, name: str) -> Repository | None:
        home = self.workspace(workspace)
        if home is None:
            return None
        found = home.repositories.get(name.lower())
        return found or next((each for each in home.repositories.values() if each.uuid == name), None)

    def holder(self, path: str) -> Holder:
        """``acme``, ``acme/ledger`` or ``acme/ledger/Production``."""
        parts = path.split("/", 2)
        if len(parts) == 1:
            return self.workspaces[path.lower()]
        repository = self.workspaces[parts[0].lower()].repositories[parts[1].lower()]
        if len(parts) == 2:
            return repository
        return next(each for each in repository.environments if each.name == parts[2])

    def holders(self) -> t.Iterator[tuple[str, Holder]]:
        for workspace in self.workspaces.values():
            yield workspace.slug, workspace
            for repository in workspace.repositories.values():
                yield repository.path, repository
                for environment in repository.environments:
                    yield f"{repository.path}/{environment.name}", environment

    # Chance

    def plain_uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def braced_uuid(self) -> str:
        """C14 [spec]: UUIDs carry braces."""
        return f"{{{self.plain_uuid()}}}"

    def noise(self, length: int) -> str:
        return "".join(self.random.choices(ALPHABET, k=length))

    def app_password(self) -> str:
        """C5 [doc]."""
        return "ATBB" + self.noise(32)

    def api_token(self) -> str:
        """C5 [doc]: the beginning; [inferred]: the CRC-32 at the end."""
        return with_checksum(f"ATATT3xFfGF0{self.noise(171)}=")

    def access_token(self) -> str:
        """C5 [doc]: the beginning, also of an organization's admin API key."""
        return with_checksum(f"ATCTT3xFfGN0{self.noise(171)}=")


def with_checksum(text: str) -> str:
    return f"{text}{zlib.crc32(text.encode()):08X}"
