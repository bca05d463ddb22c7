"""What holds in every scenario: after apply, plan keeps everything, and no plan revokes a secret that is in use."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY, Owner, Token
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._permissions import listed
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._declaration import Declaration
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Delivery
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._outcome import Outcome
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._plan import plan, undeclared
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._reconcile import reconcile
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._spec import TokenSpec, spec_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._types import (
    UNKNOWN,
    Options,
    Policy,
    Revoke,
    Update,
    View,
)
from tests.promises import FULL
from tests.unit.plugins.company import PAY, Company, new_company
from tests.unit.plugins.memory_delivery import MemoryDelivery

PROJECT = Owner(project="PAY")
NOW = 1_768_467_600_000
GONE = "999999999999"
HOUR = 1 / 24
Stored = dict[str, str | None]


@dataclass
class Scenario:
    """What is declared, listed and stored. Days, and the ids of tokens count from 0."""

    specs: list[TokenSpec]
    tokens: list[dict[str, t.Any]]
    stored: Stored | None
    policy: dict[str, t.Any]
    switches: dict[str, t.Any] = field(default_factory=dict)

    def company(self) -> Company:
        made = new_company(switches=self.switches)
        for number, token in enumerate(self.tokens):
            made.sim.add_token(PAY, token_id=f"{number:012d}", **token)
        return made

    def view(self, in_use: str | None = None) -> View:
        """The same without a server."""
        return View(PROJECT, tuple(map(self._token, range(len(self.tokens)))), NOW, in_use)

    def _token(self, number: int) -> Token:
        fields = self.tokens[number]
        left, used = fields["expires_in_days"], fields["last_used_days_ago"]
        return Token(
            f"{number:012d}",
            fields["name"],
            listed(fields["permissions"]),
            NOW - round(fields["created_days_ago"] * DAY),
            None if left is None else NOW + round(left * DAY),
            None if used is None else NOW,
        )


permissions = st.sampled_from([["REPO_READ"], ["PROJECT_READ"], ["REPO_ADMIN"], ["PROJECT_READ", "REPO_WRITE"]])
ages = st.sampled_from([0, HOUR / 2, HOUR, 1, 3, 6.9, 7, 20, 80, 100])
lefts = st.sampled_from([None, -1, 0, HOUR, 1, 5, 13.9, 14, 30, 76, 92, 300])
tokens = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "a", "b", "other"]),
        "permissions": permissions,
        "created_days_ago": ages,
        "expires_in_days": lefts,
        "last_used_days_ago": st.sampled_from([None, None, 0]),
    }
)


@st.composite
def specs(draw: st.DrawFn, name: str) -> TokenSpec:
    lifetime = draw(st.sampled_from([None, 3, 4, 6, 30, 90]))
    windows = draw(st.sampled_from([(None, None), (None, 0), (0, 0), (7, 7)]))
    declared = {
        "name": name,
        "permissions": draw(permissions),
        "expires_in_days": lifetime,
        "rotate_before_days": windows[0] if lifetime is None or lifetime > 20 else None,
        "grace_days": windows[1] if lifetime is None or lifetime > 20 else draw(st.sampled_from([None, 0])),
        "rotate": draw(st.sampled_from(["auto", "auto", "auto", "never"])),
        "state": draw(st.sampled_from(["present", "present", "present", "absent"])),
    }
    return spec_of(declared, PROJECT)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    names = draw(st.sampled_from([["a"], ["a", "b"]]))
    there = draw(st.lists(tokens, max_size=5))
    ids = [f"{number:012d}" for number in range(len(there))]
    held = st.one_of(st.sampled_from([*ids, *ids, GONE]), st.sampled_from([None, UNKNOWN]))
    stored = {PROJECT.reference(name): draw(held) for name in names} if draw(st.integers(0, 4)) else None
    policy: dict[str, t.Any] = {
        "missing_secret": draw(st.sampled_from(["auto", "reissue"])),
        "prune": draw(st.sampled_from([(), ("other",), ("*",)])),
    }
    if draw(st.booleans()):
        policy["rotate_created_before"] = NOW - draw(st.sampled_from([0, 3, 50])) * DAY
    switches = draw(
        st.sampled_from([{}, {}, {}, {"date_header": "missing"}, {"expiry_rounding": "up"}, {"list_order": "shuffled"}])
    )
    return Scenario([draw(specs(name)) for name in names], there, stored, policy, switches)


def reconciled(company: Company, scenario: Scenario, delivery: Delivery | None = None, **more: t.Any) -> Outcome:
    """One run; a scenario in which anything fails is another test's."""
    options = Options(max_revocations=99, max_reissues=99, **scenario.policy, **more)
    outcome = reconcile(company.api(), [Declaration(PROJECT, tuple(scenario.specs))], options, delivery)
    assume(not outcome.failures)
    return outcome


