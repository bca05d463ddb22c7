"""The playbook that sets up AWX, run as a process with the built collection, on a double of AWX."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.doubles.awx import CONTROLLER_TYPE, ENCRYPTED, TOKEN, AwxDouble, running
from tests.integration.conftest import bare_environment
from tests.integration.team import Outcome

SETUP = "tokensmith.bitbucket.awx_setup"
PASSWORD, SECRET_ID = "the-password-of-automation-4711", "a-secret-id-of-an-approle-0815"
WEBHOOK = "https://hooks.slack.example.com/services/T0000/B0000/an-address-that-is-a-secret"
TOKENS = {
    "project_tokens_password": PASSWORD,
    "project_tokens_store": "hashi_vault:secret/bitbucket",
    "project_tokens_store_options": {"auth_method": "approle", "role_id": "r-1", "secret_id": SECRET_ID},
    "project_tokens_set": [{"name": "ci", "permissions": "PROJECT_READ", "expires_in_days": 90}],
}
GIVEN = {
    "awx_setup_organization": "Payments",
    "awx_setup_project_url": "https://git.example.com/tokens.git",
    "awx_setup_image": "registry.example.com/tokens:1",
    "awx_setup_vault": {"url": "https://vault.example.com", "secret_id": SECRET_ID},
}
ENVIRONMENT = {
    "BITBUCKET_URL": "https://bitbucket.example.com/git",
    "BITBUCKET_USERNAME": "automation",
    "BITBUCKET_PASSWORD": PASSWORD,
}
PLAIN = {
    "token_audit_policy": {"unused_days": 180},
    "token_audit_fail_on": "high",
    "token_audit_output_dir": "/mnt/audit",
    "token_audit_notify": "notify_jira.yml",
    "project_tokens_missing_secret": "fail",
    "project_tokens_concurrency": 4,
    "revoke_leaked_ignore": ["0123456789ab"],
    "notify_jira_url": "https://jira.example.com",
    "notify_jira_project": "OPS",
    "notify_mail_to": ["kim@example.com"],
}
# Credentials, addresses that are secret, paths on this machine, and what belongs to one run.
NOT_FOR_JOBS = {
    "notify_jira_token": PASSWORD,
    "notify_mail_password": PASSWORD,
    "notify_slack_url": WEBHOOK,
    "notify_chat_webhook": WEBHOOK,
    "notify_dsn": SECRET_ID,
    "notify_pw": PASSWORD,
    "project_tokens_client_key": "/etc/ssl/me.key",
    "token_audit_hosts": "all",
    "token_audit_token": SECRET_ID,
    "revoke_leaked_text": SECRET_ID,
    "revoke_leaked_files": ["/var/log/ci"],
}
NUMBER = 14


@dataclass
class Desk:
    """Somebody with a playbook and a controller."""

    awx: AwxDouble
    url: str
    place: Path

    def setup(self, *options: str, environment: dict[str, str] | None = None, **more: t.Any) -> Outcome:
        given = {name: value for name, value in {**TOKENS, **GIVEN, **more}.items() if value is not None}
        (self.place / "given.yml").write_text(yaml.safe_dump(given), encoding="utf-8")
        controller = {"CONTROLLER_HOST": self.url, "CONTROLLER_OAUTH_TOKEN": TOKEN}
        told = ENVIRONMENT if environment is None else environment
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        done = subprocess.run(
            [program, SETUP, "-e", "@given.yml", *options],
            cwd=self.place,
            env={**bare_environment(), **controller, **told},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        outcome = Outcome(done.returncode, done.stdout + done.stderr)
        hidden = (PASSWORD, SECRET_ID, TOKEN, WEBHOOK, WEBHOOK.rpartition("/")[2])
        assert not [secret for secret in hidden if secret in outcome.output]
        return outcome

    def named(self, kind: str) -> dict[str, t.Any]:
        return {item["name"]: item for item in self.awx.objects[kind].values()}

    def writes(self) -> list[str]:
        return [request.path for request in self.awx.requests if request.method != "GET"]


@pytest.fixture
def desk(tmp_path: Path) -> t.Iterator[Desk]:
    with running() as (double, url):
        yield Desk(double, url, tmp_path)


def report(outcome: Outcome) -> list[str]:
    assert outcome.status == 0, outcome.output
    (found,) = re.findall(r"TASK \[Report what was done\].*?=> (\{.*?^\})", outcome.output, re.DOTALL | re.MULTILINE)
    return t.cast("list[str]", json.loads(found)["msg"])


def test_awx_is_set_up_once_and_check_mode_foretells_it(desk):
    predicted = desk.setup("--check", "--diff", "-vvvv")
    assert desk.writes() == []
    done = desk.setup("--diff", "-vvvv")
    assert len(report(done)) == NUMBER
    assert report(predicted) == [f"would be {line}" for line in report(done)]
    assert (predicted.changed, done.changed) == (1, 1)
    desk.awx.requests.clear()
    again = desk.setup("--diff")
    assert (again.changed, report(again), desk.writes()) == (0, ["nothing to do"], [])


@pytest.mark.long
def test_what_is_registered_is_what_a_job_needs(desk):
    assert len(report(desk.setup())) == NUMBER
    types, templates = desk.named("credential_types"), desk.named("job_templates")
    injectors = types["Bitbucket Data Center"]["injectors"]
    assert injectors["env"]["BITBUCKET_PASSWORD"] == "{{ password }}"
    assert set(injectors["env"]) == {
        f"BITBUCKET_{name}" for name in ("URL", "USERNAME", "PASSWORD", "TOKEN", "CA_PATH")
    }
    held = {item["name"]: item["inputs"] for item in desk.awx.credentials.values()}
    assert held == {
        "Bitbucket tokens": {"url": ENVIRONMENT["BITBUCKET_URL"], "username": "automation", "password": PASSWORD},
        "Bitbucket tokens: Vault": GIVEN["awx_setup_vault"],
    }
    assert {name: item["playbook"] for name, item in templates.items()} == {
        "Bitbucket tokens: provision": "provision.yml",
        "Bitbucket tokens: rotate": "rotate.yml",
        "Bitbucket tokens: audit": "audit.yml",
        "Bitbucket tokens: revoke leaked": "revoke_leaked.yml",
    }
    extra = {name.partition(": ")[2]: json.loads(item["extra_vars"]) for name, item in templates.items()}
    assert extra["provision"] == extra["rotate"]
    assert extra["revoke leaked"] == {**extra["audit"], "revoke_leaked_reissue": False}
    assert extra["provision"] == {
        "project_tokens_hosts": "all",
        "project_tokens_set": TOKENS["project_tokens_set"],
        "project_tokens_store": "hashi_vault:secret/bitbucket",
        "project_tokens_store_options": {"auth_method": "approle", "role_id": "r-1"},
    }
    # A job on localhost does not see which projects the inventory has, so nothing is declared there.
    assert set(extra["audit"]) == {"project_tokens_store", "project_tokens_store_options"}
    assert all(len(ids) == 2 for ids in desk.awx.attached.values())
    (source,) = desk.named("inventory_sources").values()
    assert (source["source_path"], source["credential"] in desk.awx.credentials) == ("bitbucket.yml", True)
    assert {item["rrule"].partition(" ")[2] for item in desk.named("schedules").values()} == {
        "RRULE:FREQ=DAILY;INTERVAL=1"
    }


@pytest.mark.long
def test_what_somebody_changed_is_changed_back_and_the_rest_left(desk):
    desk.setup()
    template = desk.named("job_templates")["Bitbucket tokens: provision"]
    template.update({"forks": 99, "verbosity": 3})
    outcome = desk.setup("--diff")
    assert report(outcome) == ["changed job_templates Bitbucket tokens: provision"]
    assert (template["forks"], template["verbosity"]) == (5, 3)
    assert "-forks: 99" in outcome.output


@pytest.mark.long
def test_a_store_in_credentials_of_awx_takes_a_credential_that_is_there(desk):
    desk.awx.put("AWX itself", "", credential_type=CONTROLLER_TYPE, inputs={"host": desk.url})
    variables = {
        "project_tokens_store": "awx_credential:Bitbucket {reference}",
        "project_tokens_store_options": {"organization": "Payments", "username": "kim", "password": PASSWORD},
        "awx_setup_vault": None,
        "awx_setup_credentials": ["AWX itself"],
    }
    assert len(report(desk.setup(**variables))) == NUMBER - 2
    extra = json.loads(desk.named("job_templates")["Bitbucket tokens: provision"]["extra_vars"])
    assert extra["project_tokens_store"] == "awx_credential:Bitbucket {reference}"
    assert extra["project_tokens_store_options"] == {"organization": "Payments"}
    assert all(len(ids) == 2 for ids in desk.awx.attached.values())
    missing = desk.setup(**variables | {"awx_setup_credentials": ["Not there"]})
    assert "`credential` names Not there, and there are none of that name among credentials" in missing.failure


@pytest.mark.long
def test_what_notifies_gets_its_secrets_from_a_credential_and_its_files_from_the_repository(desk):
    variables = {
        "awx_setup_notify": {"slack_url": WEBHOOK},
        "project_tokens_notify": "notify_slack.yml",
        "token_audit_notify": "notify_audit.yml",
        "awx_setup_extra_vars": {"notify_jira_project": "OPS"},
    }
    predicted = desk.setup("--check", "--diff", "-vvvv", **variables)
    done = desk.setup("--diff", "-vvvv", **variables)
    assert len(report(done)) == NUMBER + 2
    assert report(predicted) == [f"would be {line}" for line in report(done)]
    name = "Bitbucket tokens: notifications"
    (number,) = [number for number, item in desk.awx.credentials.items() if item["name"] == name]
    assert desk.awx.credentials[number]["inputs"] == {"slack_url": WEBHOOK}
    assert all(number in ids for ids in desk.awx.attached.values())
    kind = desk.named("credential_types")["Notifications about Bitbucket tokens"]
    assert all(entry["secret"] for entry in kind["inputs"]["fields"])
    for template in desk.named("job_templates").values():
        assert WEBHOOK not in json.dumps(template)
        extra = json.loads(template["extra_vars"])
        assert (extra["project_tokens_notify"], extra["token_audit_notify"], extra["notify_jira_project"]) == (
            "notify_slack.yml",
            "notify_audit.yml",
            "OPS",
        )
    assert report(desk.setup("--diff", **variables)) == ["nothing to do"]


@pytest.mark.long
def test_what_is_given_is_passed_on_but_for_credentials_paths_and_what_belongs_to_one_run(desk):
    outcome = desk.setup("--diff", "-vvvv", **PLAIN, **NOT_FOR_JOBS)
    assert len(report(outcome)) == NUMBER
    (told,) = re.findall(r'"msg": "Not passed on to the jobs: ([^"]*?)\. Credentials', outcome.output)
    assert told.split(", ") == [
        *sorted({*NOT_FOR_JOBS, "project_tokens_password"}),
        "project_tokens_store_options.secret_id",
    ]
    for template in desk.named("job_templates").values():
        extra = json.loads(template["extra_vars"])
        assert PLAIN.items() <= extra.items()
        assert not NOT_FOR_JOBS.keys() & extra.keys()


@pytest.mark.long
def test_what_is_said_of_all_job_templates_is_what_they_get(desk):
    own = {
        "project_tokens_store_options": {"auth_method": "approle"},
        "project_tokens_hosts": "payments",
        "project_tokens_set": [{"name": "ci", "permissions": "REPO_READ"}],
        "revoke_leaked_reissue": True,
        "notify_channel": "#tokens",
    }
    outcome = desk.setup(**PLAIN, notify_channel="#other", project_tokens_password=None, awx_setup_extra_vars=own)
    assert "Not passed on" not in outcome.output
    for template in desk.named("job_templates").values():
        assert own.items() <= json.loads(template["extra_vars"]).items()


@pytest.mark.long
@pytest.mark.parametrize("named", [["PAY", "OPS*"], "PAY, OPS*"], ids=["list", "text"])
def test_whoever_names_the_projects_gets_an_audit_that_compares_and_a_reissue(desk, named):
    desk.setup(awx_setup_projects=named, awx_setup_repositories=True)
    extra = {
        name.partition(": ")[2]: json.loads(item["extra_vars"]) for name, item in desk.named("job_templates").items()
    }
    assert extra["audit"] == extra["revoke leaked"]
    assert (extra["audit"]["project_tokens_projects"], extra["audit"]["project_tokens_repositories"]) == (
        ["PAY", "OPS*"],
        ["PAY/*", "OPS*/*"],
    )
    assert extra["audit"]["project_tokens_set"] == TOKENS["project_tokens_set"]
    # The template reaches the job as one: each host fills in its own key.
    assert extra["provision"] == extra["rotate"]
    assert extra["provision"]["project_tokens_repositories"] == ["{{ bitbucket_key }}/*"]
    assert "project_tokens_projects" not in extra["provision"]
    descriptions = [survey["description"] for survey in desk.awx.surveys.values() if len(survey["spec"]) > 1]
    desk.setup()
    descriptions += [survey["description"] for survey in desk.awx.surveys.values() if len(survey["spec"]) > 1]
    assert descriptions == [
        "Revokes the tokens whose secrets leaked. Those that are declared are reissued.",
        "Revokes the tokens whose secrets leaked. Run provision next: it reissues those that are declared.",
    ]


@pytest.mark.long
def test_the_survey_offers_what_was_given(desk):
    desk.setup(revoke_leaked_max_revocations=3, revoke_leaked_verify=True)
    (survey,) = [survey for survey in desk.awx.surveys.values() if len(survey["spec"]) > 1]
    assert {question["variable"]: question.get("default") for question in survey["spec"]} == {
        "revoke_leaked_text": None,
        "revoke_leaked_files": None,
        "revoke_leaked_verify": "yes",
        "revoke_leaked_max_revocations": "3",
    }
    assert not any(question["required"] for question in survey["spec"])


@pytest.mark.long
@pytest.mark.parametrize(
    ("login", "vault"),
    [
        ({"auth_method": "approle"}, {"role_id": "r-1", "secret_id": SECRET_ID}),
        ({"auth_method": "approle", "role_id": "r-1"}, {"secret_id": SECRET_ID}),
        ({"token": SECRET_ID}, {"token": SECRET_ID}),
        ({"auth_method": "jwt", "role": "ci", "jwt": SECRET_ID}, None),
        ({"auth_method": "approle"}, None),
    ],
    ids=["approle", "role id in the options", "token", "options of their own", "a credential of theirs"],
)
def test_a_store_that_a_job_can_sign_in_to_is_registered(desk, login, vault):
    desk.awx.put("Theirs", "", credential_type=CONTROLLER_TYPE, inputs={"host": desk.url})
    method = login.get("auth_method")
    theirs = {"awx_setup_credentials": ["Theirs"]} if method == "approle" and vault is None else {}
    if method == "jwt":
        options = {"auth_method": "jwt", "role": "ci", "jwt": "{{ lookup('ansible.builtin.env', 'JWT') }}"}
        theirs = {"awx_setup_extra_vars": {"project_tokens_store_options": options}}
    given = {"url": "https://vault.example.com", **vault} if vault else None
    outcome = desk.setup("--check", awx_setup_vault=given, project_tokens_store_options=login, **theirs)
    assert len(report(outcome)) == NUMBER - (0 if vault else 2)


@pytest.mark.long
def test_secrets_are_written_again_where_that_is_asked_for(desk):
    desk.setup()
    for item in desk.awx.credentials.values():
        item["inputs"] = {
            name: "older" if name in ("password", "secret_id") else v for name, v in item["inputs"].items()
        }
    assert desk.setup().changed == 0
    assert len(report(desk.setup(awx_setup_update_secrets=True))) == 2
    inputs = [item["inputs"] for item in desk.awx.credentials.values()]
    assert (inputs[0]["password"], inputs[1]["secret_id"]) == (PASSWORD, SECRET_ID)
    assert ENCRYPTED not in json.dumps(inputs)


@pytest.mark.parametrize(
    ("given", "environment", "say"),
    [
        ({"project_tokens_store": "file:/etc/ci"}, None, "and project_tokens_store is file:/etc/ci."),
        (
            {"project_tokens_store": "ansible_vault:tokens.yml"},
            None,
            "An execution environment forgets what is written",
        ),
        ({"project_tokens_store": None}, None, "and project_tokens_store is not set."),
        ({"awx_setup_organization": None}, None, "Name the organization (awx_setup_organization)"),
        ({}, {}, "and Bitbucket (awx_setup_bitbucket_url or BITBUCKET_URL)."),
        ({"project_tokens_set": None}, None, "Give project_tokens_set, as in -e @tokens.yml."),
        ({}, {"BITBUCKET_URL": "https://x"}, "Nothing signs a job in to Bitbucket: give awx_setup_bitbucket_username"),
        ({}, {"BITBUCKET_URL": "https://x", "BITBUCKET_USERNAME": "kim"}, "or awx_setup_bitbucket_token (BITBUCKET_T"),
        (
            {"awx_setup_bitbucket_username": "kim"},
            {"BITBUCKET_URL": "https://x", "BITBUCKET_TOKEN": "of-somebody-else"},
            "Nothing signs a job in to Bitbucket: give awx_setup_bitbucket_username",
        ),
        ({"awx_setup_sync_timeout": -1}, None, "and `sync_timeout` at least 0."),
        ({"awx_setup_organization": "Nobody"}, None, "`organization` names Nobody"),
        ({"awx_setup_token": "wrong"}, None, "refuses this login"),
        ({"project_tokens_projects": ["PAY"]}, None, "name the projects as `include` in the inventory's file"),
        ({"project_tokens_repositories": ["{{ bitbucket_key }}/*"]}, None, "On AWX every host of the inventory"),
        (
            {"awx_setup_vault": {"url": "https://vault.example.com"}},
            None,
            "Nothing signs a job in to Vault: give awx_setup_vault secret_id, or name a credential that "
            "injects VAULT_SECRET_ID in awx_setup_credentials.",
        ),
        (
            {"awx_setup_vault": None, "project_tokens_store_options": {"auth_method": "approle"}},
            None,
            "give awx_setup_vault role_id and secret_id, or",
        ),
        ({"project_tokens_store_options": {"token": SECRET_ID}}, None, "that injects VAULT_TOKEN in"),
        (
            {"project_tokens_store_options": {"auth_method": "jwt", "jwt": SECRET_ID}},
            None,
            "not with jwt as project_tokens_store_options says.",
        ),
        (
            {"project_tokens_store": "awx_credential:{reference}", "project_tokens_store_options": {}},
            None,
            "Nothing signs a job in to AWX, where the store keeps the secrets: name a credential",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_right_is_said_in_a_sentence_before_anything_is_written(desk, given, environment, say):
    outcome = desk.setup(environment=environment, **given)
    assert outcome.status != 0
    assert say in outcome.failure
    assert "\n" not in outcome.failure
    # The credential types belong to no organization, and come first.
    assert {path.split("/")[3] for path in desk.writes()} <= {"credential_types"}
