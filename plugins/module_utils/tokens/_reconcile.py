# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One call over many owners: survey them all, hold the guards, then carry out what is due."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    FOR_ALL,
    BitbucketError,
    GuardError,
    StrayError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._limits import BATCH, FRESH, ISSUING
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner, Token
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Workers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter, Issued
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._apply import Applied, apply
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._declaration import Declaration
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._report import Report
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._steps import (
    Fail,
    Keep,
    Plan,
    Revoke,
    Step,
    Update,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._survey import Run, Survey, Surveyor, guard


class Delivery(t.NamedTuple):
    """A secret to hand over. ``retire``: an older token waits for that."""

    plan: Plan
    issued: Issued
    verified: bool
    retire: bool


@dataclass
class Outcome:
    """What a call did, or in check mode would do.

    ``remaining`` counts by owner path the tokens that are left to issue in further calls; ``retire`` are the owners
    whose older tokens are left to one that has read the store again, ``prune`` those whose undeclared ones wait for
    the last.
    """

    report: Report = field(default_factory=Report)
    surveys: list[Survey] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    failures: list[dict[str, t.Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    remaining: dict[str, int] = field(default_factory=dict)
    retire: list[str] = field(default_factory=list)
    prune: list[str] = field(default_factory=list)
    limits_bearers: bool = False

    def fail(self, owner: Owner, error: BitbucketError, reference: str | None = None) -> None:
        """Note that an owner, or one of its references, failed."""
        entry = {"owner": owner.path, "reference": reference, "reason": error.reason, "msg": str(error)}
        self.failures.append({**entry, "id": error.token_id} if isinstance(error, StrayError) else entry)

    def sound(self) -> list[Survey]:
        """The owners that have something to prune and for which nothing failed."""
        failed = {entry["owner"] for entry in self.failures}
        return [survey for survey in self.surveys if survey.prune and survey.view.owner.path not in failed]


def reconcile(api: DataCenter, declarations: t.Sequence[Declaration], run: Run) -> Outcome:
    """Bring the tokens of every declared owner to their declared state, or in check mode say what that takes.

    One owner's failure stops no other; it is in the outcome's ``failures``.

    :raises BitbucketError: where nothing at all was written: a guard held, or the credential is refused.
    """
    begun = time.monotonic()
    workers = Workers(run.concurrency)
    outcome = Outcome()
    surveyor = Surveyor(api, run)
    for declaration, result in zip(declarations, workers.each(surveyor.survey, declarations)):
        if isinstance(result, Survey):
            outcome.surveys.append(result)
        else:
            outcome.fail(declaration.owner, result)
    if run.check_mode:
        _predict(run, outcome)
    try:
        guard(outcome.surveys, run)
    except GuardError as error:
        if not run.check_mode:
            raise
        # Its sentence sends people to check mode to see what would go: so it stops nothing there.
        outcome.failures.append({"owner": None, "reference": None, "reason": error.reason, "msg": str(error)})
    if run.check_mode:
        return outcome
    _Execution(api, run, workers, outcome, begun).carry_out()
    return outcome


def _predict(run: Run, outcome: Outcome) -> None:
    for survey in outcome.surveys:
        for plan in survey.plans:
            outcome.warnings.extend(plan.warnings)
            for step in _chosen(plan, run):
                _tell(outcome, survey, plan, step)
    for survey in outcome.sound():
        for step in survey.prune:
            outcome.report.add(survey.view.owner, "", step)


def _chosen(plan: Plan, run: Run) -> tuple[Step, ...]:
    """The steps of a plan that this run is for, those that wait for a hand-over included."""
    if plan.issue and not run.issue:
        return ()
    # Where the caller keeps the secrets itself, whether they arrived shows in what it says the next time.
    told = run.policy.stored is None or run.more_calls
    return (*plan.steps, *plan.retire) if told else plan.steps


def _tell(outcome: Outcome, survey: Survey, plan: Plan, step: Step, issued: Token | None = None) -> None:
    owner = survey.view.owner
    if isinstance(step, Fail):
        outcome.fail(owner, BitbucketError(step.message, step.reason), plan.reference)
    else:
        outcome.report.add(owner, plan.reference, step, issued)


class _Execution:
    """Carries out what the surveys found, and collects what became of it."""

    def __init__(self, api: DataCenter, run: Run, workers: Workers, outcome: Outcome, begun: float) -> None:
        self._api = api
        self._run = run
        self._workers = workers
        self._outcome = outcome
        self._last_issue = begun + ISSUING
        self._deadline = begun + FRESH - run.age
        self._postponed: set[str] = set()

    def carry_out(self) -> None:
        outcome = self._outcome
        self._postpone_issues()
        for survey, results in zip(outcome.surveys, self._workers.each(self._apply_owner, outcome.surveys)):
            if isinstance(results, BitbucketError):
                outcome.fail(survey.view.owner, results)
                continue
            for plan, applied in results:
                if applied is None:
                    self._leave(survey, plan)
                else:
                    self._collect(survey, plan, applied)
        self._prune()
        outcome.limits_bearers = self._api.limits_bearers

    def _postpone_issues(self) -> None:
        """Leave to the next call what exceeds the batch."""
        if not self._run.more_calls or not self._run.issue:
            return
        issued = 0
        for survey in self._outcome.surveys:
            for plan in survey.plans:
                if plan.issue is None:
                    continue
                if plan.reference in self._run.skip:
                    self._postponed.add(plan.reference)
                    continue
                issued += 1
                if issued > BATCH:
                    self._postponed.add(plan.reference)
                    self._leave(survey, plan)

    def _leave(self, survey: Survey, plan: Plan) -> None:
        path = survey.view.owner.path
        self._outcome.remaining[path] = self._outcome.remaining.get(path, 0) + 1

    def _apply_owner(self, survey: Survey) -> list[tuple[Plan, Applied | None]]:
        """What was done for each plan; nothing where its token is left to the next call, which looks at few owners."""
        results: list[tuple[Plan, Applied | None]] = []
        for plan in survey.plans:
            if plan.reference in self._postponed:
                continue
            if plan.issue is not None and self._too_late:
                results.append((plan, None))
                continue
            applied = apply(self._api, survey.view, survey.policy, self._due(plan))
            results.append((plan, applied))
            self._workers.note(applied.error)
            if applied.error is not None and applied.error.reason in FOR_ALL:
                break
        return results

    def _due(self, plan: Plan) -> tuple[Step, ...]:
        """What is done in this call: retiring waits for a hand-over where secrets are stored."""
        waits = plan.issue is not None and self._run.policy.stored is not None
        steps = plan.steps if waits and self._run.issue else _chosen(plan, self._run)
        if self._stale:
            return tuple(step for step in steps if not isinstance(step, Revoke))
        return steps

    @property
    def _too_late(self) -> bool:
        """Whether a token issued now might be handed over too late, and another call can issue it."""
        return self._run.more_calls and self._run.issue and time.monotonic() > self._last_issue

    @property
    def _stale(self) -> bool:
        """Whether what the store said is too old to revoke anything by."""
        return self._run.policy.stored is not None and time.monotonic() > self._deadline

    def _collect(self, survey: Survey, plan: Plan, applied: Applied) -> None:
        outcome = self._outcome
        outcome.warnings.extend(plan.warnings)
        for step in applied.done:
            _tell(outcome, survey, plan, step, applied.issued.token if applied.issued else None)
        for step in plan.steps:
            if isinstance(step, Keep):
                _tell(outcome, survey, plan, step)
        if applied.issued:
            retire = any(isinstance(step, (Revoke, Update)) for step in plan.retire)
            outcome.deliveries.append(Delivery(plan, applied.issued, applied.verified, retire))
        if applied.error:
            outcome.fail(survey.view.owner, applied.error, plan.reference)
        elif self._stale and any(isinstance(step, Revoke) for step in plan.steps if step not in applied.done):
            outcome.retire.append(survey.view.owner.path)

    def _prune(self) -> None:
        """Revoke what is undeclared, last of all and only where everything else went well."""
        outcome = self._outcome
        ready = outcome.sound()
        if self._run.more_calls:
            outcome.prune = [survey.view.owner.path for survey in ready]
            return
        if self._stale:
            outcome.retire += [survey.view.owner.path for survey in ready]
            return
        results = self._workers.each(lambda item: apply(self._api, item.view, item.policy, item.prune), ready)
        for survey, applied in zip(ready, results):
            if isinstance(applied, BitbucketError):
                outcome.fail(survey.view.owner, applied)
                continue
            for step in (*applied.done, *(step for step in survey.prune if isinstance(step, Keep))):
                outcome.report.add(survey.view.owner, "", step)
            if applied.error:
                outcome.fail(survey.view.owner, applied.error)
