"""Owners as a person writes them."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import (
    DeclaredOwners,
    declared_owner,
    declared_owners,
    written,
)


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
        ({"project": "PAY"}, DeclaredOwners(projects=("PAY",))),
        ({"project": "PAY", "repository": "ledger"}, DeclaredOwners(repositories=("PAY/ledger",))),
        ({"user": "pat"}, DeclaredOwners(users=("pat",))),
        ({}, DeclaredOwners(me=True)),
    ],
    ids=str,
)
def test_one_owner(given, expected):
    assert declared_owner(given) == expected


def test_spellings_other_than_bitbuckets_are_known_of_exact_owners():
    declared = declared_owners({"projects": ["pay", "SHOP", "S*"], "repositories": ["Pay/ledger", "pay/*"]})
    assert written(declared) == {
        "projects/PAY": ["projects/pay"],
        "projects/PAY/repos/ledger": ["projects/Pay/repos/ledger"],
    }
