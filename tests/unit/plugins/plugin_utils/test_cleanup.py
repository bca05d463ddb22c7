"""The store at the end of a run: entries of revoked tokens go, undeclared ones are reported."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens import _cleanup
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import StoreError

from .harness import CI, PAY, ci, new_site

DEPLOY = f"{PAY}/tokens/deploy"


def absent(name="ci"):
    return {"name": name, "state": "absent"}


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "run"])
def test_an_absent_token_is_revoked_and_then_its_entry_removed(site, check_mode):
    token = site.issue_elsewhere()
    result = site.run(absent(), check_mode=check_mode)
    assert (result["changed"], result["removed"]) == (True, [CI])
    assert site.stored() == (token.id if check_mode else None)
    assert site.alive(token) is check_mode
    if not check_mode:
        again = site.run(absent())
        assert (again["changed"], again["removed"]) == (False, [])


def test_a_run_that_ended_before_the_removal_is_finished_by_the_next(site):
    token = site.issue_elsewhere()
    site.sim.model.revoke(token, site.sim.clock.now_ms())
    predicted, done = site.run(absent(), check_mode=True), site.run(absent())
    assert predicted["removed"] == done["removed"] == [CI]
    assert done["diff"] == {"before": {CI: {token.id: {"stored": True}}}, "after": {CI: {}}}
    assert site.stored() is None
    assert not site.run(absent())["changed"]


def test_a_pruned_token_loses_its_entry_too(site):
    token = site.issue_elsewhere("old-jenkins", created_days_ago=30)
    result = site.run(ci(), prune=["old-*"])
    assert not site.alive(token)
    assert result["removed"] == [f"{PAY}/tokens/old-jenkins"]
    assert result["undeclared"] == []
    assert site.stored(f"{PAY}/tokens/old-jenkins") is None


def test_the_entry_of_a_token_that_could_not_be_revoked_stays(site):
    token = site.issue_elsewhere()
    site.sim.faults.arm("status", method="DELETE", status=400)
    result = site.run(absent())
    assert (result["failed"], result["removed"]) == (True, [])
    assert site.stored() == token.id


def test_the_entry_stays_if_the_owner_was_not_looked_at(site):
    token = site.issue_elsewhere()
    site.sim.faults.arm("status", method="GET", path="projects/PAY", status=400, times=9)
    assert site.run(absent())["removed"] == []
    assert site.stored() == token.id


def test_the_entry_of_the_token_that_the_run_signs_in_with_stays(site):
    token = site.issue_elsewhere()
    gone = _cleanup.left_over({CI: token.id}, [CI], kept={token.id}, owners=[PAY])
    assert gone == {}
    assert _cleanup.left_over({CI: token.id}, [CI], kept=set(), owners=[PAY]) == {CI: token.id}
    assert _cleanup.left_over({CI: "unknown"}, [CI], kept=set(), owners=[PAY]) == {}


def test_an_entry_that_cannot_be_removed_is_a_warning_that_names_it(site):
    token = site.issue_elsewhere()

    def broken(_tokens):
        raise StoreError("The disk is full.")

    site.store.remove = broken
    result = site.run(absent())
    assert not result.get("failed")
    assert result["removed"] == []
    assert result["warnings"] == [
        f"{CI}: token {token.id} is revoked, but file:{site.place} still holds its secret. Remove the entry. The disk "
        "is full."
    ]


@pytest.mark.parametrize("check_mode", [True, False], ids=["check", "run"])
def test_tokens_that_are_stored_but_not_declared_any_more_are_counted_and_named(site, check_mode):
    names = ["a", "b", "c", "d"]
    for name in names:
        site.issue_elsewhere(name, created_days_ago=1)
    result = site.run(ci(), check_mode=check_mode)
    assert result["undeclared"] == [f"{PAY}/tokens/{name}" for name in names]
    assert result["warnings"] == [
        f"file:{site.place} holds 4 token(s) that are not declared: {PAY}/tokens/a, {PAY}/tokens/b, {PAY}/tokens/c and "
        "1 more, all in `undeclared`. They are neither rotated nor revoked. To revoke them, declare them with `state: "
        "absent` or name them in `prune`."
    ]


def test_what_another_owner_stores_is_not_reported(tmp_path):
    site = new_site(tmp_path / "secrets", projects=["PAY", "SHOP"])
    site.issue_elsewhere("other", owner="projects/SHOP", created_days_ago=1)
    assert site.run(ci())["undeclared"] == []


def test_a_declared_token_in_another_spelling_is_not_reported_as_undeclared():
    others = ["projects/pay/tokens/ci", "projects/pay/tokens/old"]
    assert _cleanup.undeclared(others, removed=[], declared=[CI]) == ["projects/pay/tokens/old"]
