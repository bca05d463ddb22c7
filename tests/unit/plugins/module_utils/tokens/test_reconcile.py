"""One call over many owners: what is looked at, when it stops, and what waits. The modules' tests have the rest."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._limits import FRESH, ISSUING
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._permissions import declared
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens import _reconcile
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._declaration import Declaration
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._reconcile import Outcome, reconcile
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._spec import TokenSpec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._steps import UNKNOWN, Policy
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._survey import Run
from tests.unit.plugins.company import CI, PAY, SHOP, Company

DEPLOY = f"{PAY}/tokens/deploy"


def reconciled(company: Company, *owners: str, names: t.Sequence[str] = ("ci",), **given: t.Any) -> Outcome:
    """``ci`` in PAY, for 90 days, unless told otherwise; the log of requests is of this call only."""
    run = {name: given.pop(name) for name in ("issue", "more_calls", "check_mode", "skip") if name in given}
    grace = given.pop("grace", 7)
    specs = tuple(TokenSpec(name, declared(["REPO_READ"]), 90, 14, grace) for name in names)
    company.sim.requests.clear()
    declarations = [Declaration(owner_of(path), specs) for path in owners or (PAY,)]
    return reconcile(company.api(), declarations, Run(Policy(**given), **run))


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


@pytest.fixture
def aged(company: Company) -> dict[str, str | None]:
    """A current token to rename, one to retire, one to prune."""
    company.sim.add_token(PAY, "old", created_days_ago=90, expires_in_days=30)
    company.sim.add_token(PAY, "ci", created_days_ago=90, expires_in_days=0)
    current = company.sim.add_token(PAY, "renamed", created_days_ago=9, expires_in_days=81)
    return {CI: current.id}


def test_nothing_is_retired_by_what_a_store_said_too_long_ago(company, aged, monkeypatch):
    monkeypatch.setattr(_reconcile, "FRESH", -1)
    outcome = reconciled(company, stored=aged, prune=("old",))
    assert done(outcome) == [("update", "name")]
    assert len(company.ids()) == 3


def test_what_it_said_just_now_counts(company, aged):
    outcome = reconciled(company, stored=aged, prune=("old",))
    assert done(outcome) == [("update", "name"), ("revoke", "expired"), ("revoke", "undeclared")]


def test_an_issue_tells_what_it_replaces_and_whether_something_waits_for_it(company):
    old = company.sim.add_token(PAY, "ci", created_days_ago=80, expires_in_days=10)
    for grace, waits in ((7, False), (0, True)):
        (delivery,) = reconciled(company, stored={CI: old.id}, more_calls=True, grace=grace).deliveries
        assert delivery.plan.issue is not None
        assert (delivery.plan.issue.replaces, delivery.verified, delivery.retire) == (old.id, True, waits)
    assert old.id in company.ids()


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


def test_what_is_skipped_is_not_issued_and_does_not_count_as_remaining(company):
    stored = {CI: None, DEPLOY: None}
    skip = frozenset([CI])
    outcome = reconciled(company, names=("ci", "deploy"), stored=stored, more_calls=True, skip=skip)
    assert ([delivery.plan.reference for delivery in outcome.deliveries], outcome.remaining) == ([DEPLOY], {})


def test_a_failed_hand_over_secret_does_not_lose_those_before_it(company):
    company.sim.faults.arm("refuse", method="PUT", nth=2, times=None)
    outcome = reconciled(company, PAY, SHOP, names=("ci", "deploy"))
    assert [delivery.plan.reference for delivery in outcome.deliveries] == [CI]
    assert {item["owner"] for item in outcome.failures} == {PAY, SHOP}


def test_the_callers_own_token_is_told_as_in_use(company):
    mine = company.sim.add_token(PAY, "old", ["PROJECT_ADMIN"])
    api = company.api(token=mine.secret)
    outcome = reconcile(api, [Declaration(owner_of(PAY), ())], Run(Policy(prune=("old",))))
    assert outcome.report.notes == [{"reference": "", "id": mine.id, "reason": "in_use"}]
    assert company.ids() == [mine.id]


# How long a call may take.


@pytest.fixture
def later(company, monkeypatch) -> t.Callable[..., None]:
    """Arms a request that takes so many seconds; nothing else takes any."""
    clock = [1000.0]
    monkeypatch.setattr(_reconcile, "time", types.SimpleNamespace(monotonic=lambda: clock[0]))

    def takes(seconds: float, method: str, path: str) -> None:
        company.sim.faults.arm(
            "call", method=method, path=path, run=lambda: clock.__setitem__(0, clock[0] + seconds), when="after"
        )

    return takes


@pytest.mark.parametrize(("seconds", "issued"), [(ISSUING, 2), (ISSUING + 1, 0)], ids=["in time", "too late"])
def test_what_could_not_be_handed_over_in_time_is_left_to_a_call_that_looks_at_less(company, later, seconds, issued):
    later(seconds, "GET", f"{SHOP}$")
    stored = {CI: None, f"{SHOP}/tokens/ci": None}
    outcome = reconciled(company, PAY, SHOP, stored=stored, more_calls=True)
    left = {} if issued else {PAY: 1, SHOP: 1}
    assert (len(outcome.deliveries), outcome.remaining, outcome.failures) == (issued, left, [])
    assert len(company.writes) == issued


def test_a_create_that_takes_long_leaves_the_next_one(company, later):
    later(ISSUING + 1, "PUT", f"{PAY}$")
    outcome = reconciled(company, names=("ci", "deploy"), stored={CI: None, DEPLOY: None}, more_calls=True)
    assert [delivery.plan.reference for delivery in outcome.deliveries] == [CI]
    assert outcome.remaining == {PAY: 1}


def test_without_another_call_everything_is_issued_in_this_one(company, later):
    later(ISSUING + 1, "GET", f"{PAY}$")
    assert done(reconciled(company)) == [("issue", "absent")]


@pytest.mark.parametrize("more_calls", [True, False])
@pytest.mark.parametrize(("seconds", "fresh"), [(FRESH, True), (FRESH + 1, False)], ids=["fresh", "stale"])
def test_nothing_is_revoked_by_what_the_store_said_long_ago(company, later, seconds, fresh, more_calls):
    company.sim.add_token(PAY, "ci", created_days_ago=99, expires_in_days=-9)
    token = company.sim.add_token(PAY, "ci", created_days_ago=9, expires_in_days=81)
    later(seconds, "GET", f"{PAY}$")
    outcome = reconciled(company, stored={CI: token.id}, more_calls=more_calls)
    assert done(outcome) == ([("revoke", "expired")] if fresh else [])
    assert outcome.retire == ([] if fresh else [PAY])
