"""What Bitbucket Cloud's answers say of a credential (C5 to C8, C15), whichever way the facts are silent."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud import _cloud
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud._cloud import Cloud, Verdict, probe
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import AnswerError, ConnectError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Credential
from tests.unit.plugins.cloud_company import SCOPES, CloudCompany
from tests.unit.plugins.fake_transport import FakeTransport, answer

USER = ["GET /2.0/user"]


def told(cloud: CloudCompany, scopes: list[str], **switches: object) -> Verdict:
    cloud.sim.switches.update(switches)
    return probe(cloud.as_user(cloud.ada, cloud.add("x", scopes=scopes).secret))


@pytest.mark.parametrize("headers", [True, False])
def test_a_token_of_a_user_is_that_users(cloud, headers):
    cloud.sim.switches.credential_headers = headers
    token = cloud.add("laptop")
    verdict = probe(cloud.as_user(cloud.ada, token.secret))
    assert (verdict.works, verdict.problem, verdict.credential_type) == (True, None, None)
    account = {"uuid": cloud.ada.uuid, "account_id": cloud.ada.account_id, "display_name": "Ada", "nickname": "ada"}
    assert verdict.account == account
    assert (verdict.scopes, verdict.token_id) == ((tuple(SCOPES), token.id) if headers else (None, None))
    assert verdict.accepted_scopes == (("read:user:bitbucket",) if headers else None)
    assert cloud.requests == USER


@pytest.mark.parametrize("headers", [True, False])
def test_a_token_that_may_not_ask_who_it_is_works_all_the_same(cloud, headers):
    verdict = told(cloud, ["read:repository:bitbucket"], credential_headers=headers)
    assert (verdict.works, verdict.problem, verdict.account) == (True, None, None)
    assert verdict.scopes == ("read:repository:bitbucket",)
    assert verdict.accepted_scopes == ("read:user:bitbucket",)


@pytest.mark.parametrize(
    ("detail", "header", "works"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, None)],
)
@pytest.mark.parametrize("kind", ["repository", "workspace"])
def test_an_access_token_is_known_by_any_of_its_signs(cloud, kind, detail, header, works):
    cloud.sim.switches.update(
        {"access_token_user_detail": detail, "credential_type_header": header, "credential_headers": False}
    )
    reach = "acme/ledger" if kind == "repository" else "acme"
    token = cloud.sim.add_access_token(kind, reach, ["repository"])
    verdict = probe(cloud.client(Credential(token=token.secret)))
    expected = "repo_access_token" if kind == "repository" else "workspace_access_token"
    assert verdict.works is works
    assert verdict.credential_type == (expected if header else None)
    assert verdict.scopes == (("repository",) if detail else None)
    assert (verdict.problem is None) == (works is True)


@pytest.mark.parametrize(
    ("scopes", "switches", "words"),
    [
        (["read:jira-work"], {"foreign_token": "forbid"}, "any Bitbucket scope (read:jira-work)"),
        (["read:jira-work"], {"foreign_token": "forbid_unlisted"}, "any Bitbucket scope (it has none)"),
        ([], {"unscoped_token": "forbid"}, "any Bitbucket scope (it has none)"),
        (
            ["read:jira-work"],
            {"foreign_token": "refuse"},
            "has no Bitbucket scopes (a token for Jira",
        ),
        ([], {"unscoped_token": "refuse"}, "has no Bitbucket scopes (a token for Jira"),
    ],
    ids=["jira", "jira-unlisted", "unscoped", "jira-401", "unscoped-401"],
)
def test_an_api_token_that_is_not_for_bitbucket_is_told_so(cloud, scopes, switches, words):
    verdict = told(cloud, scopes, **switches)
    assert verdict.works is False
    assert words in str(verdict.problem)


@pytest.mark.parametrize("scopes", [("repository",), ("pipeline:variable",), ("read:user:bitbucket", "read:jira-work")])
def test_scopes_of_either_vocabulary_are_bitbuckets(scopes):
    assert any(_cloud._SCOPE.fullmatch(scope) for scope in scopes)


@pytest.mark.parametrize("scope", ["read:jira-work", "read:confluence-content.all", "projects", "repository:jira", ""])
def test_other_scopes_are_not(scope):
    assert not _cloud._SCOPE.fullmatch(scope)


def test_a_wrong_one_is_asked_about_once(cloud):
    token = cloud.add("gone", created_days_ago=9, expires_in_days=-1)
    for secret in (token.secret, "no-token-of-anyone"):
        verdict = probe(cloud.as_user(cloud.ada, secret))
        assert verdict.works is False
        assert "does not accept this e-mail and API token" in str(verdict.problem)
        assert secret not in str(verdict)
        assert cloud.requests == USER


def test_the_user_name_in_place_of_the_address_is_refused_and_the_reason_said(cloud):
    verdict = probe(cloud.client(Credential(cloud.ada.username, cloud.add("x").secret)))
    assert verdict.works is False
    assert "e-mail" in str(verdict.problem)


LOCKED = "CAPTCHA required. Your account has been locked."


@pytest.mark.parametrize(
    "given",
    [
        answer(401, {"type": "error", "error": {"message": LOCKED}}),
        answer(401, {"message": "Please log in to the proxy."}),
        answer(401, b"<html>Unauthorized</html>", content_type="text/html"),
        answer(401, b"Account locked", content_type="text/plain"),
        answer(401),
    ],
    ids=["captcha", "json of a proxy", "page", "text", "empty"],
)
def test_a_refusal_that_is_not_about_the_credential_is_no_verdict(given):
    transport = FakeTransport(given)
    verdict = probe(transport.client())
    assert (verdict.works, verdict.refused) == (None, True)
    assert str(verdict.problem).endswith("so it is not known whether it works.")
    assert len(transport.requests) == 1


@pytest.mark.parametrize("bearer", [True, False])
def test_an_app_password_is_dead_without_asking(cloud, bearer):
    secret = cloud.sim.add_app_password(cloud.ada)
    who = Credential(token=secret) if bearer else Credential("ada-bb", secret)
    verdict = probe(cloud.client(who))
    assert verdict.works is False
    assert "has removed app passwords (CHANGE-3222)" in str(verdict.problem)
    assert (cloud.requests, cloud.sim.presented(secret)) == ([], 0)


@pytest.mark.parametrize(
    ("given", "works", "words"),
    [
        (answer(410, {"error": {"message": "CHANGE-3222 - gone"}}), False, "removed app passwords"),
        (answer(410), None, "has removed this function, or `api_url` is wrong"),
        (answer(410, b"<html>gone</html>", content_type="text/html"), None, "has removed this function"),
        (answer(410, {"error": {"message": "CHANGE-2770 - gone"}}), None, "removed this function (CHANGE-2770)"),
        (answer(403, b"<html>blocked</html>", content_type="text/html"), None, "known but not permitted"),
        (answer(500), None, "status 500"),
        (answer(404), None, "`api_url` is wrong"),
        (answer(200, {}), None, "names no user"),
        (answer(200, []), None, "names no user"),
        (answer(200, {"uuid": 7, "nickname": ""}), None, "names no user"),
        (answer(200, b"<html>"), None, "is `api_url` Bitbucket's base URL"),
        (ConnectError("No connection."), None, "No connection"),
    ],
    ids=["3222", "410", "page", "2770", "proxy", "500", "404", "nobody", "list", "odd", "html", "down"],
)
def test_only_a_clear_answer_says_whether_it_works(given, works, words):
    verdict = probe(FakeTransport(given).client())
    assert (verdict.works, verdict.account) == (works, None)
    assert words in str(verdict.problem)


def test_headers_that_echo_the_credential_do_not_get_through():
    secret = "ATATT3xFf-an-echoed-secret-of-nobody"
    echo = {"x_token_id": secret, "x_credential_type": secret, "x_oauth_scopes": f"a,{secret}"}
    transport = FakeTransport(answer(200, {"nickname": "ada"}, **echo))
    assert secret not in str(probe(transport.client(credential=Credential("ada@example.com", secret))))


@pytest.mark.parametrize("shape", ["plain", "wrapped"])
@pytest.mark.parametrize("size", [100, 2])
def test_the_callers_workspaces_by_slug(cloud, shape, size):
    cloud.sim.switches.update({"workspaces_shape": shape, "page_cap": size})
    for slug in ("beta", "gamma"):
        cloud.sim.add_workspace(slug, members=[cloud.ada])
    token = cloud.add("x", scopes=["read:user:bitbucket", "read:workspace:bitbucket"])
    assert sorted(Cloud(cloud.as_user(cloud.ada, token.secret)).workspaces()) == ["acme", "beta", "gamma"]
    assert set(cloud.requests) == {"GET /2.0/user/workspaces"}


@pytest.mark.parametrize("entry", [{}, {"slug": 7}, {"workspace": {"name": "x"}}], ids=str)
def test_a_workspace_without_a_slug_is_an_error(entry):
    with pytest.raises(AnswerError, match="has no slug"):
        Cloud(FakeTransport(answer(200, {"values": [entry]})).client()).workspaces()


def test_no_workspaces_are_none():
    assert Cloud(FakeTransport(answer(200, {"values": []})).client()).workspaces() == []
