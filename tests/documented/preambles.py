"""What the pages assume, in the words of what exists: tokens in a store, an account of the cloud, a Vault, an AWX."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from pathlib import Path

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.documented import network
from tests.documented.sandbox import VAULT_PASSWORD, Sandbox
from tests.doubles.awx import AwxDouble
from tests.doubles.loopback import serving
from tests.simulator.cloud.model import Account, Organization
from tests.simulator.model import Token
from tests.unit.plugins.plugin_utils.stores import openbao

VAULT_TOKEN = openbao.ROOT_TOKEN
#: As the guide to stores prints it, and what belongs to it.
ROLE_ID, SECRET_ID = "3ba1e8e8-7f2c-4f0c-a7a1-f7a2d3b8c6f4", "a-secret-id-long-enough-4711"
#: References, and what their tokens may do.
DECLARED = {
    "projects/PAY/tokens/ci-read": "PROJECT_READ",
    "projects/PAY/repos/ledger/tokens/deploy": "REPO_WRITE",
    "projects/SHOP/tokens/deploy": "REPO_WRITE",
}
#: As the pages print them.
ORGANIZATION = "1f5b2e64-0c1e-4f6e-9d0a-000000000000"
ACCOUNT = "712020:00000000-0000-0000-0000-000000000000"


def vault_password_file(sandbox: Sandbox) -> None:
    """For plays without a command line, as an ansible.cfg would name it."""
    path = sandbox.place / "vault-password"
    path.touch(mode=0o600)
    path.write_text(VAULT_PASSWORD, encoding="utf-8")
    sandbox.environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(path)


def encrypted(sandbox: Sandbox, name: str, text: str) -> None:
    """A file that the vault password decrypts."""
    vault = VaultLib([("default", VaultSecret(VAULT_PASSWORD.encode()))])
    sandbox.write(name, vault.encrypt(text).decode())


def issued(sandbox: Sandbox) -> dict[str, Token]:
    """Tokens of the company, by reference."""
    found = {}
    for reference, permission in DECLARED.items():
        owner, _slash, name = reference.partition("/tokens/")
        found[reference] = sandbox.bitbucket.add_token(owner, name, [permission], expires_in_days=60)
    return found


def in_vault_file(sandbox: Sandbox, tokens: Mapping[str, Token], name: str = "bitbucket_tokens.yml") -> None:
    """Tokens in the store ``ansible_vault``."""
    secrets = {reference: token.secret for reference, token in tokens.items()}
    ids = {reference: token.id for reference, token in tokens.items()}
    encrypted(sandbox, name, yaml.safe_dump({"bitbucket_tokens": secrets, "bitbucket_token_ids": ids}))


def open_bao(sandbox: Sandbox, tokens: Mapping[str, Token] | None = None, policy: str = "") -> None:
    """An OpenBao at vault.example.com, with tokens below ``secret/bitbucket``, and with an AppRole if there is a policy
    for it.
    """

    openbao.binary()

    def prepare(client: t.Any) -> None:
        if policy:
            client.sys.enable_auth_method("approle")
            client.sys.create_or_update_policy("bitbucket", policy)
            client.auth.approle.create_or_update_approle("ci", token_policies=["bitbucket"])
            client.auth.approle.update_role_id("ci", ROLE_ID)
            client.auth.approle.create_custom_secret_id("ci", SECRET_ID)
        for reference, token in (tokens or {}).items():
            fields = {"secret": token.secret, "id": token.id}
            client.secrets.kv.v2.create_or_update_secret(path=f"bitbucket/{reference}", secret=fields)

    sandbox.network.offer(network.open_bao(sandbox.network, prepare), network.VAULT)
    sandbox.environment.update(VAULT_ADDR=f"https://{network.VAULT}:8200", VAULT_TOKEN=VAULT_TOKEN)


def atlassian(sandbox: Sandbox) -> Account:
    """An organization with one account, a workspace and a repository in the cloud; the account's tokens."""
    cloud = sandbox.cloud
    account = cloud.add_account("automation", email="automation@example.com", username="automation")
    account.account_id = ACCOUNT
    company = Organization(ORGANIZATION, "Example", cloud.model.access_token(), [account])
    cloud.model.organizations[company.id] = company
    cloud.add_workspace("acme", members=[account])
    cloud.add_repository("acme", "shop", project="SHOP")
    cloud.add_environment("acme/shop", "Production")
    scopes = ["read:user:bitbucket", "read:repository:bitbucket", "read:pipeline:bitbucket", "admin:pipeline:bitbucket"]
    ci = cloud.add_api_token(account, "ci", scopes, created_days_ago=10, expires_in_days=200, last_active_days_ago=0)
    cloud.add_api_token(account, "laptop", scopes[:2], created_days_ago=300, expires_in_days=20)
    workspace = cloud.add_access_token("workspace", "acme", ["pipeline:variable"])
    sandbox.variables.update(
        atlassian_admin_api_key=company.admin_key,
        bitbucket_api_token=ci.secret,
        workspace_access_token=workspace.secret,
    )
    return account


def printed_api_token(sandbox: Sandbox, owner: Account, secret: str) -> None:
    """An API token for git whose secret a page prints."""
    made = sandbox.cloud.add_api_token(owner, "git", ["read:repository:bitbucket"])
    made.secret = secret
    sandbox.cloud.model.add(made)


def app_passwords(sandbox: Sandbox, owner: Account) -> list[Path]:
    """Dead secrets in the home of the page: in the store of git, and in the remotes of two repositories."""
    login = f"https://automation:{sandbox.cloud.add_app_password(owner)}@bitbucket.org"
    files = [sandbox.home / ".git-credentials"]
    files[0].write_text(f"{login}\n", encoding="utf-8")
    for folder in ("ci", "src"):
        files.append(sandbox.home / folder / "shop" / ".git" / "config")
        files[-1].parent.mkdir(parents=True)
        files[-1].write_text(f'[remote "origin"]\n\turl = {login}/acme/shop.git\n', encoding="utf-8")
    return files


def awx(sandbox: Sandbox, **state: t.Any) -> AwxDouble:
    """A double of AWX at awx.example.com."""
    double = AwxDouble(**state)
    sandbox.doubles.append(double)
    sandbox.network.offer(
        lambda: sandbox.network.stack.enter_context(serving(double.handle, sandbox.network.certificates)), network.AWX
    )
    return double
