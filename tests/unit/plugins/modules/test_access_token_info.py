"""Listing and filtering; every filter at its edge."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_info
from tests.unit.plugins.company import LEDGER, LOGIN, PAY, Company, checked

MS = 1 / 86_400_000


def run(company: Company, check: bool = False, caller: str = "admin", **given: t.Any) -> dict[str, t.Any]:
    params = checked(access_token_info.SPEC, access_token_info.CONSTRAINTS, {**LOGIN, "projects": ["PAY"], **given})
    return access_token_info.run(params, company.client(caller), check)


def names(result: dict[str, t.Any]) -> list[str]:
    return [token["name"] for token in result["access_tokens"]]


@pytest.fixture
def tokens(company: Company) -> Company:
    def add(name: str, permission: str, age: float, left: float | None, used: float | None) -> None:
        company.sim.add_token(
            PAY, name, [permission], created_days_ago=age, expires_in_days=left, last_used_days_ago=used
        )

    add("ci-a", "REPO_READ", 30, 0, 1)
    add("ci-b", "REPO_WRITE", 30, 30, None)
    add("ci-c", "PROJECT_ADMIN", 10, 30 + MS, 10)
    add("deploy", "PROJECT_READ", 30 - MS, None, None)
    return company


FILTERS = [
    ({}, ["ci-a", "ci-b", "ci-c", "deploy"]),
    ({"name": "ci-?"}, ["ci-a", "ci-b", "ci-c"]),
    ({"name": "CI-*"}, []),
    ({"permission": "REPO_READ"}, ["ci-a", "ci-b", "ci-c", "deploy"]),
    ({"permission": "repo_write"}, ["ci-b", "ci-c"]),
    ({"permission": "PROJECT_READ"}, ["ci-c", "deploy"]),
    ({"expiring_within_days": 30}, ["ci-b"]),
    ({"expiring_within_days": 31}, ["ci-b", "ci-c"]),
    ({"unused_for_days": 30}, ["ci-b"]),
    ({"unused_for_days": 10}, ["ci-b", "ci-c", "deploy"]),
    ({"never_used": True}, ["ci-b", "deploy"]),
    ({"never_used": False}, ["ci-a", "ci-c"]),
    ({"expired": True}, ["ci-a"]),
    ({"expired": False}, ["ci-b", "ci-c", "deploy"]),
    ({"expired": False, "never_used": True, "name": "d*"}, ["deploy"]),
]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(("given", "expected"), FILTERS, ids=str)
def test_filters(tokens, given, expected, check):
    result = run(tokens, check, **given)
    assert (names(result), result["changed"], result["failures"]) == (expected, False, [])
    assert tokens.writes == []


@pytest.mark.parametrize("style", ["iso_millis", "offset"])
def test_times_are_the_same_however_the_server_writes_them(tokens, style):
    """D7: real servers send milliseconds; the published schema says date-time strings."""
    milliseconds = run(tokens)["access_tokens"]
    tokens.sim.switches.time_format = style
    assert run(tokens)["access_tokens"] == milliseconds


@pytest.mark.parametrize("given", [{"expiring_within_days": 900}, {"unused_for_days": 0}, {"expired": False}], ids=str)
def test_without_a_clock_no_filter_by_time_matches(tokens, given):
    tokens.sim.switches.date_header = "missing"
    assert names(run(tokens, **given)) == []


def test_a_token_is_told_without_anything_secret(tokens):
    result = run(tokens, name="ci-a")
    (token,) = result["access_tokens"]
    assert token == {
        "reference": "projects/PAY/tokens/ci-a",
        "id": tokens.ids()[0],
        "name": "ci-a",
        "permissions": ["REPO_READ"],
        "created": "2025-12-16T09:00:00Z",
        "expires": "2026-01-15T09:00:00Z",
        "last_used": "2026-01-14T09:00:00Z",
        "days_left": 0,
    }
    assert not any(item.secret in str(result) for item in tokens.sim.tokens(PAY))


def test_tokens_are_sorted_by_reference_and_age(company):
    company.sim.add_token("projects/SHOP", "a")
    company.sim.add_token(PAY, "b", created_days_ago=1, token_id="9")
    company.sim.add_token(PAY, "b", created_days_ago=2, token_id="5")
    company.sim.add_token(PAY, "a", token_id="7")
    result = run(company, projects=["SHOP", "PAY"])
    assert [(token["reference"], token["id"]) for token in result["access_tokens"]][:3] == [
        ("projects/PAY/tokens/a", "7"),
        ("projects/PAY/tokens/b", "5"),
        ("projects/PAY/tokens/b", "9"),
    ]
    assert result["access_tokens"][3]["reference"] == "projects/SHOP/tokens/a"


@pytest.mark.parametrize(
    ("given", "owners"),
    [
        ({"repositories": ["PAY/*"], "projects": []}, [LEDGER, "projects/PAY/repos/old"]),
        ({"projects": ["*"]}, [PAY, "projects/SHOP"]),
        ({"projects": ["~*"]}, ["projects/~pat"]),
        ({"projects": []}, ["users/joe_doe"]),
    ],
    ids=str,
)
def test_globs_match_archived_repositories_and_nobody_named_is_the_caller(company, given, owners):
    company.sim.model.users["joe doe"].roles = frozenset({"SYS_ADMIN"})
    run(company, caller="Joe Doe", **given)
    assert sorted(request.removeprefix("GET ") for request in company.requests if "/" in request) == owners


def test_an_owner_that_cannot_be_listed_is_a_failure_beside_the_others(tokens):
    result = run(tokens, projects=["PAY", "NOPE"])
    assert len(result["access_tokens"]) == 4
    assert result["failures"] == [
        {"owner": "projects/NOPE", "reason": "not_found", "msg": result["msg"]},
    ]
    assert result["failed"]
    assert "Project NOPE does not exist." in result["msg"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"expiring_within_days": -1}, "`expiring_within_days` cannot be negative"),
        ({"unused_for_days": -1}, "`unused_for_days` cannot be negative"),
        ({"permission": "REPO_RAED"}, "did you mean REPO_READ?"),
        ({"permission": ""}, "at least one permission"),
    ],
    ids=str,
)
def test_filters_that_cannot_be_right(company, given, sentence):
    with pytest.raises(InputError) as caught:
        run(company, **given)
    assert sentence in str(caught.value)
    assert company.requests == []


def test_a_glob_without_a_match_is_a_failure_and_the_other_owners_are_listed(tokens):
    result = run(tokens, projects=["PAY", "NOSUCH*"])
    assert len(names(result)) == 4
    (failure,) = result["failures"]
    assert (failure["owner"], failure["reason"], result["failed"]) == ("projects/NOSUCH*", "no_match", True)
