"""Who is looked at: every owner that patterns stand for, and a word about each that could not be."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    InputError,
    LockoutError,
    RateLimitError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Workers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter import _census
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._directory import (
    Directory,
    Place,
    link_of,
)
from tests.unit.plugins.company import URL, CannedTransport, Company

EVERYTHING = {"projects": ["*", "~*"], "repositories": ["*/*", "~*/*"], "users": ["*"]}
PROJECTS = ["projects/PAY", "projects/SHOP", "projects/~pat"]
REPOSITORIES = ["projects/PAY/repos/ledger", "projects/PAY/repos/old"]
USERS = ["users/admin", "users/joe_doe", "users/pat"]


def walk(company: Company, caller: str = "admin", token: str = "", **patterns: t.Any) -> _census.Found:
    """Both steps, as the audit takes them."""
    directory = Directory(company.client(caller, token=token))
    found = _census.places(_census.declared_patterns(patterns or EVERYTHING), directory)
    more = _census.repositories(found.wanted, directory, Workers(4))
    return found._replace(places=found.places + more.places, failures=found.failures + more.failures)


def paths(found: _census.Found) -> list[str]:
    return sorted(place.owner.path for place in found.places)


def place(found: _census.Found, path: str) -> Place:
    return next(item for item in found.places if item.owner.path == path)


def test_everything_is_every_project_repository_and_user_archived_and_personal_ones_too(company):
    found = walk(company)
    assert paths(found) == sorted([*PROJECTS, *REPOSITORIES, *USERS])
    assert (found.failures, found.notes) == ([], [])
    assert company.writes == []


def test_personal_projects_are_tried_where_the_listing_shows_none(company):
    """D29 [unknown]."""
    company.sim.switches.projects_list_personal = False
    company.sim.add_repository("~pat", "dotfiles")
    found = walk(company)
    guesses = {"projects/~admin", "projects/~joe_doe", "projects/~pat"}
    assert set(paths(found)) == {*PROJECTS, *REPOSITORIES, *USERS, *guesses, "projects/~pat/repos/dotfiles"}
    assert found.guessed == {"~admin", "~joe_doe", "~pat"}
    assert found.failures == []
    assert walk(company, projects=["PAY"]).guessed == frozenset()


def test_a_place_says_what_bitbucket_says_of_it(company):
    company.sim.add_user("gone", "a-password-of-nobody", active=False)
    found = walk(company)
    assert place(found, "projects/PAY") == Place(Owner(project="PAY"), "Pay", f"{URL}/projects/PAY")
    assert place(found, "projects/PAY/repos/old").inactive == "archived"
    assert place(found, "projects/PAY/repos/ledger").inactive == ""
    assert place(found, "users/gone").inactive == "deactivated"
    assert place(found, "users/joe_doe").title == "Joe Doe"


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
    assert paths(walk(company, **patterns)) == sorted(expected)


@pytest.mark.parametrize("patterns", [{"projects": ["NO*"]}, {"repositories": ["NO*/*"]}, {"users": ["no*"]}], ids=str)
def test_a_glob_that_matches_nothing_is_a_failure_of_its_own(company, patterns):
    found = walk(company, **{**patterns, "projects": ["PAY", *patterns.get("projects", [])]})
    assert paths(found) == ["projects/PAY"]
    (failure,) = found.failures
    assert failure.reason == "no_match"
    assert "matches nothing that you can see" in failure.msg


def test_where_there_is_nothing_everything_is_nothing(company):
    company.sim.model.projects.clear()
    assert paths(walk(company, projects=["*"], repositories=["*/*"], users=["*"])) == USERS


@pytest.mark.parametrize(
    ("patterns", "sentence"),
    [
        ({"projects": []}, "Nothing to look at"),
        ({"repositories": ["PAY"]}, "must be written as KEY/slug"),
        ({"users": ["a/b"]}, "'a/b' is not a user"),
        ({"projects": [""]}, "is not a project's key"),
    ],
    ids=str,
)
def test_patterns_that_cannot_be_right(company, patterns, sentence):
    with pytest.raises(InputError, match=sentence):
        walk(company, **patterns)
    assert company.requests == []


@pytest.mark.parametrize("listed", [True, False])
def test_deactivated_users_are_found_whether_or_not_everyone_may_see_them(company, listed):
    """D29 [unknown]."""
    company.sim.switches.deactivated_users_listed = listed
    company.sim.add_user("gone", "a-password-of-nobody", active=False)
    assert "users/gone" in paths(walk(company))


@pytest.mark.parametrize("bearer", [False, True])
def test_without_administration_the_remark_says_who_may_be_missing(company, bearer):
    token = company.sim.add_token("users/pat", "own", ["PROJECT_READ"]).secret if bearer else ""
    found = walk(company, "pat", token, users=["*"])
    assert paths(found) == USERS
    assert found.failures == []
    assert "deactivated ones, possibly" in found.notes[0]


def test_repositories_that_cannot_be_listed_are_told_and_the_others_found(company):
    company.sim.faults.arm("status", method="GET", path="/repos$", query="projectkey=SHOP", status=500, times=None)
    found = walk(company)
    assert paths(found) == sorted([*PROJECTS, *REPOSITORIES, *USERS])
    assert [(failure.owner, failure.reason) for failure in found.failures] == [("projects/SHOP/repos", "refused")]


@pytest.mark.parametrize("patterns", [["*/*"], ["PAY/*", "SHOP/*"], ["*/*", "PAY/l*", "*/o*"]], ids=str)
def test_each_project_is_asked_for_its_repositories_once_whatever_asks_for_some(company, patterns):
    assert set(paths(walk(company, repositories=patterns))) == set(REPOSITORIES)
    assert company.requests.count("GET repos") == 2


def test_users_that_cannot_be_listed_are_told(company):
    company.sim.faults.arm("status", method="GET", path="/latest/users$", status=500, times=None)
    company.sim.faults.arm("status", method="GET", path="/admin/users$", status=500, times=None)
    found = walk(company, users=["*", "pat"])
    assert paths(found) == ["users/pat"]
    assert [failure.owner for failure in found.failures] == ["users", "users"]


@pytest.mark.parametrize("patterns", [{"users": ["*"]}, {"projects": ["*"]}], ids=str)
def test_a_wrong_password_ends_it_after_one_request(company, patterns):
    client = company.client("admin", "not-the-password-of-anyone-here")
    with pytest.raises(LockoutError):
        _census.places(_census.declared_patterns(patterns), Directory(client))
    assert len(company.requests) == 1


@pytest.mark.parametrize(("path", "listings"), [("latest/users$", 1), ("admin/users$", 2)])
def test_a_rate_limit_is_waited_for_once(company, path, listings):
    company.sim.faults.arm("status", method="GET", path=path, status=429, times=None)
    with pytest.raises(RateLimitError):
        walk(company, users=["*"])
    assert len(set(company.requests)) == listings


def test_pages_that_overlap_name_nobody_twice(company):
    company.sim.switches.update({"page_cap": 2, "page_overlap": 1})
    assert paths(walk(company)) == sorted([*PROJECTS, *REPOSITORIES, *USERS])


@pytest.mark.parametrize("entry", [{"name": "no key"}, {"key": 7}, {"key": ""}, {"key": ".."}, {"key": "A/B"}], ids=str)
def test_an_entry_without_a_key_is_an_error_and_not_an_owner_less(company, entry):
    client = company.client()
    client._transport = CannedTransport({"values": [entry], "isLastPage": True})
    with pytest.raises(AnswerError, match="has no usable key"):
        Directory(client).projects()


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
