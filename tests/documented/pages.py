"""Which pages there are, and what each assumes: the hidden preambles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.documented import network, preambles
from tests.documented.blocks import Block, blocks_of
from tests.documented.sandbox import ROOT, Sandbox, copy_checkout
from tests.doubles import awx
from tests.simulator import git
from tests.simulator.model import Token

Preamble = Callable[[Sandbox], None]
#: What is printed for people, by glob.
PAGES = (
    "README.md",
    "roles/*/README.md",
    "docs/docsite/rst/*.rst",
    "plugins/*/*.py",
    "playbooks/*.yml",
)
_PREAMBLES: dict[str, Preamble] = {}


def pages() -> dict[str, list[Block]]:
    """Every page that prints a block, by its path."""
    files = sorted(path for pattern in PAGES for path in ROOT.glob(pattern))
    found = {path.relative_to(ROOT).as_posix(): blocks_of(Path(path), ROOT) for path in files}
    return {page: blocks for page, blocks in found.items() if blocks}


def prepare(page: str, sandbox: Sandbox) -> None:
    """Make what a page assumes."""
    sandbox.variables["bitbucket_password"] = sandbox.passwords["automation"]
    if page in _PREAMBLES:
        _PREAMBLES[page](sandbox)


def _page(*names: str) -> Callable[[Preamble], Preamble]:
    def register(preamble: Preamble) -> Preamble:
        _PREAMBLES.update(dict.fromkeys(names, preamble))
        return preamble

    return register


def _need_git() -> None:
    if not git.available():
        pytest.skip("git is not installed (Debian package git)")


@_page("README.md")
def _readme(sandbox: Sandbox) -> None:
    """A checkout with the built artifact and no collection installed yet, a log with a leaked secret, two hosts."""
    _need_git()
    sandbox.environment["ANSIBLE_COLLECTIONS_PATH"] = str(sandbox.place / "collections")
    copy_checkout(sandbox, ".cache/dist")
    sandbox.leak(sandbox.home / "build.log", "projects/SHOP")
    sandbox.hosts("build1", "build2")


@_page("plugins/modules/access_token.py")
def _one_token(sandbox: Sandbox) -> None:
    sandbox.variables["old_secret"] = sandbox.bitbucket.add_token("projects/PAY", "old").secret


@_page("plugins/modules/access_token_set.py")
def _a_set(sandbox: Sandbox) -> None:
    preambles.vault_password_file(sandbox)


@_page("plugins/modules/store_copy.py")
def _two_stores(sandbox: Sandbox) -> None:
    preambles.vault_password_file(sandbox)
    preambles.in_vault_file(sandbox, preambles.issued(sandbox))
    preambles.open_bao(sandbox)


@_page("plugins/lookup/secret.py")
def _a_store(sandbox: Sandbox) -> None:
    _need_git()
    preambles.vault_password_file(sandbox)
    preambles.in_vault_file(sandbox, preambles.issued(sandbox))


@_page("plugins/inventory/projects.py")
def _an_inventory(sandbox: Sandbox) -> None:
    sandbox.sign_in()
    preambles.vault_password_file(sandbox)
    preambles.encrypted(sandbox, "bitbucket.password", sandbox.passwords["automation"])


@_page("plugins/modules/api_token.py", "plugins/modules/api_token_info.py")
def _an_organization(sandbox: Sandbox) -> None:
    preambles.atlassian(sandbox)


@_page("plugins/modules/pipeline_variable.py")
def _pipelines(sandbox: Sandbox) -> None:
    preambles.atlassian(sandbox)
    preambles.open_bao(sandbox, preambles.issued(sandbox))
    sandbox.variables.update(registry_password="a-password-of-a-registry")


@_page("plugins/modules/credential_info.py")
def _credentials(sandbox: Sandbox) -> None:
    preambles.atlassian(sandbox)
    sandbox.write("ci.token", sandbox.bitbucket.add_token("projects/PAY", "ci").secret)


@_page("plugins/modules/leaked_secret_info.py")
def _logs(sandbox: Sandbox) -> None:
    (sandbox.home / "ci-logs").mkdir()
    sandbox.leak(sandbox.home / "ci-logs" / "build.log", "projects/SHOP")
    sandbox.leak(sandbox.home / ".bash_history", "projects/PAY")


@_page("plugins/modules/app_password.py")
def _homes(sandbox: Sandbox) -> None:
    preambles.app_passwords(sandbox, preambles.atlassian(sandbox))
    sandbox.variables["vaulted_api_token"] = sandbox.variables["bitbucket_api_token"]


@_page("roles/project_tokens/README.md", "roles/token_audit/README.md")
def _roles(sandbox: Sandbox) -> None:
    preambles.encrypted(sandbox, "passwords.yml", f"vault_bitbucket_password: {sandbox.passwords['automation']}\n")


def _of_projects(sandbox: Sandbox) -> dict[str, Token]:
    return {reference: token for reference, token in preambles.issued(sandbox).items() if "/repos/" not in reference}


@_page("docs/docsite/rst/guide_stores.rst")
def _guide_stores(sandbox: Sandbox) -> None:
    _playbooks(sandbox)
    policy = next(block.text for block in _printed("guide_stores") if block.text.startswith("path "))
    preambles.open_bao(sandbox, policy=policy)
    preambles.in_vault_file(sandbox, _of_projects(sandbox))
    preambles.awx(sandbox)
    del sandbox.environment["VAULT_TOKEN"]
    sandbox.answers.update(
        VAULT_SECRET_ID=preambles.SECRET_ID,
        VAULT_TOKEN=preambles.VAULT_TOKEN,
        CONTROLLER_OAUTH_TOKEN=awx.TOKEN,
    )


def _printed(guide: str) -> list[Block]:
    return blocks_of(ROOT / "docs" / "docsite" / "rst" / f"{guide}.rst", ROOT)


@_page("docs/docsite/rst/guide_audit.rst")
def _guide_audit(sandbox: Sandbox) -> None:
    sandbox.take("README.md", "tokens.yml")


@_page("docs/docsite/rst/guide_leaked.rst")
def _guide_leaked(sandbox: Sandbox) -> None:
    sandbox.sign_in()
    sandbox.take("README.md", "tokens.yml")
    sandbox.leak(sandbox.home / "build.log", "projects/SHOP")
    sandbox.leak(sandbox.home / ".bash_history", "projects/PAY")
    sandbox.bitbucket.add_token("projects/PAY", "pasted", token_id="252973515069")


@_page("docs/docsite/rst/guide_slices.rst")
def _guide_slices(sandbox: Sandbox) -> None:
    sandbox.sign_in()
    preambles.open_bao(sandbox)


@_page("docs/docsite/rst/guide_app_passwords.rst")
def _guide_app_passwords(sandbox: Sandbox) -> None:
    _retired(sandbox)
    files = {block.name["name"]: block.text for block in _printed("guide_app_passwords") if block.name}
    secret = yaml.safe_load(files["api_tokens.yml"])["retire_app_passwords_api_tokens"]["automation"]
    preambles.printed_api_token(sandbox, sandbox.cloud.model.accounts["automation"], secret)


@_page("playbooks/provision.yml", "playbooks/rotate.yml", "playbooks/audit.yml")
def _playbooks(sandbox: Sandbox) -> None:
    sandbox.sign_in()
    sandbox.take("README.md", "tokens.yml")


@_page("playbooks/migrate_store.yml")
def _another_store(sandbox: Sandbox) -> None:
    _playbooks(sandbox)
    preambles.in_vault_file(sandbox, _of_projects(sandbox))
    preambles.open_bao(sandbox)


@_page("playbooks/revoke_leaked.yml")
def _leaked(sandbox: Sandbox) -> None:
    _playbooks(sandbox)
    sandbox.take("docs/docsite/rst/guide_leaked.rst", "leaked.yml")
    sandbox.leak(sandbox.home / "build.log", "projects/SHOP")
    sandbox.leak(sandbox.home / ".bash_history", "projects/PAY")


@_page("playbooks/retire_app_passwords.yml")
def _retired(sandbox: Sandbox) -> None:
    preambles.app_passwords(sandbox, preambles.atlassian(sandbox))
    sandbox.take("docs/docsite/rst/guide_app_passwords.rst", "retire.yml")
    sandbox.hosts("build1")


@_page("playbooks/awx_setup.yml")
def _set_up(sandbox: Sandbox) -> None:
    _controller(sandbox)
    sandbox.take("docs/docsite/rst/guide_awx.rst", "awx.yml", "tokens.yml")


@_page("plugins/modules/awx_setup.py")
def _controller(sandbox: Sandbox) -> None:
    preambles.awx(sandbox)
    sandbox.sign_in()
    sandbox.environment.update(
        CONTROLLER_HOST=f"https://{network.AWX}",
        CONTROLLER_OAUTH_TOKEN=awx.TOKEN,
        VAULT_SECRET_ID=preambles.SECRET_ID,
        NOTIFY_SLACK_URL=f"https://{network.SLACK}/services/T0/B0/x",
        NOTIFY_JIRA_TOKEN="a-token-of-jira",
    )


@_page("docs/docsite/rst/guide_awx.rst")
def _guide_awx(sandbox: Sandbox) -> None:
    _controller(sandbox)
    sandbox.leak(sandbox.home / "job_4711.txt", "projects/PAY")
