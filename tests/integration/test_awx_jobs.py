"""The job templates that awx_setup registers, each run as AWX runs one: injected credentials, inventory, artifacts."""

from __future__ import annotations

import shutil
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.doubles import vault_kv2
from tests.doubles.awx import CONTROLLER_TYPE, TOKEN, AwxDouble, running
from tests.doubles.awx_job import Job, Launcher
from tests.doubles.loopback import Answer, Request, serving
from tests.integration.conftest import ROOT, Bitbucket
from tests.integration.team import NAMES, OWNERS, SECRET_SHAPE, SET, Team, references
from tests.integration.test_awx_setup import Desk, report

NAME = "Bitbucket tokens"
PROJECT = ROOT / "playbooks" / "files" / "awx_project"
JIRA_TOKEN = "a-token-for-jira-0815"
WEBHOOK = "/services/T0000/B0000/an-address-that-is-a-secret"


@dataclass
class Plant:
    """A Bitbucket, a Vault and an AWX that is set up for both."""

    team: Team
    awx: AwxDouble
    vault: vault_kv2.VaultDouble
    launcher: Launcher

    def run(self, which: str, **answers: t.Any) -> Job:
        """Run a job, and see that nothing AWX keeps of it holds a secret."""
        job = self.launcher.launch(f"{NAME}: {which}", answers)
        kept = job.output + job.kept()
        secrets = [self.team.bitbucket.passwords["admin"], vault_kv2.TOKEN, vault_kv2.SECRET_ID, TOKEN]
        secrets += [WEBHOOK, WEBHOOK.rpartition("/")[2], *self.stored().values()]
        assert not [secret[:9] for secret in secrets if secret in kept]
        assert not SECRET_SHAPE.search(kept)
        return job

    def stored(self) -> dict[str, str]:
        newest = {path.removeprefix("bitbucket/"): versions[-1] for path, versions in self.vault.versions.items()}
        return {reference: str(fields["secret"]) for reference, fields in newest.items() if fields}


@dataclass
class Site:
    """Where a plant is to be."""

    bitbucket: Bitbucket
    place: Path
    awx: AwxDouble
    awx_url: str
    vault: vault_kv2.VaultDouble
    vault_url: str

    def plant(self, **more: t.Any) -> Plant:
        """One that is set up, with other variables than the usual ones where ``more`` says so."""
        given = {
            "awx_setup_vault": {"url": self.vault_url, "token": vault_kv2.TOKEN},
            "project_tokens_set": SET,
            "project_tokens_store": "hashi_vault:kv/bitbucket",
            "project_tokens_store_options": {},
            **more,
        }
        known = self.bitbucket.environment()
        credential = {name: value for name, value in known.items() if name.startswith("BITBUCKET_")}
        report(Desk(self.awx, self.awx_url, self.place).setup(environment=credential, **given))
        container = {name: value for name, value in known.items() if name.startswith("ANSIBLE_")}
        team = Team(self.bitbucket, self.place)
        return Plant(team, self.awx, self.vault, Launcher(self.awx, PROJECT, self.place, container))

    def repository(self, notify: str = "", **inventory: t.Any) -> Path:
        """The Git repository of the guide, with a task file, and an inventory that says more."""
        place = self.place / "repository"
        shutil.copytree(PROJECT, place)
        if notify:
            shutil.copy(PROJECT.parent / notify, place)
        declared = yaml.safe_load((place / "bitbucket.yml").read_text(encoding="utf-8"))
        (place / "bitbucket.yml").write_text(yaml.safe_dump({**declared, **inventory}), encoding="utf-8")
        return place


def stray(owner: str) -> dict[str, t.Any]:
    """A token that nobody declared."""
    return {
        "tokens": [{"owner": f"projects/{owner}", "name": "by-hand", "permissions": ["REPO_READ"]}],
        "return_secrets": True,
    }


def undeclared(job: Job) -> list[str]:
    found = job.stats["token_audit"]["findings"]
    return [finding["reference"] for finding in found if finding["code"] == "undeclared"]


@pytest.fixture
def site(bitbucket: Bitbucket, tmp_path: Path) -> t.Iterator[Site]:
    with running() as (awx, url), vault_kv2.running() as (vault, vault_url):
        yield Site(bitbucket, tmp_path, awx, url, vault, vault_url)


@pytest.fixture
def plant(site: Site) -> Plant:
    return site.plant()


def test_tokens_are_provisioned_once_rotated_and_audited_by_jobs(plant):
    first = plant.run("provision")
    assert first.status == 0, first.output
    assert set(plant.stored()) == references(NAMES)
    assert all(plant.team.alive(secret) for secret in plant.stored().values())
    # The sum over the hosts, each of which did its own project.
    assert {
        name: first.stats[f"project_tokens_{name}"] for name in ("owners", "tokens", "issued", "owners_failed")
    } == {
        "owners": 4,
        "tokens": 12,
        "issued": 12,
        "owners_failed": 0,
    }
    assert all(isinstance(value, int) for value in first.stats.values())
    before = plant.stored()

    second = plant.run("provision")
    assert (second.status, second.changed, second.stats["project_tokens_issued"]) == (0, 0, 0)
    assert plant.stored() == before

    plant.team.later(hours=2)
    moment = plant.team.control("GET", "clock")["now"]
    plant.team.later(minutes=5)
    rotated = plant.run("rotate", project_tokens_rotate_created_before=moment)
    assert (rotated.status, rotated.stats["project_tokens_issued"]) == (0, 12)
    after = plant.stored()
    assert all(before[reference] != after[reference] for reference in before)

    audited = plant.run("audit")
    assert audited.status == 0, audited.output
    assert audited.stats["token_audit"]["counts"]["tokens"] >= 12


