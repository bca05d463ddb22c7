"""A small cloud, and a client of it: ``client("GET", "user")`` asks as Ada with her API token."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import requests

from tests.simulator.adapter import SimulatorAdapter
from tests.simulator.cloud import Account, Cloud, Organization, Token

REST = "https://api.bitbucket.org/2.0"
ADMIN = "https://api.atlassian.com"
OAUTH = "https://bitbucket.org/site/oauth2/access_token"
SCOPES = ("user", "workspace", "repository", "pipeline")
ALL_SCOPES = [f"read:{what}:bitbucket" for what in SCOPES] + ["admin:pipeline:bitbucket", "write:repository:bitbucket"]
LEDGER = "repositories/acme/ledger/pipelines_config/variables/"
ACME = "workspaces/acme/pipelines-config/variables/"


@dataclass
class CloudClient:
    cloud: Cloud
    ada: Account
    token: Token
    company: Organization
    session: requests.Session

    @property
    def production(self) -> str:
        """The path of a deployment's variables."""
        environment = self.cloud.model.workspaces["acme"].repositories["ledger"].environments[0]
        return f"repositories/acme/ledger/deployments_config/environments/{quote(environment.uuid)}/variables/"

    def __call__(self, method: str, path: str, json: t.Any = None, **options: t.Any) -> requests.Response:
        url = path if "://" in path else f"{REST}/{path}"
        options.setdefault("auth", (self.ada.email, self.token.secret))
        return self.session.request(method, url, json=json, allow_redirects=False, timeout=5, **options)

    def as_(self, secret: str, user: str | None = None) -> dict[str, t.Any]:
        """Another credential: as Basic where a user is given, else as Bearer."""
        return {"auth": (user, secret)} if user is not None else {"auth": Bearer(secret)}

    def admin(self, method: str, path: str, key: str | None = None) -> requests.Response:
        secret = self.company.admin_key if key is None else key
        return self(method, f"{ADMIN}/{path}", **self.as_(secret))

    @property
    def organization_tokens(self) -> str:
        return f"admin/api-access/v1/orgs/{self.company.id}/api-tokens"

    def account_tokens(self, account: Account) -> str:
        return f"users/{quote(account.account_id)}/manage/api-tokens"


@dataclass
class Bearer(requests.auth.AuthBase):
    secret: str

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.secret}"
        return request


@contextlib.contextmanager
def cloud_client(**switches: t.Any) -> Iterator[CloudClient]:
    cloud = Cloud(seed=7, switches=switches)
    ada = cloud.add_account("ada", email="ada@company.example", username="ada-admin")
    cloud.add_workspace("acme", members=[ada])
    cloud.add_repository("acme", "ledger", project="PAY")
    cloud.add_repository("acme", "shop", project="SHOP")
    cloud.add_environment("acme/ledger", "Production")
    token = cloud.add_api_token(ada, "all", ALL_SCOPES, expires_in_days=90)
    company = cloud.add_organization("company", [ada])
    with requests.Session() as session:
        SimulatorAdapter(cloud).install(session)
        yield CloudClient(cloud, ada, token, company, session)


def said(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["message"]
