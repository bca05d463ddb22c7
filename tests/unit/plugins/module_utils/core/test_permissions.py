"""Reading, comparing and lowering permissions (D12 to D14)."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._permissions import NAMES, declared, listed


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["REPO_READ"], ["REPO_READ"]),
        ([" repo_read , PROJECT_READ "], ["PROJECT_READ", "REPO_READ"]),
        (["PROJECT_WRITE", "REPO_ADMIN", "REPO_READ"], ["PROJECT_WRITE", "REPO_ADMIN"]),
        (["PROJECT_ADMIN"], ["PROJECT_ADMIN"]),
    ],
)
def test_declared_permissions_are_the_highest_of_each_kind(given, names):
    assert declared(given).names == names


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "at least one permission"),
        ([" , "], "at least one permission"),
        (["PROJECT_ADMIN", "REPO_WRITE"], "REPO_WRITE is below PROJECT_ADMIN.*raise it to REPO_ADMIN or leave it out"),
        (["REPO_RED"], "REPO_RED is not a permission.*did you mean REPO_READ"),
        (["REPOSITORY_ADMIN"], "did you mean REPO_ADMIN"),
        (["project-write"], "did you mean PROJECT_WRITE"),
        (["XYZZY"], "the permissions are PROJECT_READ, .*REPO_ADMIN"),
    ],
)
def test_what_cannot_be_declared(given, sentence):
    with pytest.raises(InputError, match=sentence):
        declared(given)


def test_something_that_may_be_a_secret_is_not_quoted():
    with pytest.raises(InputError, match="One of the names given is not a permission") as caught:
        declared(["BBDC-MjUyOTczNTE1MDY5On2rDbID2EgY"])
    assert "MJUY" not in str(caught.value).upper()


@pytest.mark.parametrize("name", NAMES)
def test_a_repositorys_token_takes_repository_permissions_only(name):
    if name.startswith("REPO"):
        assert declared([name], repository_only=True).names == [name]
        return
    with pytest.raises(InputError, match=f"replace {name} by a REPO_"):
        declared([name], repository_only=True)


def test_what_a_server_lists_is_never_refused():
    assert listed(["REPO_MAGIC", "REPO_READ", "REPO_WRITE"]).names == ["REPO_WRITE", "REPO_MAGIC"]
    assert listed([]).names == []


@pytest.mark.parametrize(
    ("one", "other", "exceeds", "lowered"),
    [
        ("PROJECT_READ", "REPO_READ", True, "REPO_READ"),
        ("PROJECT_READ", "PROJECT_READ,REPO_READ", False, "PROJECT_READ,REPO_READ"),
        ("REPO_ADMIN", "PROJECT_WRITE", True, "REPO_WRITE"),
        ("REPO_WRITE", "PROJECT_WRITE", False, "REPO_WRITE"),
        ("PROJECT_ADMIN", "PROJECT_READ,REPO_WRITE", True, "PROJECT_READ,REPO_WRITE"),
        ("REPO_READ,REPO_MAGIC", "REPO_ADMIN", True, "REPO_READ"),
    ],
)
def test_lowering_takes_the_lower_of_both_per_kind(one, other, exceeds, lowered):
    mine, theirs = listed(one.split(",")), listed(other.split(","))
    assert mine.exceeds(theirs) == exceeds
    assert mine.lowered_to(theirs) == listed(lowered.split(","))


def test_what_is_lowered_no_longer_exceeds_and_keeps_the_rule_of_levels():
    pairs = [{one, other} for one, other in itertools.product(NAMES, repeat=2)]
    for mine, theirs in itertools.product(map(listed, pairs), repeat=2):
        lowered = mine.lowered_to(theirs)
        assert not lowered.exceeds(theirs)
        assert not lowered.exceeds(mine)
        assert lowered.repository >= lowered.project
        assert lowered.names
