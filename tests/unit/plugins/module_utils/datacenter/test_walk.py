"""Whose token has an id: everybody whom the caller may see is asked, and whoever does not answer is told."""

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
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import (
    DeclaredOwners,
    declared_owners,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._walk import Walk
from tests.unit.plugins.stand import LEDGER, PAY, SHOP, Stand

OLD = "projects/PAY/repos/old"
EVERYBODY = [PAY, SHOP, "projects/~pat", LEDGER, OLD, "users/admin", "users/joe_doe", "users/pat"]
NOBODY_HAS = "000000000000"


def walked(stand: Stand, *ids: str, caller: str = "admin", token: str = "", **owners: t.Any) -> Walk:
    walk = Walk(stand.api(caller, token=token), ids, concurrency=4)
    stand.requests.clear()
    walk.among(declared_owners(owners, required=False) if owners else DeclaredOwners(me=True))
    return walk


def asked(stand: Stand) -> list[str]:
    """The owners whose tokens were asked for."""
    paths = (request.removeprefix("GET ") for request in stand.requests)
    return sorted(path for path in paths if path.startswith(("projects/", "users/")))


@pytest.fixture(params=[True, False], ids=["personal projects listed", "personal projects not listed"])
def world(stand: Stand, request: pytest.FixtureRequest) -> Stand:
    """D29 [unknown]: whether personal projects are in the listing of projects."""
    stand.sim.switches.projects_list_personal = request.param
    stand.sim.add_repository("~pat", "dotfiles")
    return stand


@pytest.mark.parametrize("owner", [*EVERYBODY, "projects/~pat/repos/dotfiles"])
def test_a_token_is_found_wherever_it_is(world, owner):
    token = world.sim.add_token(owner, "leaked")
    world.sim.add_token(owner, "another")
    walk = walked(world, token.id)
    (found,) = walk.found
    assert (found.owner.path, found.token.id, found.now) == (owner, token.id, world.sim.clock.now_ms())
    assert walk.failures == []


def test_everybody_is_asked_once_where_a_token_is_not_found(world):
    walk = walked(world, NOBODY_HAS)
    assert (walk.found, walk.failures) == ([], [])
    seen = asked(world)
    guessed = {"projects/~admin", "projects/~joe_doe"}
    assert sorted(set(seen) - guessed) == sorted([*EVERYBODY, "projects/~pat/repos/dotfiles"])
    assert len(seen) == len(set(seen))


def test_nobody_is_asked_where_there_is_nothing_to_find(stand):
    assert walked(stand).found == []
    assert stand.requests == []


def test_it_ends_as_soon_as_all_are_found(stand):
    stand.sim.add_token(SHOP, "other")
    token = stand.sim.add_token(PAY, "leaked")
    walk = Walk(stand.api(), {token.id}, concurrency=1)
    walk.among(DeclaredOwners(me=True))
    assert asked(stand) == [PAY]
    assert len(walk.found) == 1


def test_several_tokens_of_one_owner_and_of_others_are_found(stand):
    tokens = [stand.sim.add_token(owner, "leaked") for owner in (PAY, PAY, OLD, "users/pat")]
    walk = walked(stand, *(token.id for token in tokens))
    assert {found.token.id for found in walk.found} == {token.id for token in tokens}


def test_named_owners_are_the_only_ones_asked(stand):
    token = stand.sim.add_token(SHOP, "leaked")
    walk = walked(stand, token.id, projects=["PAY"], repositories=["PAY/*"], users=["pat"])
    assert walk.found == []
    assert asked(stand) == sorted([PAY, LEDGER, OLD, "users/pat"])


# Who may see less.


def test_of_users_only_an_administrator_sees_others(stand):
    own, others = stand.sim.add_token("users/pat", "leaked"), stand.sim.add_token("users/joe_doe", "leaked")
    walk = walked(stand, own.id, others.id, caller="pat")
    assert [found.token.id for found in walk.found] == [own.id]
    refused = {failure["owner"]: failure for failure in walk.failures}
    assert refused.keys() == {SHOP, "users"}
    assert {failure["reason"] for failure in walk.failures} == {"forbidden"}
    assert "Only an administrator" in refused["users"]["msg"]
    assert "users/joe_doe" not in asked(stand)


def test_an_access_token_is_no_administrator_but_sees_its_own_users(stand):
    signs_in = stand.sim.add_token("users/admin", "mine", ["PROJECT_ADMIN"])
    leaked = stand.sim.add_token(LEDGER, "leaked")
    walk = walked(stand, signs_in.id, leaked.id, token=signs_in.secret)
    assert {found.token.id for found in walk.found} == {signs_in.id, leaked.id}
    assert [failure["owner"] for failure in walk.failures] == ["users"]


def test_the_token_of_a_project_is_no_users(stand):
    signs_in = stand.sim.add_token(PAY, "mine", ["PROJECT_ADMIN"])
    leaked = stand.sim.add_token(OLD, "leaked")
    walk = walked(stand, leaked.id, NOBODY_HAS, token=signs_in.secret)
    assert [found.token.id for found in walk.found] == [leaked.id]
    assert [failure["owner"] for failure in walk.failures] == ["users"]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_list_of_users_that_fails_however_stops_nothing_else(stand, status):
    """D20 [doc]: administration refuses tokens; in which words is not recorded."""
    token = stand.sim.add_token(LEDGER, "leaked")
    stand.sim.faults.arm(kind="status", status=status, method="GET", path="admin/users", body="empty", times=None)
    walk = walked(stand, token.id, NOBODY_HAS)
    assert [found.token.id for found in walk.found] == [token.id]
    assert "users" in {failure["owner"] for failure in walk.failures}


def test_an_owner_that_fails_is_told_and_the_others_are_asked(stand):
    token = stand.sim.add_token("users/pat", "leaked")
    stand.sim.faults.arm(kind="status", status=500, method="GET", path="projects/SHOP$", times=None)
    walk = walked(stand, token.id, NOBODY_HAS)
    assert len(walk.found) == 1
    assert [(failure["owner"], failure["reason"]) for failure in walk.failures] == [(SHOP, "refused")]


def test_a_project_whose_repositories_are_not_listed_is_told(stand):
    stand.sim.faults.arm(kind="html", method="GET", path="latest/repos", times=1)
    walk = walked(stand, NOBODY_HAS)
    assert len(walk.failures) == 1
    assert walk.failures[0]["owner"].endswith("/repos")


# Where nobody can be asked.


def test_a_wrong_password_is_tried_once(stand):
    walk = Walk(DataCenter(stand.client("admin", "wrong")), [NOBODY_HAS], concurrency=4)
    with pytest.raises(LockoutError):
        walk.among(DeclaredOwners(me=True))
    assert len(stand.requests) == 1


def test_a_server_without_projects_to_list_is_an_error(stand):
    stand.sim.faults.arm(kind="html", method="GET", path="latest/projects", times=None)
    with pytest.raises(AnswerError):
        walked(stand, NOBODY_HAS)


def test_a_server_that_goes_away_is_an_error(stand):
    stand.sim.faults.arm(kind="refuse", method="GET", path="admin/users", times=None)
    with pytest.raises(ConnectError):
        walked(stand, NOBODY_HAS)


def test_a_rate_limit_is_not_taken_for_want_of_permission(stand):
    stand.sim.faults.arm(kind="status", status=429, method="GET", path="admin/users", times=None)
    with pytest.raises(RateLimitError, match="rate limit"):
        walked(stand, NOBODY_HAS)
    assert asked(stand) == []


def test_a_rate_limit_from_the_first_owner_on_is_an_error(stand):
    stand.sim.faults.arm(kind="status", status=429, method="GET", path="access-tokens/", times=None)
    with pytest.raises(RateLimitError):
        walked(stand, NOBODY_HAS)
    assert set(asked(stand)) == {PAY}


def test_a_glob_without_a_match_is_a_failure_and_the_others_are_asked(stand):
    walk = walked(stand, NOBODY_HAS, projects=["NOPE*", "PAY"])
    assert [failure["owner"] for failure in walk.failures] == ["projects/NOPE*"]
    assert PAY in asked(stand)


# Where the walk ends before everybody was asked.

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
def test_what_was_found_stays_whatever_ends_the_walk_in_a_later_step(stand, reason, path, listed, first, rest):
    stand.sim.switches.projects_list_personal = listed
    token = stand.sim.add_token(SHOP, "leaked")
    fault = stand.sim.faults.arm(**ENDS[reason], method="GET", path=path, times=None)
    walk = walked(stand, token.id, NOBODY_HAS)
    assert [found.token.id for found in walk.found] == [token.id]
    reasons = {failure["owner"]: failure["reason"] for failure in walk.failures}
    assert (reasons.pop(first), walk.ended.reason) == (reason, reason)
    assert reasons.keys() >= set(rest)
    assert set(reasons.values()) == {"stopped"}
    paths = {entry.path for entry in stand.sim.requests if re.search(path, entry.path)}
    assert (len(paths), fault.hits > 0) == (1, True), "nothing else is asked of a server that is done with us"


def test_what_ends_the_walk_in_the_middle_of_a_step_is_told_too(stand):
    stand.sim.faults.arm(kind="status", status=429, method="GET", path="tokens/latest/users/pat", times=None)
    walk = walked(stand, NOBODY_HAS)
    assert isinstance(walk.ended, RateLimitError)
    assert f"{PAY}/repos" in {failure["owner"] for failure in walk.failures}


def test_a_walk_that_some_refuse_does_not_end_early(stand):
    walk = walked(stand, NOBODY_HAS, caller="pat")
    assert (walk.ended, len(walk.failures)) == (None, 2)


# Tokens that come and go while their pages are read.


def crowd(stand: Stand, count: int = 6) -> list[t.Any]:
    stand.sim.switches.page_cap = 2
    return [stand.sim.add_token(PAY, f"t{number}") for number in range(count)]


def test_a_token_that_moves_to_a_page_that_was_read_is_found_all_the_same(stand):
    tokens = crowd(stand)
    listed = [token.id for token in stand.api().tokens(Owner(project="PAY")).tokens]
    first, moved = (next(token for token in tokens if token.id == listed[place]) for place in (0, 2))
    world, now = stand.sim.world, stand.sim.clock.now_ms()
    stand.sim.faults.arm(
        "call", method="GET", path=f"{PAY}$", when="after", times=1, run=lambda: world.revoke(first, now)
    )
    walk = walked(stand, moved.id, projects=["PAY"])
    assert [found.token.id for found in walk.found] == [moved.id]
    assert walk.failures == []


def test_a_listing_that_never_comes_to_rest_is_told_as_not_asked(stand):
    crowd(stand)
    stand.sim.faults.arm(
        "call", method="GET", path=f"{PAY}$", when="after", times=None, run=lambda: stand.sim.add_token(PAY, "more")
    )
    walk = walked(stand, NOBODY_HAS, projects=["PAY"])
    assert [failure["owner"] for failure in walk.failures] == [PAY]
    assert "changed each time they were listed" in walk.failures[0]["msg"]


def test_a_listing_of_one_page_is_not_asked_for_again(stand):
    stand.sim.add_token(PAY, "one")
    walked(stand, NOBODY_HAS, projects=["PAY"])
    assert asked(stand) == [PAY]
