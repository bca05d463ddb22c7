"""The task files for notifications that ship, each run by a role, against a listener on this machine."""

from __future__ import annotations

import base64
import json
import shutil
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.doubles.loopback import Answer, Request, serving
from tests.doubles.mail import receiving
from tests.integration.conftest import ROOT, Bitbucket
from tests.integration.team import PROVISION, SET, Outcome, Team, assert_succeeded

FILES = ROOT / "playbooks" / "files"
WEBHOOK = "/services/T0000/B0000/an-address-that-is-a-secret"
JIRA_TOKEN = "a-token-of-jira-that-nobody-has-0815"
MAIL_PASSWORD = "a-password-of-the-mail-server-4711"


class Listener:
    """Keeps what is sent, and answers with a status."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.requests: list[Request] = []

    def handle(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer(self.status, {"heard": [request.path, request.headers.get("authorization")]})


def told(team: Team, kind: str, *options: str, **variables: t.Any) -> Outcome:
    """A run of the role that notifies, with the most talkative output, which holds none of the secrets."""
    for name in (f"notify_{kind}.yml", "notify_mail.py"):
        shutil.copy(FILES / name, team.place)
    given = {"project_tokens_notify": f"{team.place}/notify_{kind}.yml", **variables}
    (team.place / "notify.json").write_text(json.dumps(given), encoding="utf-8")
    projects = ["PAY", "NOSUCH"] if "--fail" in options else ["PAY"]
    more = [option for option in options if option != "--fail"]
    outcome = team.play(PROVISION, "-vvvv", "-e", f"@{team.place}/notify.json", *more, projects=projects)
    hidden = [WEBHOOK, WEBHOOK.rpartition("/")[2], JIRA_TOKEN, MAIL_PASSWORD]
    hidden += [base64.b64encode(f"kim:{JIRA_TOKEN}".encode()).decode().rstrip("=")]
    assert not [secret for secret in hidden if secret in outcome.output]
    return outcome


@pytest.fixture
def team(bitbucket: Bitbucket, tmp_path: Path) -> Team:
    return Team(bitbucket, tmp_path)


def test_a_task_file_is_looked_for_beside_the_playbook_and_then_where_ansible_was_started(team):
    site = team.place / "site"
    site.mkdir()
    for place in (site, team.place):
        task = [{"ansible.builtin.debug": {"msg": f"told from {place.name}."}}]
        (place / "tell.yml").write_text(yaml.safe_dump(task), encoding="utf-8")
    play = [{"hosts": "localhost", "gather_facts": False, "roles": ["tokensmith.bitbucket.project_tokens"]}]
    (site / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    for playbook, place in {"site/play.yml": site, PROVISION: team.place}.items():
        outcome = team.play(playbook, "-e", "project_tokens_notify=tell.yml", projects=["PAY"])
        assert_succeeded(outcome)
        assert f"told from {place.name}." in outcome.output


# Slack


def test_slack_hears_of_changes_and_nothing_where_there_are_none(team):
    listener = Listener(200)
    with serving(listener.handle) as url:
        assert_succeeded(told(team, "slack", notify_slack_url=url + WEBHOOK))
        (request,) = listener.requests
        assert (request.method, request.path) == ("POST", WEBHOOK)
        lines = request.body["text"].splitlines()
        assert lines[:2] == [
            "project_tokens",
            "1 owners, 3 tokens: 3 issued, 0 updated, 0 revoked, 0 owners failed",
        ]
        assert "issue projects/PAY/tokens/ci-read (absent)" in lines
        assert_succeeded(told(team, "slack", notify_slack_url=url + WEBHOOK))
        assert len(listener.requests) == 1


@pytest.mark.long
def test_slack_hears_of_a_failure_and_the_run_fails_with_its_own_words(team):
    listener = Listener(200)
    team.environment = {}
    with serving(listener.handle) as url:
        team.environment["NOTIFY_SLACK_URL"] = url + WEBHOOK
        outcome = told(team, "slack", "--fail")
    assert "NOSUCH does not exist" in outcome.failure
    text = listener.requests[0].body["text"]
    assert text.startswith("project_tokens failed\n")
    assert "NOSUCH does not exist" in text


@pytest.mark.long
def test_what_slack_would_take_for_markup_is_text(team):
    listener = Listener(200)
    with serving(listener.handle) as url:
        declared = [{**SET[0], "name": "<!channel> & co"}]
        (team.place / "set.json").write_text(json.dumps({"project_tokens_set": declared}), encoding="utf-8")
        assert_succeeded(told(team, "slack", "-e", f"@{team.place}/set.json", notify_slack_url=url + WEBHOOK))
    assert "%3C%21channel%3E%20%26%20co" in listener.requests[0].body["text"]
    assert "<" not in listener.requests[0].body["text"]


@pytest.mark.long
def test_check_mode_tells_nobody(team):
    listener = Listener(200)
    with serving(listener.handle) as url:
        assert_succeeded(told(team, "slack", "--check", notify_slack_url=url + WEBHOOK))
    assert listener.requests == []


@pytest.mark.parametrize(("status", "say"), [(404, "it answered with status 404"), (0, "it could not be reached")])
def test_a_slack_that_does_not_listen_fails_the_run_in_a_sentence_without_the_address(team, status, say):
    listener = Listener(status)
    with serving(listener.handle) as url:
        outcome = told(team, "slack", notify_slack_url=(url if status else "http://127.0.0.1:9") + WEBHOOK)
    assert f"Slack did not accept the message: {say}" in outcome.failure
    assert len(team.stored()) == 3, "the tokens are there nevertheless"


@pytest.mark.long
def test_a_slack_that_does_not_listen_hides_no_failure_of_the_role(team):
    outcome = told(team, "slack", "--fail", notify_slack_url="http://127.0.0.1:9" + WEBHOOK)
    assert "Slack did not accept the message" in outcome.output
    assert "NOSUCH does not exist" in outcome.failure


# Jira


@pytest.mark.long
@pytest.mark.parametrize("cloud", [False, True], ids=["data center", "cloud"])
def test_jira_gets_an_issue_for_a_failure(team, cloud):
    listener = Listener(201)
    team.environment = {"NOTIFY_JIRA_TOKEN": JIRA_TOKEN}
    with serving(listener.handle) as url:
        more = {"notify_jira_email": "kim"} if cloud else {}
        outcome = told(team, "jira", "--fail", notify_jira_url=url, notify_jira_project="OPS", **more)
    assert "NOSUCH does not exist" in outcome.failure
    (request,) = listener.requests
    assert (request.method, request.path) == ("POST", "/rest/api/2/issue")
    basic = base64.b64encode(f"kim:{JIRA_TOKEN}".encode()).decode()
    assert request.headers["authorization"] == (f"Basic {basic}" if cloud else f"Bearer {JIRA_TOKEN}")
    fields = request.body["fields"]
    assert (fields["project"], fields["issuetype"]) == ({"key": "OPS"}, {"name": "Task"})
    assert fields["summary"] == "Bitbucket access tokens: project_tokens failed"
    assert "NOSUCH does not exist" in fields["description"]


@pytest.mark.long
def test_jira_is_left_alone_where_nothing_failed_and_a_refusal_is_one_sentence(team):
    listener = Listener(400)
    with serving(listener.handle) as url:
        given = {"notify_jira_url": url, "notify_jira_project": "OPS", "notify_jira_token": JIRA_TOKEN}
        assert_succeeded(told(team, "jira", **given))
        assert listener.requests == []
        outcome = told(team, "jira", "--fail", **given)
    assert f"{url} did not open an issue: it answered with status 400." in outcome.output
    assert "NOSUCH does not exist" in outcome.failure


# Mail


def test_a_mail_says_what_changed(team):
    with receiving() as box:
        given = {"notify_mail_from": "ansible@example.com", "notify_mail_to": ["kim@example.com", "lee@example.com"]}
        assert_succeeded(told(team, "mail", **given, notify_mail_port=box.port, notify_mail_tls="none"))
    (message,) = box.messages
    assert box.recipients == ["kim@example.com", "lee@example.com"]
    assert message["Subject"] == "Bitbucket access tokens: project_tokens changed something"
    assert "issue projects/PAY/tokens/ci-read (absent)" in message.get_content()


@pytest.mark.long
def test_a_mail_that_is_not_taken_fails_the_run_in_a_sentence_without_the_password(team):
    team.environment = {"NOTIFY_MAIL_PASSWORD": MAIL_PASSWORD}
    with receiving() as box:
        box.answer = f"554 {MAIL_PASSWORD} is no password".encode()
        given = {"notify_mail_from": "ansible@example.com", "notify_mail_to": "kim@example.com"}
        outcome = told(team, "mail", **given, notify_mail_port=box.port, notify_mail_tls="none")
    assert outcome.failure == "The mail was not sent: localhost did not take it (SMTPDataError)."


@pytest.mark.long
def test_a_mail_is_not_sent_in_plain_text_unless_that_is_asked_for(team):
    with receiving() as box:
        given = {"notify_mail_from": "ansible@example.com", "notify_mail_to": "kim@example.com"}
        outcome = told(team, "mail", **given, notify_mail_port=box.port)
    assert outcome.failure == "The mail was not sent: localhost did not take it (SMTPNotSupportedError)."
    assert box.messages == []


# The audit


@pytest.mark.long
def test_the_audit_tells_in_the_same_way(team):
    listener = Listener(200)
    shutil.copy(FILES / "notify_slack.yml", team.place)
    with serving(listener.handle) as url:
        given = {
            "token_audit_output_dir": str(team.place / "reports"),
            "token_audit_notify": "notify_slack.yml",
            "token_audit_fail_on": "info",
            "notify_slack_url": url + WEBHOOK,
        }
        (team.place / "audit.json").write_text(json.dumps(given), encoding="utf-8")
        outcome = team.run("ansible-playbook", "tokensmith.bitbucket.audit", "-vvvv", "-e", f"@{team.place}/audit.json")
    assert outcome.status != 0
    assert WEBHOOK not in outcome.output
    (request,) = listener.requests
    first, second, *_rest = request.body["text"].splitlines()
    assert first == "token_audit failed"
    assert "owners, " in second
    assert "with findings" in second
