"""From what a person wrote to owners in the server's spelling."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError, LockoutError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import (
    Failure,
    declared_owner,
    declared_owners,
    offline,
    resolve,
)
from tests.unit.plugins.company import PASSWORD, Company


def paths(company: Company, caller: str = "admin", archived: bool = False, **given: t.Any) -> list[str]:
    found = resolve(declared_owners(given, required=False), company.api(caller), archived)
    assert found.failures == []
    return [owner.path for owner in found.owners]


EXACT: dict[str, t.Any] = {"projects": ["PAY", "~pat"], "repositories": ["PAY/ledger"], "users": ["joe_doe"]}
OTHERWISE: dict[str, t.Any] = {"projects": ["Pay", "~PAT"], "repositories": ["pay/Ledger"], "users": ["joe_doe"]}


@pytest.mark.parametrize("given", [EXACT, OTHERWISE], ids=["exact", "other_case"])
def test_exact_owners_need_no_server_whatever_their_case(given):
    expected = [Owner("PAY"), Owner("~pat"), Owner("PAY", "ledger"), Owner(user="joe_doe")]
    assert offline(declared_owners(given)) == expected


@pytest.mark.parametrize(
    "given",
    [{"projects": ["P*"]}, {"repositories": ["P?Y/ledger"]}, {"users": ["Joe Doe"]}, {}],
    ids=str,
)
def test_what_only_the_server_knows_is_not_guessed(given):
    assert offline(declared_owners(given, required=False)) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"projects": ["*"]}, ["projects/PAY", "projects/SHOP"]),
        ({"projects": ["[ps]*"]}, ["projects/PAY", "projects/SHOP"]),
        ({"projects": ["~*"]}, ["projects/~pat"]),
        ({"projects": ["pay", "P*", "PAY"]}, ["projects/PAY"]),
        ({"projects": ["nope"]}, ["projects/NOPE"]),
        ({"projects": ["~Pat", "~*", "~pat"]}, ["projects/~pat"]),
        ({"repositories": ["*/*"]}, ["projects/PAY/repos/ledger"]),
        ({"repositories": ["*/l*", "pay/LEDGER"]}, ["projects/PAY/repos/ledger"]),
        ({"repositories": ["PAY/*", "PAY/old"]}, ["projects/PAY/repos/ledger", "projects/PAY/repos/old"]),
        ({"repositories": ["PAY/OLD"]}, ["projects/PAY/repos/old"]),
        ({"users": ["Joe Doe", "pat"]}, ["users/joe_doe", "users/pat"]),
        ({"users": ["joe doe", "JOE DOE", "Pat"]}, ["users/joe_doe", "users/pat"]),
        ({}, ["users/admin"]),
    ],
    ids=str,
)
def test_globs_and_other_spellings(company, given, expected):
    assert paths(company, **given) == expected


def test_archived_repositories_match_globs_where_wanted(company):
    assert len(paths(company, archived=True, repositories=["PAY/*"])) == 2


def test_a_glob_means_what_the_caller_administers(company):
    assert paths(company, "pat", projects=["*"]) == ["projects/PAY"]
    (failure,) = resolve(declared_owners({"projects": ["*"]}), company.api("Joe Doe")).failures
    assert "matches no project that you administer" in failure.msg


MISSING: list[tuple[dict[str, t.Any], str, str]] = [
    ({"projects": ["NO*"]}, "projects/NO*", "The glob NO* matches no project that you administer."),
    ({"repositories": ["NO*/*"]}, "projects/NO*/repos/*", "The glob NO* matches no project that you administer."),
    (
        {"repositories": ["PAY/no*"]},
        "projects/PAY/repos/no*",
        "The glob PAY/no* matches no repository that you can see.",
    ),
    ({"users": ["No Body"]}, "users/No Body", "There is no user called No Body."),
]


@pytest.mark.parametrize(("given", "owner", "sentence"), MISSING, ids=str)
def test_what_is_not_found_is_a_failure_of_its_own(company, given, owner, sentence):
    declared = {"projects": ["PAY"], **given}
    declared["projects"] = list(dict.fromkeys(["PAY", *declared["projects"]]))
    found = resolve(declared_owners(declared), company.api())
    assert [owner.path for owner in found.owners] == ["projects/PAY"]
    assert found.failures == [Failure(owner, "no_match", sentence)]


def test_a_listing_that_fails_is_the_failure_of_its_glob_only(company):
    company.sim.faults.arm("status", path="/rest/api/latest/repos", status=500, times=9)
    found = resolve(declared_owners({"projects": ["PAY"], "repositories": ["SHOP/*"]}), company.api())
    assert [owner.path for owner in found.owners] == ["projects/PAY"]
    assert [failure.owner for failure in found.failures] == ["projects/SHOP/repos/*"]


def test_a_refused_credential_stops_everything(company):
    with pytest.raises(LockoutError):
        resolve(declared_owners({"projects": ["PAY", "P*"]}), company.api("nobody"))


def test_a_name_that_two_users_share_but_for_its_case_must_be_written_exactly(company):
    """D22 [live]: ``filter`` finds parts of names."""
    company.sim.add_user("J. Doe", PASSWORD)
    user = company.sim.add_user("j. doe ii", PASSWORD)
    user.name = "j. doe"
    assert paths(company, users=["J. Doe"]) == ["users/j._doe"]
    (failure,) = resolve(declared_owners({"users": ["J. DOE"]}), company.api()).failures
    assert failure.reason == "input"
    assert "2 users are called J. DOE" in failure.msg


def test_each_listing_is_read_once(company):
    paths(company, projects=["P*", "S*"], repositories=["P*/l*", "PAY/*e*"])
    assert company.requests == ["GET projects", "GET repos"]
    paths(company, projects=["pay", "shop"], repositories=["PAY/OLD", "pay/Ledger"])
    assert company.requests == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"projects": [""]}, "is not a project's key"),
        ({"projects": ["PAY/ledger"]}, "is not a project's key"),
        ({"projects": [".."]}, "is not a project's key"),
        ({"users": [" "]}, "is not a user"),
        ({"users": ["svc-*"]}, "is a glob"),
        ({"repositories": ["ledger"]}, "KEY/slug"),
        ({"repositories": ["PAY/"]}, "KEY/slug"),
        ({"repositories": ["PAY/a/b"]}, "KEY/slug"),
        ({"repositories": ["PAY/.."]}, "KEY/slug"),
        ({}, "No owner is declared"),
    ],
    ids=str,
)
def test_what_cannot_be_an_owner(given, sentence):
    with pytest.raises(InputError, match=sentence):
        declared_owners(given)


def test_a_user_may_be_called_like_a_project_is_written():
    with pytest.raises(InputError, match="is a glob"):
        declared_owners({"projects": ["svc-*"], "users": ["svc-*"]})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"project": "PAY"}, Owner("PAY")),
        ({"project": "PAY", "repository": "ledger"}, Owner("PAY", "ledger")),
        ({"user": "pat"}, Owner(user="pat")),
    ],
    ids=str,
)
def test_one_owner(given, expected):
    assert offline(declared_owner(given)) == [expected]
    assert declared_owner({}).me


@pytest.mark.parametrize("name", ["projects", "users"])
def test_the_server_that_does_not_say_who_one_is(company, name):
    company.sim.faults.arm("status", path="application-properties", status=200)
    with pytest.raises(InputError, match="name the user with `user`"):
        resolve(declared_owner({}), company.api(token=company.sim.add_oauth_bearer("pat")))