@pytest.mark.long
def test_a_leaked_secret_is_revoked_and_reissued_by_a_job_where_the_projects_are_named(site):
    plant = site.plant(awx_setup_projects=["*"])
    assert plant.run("provision").status == 0
    before = plant.stored()
    leaked = before["projects/PAY/tokens/ci-read"]
    job = plant.run("revoke leaked", revoke_leaked_text=leaked)
    assert job.status == 0, job.output
    assert [entry["reference"] for entry in job.stats["revoke_leaked"]["revoked"]] == ["projects/PAY/tokens/ci-read"]
    assert not plant.team.alive(leaked)
    after = plant.stored()
    assert [reference for reference in before if before[reference] != after[reference]] == [
        "projects/PAY/tokens/ci-read"
    ]


@pytest.mark.long
def test_jobs_on_localhost_leave_alone_what_the_inventory_leaves_out(site):
    plant = site.plant(project_tokens_prune=["*"])
    plant.launcher.project = site.repository(include=["PAY"])
    strays = {owner: plant.team.control("POST", "seed", stray(owner))["tokens"][0]["secret"] for owner in OWNERS}
    assert plant.run("provision").status == 0
    before = plant.stored()
    assert set(before) == {f"projects/PAY/tokens/{name}" for name in NAMES}
    assert [owner for owner, secret in strays.items() if not plant.team.alive(secret)] == ["PAY"]

    assert undeclared(plant.run("audit")) == []
    job = plant.run("revoke leaked", revoke_leaked_text=before["projects/PAY/tokens/ci-read"])
    assert job.status == 0, job.output
    assert (len(job.stats["revoke_leaked"]["revoked"]), job.stats["revoke_leaked"]["reissued"]) == (1, [])
    assert "run tokensmith.bitbucket.provision next." in job.output
    assert plant.stored() == before
    assert [owner for owner, secret in strays.items() if not plant.team.alive(secret)] == ["PAY"]

    assert plant.run("provision").status == 0
    after = plant.stored()
    assert [name for name in after if after[name] != before.get(name)] == ["projects/PAY/tokens/ci-read"]


@pytest.mark.long
def test_an_audit_by_a_job_compares_where_the_projects_are_named_and_fails_as_the_policy_says(site):
    policy = {"severities": {"undeclared": "critical"}}
    given = {"token_audit_fail_on": "critical", "token_audit_policy": policy}
    plant = site.plant(awx_setup_projects=["PAY"], **given)
    for owner in OWNERS:
        plant.team.control("POST", "seed", stray(owner))
    job = plant.run("audit")
    assert job.status == 2, job.output
    assert "projects/PAY/tokens/by-hand" in undeclared(job)
    assert not [reference for reference in undeclared(job) if not reference.startswith("projects/PAY/")]
    assert job.stats["token_audit"]["worst"] == "critical"


@pytest.mark.long
def test_files_are_searched_by_a_job_that_is_told_of_them_at_launch(plant):
    assert plant.run("provision").status == 0
    leaked = plant.stored()["projects/OPS/tokens/ci-read"]
    places = [plant.team.place / "build of today.log", plant.team.place / "other.log"]
    for place in places:
        place.write_text(leaked, encoding="utf-8")
    nothing = plant.run("revoke leaked", revoke_leaked_max_revocations="3")
    assert (nothing.status, plant.team.alive(leaked)) == (2, True)
    assert "Say what leaked" in nothing.output
    job = plant.run("revoke leaked", revoke_leaked_files="\n".join(map(str, places)), revoke_leaked_verify="yes")
    assert job.status == 0, job.output
    assert "2 files searched, 1 tokens leaked, 1 revoked" in job.output
    assert not plant.team.alive(leaked)


@pytest.mark.long
def test_hosts_of_the_inventory_do_the_repositories_of_their_projects(site):
    plant = site.plant(
        awx_setup_repositories=True,
        project_tokens_set=[{"name": "read-one", "permissions": ["REPO_READ"], "expires_in_days": 90}],
    )
    job = plant.run("provision")
    assert job.status == 0, job.output
    owners = {reference.partition("/tokens/")[0] for reference in plant.stored()}
    assert {f"projects/{owner}" for owner in OWNERS} < owners
    assert any(owner.startswith("projects/PAY/repos/") for owner in owners)


