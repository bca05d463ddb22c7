"""From what a person wrote to owners in the server's spelling."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import (
    declared_owner,
    declared_owners,
    offline,
    resolve,
)
from tests.unit.plugins.stand import Stand


def paths(stand: Stand, caller: str = "admin", archived: bool = False, **given: t.Any) -> list[str]:
    declared = declared_owners(given, required=False)
    return [owner.path for owner in resolve(declared, stand.api(caller), archived)]


EXACT: dict[str, t.Any] = {"projects": ["PAY", "~pat"], "repositories": ["PAY/ledger"], "users": ["joe_doe"]}


def test_exact_owners_need_no_server():
    expected = [Owner("PAY"), Owner("~pat"), Owner("PAY", "ledger"), Owner(user="joe_doe")]
    assert offline(declared_owners(EXACT)) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"projects": ["pay"]},
        {"projects": ["P*"]},
        {"repositories": ["PAY/Ledger"]},
        {"repositories": ["P?Y/ledger"]},
        {"users": ["Joe Doe"]},
        {},
    ],
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
        ({"projects": ["nope"]}, ["projects/nope"]),
        ({"repositories": ["*/*"]}, ["projects/PAY/repos/ledger"]),
        ({"repositories": ["*/l*", "pay/LEDGER"]}, ["projects/PAY/repos/ledger"]),
        ({"repositories": ["PAY/*", "PAY/old"]}, ["projects/PAY/repos/ledger", "projects/PAY/repos/old"]),
        ({"repositories": ["PAY/OLD"]}, ["projects/PAY/repos/old"]),
        ({"users": ["Joe Doe", "pat"]}, ["users/joe_doe", "users/pat"]),
        ({}, ["users/admin"]),
    ],
    ids=str,
)
def test_globs_and_other_spellings(stand, given, expected):
    assert paths(stand, **given) == expected


def test_archived_repositories_match_globs_where_wanted(stand):
    assert len(paths(stand, archived=True, repositories=["PAY/*"])) == 2


def test_a_glob_means_what_the_caller_administers(stand):
    assert paths(stand, "pat", projects=["*"]) == ["projects/PAY"]
    with pytest.raises(InputError, match="matches no project that you administer"):
        paths(stand, "Joe Doe", projects=["*"])


def test_a_repository_admin_gets_the_servers_spelling_too(stand):
    stand.sim.add_repository("SHOP", "till", admins=["pat"])
    assert paths(stand, "pat", repositories=["shop/till"]) == ["projects/SHOP/repos/till"]


def test_each_listing_is_read_once(stand):
    paths(stand, projects=["P*", "S*"], repositories=["P*/l*", "PAY/*e*"])
    assert stand.requests == ["GET projects", "GET repos"]
    paths(stand, projects=["pay", "shop"], repositories=["PAY/OLD", "pay/Ledger"])
    assert stand.requests == ["GET projects", "GET repos"]


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
def test_the_server_that_does_not_say_who_one_is(stand, name):
    stand.sim.faults.arm("status", path="application-properties", status=200)
    with pytest.raises(InputError, match="name the user with `user`"):
        resolve(declared_owner({}), stand.api(token=stand.sim.add_oauth_bearer("pat")))
