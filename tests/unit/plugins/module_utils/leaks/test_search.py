"""Whose token has an id: everybody whom the caller may see is asked, and who does not answer is named."""

from __future__ import annotations

import re
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    ConnectError,
    LockoutError,
    RateLimitError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._api import DataCenter
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import (
    DeclaredOwners,
    declared_owners,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.leaks._search import TokenSearch
from tests.unit.plugins.company import LEDGER, PAY, SHOP, Company

OLD = "projects/PAY/repos/old"
EVERYBODY = [PAY, SHOP, "projects/~pat", LEDGER, OLD, "users/admin", "users/joe_doe", "users/pat"]
NOBODY_HAS = "000000000000"


def searched(company: Company, *ids: str, caller: str = "admin", token: str = "", **owners: t.Any) -> TokenSearch:
    search = TokenSearch(company.api(caller, token=token), ids, concurrency=4)
    company.requests.clear()
    search.among(declared_owners(owners, required=False) if owners else DeclaredOwners(me=True))
    return search


def asked(company: Company) -> list[str]:
    """The owners whose tokens were asked for."""
    paths = (request.removeprefix("GET ") for request in company.requests)
    return sorted(path for path in paths if path.startswith(("projects/", "users/")))


@pytest.fixture(params=[True, False], ids=["personal projects listed", "personal projects not listed"])
def populated(company: Company, request: pytest.FixtureRequest) -> Company:
    """D29 [unknown]: whether personal projects are in the listing of projects."""
    company.sim.switches.projects_list_personal = request.param
    company.sim.add_repository("~pat", "dotfiles")
    return company


@pytest.mark.parametrize("owner", [*EVERYBODY, "projects/~pat/repos/dotfiles"])
def test_a_token_is_found_wherever_it_is(populated, owner):
    token = populated.sim.add_token(owner, "leaked")
    populated.sim.add_token(owner, "another")
    search = searched(populated, token.id)
    (found,) = search.found
    assert (found.owner.path, found.token.id, found.now) == (owner, token.id, populated.sim.clock.now_ms())
    assert search.failures == []


def test_everybody_is_asked_once_where_a_token_is_not_found(populated):
    search = searched(populated, NOBODY_HAS)
    assert (search.found, search.failures) == ([], [])
    seen = asked(populated)
    guessed = {"projects/~admin", "projects/~joe_doe"}
    assert sorted(set(seen) - guessed) == sorted([*EVERYBODY, "projects/~pat/repos/dotfiles"])
    assert len(seen) == len(set(seen))


def test_nobody_is_asked_where_there_is_nothing_to_find(company):
    assert searched(company).found == []
    assert company.requests == []


def test_it_ends_as_soon_as_all_are_found(company):
    company.sim.add_token(SHOP, "other")
    token = company.sim.add_token(PAY, "leaked")
    search = TokenSearch(company.api(), {token.id}, concurrency=1)
    search.among(DeclaredOwners(me=True))
    assert asked(company) == [PAY]
    assert len(search.found) == 1


def test_several_tokens_of_one_owner_and_of_others_are_found(company):
    tokens = [company.sim.add_token(owner, "leaked") for owner in (PAY, PAY, OLD, "users/pat")]
    search = searched(company, *(token.id for token in tokens))
    assert {found.token.id for found in search.found} == {token.id for token in tokens}


def test_named_owners_are_the_only_ones_asked(company):
    token = company.sim.add_token(SHOP, "leaked")
    search = searched(company, token.id, projects=["PAY"], repositories=["PAY/*"], users=["pat"])
    assert search.found == []
    assert asked(company) == sorted([PAY, LEDGER, OLD, "users/pat"])


# Who may see less.


def test_of_users_only_an_administrator_sees_others(company):
    own, others = company.sim.add_token("users/pat", "leaked"), company.sim.add_token("users/joe_doe", "leaked")
    search = searched(company, own.id, others.id, caller="pat")
    assert [found.token.id for found in search.found] == [own.id]
    refused = {failure.owner: failure for failure in search.failures}
    assert refused.keys() == {SHOP, "users"}
    assert {failure.reason for failure in search.failures} == {"forbidden"}
    assert "Only an administrator" in refused["users"].msg
    assert "users/joe_doe" not in asked(company)


def test_an_access_token_is_no_administrator_but_sees_its_own_users(company):
    signs_in = company.sim.add_token("users/admin", "mine", ["PROJECT_ADMIN"])
    leaked = company.sim.add_token(LEDGER, "leaked")
    search = searched(company, signs_in.id, leaked.id, token=signs_in.secret)
    assert {found.token.id for found in search.found} == {signs_in.id, leaked.id}
    assert [failure.owner for failure in search.failures] == ["users"]


def test_the_token_of_a_project_is_no_users(company):
    signs_in = company.sim.add_token(PAY, "mine", ["PROJECT_ADMIN"])
    leaked = company.sim.add_token(OLD, "leaked")
    search = searched(company, leaked.id, NOBODY_HAS, token=signs_in.secret)
    assert [found.token.id for found in search.found] == [leaked.id]
    assert [failure.owner for failure in search.failures] == ["users"]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_list_of_users_that_fails_however_stops_nothing_else(company, status):
    """D20 [doc]: administration refuses tokens; in which words is not recorded."""
    token = company.sim.add_token(LEDGER, "leaked")
    company.sim.faults.arm(kind="status", status=status, method="GET", path="admin/users", body="empty", times=None)
    search = searched(company, token.id, NOBODY_HAS)
    assert [found.token.id for found in search.found] == [token.id]
    assert "users" in {failure.owner for failure in search.failures}


def test_an_owner_that_fails_is_told_and_the_others_are_asked(company):
    token = company.sim.add_token("users/pat", "leaked")
    company.sim.faults.arm(kind="status", status=500, method="GET", path="projects/SHOP$", times=None)
    search = searched(company, token.id, NOBODY_HAS)
    assert len(search.found) == 1
    assert [(failure.owner, failure.reason) for failure in search.failures] == [(SHOP, "refused")]


def test_a_project_whose_repositories_are_not_listed_is_told(company):
    company.sim.faults.arm(kind="html", method="GET", path="latest/repos", times=1)
    search = searched(company, NOBODY_HAS)
    assert len(search.failures) == 1
    assert search.failures[0].owner.endswith("/repos")


# Where nobody can be asked.


def test_a_wrong_password_is_tried_once(company):
    search = TokenSearch(DataCenter(company.client("admin", "wrong")), [NOBODY_HAS], concurrency=4)
    with pytest.raises(LockoutError):
        search.among(DeclaredOwners(me=True))
    assert len(company.requests) == 1


def test_a_server_without_projects_to_list_is_an_error(company):
    company.sim.faults.arm(kind="html", method="GET", path="latest/projects", times=None)
    with pytest.raises(AnswerError):
        searched(company, NOBODY_HAS)


def test_a_server_that_goes_away_is_an_error(company):
    company.sim.faults.arm(kind="refuse", method="GET", path="admin/users", times=None)
    with pytest.raises(ConnectError):
        searched(company, NOBODY_HAS)


def test_a_rate_limit_is_not_taken_for_want_of_permission(company):
    company.sim.faults.arm(kind="status", status=429, method="GET", path="admin/users", times=None)
    with pytest.raises(RateLimitError, match="rate limit"):
        searched(company, NOBODY_HAS)
    assert asked(company) == []


def test_a_rate_limit_from_the_first_owner_on_is_an_error(company):
    company.sim.faults.arm(kind="status", status=429, method="GET", path="access-tokens/", times=None)
    with pytest.raises(RateLimitError):
        searched(company, NOBODY_HAS)
    assert set(asked(company)) == {PAY}


def test_a_glob_without_a_match_is_a_failure_and_the_others_are_asked(company):
    search = searched(company, NOBODY_HAS, projects=["NOPE*", "PAY"])
    assert [failure.owner for failure in search.failures] == ["projects/NOPE*"]
    assert PAY in asked(company)


# Where the search ends before everybody was asked.

ENDS = {
    "rate_limit": {"kind": "status", "status": 429},
    "credential": {"kind": "status", "status": 401},
    "unreachable": {"kind": "refuse"},
}


@pytest.mark.parametrize("reason", ENDS)
@pytest.mark.parametrize(
    ("path", "listed", "first", "rest"),
    [
        ("projects/~", False, "projects/~admin", ["projects/~joe_doe", "projects/~pat", f"{PAY}/repos"]),
        ("latest/repos", True, f"{PAY}/repos", [f"{SHOP}/repos", "projects/~pat/repos"]),
        (f"{PAY}/repos/", True, LEDGER, [OLD]),
    ],
    ids=["personal projects", "repositories", "their tokens"],
)
def test_what_was_found_stays_whatever_ends_the_search_in_a_later_step(company, reason, path, listed, first, rest):
    company.sim.switches.projects_list_personal = listed
    token = company.sim.add_token(SHOP, "leaked")
    fault = company.sim.faults.arm(**ENDS[reason], method="GET", path=path, times=None)
    search = searched(company, token.id, NOBODY_HAS)
    assert [found.token.id for found in search.found] == [token.id]
    reasons = {failure.owner: failure.reason for failure in search.failures}
    assert (reasons.pop(first), search.ended.reason) == (reason, reason)
    assert reasons.keys() >= set(rest)
    assert set(reasons.values()) == {"stopped"}
    paths = {entry.path for entry in company.sim.requests if re.search(path, entry.path)}
    assert (len(paths), fault.hits > 0) == (1, True), "nothing else is asked of a server that is done with us"


def test_what_ends_the_search_in_the_middle_of_a_step_is_told_too(company):
    company.sim.faults.arm(kind="status", status=429, method="GET", path="tokens/latest/users/pat", times=None)
    search = searched(company, NOBODY_HAS)
    assert isinstance(search.ended, RateLimitError)
    assert f"{PAY}/repos" in {failure.owner for failure in search.failures}


def test_a_search_that_some_refuse_does_not_end_early(company):
    search = searched(company, NOBODY_HAS, caller="pat")
    assert (search.ended, len(search.failures)) == (None, 2)


# Tokens that come and go while their pages are read.


def crowd(company: Company, count: int = 6) -> list[t.Any]:
    company.sim.switches.page_cap = 2
    return [company.sim.add_token(PAY, f"t{number}") for number in range(count)]


def test_a_token_that_moves_to_a_page_that_was_read_is_found_all_the_same(company):
    tokens = crowd(company)
    listed = [token.id for token in company.api().tokens(Owner(project="PAY")).tokens]
    first, moved = (next(token for token in tokens if token.id == listed[place]) for place in (0, 2))
    populated, now = company.sim.model, company.sim.clock.now_ms()
    company.sim.faults.arm(
        "call", method="GET", path=f"{PAY}$", when="after", times=1, run=lambda: populated.revoke(first, now)
    )
    search = searched(company, moved.id, projects=["PAY"])
    assert [found.token.id for found in search.found] == [moved.id]
    assert search.failures == []


def test_a_listing_that_never_comes_to_rest_is_told_as_not_asked(company):
    crowd(company)
    company.sim.faults.arm(
        "call", method="GET", path=f"{PAY}$", when="after", times=None, run=lambda: company.sim.add_token(PAY, "more")
    )
    search = searched(company, NOBODY_HAS, projects=["PAY"])
    assert [failure.owner for failure in search.failures] == [PAY]
    assert "changed each time they were listed" in search.failures[0].msg


def test_a_listing_of_one_page_is_not_asked_for_again(company):
    company.sim.add_token(PAY, "one")
    searched(company, NOBODY_HAS, projects=["PAY"])
    assert asked(company) == [PAY]
