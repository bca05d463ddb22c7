"""Owners as a person writes them, and those that need no server."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import (
    declared_owner,
    declared_owners,
    offline,
)

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
