"""From a standard set and its overrides to the tokens of each owner."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._declaration import (
    declarations,
)
from tests.unit.plugins.company import entry

PAY, LEDGER, PAT = Owner("PAY"), Owner("PAY", "ledger"), Owner(user="pat")


def lifetimes(overrides: dict[str, t.Any], *owners: Owner, prune: t.Sequence[str] = ()) -> list[dict[str, int | None]]:
    found = declarations(owners, [entry("ci"), entry("deploy")], overrides, prune)
    return [{spec.name: spec.expires_in_days for spec in item.specs} for item in found]


def test_an_override_changes_what_it_names_and_adds_what_is_new():
    changes = [{"name": " ci ", "expires_in_days": 30, "permissions": None}, entry("extra", expires_in_days=None)]
    assert lifetimes({"PAY": changes}, PAY, LEDGER) == [
        {"ci": 30, "deploy": 90, "extra": None},
        {"ci": 90, "deploy": 90},
    ]


@pytest.mark.parametrize(("key", "which"), [("pay", 0), ("PAY/LEDGER", 1), ("users/pat", 2)])
def test_an_override_is_for_one_owner_in_any_spelling(key, which):
    found = lifetimes({key: [{"name": "ci", "expires_in_days": 30}]}, PAY, LEDGER, PAT)
    assert [item["ci"] for item in found].index(30) == which


def test_an_override_can_make_a_token_absent():
    (found,) = declarations([PAY], [entry("ci")], {"PAY": [{"name": "ci", "state": "absent"}]}, [])
    assert [(spec.name, spec.absent) for spec in found.specs] == [("ci", True)]
    assert found.references == ["projects/PAY/tokens/ci"]


@pytest.mark.parametrize("key", ["SHOP", "pat", "ledger", "users/nobody"])
def test_an_override_that_matches_no_owner_is_an_error(key):
    with pytest.raises(InputError, match=f"`overrides` names {key}, which is not one of the declared owners"):
        lifetimes({key: [entry()]}, PAY, LEDGER, PAT)


def test_two_keys_for_one_owner_are_an_error():
    with pytest.raises(InputError, match="overrides"):
        lifetimes({"PAY": [entry("a")], "pay": [entry("b")]}, PAY)


@pytest.mark.parametrize("prune", [["*"], ["**"], ["?*"], ["[!_]*"], ["[a-m]*", "[n-z]*"]], ids=str)
def test_an_empty_set_must_not_prune_everything(prune):
    with pytest.raises(InputError, match="No token is declared for project PAY"):
        declarations([PAY, LEDGER], [], {"PAY/ledger": [entry()]}, prune)


def test_an_empty_set_may_prune_some():
    assert [item.specs for item in declarations([PAY], [], {}, ["old-*"])] == [()]
    with pytest.raises(InputError, match="no override adds one"):
        declarations([PAY], [], {}, [])


def test_the_same_name_twice_is_an_error_in_the_set_and_in_an_override():
    with pytest.raises(InputError, match="with the same name, a"):
        lifetimes({"PAY": [entry("a"), entry("a ")]}, PAY)
