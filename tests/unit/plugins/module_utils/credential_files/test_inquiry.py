"""Secrets of files are asked about once, only where it serves, and what that says of them."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files import _findings, _inquiry, _places
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _cloud_answers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from tests.simulator.adapter import SimulatorAdapter
from tests.simulator.cloud import Cloud

HTTP_ACCESS_TOKEN = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
URL = "https://api.bitbucket.org"


class Sandbox:
    """Bitbucket Cloud with one account, and files on a host."""

    def __init__(self, home: Path) -> None:
        self.cloud = Cloud(seed=7)
        self.jdoe = self.cloud.add_account("jdoe")
        self.cloud.add_workspace("acme", [self.jdoe])
        self.cloud.add_repository("acme", "ledger")
        self.home = home
        self.lines: list[str] = []

    def put(self, user: str, secret: str, host: str = "bitbucket.org") -> None:
        self.lines.append(f"machine {host} login {user} password {secret}\n")

    def ask(self, email: str = "") -> list[dict[str, t.Any]]:
        """What is told of each line."""
        (self.home / ".netrc").write_text("".join(self.lines))
        search = _places.Search()
        search.home(str(self.home))
        found = _findings.findings(search.files)
        verdicts = _inquiry.Inquiry(self.client, email).verdicts(found)
        told = zip(found, verdicts, strict=True)
        return [{**_inquiry.describe(said), "dead": _inquiry.is_dead(finding, said)} for finding, said in told]

    def client(self, credential: Credential) -> Client:
        transport = Transport(Settings(), adapters={"https://": SimulatorAdapter(self.cloud)})
        return Client(URL, credential, transport, lambda _seconds: None, product=_cloud_answers.CLOUD)


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def test_an_app_password_is_dead_without_asking(sandbox):
    secret = sandbox.cloud.add_app_password(sandbox.jdoe)
    sandbox.put("jdoe", secret)
    (told,) = sandbox.ask()
    assert (told["works"], told["dead"]) == (False, True)
    assert (sandbox.cloud.presented(secret), len(sandbox.cloud.requests)) == (0, 0)


@pytest.mark.parametrize("how", ["in the file", "in another line", "by the task"])
def test_an_api_token_is_asked_about_with_the_e_mail_address(sandbox, how):
    token = sandbox.cloud.add_api_token(sandbox.jdoe, "ci")
    sandbox.put(sandbox.jdoe.email if how == "in the file" else "x-bitbucket-api-token-auth", token.secret)
    if how == "in another line":
        sandbox.put(sandbox.jdoe.email, token.secret)
    told = sandbox.ask(sandbox.jdoe.email if how == "by the task" else "")
    assert {(each["works"], each["dead"]) for each in told} == {(True, False)}
    assert told[0]["account"]["account_id"] == sandbox.jdoe.account_id
    assert sandbox.cloud.presented(token.secret) == 1


def test_without_an_e_mail_address_it_is_not_asked_about(sandbox):
    token = sandbox.cloud.add_api_token(sandbox.jdoe, "ci")
    sandbox.put("x-bitbucket-api-token-auth", token.secret)
    (told,) = sandbox.ask()
    assert (told["works"], told["dead"]) == (None, None)
    assert "Set `email`" in told["problem"]
    assert sandbox.cloud.presented(token.secret) == 0


@pytest.mark.parametrize(("named", "works", "dead"), [("in the file", False, True), ("by the task", None, None)])
def test_a_refusal_is_no_verdict_where_the_address_may_be_anothers(sandbox, named, works, dead):
    token = sandbox.cloud.add_api_token(sandbox.jdoe, "ci", expires_in_days=-1, created_days_ago=9)
    sandbox.put(sandbox.jdoe.email if named == "in the file" else "x-bitbucket-api-token-auth", token.secret)
    (told,) = sandbox.ask(sandbox.jdoe.email)
    assert (told["works"], told["dead"]) == (works, dead)
    assert ("is not the address of its account" in told["problem"]) == (works is None)


def test_an_access_token_signs_in_by_itself(sandbox):
    token = sandbox.cloud.add_access_token("repository", "acme/ledger")
    sandbox.put("x-token-auth", token.secret)
    (told,) = sandbox.ask()
    assert (told["works"], told["dead"], sandbox.cloud.presented(token.secret)) == (True, False, 1)


@pytest.mark.parametrize(("host", "dead"), [("bitbucket.org", True), ("git.example.com", None)])
def test_what_is_refused_is_dead_only_where_it_is_for_bitbucket(sandbox, host, dead):
    """On another host, it may be alive: the API keys of organizations have the prefix of access tokens (C5)."""
    organization = sandbox.cloud.add_organization("acme")
    sandbox.put("x-token-auth", organization.admin_key, host)
    (told,) = sandbox.ask()
    assert (told["works"], told["dead"]) == (False, dead)


def test_each_secret_is_asked_about_once(sandbox):
    token = sandbox.cloud.add_access_token("repository", "acme/ledger")
    for host in ("bitbucket.org", "api.bitbucket.org", "git.example.com"):
        sandbox.put("x-token-auth", token.secret, host)
    assert [each["works"] for each in sandbox.ask()] == [True] * 3
    assert sandbox.cloud.presented(token.secret) == 1


def test_after_a_password_is_refused_no_other_of_that_user_is_tried(sandbox):
    for user, secret in [("jdoe", "first-password"), ("jdoe", "second-password"), ("ann", "third-password")]:
        sandbox.put(user, secret)
    told = sandbox.ask()
    assert [each["works"] for each in told] == [False, None, False]
    assert "can lock an account" in told[1]["problem"]
    assert [sandbox.cloud.presented(f"{word}-password") for word in ("first", "second", "third")] == [1, 0, 1]


def test_after_the_server_says_that_app_passwords_are_removed_no_other_of_that_user_is_tried(sandbox):
    sandbox.cloud.faults.arm("status", status=401, message="App passwords are removed, see CHANGE-3222.", times=None)
    for secret in ("first-password", "second-password"):
        sandbox.put("jdoe", secret)
    assert [each["works"] for each in sandbox.ask()] == [False, None]
    assert len(sandbox.cloud.requests) == 1


def test_a_captcha_is_no_verdict_and_no_other_password_of_that_user_is_tried(sandbox):
    """What Bitbucket Cloud then says is not known: here it says so in its own form, with 401."""
    sandbox.cloud.faults.arm(
        "status", status=401, message="CAPTCHA required. Your account has been locked.", times=None
    )
    for secret in ("first-password", "second-password"):
        sandbox.put("jdoe", secret)
    told = sandbox.ask()
    assert [(each["works"], each["dead"]) for each in told] == [(None, None), (None, None)]
    assert "requires a CAPTCHA" in told[0]["problem"]
    assert "can lock an account" in told[1]["problem"]
    assert len(sandbox.cloud.requests) == 1


def test_a_password_that_two_users_have_is_no_verdict_on_the_second(sandbox):
    for user in ("ann", "bob", "ann"):
        sandbox.put(user, "shared-password")
    sandbox.lines.append("machine bitbucket.org password shared-password\n")
    told = sandbox.ask()
    assert [(each["works"], each["dead"]) for each in told] == [
        (False, True),
        (None, None),
        (False, True),
        (None, None),
    ]
    assert "found with another user name" in told[1]["problem"]
    assert "has no user name" in told[3]["problem"]
    assert sandbox.cloud.presented("shared-password") == 1


def test_a_token_beside_two_user_names_is_one(sandbox):
    token = sandbox.cloud.add_api_token(sandbox.jdoe, "ci")
    for user in (sandbox.jdoe.email, "x-bitbucket-api-token-auth"):
        sandbox.put(user, token.secret)
    assert [each["works"] for each in sandbox.ask()] == [True, True]


def test_a_bare_410_says_nothing_of_a_secret(sandbox):
    """Such as a proxy gives that knows the address no more."""
    token = sandbox.cloud.add_api_token(sandbox.jdoe, "ci")
    sandbox.put(sandbox.jdoe.email, token.secret)
    sandbox.put("jdoe", "a-password")
    sandbox.cloud.faults.arm("status", status=410, times=2)
    assert [(each["works"], each["dead"]) for each in sandbox.ask()] == [(None, None)] * 2


def test_a_token_of_data_center_is_not_sent_to_the_cloud(sandbox):
    sandbox.put("x", HTTP_ACCESS_TOKEN)
    (told,) = sandbox.ask()
    assert told["works"] is None
    assert sandbox.cloud.presented(HTTP_ACCESS_TOKEN) == 0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("machine bitbucket.org password hunter2\n", "has no user name"),
        ('machine bitbucket.org login jdoe password "hunter 2"\n', "cannot be sent"),
        ("machine bitbucket.org login j:doe password hunter2\n", "cannot be sent"),
    ],
)
def test_what_cannot_be_sent_is_said(sandbox, line, sentence):
    sandbox.lines.append(line)
    (told,) = sandbox.ask()
    assert told["works"] is None
    assert sentence in told["problem"]
    assert len(sandbox.cloud.requests) == 0


def test_without_an_answer_nothing_is_said_to_be_dead(sandbox):
    token = sandbox.cloud.add_access_token("repository", "acme/ledger")
    sandbox.put("x-token-auth", token.secret)
    sandbox.cloud.faults.arm("status", status=500)
    (told,) = sandbox.ask()
    assert (told["works"], told["dead"]) == (None, None)
    assert told["problem"]
