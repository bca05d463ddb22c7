"""Which pages there are, and what each assumes: the hidden preambles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.documented import network, preambles
from tests.documented.blocks import Block, blocks_of
from tests.documented.stage import ROOT, Stage, copy_checkout
from tests.doubles import awx
from tests.simulator import git
from tests.simulator.model import Token

Preamble = Callable[[Stage], None]
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


def prepare(page: str, stage: Stage) -> None:
    """Make what a page assumes."""
    stage.variables["bitbucket_password"] = stage.passwords["automation"]
    if page in _PREAMBLES:
        _PREAMBLES[page](stage)


def _page(*names: str) -> Callable[[Preamble], Preamble]:
    def register(preamble: Preamble) -> Preamble:
        _PREAMBLES.update(dict.fromkeys(names, preamble))
        return preamble

    return register


def _need_git() -> None:
    if not git.available():
        pytest.skip("git is not installed (Debian package git)")


@_page("README.md")
def _readme(stage: Stage) -> None:
    """A checkout with the built artifact and no collection installed yet, a log with a leaked secret, two hosts."""
    _need_git()
    stage.environment["ANSIBLE_COLLECTIONS_PATH"] = str(stage.place / "collections")
    copy_checkout(stage, ".cache/dist")
    stage.leak(stage.home / "build.log", "projects/SHOP")
    stage.hosts("build1", "build2")


@_page("plugins/filter/to_csv.py")
def _a_list(stage: Stage) -> None:
    tokens = [{"reference": "projects/PAY/tokens/ci", "expires": None}]
    stage.variables["tokens"] = {"access_tokens": tokens}


@_page("plugins/modules/access_token.py")
def _one_token(stage: Stage) -> None:
    stage.variables["old_secret"] = stage.bitbucket.add_token("projects/PAY", "old").secret


@_page("plugins/modules/access_token_set.py")
def _a_set(stage: Stage) -> None:
    preambles.vault_password_file(stage)


@_page("plugins/modules/store_copy.py")
def _two_stores(stage: Stage) -> None:
    preambles.vault_password_file(stage)
    preambles.in_vault_file(stage, preambles.issued(stage))
    preambles.open_bao(stage)


@_page("plugins/lookup/secret.py")
def _a_store(stage: Stage) -> None:
    _need_git()
    preambles.vault_password_file(stage)
    preambles.in_vault_file(stage, preambles.issued(stage))


@_page("plugins/inventory/projects.py")
def _an_inventory(stage: Stage) -> None:
    stage.sign_in()
    preambles.vault_password_file(stage)
    preambles.encrypted(stage, "bitbucket.password", stage.passwords["automation"])


@_page("plugins/modules/api_token.py", "plugins/modules/api_token_info.py")
def _an_organization(stage: Stage) -> None:
    preambles.atlassian(stage)


@_page("plugins/modules/pipeline_variable.py")
def _pipelines(stage: Stage) -> None:
    preambles.atlassian(stage)
    preambles.open_bao(stage, preambles.issued(stage))
    stage.variables.update(registry_password="a-password-of-a-registry")


@_page("plugins/modules/credential_info.py")
def _credentials(stage: Stage) -> None:
    preambles.atlassian(stage)
    stage.write("ci.token", stage.bitbucket.add_token("projects/PAY", "ci").secret)


@_page("plugins/modules/leaked_secret_info.py")
def _logs(stage: Stage) -> None:
    (stage.home / "ci-logs").mkdir()
    stage.leak(stage.home / "ci-logs" / "build.log", "projects/SHOP")
    stage.leak(stage.home / ".bash_history", "projects/PAY")


@_page("plugins/modules/awx_objects.py")
def _a_controller(stage: Stage) -> None:
    named = {"organization": awx.ORGANIZATION}
    double = preambles.awx(stage)
    double.objects["projects"][1] = {"id": 1, "name": "Tokens", "status": "successful", **named}
    double.objects["inventories"][2] = {"id": 2, "name": "Bitbucket", **named}
    double.objects["execution_environments"][3] = {"id": 3, "name": "Tokens", **named}
    double.put("Bitbucket", "", credential_type=awx.CONTROLLER_TYPE, inputs={"host": "x"})
    stage.environment["AWX_TOKEN"] = awx.TOKEN


@_page("plugins/modules/app_password.py")
def _homes(stage: Stage) -> None:
    preambles.app_passwords(stage, preambles.atlassian(stage))
    stage.variables["vaulted_api_token"] = stage.variables["bitbucket_api_token"]


@_page("roles/project_tokens/README.md", "roles/token_audit/README.md")
def _roles(stage: Stage) -> None:
    preambles.encrypted(stage, "passwords.yml", f"vault_bitbucket_password: {stage.passwords['automation']}\n")


def _of_projects(stage: Stage) -> dict[str, Token]:
    return {reference: token for reference, token in preambles.issued(stage).items() if "/repos/" not in reference}


@_page("docs/docsite/rst/guide_stores.rst")
def _guide_stores(stage: Stage) -> None:
    _playbooks(stage)
    policy = next(block.text for block in _printed("guide_stores") if block.text.startswith("path "))
    preambles.open_bao(stage, policy=policy)
    preambles.in_vault_file(stage, _of_projects(stage))
    preambles.awx(stage)
    del stage.environment["VAULT_TOKEN"]
    stage.answers.update(
        VAULT_SECRET_ID=preambles.SECRET_ID,
        VAULT_TOKEN=preambles.VAULT_TOKEN,
        CONTROLLER_OAUTH_TOKEN=awx.TOKEN,
    )


def _printed(guide: str) -> list[Block]:
    return blocks_of(ROOT / "docs" / "docsite" / "rst" / f"{guide}.rst", ROOT)


@_page("docs/docsite/rst/guide_audit.rst")
def _guide_audit(stage: Stage) -> None:
    stage.take("README.md", "tokens.yml")


@_page("docs/docsite/rst/guide_leaked.rst")
def _guide_leaked(stage: Stage) -> None:
    stage.sign_in()
    stage.take("README.md", "tokens.yml")
    stage.leak(stage.home / "build.log", "projects/SHOP")
    stage.leak(stage.home / ".bash_history", "projects/PAY")
    stage.bitbucket.add_token("projects/PAY", "pasted", token_id="252973515069")


@_page("docs/docsite/rst/guide_slices.rst")
def _guide_slices(stage: Stage) -> None:
    stage.sign_in()
    preambles.open_bao(stage)


@_page("docs/docsite/rst/guide_app_passwords.rst")
def _guide_app_passwords(stage: Stage) -> None:
    _retired(stage)
    files = {block.name["name"]: block.text for block in _printed("guide_app_passwords") if block.name}
    secret = yaml.safe_load(files["api_tokens.yml"])["retire_app_passwords_api_tokens"]["automation"]
    preambles.printed_api_token(stage, stage.cloud.world.accounts["automation"], secret)


@_page("playbooks/provision.yml", "playbooks/rotate.yml", "playbooks/audit.yml")
def _playbooks(stage: Stage) -> None:
    stage.sign_in()
    stage.take("README.md", "tokens.yml")


@_page("playbooks/migrate_store.yml")
def _another_store(stage: Stage) -> None:
    _playbooks(stage)
    preambles.in_vault_file(stage, _of_projects(stage))
    preambles.open_bao(stage)


@_page("playbooks/revoke_leaked.yml")
def _leaked(stage: Stage) -> None:
    _playbooks(stage)
    stage.take("docs/docsite/rst/guide_leaked.rst", "leaked.yml")
    stage.leak(stage.home / "build.log", "projects/SHOP")
    stage.leak(stage.home / ".bash_history", "projects/PAY")


@_page("playbooks/retire_app_passwords.yml")
def _retired(stage: Stage) -> None:
    preambles.app_passwords(stage, preambles.atlassian(stage))
    stage.take("docs/docsite/rst/guide_app_passwords.rst", "retire.yml")
    stage.hosts("build1")


@_page("playbooks/awx_setup.yml")
def _set_up(stage: Stage) -> None:
    _controller(stage)
    stage.take("docs/docsite/rst/guide_awx.rst", "awx.yml", "tokens.yml")


def _controller(stage: Stage) -> None:
    preambles.awx(stage)
    stage.sign_in()
    stage.environment.update(
        CONTROLLER_HOST=f"https://{network.AWX}",
        CONTROLLER_OAUTH_TOKEN=awx.TOKEN,
        VAULT_SECRET_ID=preambles.SECRET_ID,
        NOTIFY_SLACK_URL=f"https://{network.SLACK}/services/T0/B0/x",
        NOTIFY_JIRA_TOKEN="a-token-of-jira",
    )


@_page("docs/docsite/rst/guide_awx.rst")
def _guide_awx(stage: Stage) -> None:
    _controller(stage)
    stage.leak(stage.home / "job_4711.txt", "projects/PAY")
