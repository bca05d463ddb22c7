"""A small simulated company in the cloud, and the collection's clients of it, which never wait."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud._organization import Organization
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _cloud_answers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._answers import Product
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from ansible_collections.tokensmith.bitbucket.plugins.modules import api_token, api_token_info
from tests.simulator.adapter import SimulatorAdapter
from tests.simulator.cloud import Cloud
from tests.simulator.cloud.model import Account, Token
from tests.unit.plugins.company import checked

API, ADMIN = "https://api.bitbucket.org", "https://api.atlassian.com"
SCOPES = ["read:user:bitbucket", "read:repository:bitbucket"]
PIPELINES = ["read:user:bitbucket", "read:pipeline:bitbucket", "admin:pipeline:bitbucket"]
#: Where variables of Pipelines are.
WORKSPACE, REPOSITORY, PRODUCTION = "acme", "acme/ledger", "acme/ledger/Production"


@dataclass
class CloudCompany:
    """The cloud with an organization that manages ada and petra, and fred whom it does not."""

    sim: Cloud
    sleeps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.adapter = SimulatorAdapter(self.sim)
        self.ada, self.petra = self.sim.add_account("ada"), self.sim.add_account("petra")
        self.fred = self.sim.add_account("fred", email="fred@elsewhere.example")
        self.sim.add_workspace(WORKSPACE, members=[self.ada, self.petra])
        self.sim.add_repository(*REPOSITORY.split("/"))
        for name in ("Test", "Production"):
            self.sim.add_environment(REPOSITORY, name)
        self.company = self.sim.add_organization("company", [self.ada, self.petra])

    def client(self, credential: Credential, url: str = API, product: Product = _cloud_answers.CLOUD) -> Client:
        transport = Transport(Settings(), adapters={"https://": self.adapter})
        return Client(url, credential, transport, self.sleeps.append, product)

    def as_user(self, account: Account, secret: str) -> Client:
        return self.client(Credential(account.email, secret))

    def administrator(self, key: str | None = None) -> Client:
        credential = Credential(token=key or self.company.admin_key)
        return self.client(credential, ADMIN, _cloud_answers.ORGANIZATION)

    def organization(self) -> Organization:
        return Organization(self.administrator())

    def add(self, label: str, account: Account | None = None, **options: t.Any) -> Token:
        return self.sim.add_api_token(account or self.ada, label, options.pop("scopes", SCOPES), **options)

    @property
    def requests(self) -> list[str]:
        """What arrived, such as ``GET /2.0/user``, and the log is empty again."""
        seen = [f"{entry.method} {unquote(entry.path)}" for entry in self.sim.requests]
        self.sim.requests.clear()
        return seen

    @property
    def writes(self) -> list[str]:
        return [request for request in self.requests if not request.startswith("GET ")]

    def secrets(self) -> list[str]:
        return [token.secret for token in self.sim.model.tokens] + [self.company.admin_key]


def cloud_company(**switches: t.Any) -> CloudCompany:
    """Where the facts leave something open, the switches say how this cloud behaves."""
    return CloudCompany(Cloud(seed=7, switches=switches))


def params(spec: dict[str, t.Any], constraints: dict[str, t.Any] | None = None, **given: t.Any) -> dict[str, t.Any]:
    return checked(spec, constraints or {}, given)


def token_params(**given: t.Any) -> dict[str, t.Any]:
    """For ``api_token``."""
    return params(api_token.SPEC, api_token.CONSTRAINTS, **given)


def info_params(**given: t.Any) -> dict[str, t.Any]:
    """For ``api_token_info``."""
    return params(api_token_info.SPEC, **given)
