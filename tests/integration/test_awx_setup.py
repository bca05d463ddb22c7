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
    assert "`credential`: there is no Not there among credentials" in missing.failure


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
    (told,) = re.findall(r'"msg": "Not passed on to the jobs: ([^"]*?)\. Jobs sign', outcome.output)
    assert told.split(", ") == [
        *sorted({*NOT_FOR_JOBS, "project_tokens_password"}),
        "project_tokens_store_options.secret_id",
    ]
    for template in desk.named("job_templates").values():
        extra = json.loads(template["extra_vars"])
        assert PLAIN.items() <= extra.items()
        assert not NOT_FOR_JOBS.keys() & extra.keys()


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
    ("given", "say"),
    [
        ({"awx_setup_organization": None}, "Set the organization (awx_setup_organization)"),
        ({"project_tokens_store": None}, "It is not set."),
        ({"project_tokens_repositories": ["{{ bitbucket_key }}/*"]}, "On AWX every host of the inventory"),
        ({"awx_setup_organization": "Nobody"}, "`organization`: there is no Nobody"),
        ({"awx_setup_token": "wrong"}, "refuses this login"),
    ],
    ids=str,
)
def test_what_cannot_be_right_is_one_message_before_anything_is_written(desk, given, say):
    outcome = desk.setup(**given)
    assert outcome.status != 0
    assert say in outcome.failure
    assert "\n" not in outcome.failure
    # The credential types belong to no organization, and come first.
    assert {path.split("/")[3] for path in desk.writes()} <= {"credential_types"}
