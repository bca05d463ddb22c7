"""Which owners there are: what globs and names stand for, and a failure for each that could not be listed."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    BitbucketError,
    Failure,
    InputError,
    LockoutError,
    RateLimitError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import ListedOwner, Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Workers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._api import DataCenter
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._discovery import (
    Discovery,
    list_tokens,
    resolve,
    resolve_one,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import (
    declared_owner,
    declared_owners,
)
from tests.unit.plugins.company import LEDGER, PASSWORD, PAY, SHOP, URL, Company

EVERYTHING = {"projects": ["*", "~*"], "repositories": ["*/*", "~*/*"], "users": ["*"]}
PROJECTS = ["projects/PAY", "projects/SHOP", "projects/~pat"]
REPOSITORIES = ["projects/PAY/repos/ledger", "projects/PAY/repos/old"]
USERS = ["users/admin", "users/joe_doe", "users/pat"]


class Everything(t.NamedTuple):
    """What an audit finds."""

    owners: list[ListedOwner]
    failures: list[Failure]
    notes: list[str]

    @property
    def paths(self) -> list[str]:
        return sorted(listed.owner.path for listed in self.owners)

    def of(self, path: str) -> ListedOwner:
        return next(listed for listed in self.owners if listed.owner.path == path)


def look(company: Company, caller: str = "admin", token: str = "", **patterns: t.Any) -> Everything:
    """Look at everything, as the audit does."""
    declared = declared_owners(patterns or EVERYTHING, globs_for_users=True)
    api = company.api(caller, token=token)
    discovery = Discovery(api, Workers(4), administered=False, archived=True, whole=True)
    return Everything(discovery.find(declared), discovery.failures, discovery.notes)


def test_everything_is_every_project_repository_and_user_archived_and_personal_ones_too(company):
    found = look(company)
    assert found.paths == sorted([*PROJECTS, *REPOSITORIES, *USERS])
    assert (found.failures, found.notes) == ([], [])
    assert company.writes == []


def test_personal_projects_are_tried_where_the_listing_shows_none(company):
    """D29 [unknown]."""
    company.sim.switches.projects_list_personal = False
    company.sim.add_repository("~pat", "dotfiles")
    found = look(company)
    guesses = {"projects/~admin", "projects/~joe_doe", "projects/~pat"}
    assert set(found.paths) == {*PROJECTS, *REPOSITORIES, *USERS, *guesses, "projects/~pat/repos/dotfiles"}
    assert {listed.owner.path for listed in found.owners if listed.guessed} == guesses
    assert found.failures == []
    assert look(company, projects=["PAY"]).paths == PROJECTS[:1]


def test_a_listed_owner_says_what_bitbucket_says_of_it(company):
    company.sim.add_user("gone", "a-password-of-nobody", active=False)
    found = look(company)
    assert found.of("projects/PAY") == ListedOwner(Owner(project="PAY"), "Pay", f"{URL}/projects/PAY", public=False)
    assert found.of("projects/PAY/repos/old").inactive == "archived"
    assert found.of("projects/PAY/repos/ledger").inactive == ""
    assert found.of("users/gone").inactive == "deactivated"
    assert found.of("users/joe_doe").title == "Joe Doe"


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ({"projects": ["*"]}, PROJECTS[:2]),
        ({"projects": ["~*"]}, PROJECTS[2:]),
        ({"projects": ["pay", "SH*"]}, PROJECTS[:2]),
        ({"projects": ["PAY", "P*"]}, PROJECTS[:1]),
        ({"projects": ["UNSEEN"]}, ["projects/UNSEEN"]),
        ({"repositories": ["PAY/*"]}, REPOSITORIES),
        ({"repositories": ["*/l*"]}, REPOSITORIES[:1]),
        ({"repositories": ["PAY/ledger", "PAY/unseen"]}, [REPOSITORIES[0], "projects/PAY/repos/unseen"]),
        ({"users": ["p*"]}, ["users/pat"]),
        ({"users": ["unseen"]}, ["users/unseen"]),
    ],
    ids=str,
)
def test_patterns_narrow_it_and_an_exact_name_that_is_not_listed_is_asked_for_nevertheless(company, patterns, expected):
    assert look(company, **patterns).paths == sorted(expected)


@pytest.mark.parametrize("patterns", [{"projects": ["NO*"]}, {"repositories": ["NO*/*"]}, {"users": ["no*"]}], ids=str)
def test_a_glob_that_matches_nothing_is_a_failure_of_its_own(company, patterns):
    found = look(company, **{**patterns, "projects": ["PAY", *patterns.get("projects", [])]})
    assert found.paths == ["projects/PAY"]
    (failure,) = found.failures
    assert failure.reason == "no_match"
    assert "that you can see" in failure.msg


def test_where_there_is_nothing_everything_is_nothing(company):
    company.sim.model.projects.clear()
    assert look(company, projects=["*"], repositories=["*/*"], users=["*"]).paths == USERS


@pytest.mark.parametrize(
    ("patterns", "sentence"),
    [
        ({"projects": []}, "No owner is declared"),
        ({"repositories": ["PAY"]}, "must be written as KEY/slug"),
        ({"users": ["a/b"]}, "'a/b' is not a user"),
        ({"projects": [""]}, "is not a project's key"),
    ],
    ids=str,
)
def test_patterns_that_cannot_be_right(company, patterns, sentence):
    with pytest.raises(InputError, match=sentence):
        look(company, **patterns)
    assert company.requests == []


@pytest.mark.parametrize("listed", [True, False])
def test_deactivated_users_are_found_whether_or_not_everyone_may_see_them(company, listed):
    """D29 [unknown]."""
    company.sim.switches.deactivated_users_listed = listed
    company.sim.add_user("gone", "a-password-of-nobody", active=False)
    assert "users/gone" in look(company).paths


@pytest.mark.parametrize("bearer", [False, True])
def test_without_administration_the_remark_says_who_may_be_missing(company, bearer):
    token = company.sim.add_token("users/pat", "own", ["PROJECT_READ"]).secret if bearer else ""
    found = look(company, "pat", token, users=["*"])
    assert found.paths == USERS
    assert found.failures == []
    assert "deactivated ones, possibly" in found.notes[0]


def test_repositories_that_cannot_be_listed_are_told_and_the_others_found(company):
    company.sim.faults.arm("status", method="GET", path="/repos$", query="projectkey=SHOP", status=500, times=None)
    found = look(company)
    assert found.paths == sorted([*PROJECTS, *REPOSITORIES, *USERS])
    assert [(failure.owner, failure.reason) for failure in found.failures] == [("projects/SHOP/repos", "refused")]


@pytest.mark.parametrize("patterns", [["*/*"], ["PAY/*", "SHOP/*"], ["*/*", "PAY/l*", "*/o*"]], ids=str)
def test_each_project_is_asked_for_its_repositories_once_whatever_asks_for_some(company, patterns):
    assert set(look(company, repositories=patterns).paths) == set(REPOSITORIES)
    assert company.requests.count("GET repos") == 2


def test_users_that_cannot_be_listed_are_told(company):
    company.sim.faults.arm("status", method="GET", path="/latest/users$", status=500, times=None)
    company.sim.faults.arm("status", method="GET", path="/admin/users$", status=500, times=None)
    found = look(company, users=["*", "pat"])
    assert found.paths == ["users/pat"]
    assert [failure.owner for failure in found.failures] == ["users", "users"]


@pytest.mark.parametrize("patterns", [{"users": ["*"]}, {"projects": ["*"]}], ids=str)
def test_a_wrong_password_ends_it_after_one_request(company, patterns):
    client = company.client("admin", "not-the-password-of-anyone-here")
    with pytest.raises(LockoutError):
        Discovery(DataCenter(client), Workers(4), whole=True).find(declared_owners(patterns, globs_for_users=True))
    assert len(company.requests) == 1


@pytest.mark.parametrize(("path", "listings"), [("latest/users$", 1), ("admin/users$", 2)])
def test_a_rate_limit_is_waited_for_once(company, path, listings):
    company.sim.faults.arm("status", method="GET", path=path, status=429, times=None)
    with pytest.raises(RateLimitError):
        look(company, users=["*"])
    assert len(set(company.requests)) == listings


def test_pages_that_overlap_name_nobody_twice(company):
    company.sim.switches.update({"page_cap": 2, "page_overlap": 1})
    assert look(company).paths == sorted([*PROJECTS, *REPOSITORIES, *USERS])


# What a task declares.


def paths(company: Company, caller: str = "admin", archived: bool = False, **given: t.Any) -> list[str]:
    owners, failures = resolve(declared_owners(given, required=False), company.api(caller), archived)
    assert failures == []
    return [owner.path for owner in owners]


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
        ({"users": ["Pat"], "repositories": ["*/l*"], "projects": ["S*"]}, [SHOP, LEDGER, "users/pat"]),
        ({}, ["users/admin"]),
    ],
    ids=str,
)
def test_globs_and_other_spellings(company, given, expected):
    assert paths(company, **given) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"projects": ["PAY", "~pat"], "repositories": ["PAY/ledger"], "users": ["joe_doe"]},
        {"projects": ["Pay", "~PAT", "pay"], "repositories": ["pay/Ledger"], "users": ["joe_doe"]},
    ],
    ids=["exact", "other case"],
)
def test_exact_owners_need_no_server_whatever_their_case(company, given):
    assert paths(company, **given) == ["projects/PAY", "projects/~pat", LEDGER, "users/joe_doe"]
    assert company.requests == []


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"project": "pay"}, PAY),
        ({"project": "PAY", "repository": "ledger"}, LEDGER),
        ({"user": "pat"}, "users/pat"),
        ({"user": "Joe Doe"}, "users/joe_doe"),
        ({}, "users/admin"),
    ],
    ids=str,
)
def test_one_owner(company, given, expected):
    assert resolve_one(declared_owner(given), company.api()).path == expected


def test_one_owner_that_does_not_exist_is_an_error(company):
    with pytest.raises(BitbucketError, match="There is no user called No Body") as caught:
        resolve_one(declared_owner({"user": "No Body"}), company.api())
    assert caught.value.reason == "no_match"


def test_archived_repositories_match_globs_where_wanted(company):
    assert len(paths(company, archived=True, repositories=["PAY/*"])) == 2


def test_a_glob_means_what_the_caller_administers(company):
    assert paths(company, "pat", projects=["*"]) == ["projects/PAY"]
    _owners, (failure,) = resolve(declared_owners({"projects": ["*"]}), company.api("Joe Doe"))
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
    owners, failures = resolve(declared_owners(declared), company.api())
    assert [owner.path for owner in owners] == ["projects/PAY"]
    assert failures == [Failure(owner, "no_match", sentence)]


def test_a_listing_that_fails_is_the_failure_of_its_glob_only(company):
    company.sim.faults.arm("status", path="/rest/api/latest/repos", status=500, times=9)
    owners, failures = resolve(declared_owners({"projects": ["PAY"], "repositories": ["SHOP/*"]}), company.api())
    assert [owner.path for owner in owners] == ["projects/PAY"]
    assert [failure.owner for failure in failures] == ["projects/SHOP/repos"]


def test_a_refused_credential_stops_everything(company):
    with pytest.raises(LockoutError):
        resolve(declared_owners({"projects": ["PAY", "P*"]}), company.api("nobody"))


def test_a_name_that_two_users_share_but_for_its_case_must_be_written_exactly(company):
    """D22 [live]: ``filter`` finds parts of names."""
    company.sim.add_user("J. Doe", PASSWORD)
    user = company.sim.add_user("j. doe ii", PASSWORD)
    user.name = "j. doe"
    assert paths(company, users=["J. Doe"]) == ["users/j._doe"]
    _owners, (failure,) = resolve(declared_owners({"users": ["J. DOE"]}), company.api())
    assert failure.reason == "input"
    assert "2 users are called J. DOE" in failure.msg


def test_each_listing_is_read_once(company):
    paths(company, projects=["P*", "S*"], repositories=["P*/l*", "PAY/*e*"])
    assert company.requests == ["GET projects", "GET repos"]
    paths(company, projects=["pay", "shop"], repositories=["PAY/OLD", "pay/Ledger"])
    assert company.requests == []


def test_the_server_that_does_not_say_who_one_is(company):
    company.sim.faults.arm("status", path="application-properties", status=200)
    with pytest.raises(InputError, match="name the user with `user`"):
        resolve(declared_owner({}), company.api(token=company.sim.add_oauth_bearer("pat")))


def test_a_project_that_does_not_list_its_repositories_hides_those_of_no_other(company):
    company.sim.add_repository("SHOP", "front")
    company.sim.faults.arm("status", path="/rest/api/latest/repos", query="projectkey=SHOP", status=500, times=9)
    owners, failures = resolve(declared_owners({"repositories": ["*/*"]}), company.api(), concurrency=4)
    assert [owner.path for owner in owners] == [LEDGER]
    assert [failure.owner for failure in failures] == ["projects/SHOP/repos"]


def test_tokens_are_listed_for_each_owner_and_one_that_refuses_is_a_failure(company):
    token = company.sim.add_token(PAY, "ci")
    owners = [Owner("PAY"), Owner("SHOP"), Owner(user="admin"), Owner("GONE")]
    listings, failures = list_tokens(owners, company.api("pat"), Workers(4))
    assert [(owner.path, [item.id for item in listing.tokens]) for owner, listing in listings] == [(PAY, [token.id])]
    assert [(failure.owner, failure.reason) for failure in failures] == [
        (SHOP, "forbidden"),
        ("users/admin", "forbidden"),
        ("projects/GONE", "not_found"),
    ]