@pytest.mark.long
def test_a_job_opens_an_issue_with_the_plain_variables_that_were_given_at_setup(site):
    heard: list[Request] = []

    def listen(request: Request) -> Answer:
        heard.append(request)
        return Answer(201)

    with serving(listen) as jira:
        plant = site.plant(
            token_audit_notify="notify_jira.yml",
            token_audit_fail_on="low",
            notify_jira_url=jira,
            notify_jira_project="OPS",
            awx_setup_notify={"jira_token": JIRA_TOKEN},
        )
        plant.launcher.project = site.repository(notify="notify_jira.yml")
        plant.team.control("POST", "seed", stray("PAY"))
        job = plant.run("audit")
    assert job.status == 2, job.output
    ((path, fields),) = [(request.path, request.body["fields"]) for request in heard]
    assert (path, fields["project"], fields["issuetype"]) == (
        "/rest/api/2/issue",
        {"key": "OPS"},
        {"name": "Task"},
    )
    assert heard[0].headers["authorization"] == f"Bearer {JIRA_TOKEN}"
    assert JIRA_TOKEN not in job.output + job.kept()


@pytest.mark.long
def test_a_job_signs_in_to_vault_by_an_approle_with_the_injected_environment_alone(site):
    login = {"url": site.vault_url, "role_id": vault_kv2.ROLE_ID, "secret_id": vault_kv2.SECRET_ID}
    plant = site.plant(awx_setup_vault=login, project_tokens_store_options={"auth_method": "approle"})
    job = plant.run("provision")
    assert job.status == 0, job.output
    assert set(plant.stored()) == references(NAMES)
    assert "/v1/auth/approle/login" in [request.path for request in site.vault.requests]


@pytest.mark.long
def test_a_job_signs_in_to_the_store_in_awx_with_the_credential_and_not_with_half_of_the_options(site):
    own = {"host": site.awx_url, "oauth_token": TOKEN}
    site.awx.put("AWX itself", "", credential_type=CONTROLLER_TYPE, inputs=own)
    plant = site.plant(
        awx_setup_vault=None,
        awx_setup_credentials=["AWX itself"],
        project_tokens_store="awx_credential:Token {reference}",
        project_tokens_store_options={"organization": "Payments", "username": "kim", "password": "not-in-the-job"},
    )
    job = plant.run("provision")
    assert job.status == 0, job.output
    kept = {item["name"].partition("Token ")[2]: item["inputs"] for item in site.awx.credentials.values()}
    tokens = {reference: inputs["token"] for reference, inputs in kept.items() if reference}
    assert set(tokens) == references(NAMES)
    assert all(plant.team.alive(secret) for secret in tokens.values())
    assert not [reference for reference, secret in tokens.items() if secret in job.output + job.kept()]


@pytest.mark.long
def test_a_job_tells_slack_by_a_task_file_of_the_repository_and_nobody_the_address(site):
    heard: list[Request] = []

    def listen(request: Request) -> Answer:
        heard.append(request)
        return Answer(200)

    repository = site.repository(notify="notify_slack.yml")
    with serving(listen) as slack:
        plant = site.plant(awx_setup_notify={"slack_url": slack + WEBHOOK}, project_tokens_notify="notify_slack.yml")
        plant.launcher.project = repository
        for template in site.awx.objects["job_templates"].values():
            template.update(verbosity=4, diff_mode=True)
        job = plant.run("provision")
    assert job.status == 0, job.output
    # Each host of the inventory tells of its own project.
    assert [request.path for request in heard] == [WEBHOOK] * 4
    told = "".join(request.body["text"] for request in heard)
    assert all(f"issue {reference} (absent)" in told for reference in references(NAMES))


def test_a_job_that_fails_ends_with_a_status_and_the_figures(plant):
    plant.team.control(
        "POST", "faults", {"kind": "status", "status": 500, "method": "PUT", "path": "PAY", "times": None}
    )
    job = plant.run("provision")
    assert job.status == 2
    assert (job.stats["project_tokens_owners_failed"], job.stats["project_tokens_issued"]) == (1, 9)
    assert (job.folder / "status").read_text(encoding="utf-8") == "failed"


def test_what_the_credential_has_is_injected_and_what_it_has_not_is_empty(plant, tmp_path):
    (template, *_others) = plant.awx.objects["job_templates"].values()
    (tmp_path / "one" / "env").mkdir(parents=True)
    environment = plant.launcher.injected(template, tmp_path / "one")
    assert environment["BITBUCKET_URL"] == plant.team.bitbucket.url
    assert environment["BITBUCKET_USERNAME"] == "admin"
    assert (environment["BITBUCKET_TOKEN"], environment["BITBUCKET_CA_PATH"]) == ("", "")
    credential = next(item for item in plant.awx.credentials.values() if item["name"] == NAME)
    credential["inputs"] = {"url": "https://x", "token": "t-1", "ca": "-----BEGIN CERTIFICATE-----"}
    environment = plant.launcher.injected(template, tmp_path / "one")
    assert (environment["BITBUCKET_USERNAME"], environment["BITBUCKET_PASSWORD"]) == ("", "")
    assert Path(environment["BITBUCKET_CA_PATH"]).read_text(encoding="utf-8") == "-----BEGIN CERTIFICATE-----"
