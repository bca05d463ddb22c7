"""One call over many owners: what is looked at, when it stops, and what waits. The modules' tests have the rest."""

from __future__ import annotations

import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._permissions import declared
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._declaration import Declaration
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._outcome import Outcome
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._reconcile import reconcile
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._spec import TokenSpec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._types import UNKNOWN, Options
from tests.unit.plugins.company import CI, PAY, SHOP, Company
from tests.unit.plugins.memory_delivery import MemoryDelivery

DEPLOY = f"{PAY}/tokens/deploy"


def reconciled(company: Company, *owners: str, names: t.Sequence[str] = ("ci",), **given: t.Any) -> Outcome:
    """``ci`` in PAY, for 90 days, unless told otherwise; the log of requests is of this run only.

    ``stored``: what a store holds; without it there is none.
    """
    grace, stored = given.pop("grace", 7), given.pop("stored", None)
    specs = tuple(TokenSpec(name, declared(["REPO_READ"]), 90, 14, grace) for name in names)
    company.sim.requests.clear()
    declarations = [Declaration(owner_of(path), specs) for path in owners or (PAY,)]
    delivery = None if stored is None else MemoryDelivery(stored)
    return reconcile(company.api(), declarations, Options(**given), delivery)


def done(outcome: Outcome) -> list[tuple[str, str]]:
    return [(change["step"], change["reason"]) for change in outcome.report.changes]


def test_a_stored_id_that_is_not_listed_is_asked_for_before_it_counts_as_gone(company):
    late = {"created_days_ago": 9, "expires_in_days": 81, "token_id": "000000000007"}
    company.sim.faults.arm("call", method="GET", when="after", run=lambda: company.sim.add_token(PAY, "ci", **late))
    assert done(reconciled(company, stored={CI: "000000000007"})) == []
    assert company.requests == [f"GET {PAY}", f"GET {PAY}/000000000007"]


def test_a_stored_id_that_is_nowhere_is_gone(company):
    assert done(reconciled(company, stored={CI: "000000000007"})) == [("issue", "secret_revoked")]


def test_no_answer_about_a_stored_id_is_not_gone(company):
    company.sim.faults.arm("status", path="000000000007", status=500)
    outcome = reconciled(company, stored={CI: "000000000007"})
    assert (done(outcome), len(outcome.failures), company.writes) == ([], 1, [])


def test_what_another_owner_stores_says_nothing_about_this_one(company):
    token = company.sim.add_token(PAY, "ci", created_days_ago=9, expires_in_days=81)
    outcome = reconciled(company, PAY, SHOP, stored={CI: token.id, f"{SHOP}/tokens/ci": UNKNOWN}, prune=("old",))
    assert [item["reason"] for item in outcome.failures] == ["stored_unknown"]
    assert company.requests == [f"GET {PAY}", f"GET {SHOP}"]


def test_an_issue_says_what_it_replaces_and_what_waits_for_the_delivery_is_done_after_it(company):
    for grace, steps in ((7, ["issue"]), (0, ["issue", "revoke"])):
        old = company.sim.add_token(PAY, f"ci{grace}", created_days_ago=80, expires_in_days=10)
        reference = f"{PAY}/tokens/ci{grace}"
        outcome = reconciled(company, names=(f"ci{grace}",), stored={reference: old.id}, grace=grace)
        (delivered,) = outcome.deliveries
        assert delivered.plan.issue is not None
        assert (delivered.plan.issue.replaces, delivered.verified) == (old.id, True)
        assert [step for step, _reason in done(outcome)] == steps


def test_one_reference_that_fails_leaves_the_others_of_its_owner_alone(company):
    company.sim.add_token(PAY, "ci", last_used_days_ago=1)
    outcome = reconciled(company, names=("ci", "deploy"), stored={CI: None, DEPLOY: None})
    assert [item["reference"] for item in outcome.failures] == [CI]
    assert [delivery.plan.reference for delivery in outcome.deliveries] == [DEPLOY]


def test_what_was_done_before_a_failure_is_told(company):
    current = company.sim.add_token(PAY, "x", created_days_ago=80, expires_in_days=10)
    company.sim.faults.arm("status", method="PUT", status=400)
    outcome = reconciled(company, stored={CI: current.id})
    assert (done(outcome), len(outcome.failures)) == ([("update", "name")], 1)


def test_a_failure_does_not_lose_the_secrets_before_it(company):
    company.sim.faults.arm("refuse", method="PUT", nth=2, times=None)
    outcome = reconciled(company, PAY, SHOP, names=("ci", "deploy"))
    assert [delivery.plan.reference for delivery in outcome.deliveries] == [CI]
    assert {item["owner"] for item in outcome.failures} == {PAY, SHOP}


def test_the_callers_own_token_is_told_as_in_use(company):
    mine = company.sim.add_token(PAY, "old", ["PROJECT_ADMIN"])
    api = company.api(token=mine.secret)
    outcome = reconcile(api, [Declaration(owner_of(PAY), ())], Options(prune=("old",)))
    assert outcome.report.notes == [{"reference": "", "id": mine.id, "reason": "in_use"}]
    assert company.ids() == [mine.id]