def alive(company: Company, token_id: str | None) -> bool:
    return any(token.id == token_id and company.sim.authenticates(token.secret) for token in company.sim.tokens(PAY))


def delivered(company: Company, scenario: Scenario) -> MemoryDelivery | None:
    """One run with a store that takes everything."""
    before = scenario.stored
    if before is None:
        reconciled(company, scenario)
        return None
    wanted = [PROJECT.reference(spec.name) for spec in scenario.specs if not spec.absent]
    served = {reference for reference in wanted if alive(company, before[reference])}

    def all_served() -> None:
        assert all(alive(company, delivery.stored[reference]) for reference in served), (
            "a secret died before its successor was stored"
        )

    delivery = MemoryDelivery(before, all_served)
    outcome = reconciled(company, scenario, delivery)
    issued = {item.plan.reference for item in outcome.deliveries}
    assert all(alive(company, delivery.stored[reference]) for reference in served | issued), "a stored secret died"
    return delivery


@settings(max_examples=1_000 if FULL else 60, deadline=None, derandomize=True)
@given(scenarios())
def test_after_apply_the_plan_keeps_everything(scenario):
    company = scenario.company()
    delivery = delivered(company, scenario)
    company.sim.requests.clear()
    again = reconciled(company, scenario, delivery)
    assert (again.report.changes, company.writes) == ([], [])


@settings(max_examples=1_000 if FULL else 60, deadline=None, derandomize=True)
@given(scenarios())
def test_check_mode_predicts_what_the_run_does(scenario):
    company = scenario.company()
    stored = scenario.stored
    predicted = reconciled(company, scenario, None if stored is None else MemoryDelivery(stored), check_mode=True)
    assert company.writes == []
    real = reconciled(company, scenario, None if stored is None else MemoryDelivery(stored))
    assert predicted.report.diff == real.report.diff
    assert predicted.report.notes == real.report.notes


@settings(max_examples=5_000 if FULL else 200, deadline=None, derandomize=True)
@given(scenarios(), st.integers(0, 5))
def test_no_plan_takes_away_what_is_in_use(scenario, number):
    in_use = f"{number:012d}"
    view = scenario.view(in_use)
    policy = Policy(stored=scenario.stored, **scenario.policy)
    try:
        plans = plan(view, scenario.specs, policy)
    except BitbucketError:
        assume(False)
    stored = set((scenario.stored or {}).values())
    steps = [step for item in plans for step in (*item.steps, *item.retire)] + undeclared(view, scenario.specs, policy)
    for step in steps:
        if isinstance(step, Revoke):
            assert step.token.id != in_use
            assert step.reason != "undeclared" or step.token.id not in stored
        if isinstance(step, Update) and step.permissions is not None:
            assert step.token.id != in_use
    for item in plans:
        before_the_delivery = [
            step.token.id for step in item.steps if isinstance(step, Revoke) and not item.spec.absent
        ]
        assert not stored & set(before_the_delivery)
        if item.issue is None and item.current is not None and not item.spec.absent:
            assert item.current.id not in [step.token.id for step in item.retire if isinstance(step, Revoke)]


def test_the_scenarios_reach_the_rows_of_the_tables():
    """The strategy reaches what the properties are about, the rarest rows apart."""
    seen: set[str] = set()

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(scenarios())
    def look(scenario: Scenario) -> None:
        try:
            plans = plan(scenario.view(), scenario.specs, Policy(stored=scenario.stored, **scenario.policy))
        except BitbucketError:
            return
        steps = [step for item in plans for step in (*item.steps, *item.retire)]
        seen.update(f"{type(step).__name__} {getattr(step, 'reason', '')}".strip() for step in steps)

    look()
    reasons = ("absent", "secret_missing", "secret_revoked", "expired", "expiring", "lifetime")
    assert {f"Issue {reason}" for reason in reasons} <= seen
    assert {f"Revoke {reason}" for reason in ("absent", "expired")} <= seen
    assert {"Update name", "Update permissions", "Keep", "Fail stored_unknown"} <= seen
