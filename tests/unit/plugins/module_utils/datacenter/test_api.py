"""From Bitbucket's JSON to the model: what may be missing, and what must not be guessed."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    ForbiddenError,
    NotFoundError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import ListedOwner, Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._api import DataCenter, link_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from tests.unit.plugins.company import PASSWORD, PAY, CannedTransport

PROJECT = Owner(project="PAY")
ANYBODY = Credential(token="t")
RECORDED = {"id": "075905477751", "createdDate": 1610525968583, "name": "ci", "permissions": ["REPO_ADMIN"]}


def answering(body: t.Any, credential: Credential = ANYBODY) -> DataCenter:
    return DataCenter(Client("http://bitbucket.test", credential, t.cast("t.Any", CannedTransport(body))))


def keys(listed: list[ListedOwner]) -> list[str]:
    return [owner.key for owner in listed]


def listing(*values: t.Any) -> dict[str, t.Any]:
    return {"values": list(values), "isLastPage": True}


@pytest.mark.parametrize("switches", [{"service_owner": owner} for owner in ("user", "project", "neither")], ids=str)
def test_a_listed_token_has_all_it_says(company, switches):
    company.sim.switches.update(switches)
    old = company.sim.add_token(PAY, "ci", ["PROJECT_READ", "REPO_ADMIN"], expires_in_days=5, last_used_days_ago=1)
    (token,) = company.api().tokens(PROJECT).tokens
    assert (token.id, token.created, token.expires, token.last_used) == (
        old.id,
        old.created,
        old.expires,
        old.last_used,
    )
    assert token.permissions.names == ["PROJECT_READ", "REPO_ADMIN"]


def test_the_recorded_body_needs_neither_expiry_nor_use():
    (token,) = answering(listing(RECORDED)).tokens(PROJECT).tokens
    assert (token.id, token.expires, token.last_used) == ("075905477751", None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 75905477751},
        {"id": "abc"},
        {"id": ""},
        {"id": "1/../2"},
        {"name": None},
        {"createdDate": None},
        {"createdDate": "soon"},
        {"createdDate": "1610525968583"},
        {"createdDate": True},
        {"createdDate": -1},
        {"expiryDate": "never"},
        {"expiryDate": 253402300799001},
        {"lastAuthenticated": []},
        {"permissions": "REPO_READ"},
        {"permissions": [1]},
    ],
    ids=str,
)
def test_a_token_that_cannot_be_read_fails_the_list(wrong):
    with pytest.raises(AnswerError, match="holds a token with"):
        answering(listing({**RECORDED, **wrong})).tokens(PROJECT)


@pytest.mark.parametrize("value", [None, "x", []], ids=str)
def test_an_entry_that_is_no_token_fails_the_list_too(value):
    with pytest.raises(AnswerError):
        answering(listing(RECORDED, value)).tokens(PROJECT)


def test_one_token_is_asked_for_by_id(company):
    token = company.sim.add_token(PAY, "ci")
    found = company.api().token(PROJECT, token.id)
    assert found is not None
    assert (found.id, company.requests) == (token.id, [f"GET {PAY}/{token.id}"])
    assert company.api().token(PROJECT, "999999999999") is None


def test_a_missing_project_does_not_mean_that_the_token_is_gone(company):
    with pytest.raises(NotFoundError, match="Project NOPE does not exist"):
        company.api().token(Owner(project="NOPE"), "999999999999")


def test_an_answer_about_another_token_is_an_error():
    with pytest.raises(AnswerError, match="about another token"):
        answering(RECORDED).token(PROJECT, "999999999999")


def test_projects_are_those_that_the_caller_administers(company):
    assert keys(company.api("pat").projects()) == ["PAY", "~pat"]
    assert keys(company.api().projects()) == ["PAY", "SHOP", "~pat"]


@pytest.mark.parametrize(("archived", "slugs"), [(False, ["ledger"]), (True, ["ledger", "old"])])
def test_archived_repositories_are_asked_for(company, archived, slugs):
    assert keys(company.api().repositories("PAY", archived)) == slugs


@pytest.mark.parametrize("odd", [{}, {"description": 7, "public": "yes", "archived": None, "name": ["x"]}], ids=str)
def test_what_a_listing_does_not_say_or_not_in_its_form_is_not_known(odd):
    answers = answering(listing({"key": "PAY", "slug": "ledger", **odd}))
    assert answers.projects() == [ListedOwner(PROJECT)]
    assert answers.repositories("PAY", archived=False) == [ListedOwner(Owner("PAY", "ledger"))]


def test_what_a_listing_says_is_kept():
    said = {"key": "PAY", "name": "Payments", "description": "", "public": True, "archived": False}
    assert answering(listing(said)).projects() == [
        ListedOwner(PROJECT, "Payments", "", "", archived=False, public=True)
    ]


def test_a_key_that_repeats_the_credential_is_no_key():
    with pytest.raises(AnswerError, match="a key repeats the credential"):
        answering(listing({"key": f"echo {PASSWORD}"}), Credential("jdoe", PASSWORD)).projects()


def test_what_is_told_of_a_listing_repeats_no_credential():
    login = Credential("jdoe", PASSWORD)
    echo = login.header.partition(" ")[2]
    links = {"self": [{"href": f"https://bitbucket.test/{echo}"}]}
    entry = {"key": "PAY", "name": f"Pay {PASSWORD}", "description": f"for {echo}", "links": links}
    (project,) = answering(listing(entry), login).projects()
    assert project == ListedOwner(PROJECT, "Pay [credential]", "", "for [credential]")


# As on many a test instance, and where a password begins as names do.
@pytest.mark.parametrize(
    ("user", "password", "key"),
    [
        ("admin", "admin", "admin"),
        ("bot", "bitbucket", "bitbucket-tools"),
        ("token-keeper-1", "token-keeper-1", "~TOKEN-KEEPER-1"),
        ("bot", "platform-2026", "platform-tools"),
    ],
)
def test_names_that_are_like_the_password_are_names(user, password, key):
    credential = Credential(user, password)
    assert keys(answering(listing({"key": key}), credential).projects()) == [key]


@pytest.mark.parametrize("value", [{}, {"key": ""}, {"key": 1}, {"key": ".."}, {"key": "A/B"}], ids=str)
def test_an_entry_without_a_key_fails_the_listing(value):
    with pytest.raises(AnswerError, match="has no usable key"):
        answering(listing(value)).projects()


def test_a_users_slug_is_found_by_the_exact_name(company):
    company.sim.add_user("Joe Doe Junior")
    assert company.api().user_slug("Joe Doe") == "joe_doe"
    assert company.api().user_slug("Joe") is None


def test_all_users_are_listed_to_administrators_only(company):
    assert keys(company.api().users()) == ["admin", "pat", "joe_doe"]
    with pytest.raises(ForbiddenError):
        company.api("pat").users()


def test_who_one_is(company):
    assert company.api("Joe Doe").identity().name == "Joe Doe"
    company.sim.faults.arm("status", status=200)
    assert company.api("Joe Doe").identity().name is None


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("jdoe", "jdoe"),
        ("a%2Fb", "a/b"),
        ("a/b", "a/b"),
        *((said, None) for said in ("..", ".", PASSWORD, "%2e%2e", "%2E", PASSWORD.replace("-", "%2D"))),
        *((said, None) for said in ("a%0Ab", "%1b[31mx")),
    ],
)
def test_a_users_name_that_is_none_or_repeats_the_credential_is_not_believed(company, said, believed):
    company.sim.faults.arm("status", status=200, headers={"X-AUSERNAME": said})
    assert company.api().identity().name == believed


@pytest.mark.parametrize("name", ["admin", "token-keeper-1", "Token-Keeper-1"])
def test_who_one_is_may_be_the_password_as_well(company, name):
    company.sim.faults.arm("status", status=200, headers={"X-AUSERNAME": name})
    assert DataCenter(company.client(name.lower(), name)).identity().name == name


def test_a_name_that_no_result_could_be_written_with_is_replaced(company):
    company.sim.add_token(PAY, "\ud800x", created_days_ago=1)
    (token,) = company.api().tokens(PROJECT).tokens
    assert token.name.endswith("x")
    token.name.encode("utf-8")


@pytest.mark.parametrize("body", ["html", "empty", "message"])
def test_a_404_that_is_not_bitbuckets_does_not_prove_that_a_token_is_gone(company, body):
    token = company.sim.add_token(PAY, "ci")
    company.sim.faults.arm("status", method="DELETE", status=404, body=body, times=None)
    with pytest.raises(NotFoundError, match="does not come from Bitbucket's REST API"):
        company.api().revoke(Owner("PAY"), token.id)
    assert company.ids() == [token.id]
    company.sim.model.revoke(token, company.sim.clock.now_ms())
    assert company.api().revoke(Owner("PAY"), token.id) is False


@pytest.mark.parametrize(("body", "gone"), [("json", True), ("empty", True), ("html", False), ("message", False)])
def test_a_404_of_somebody_else_does_not_say_that_a_token_is_gone(company, body, gone):
    """The body of the real answer is not recorded (D2, D10): one of Bitbucket's form counts, and none at all."""
    company.sim.faults.arm("status", method="GET", status=404, body=body)
    if gone:
        assert company.api().token(PROJECT, "000000000001") is None
        return
    with pytest.raises(NotFoundError, match="does not come from Bitbucket's REST API"):
        company.api().token(PROJECT, "000000000001")


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("https://bitbucket.example.com/projects/PAY", True),
        ("http://localhost:7990/projects/~pat", True),
        ("javascript:alert(1)", False),
        ("JAVASCRIPT:alert(1)//https://x", False),
        ("data:text/html,hello", False),
        ("//evil.example.com", False),
        ("https://user:password@bitbucket.example.com", False),
        ("https://bitbucket.example.com/\nx", False),
        ("https://[broken", False),
        ("https:///projects", False),
        ("", False),
        (None, False),
        (7, False),
    ],
    ids=str,
)
def test_only_a_web_address_is_a_link(href, expected):
    assert link_of({"links": {"self": [{"href": href}]}}) == (href if expected else "")


@pytest.mark.parametrize("links", [None, [], {}, {"self": None}, {"self": []}, {"self": ["x"]}, {"self": "x"}], ids=str)
def test_links_in_any_other_shape_are_none(links):
    assert link_of({"links": links}) == ""
