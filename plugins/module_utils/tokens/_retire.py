# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The end of a run: older tokens are retired and undeclared ones pruned.

Both are decided again, from a read of the store and a listing that were made after every delivery.
"""

from __future__ import annotations

import typing as t

from ..core._errors import BitbucketError
from ..core._workers import Workers
from ..datacenter._api import DataCenter
from ._apply import apply
from ._observe import Observation, Observer
from ._outcome import Outcome
from ._types import Keep, Step


class _Taken(t.NamedTuple):
    """What was done about older tokens of one reference, or about an owner's undeclared ones."""

    reference: str
    steps: t.Sequence[Step] = ()
    warnings: t.Sequence[str] = ()
    error: BitbucketError | None = None
    pruned: bool = False


class Retirement:
    """Retires and prunes.

    :param before: called before each step, with the observation that it follows from; raises if it must not be taken.
    """

    def __init__(
        self,
        api: DataCenter,
        observer: Observer,
        workers: Workers,
        outcome: Outcome,
        before: t.Callable[[Step, Observation], None],
    ) -> None:
        self._api = api
        self._observer = observer
        self._workers = workers
        self._outcome = outcome
        self._before = before
        self._failed = {entry["reference"] for entry in outcome.failures}
        self._interrupted: set[str] = set()

    def run(self, waiting: t.Iterable[str], unverified: t.Container[str]) -> set[str]:
        """Retire for the owners in ``waiting``, and prune those that have something to prune and no failure.

        :param unverified: owners whose new secrets were not seen to work: nothing of theirs is revoked.
        :returns: the paths of owners that an interruption left undone.
        :raises BitbucketError: if the store does not answer.
        """
        prune = {item.owner.path for item in prunable(self._outcome, self._observer)}
        owners = {
            **dict.fromkeys(waiting),
            **dict.fromkeys(path for path in self._observer.observations if path in prune),
        }
        left = [path for path in owners if path in unverified]
        if left:
            self._outcome.warn(
                [
                    "Older and undeclared tokens are left to the next run, since signing in with a new secret got no "
                    f"clear answer: {len(left):,} owners, such as {left[0]}."
                ]
            )
        ready = [path for path in owners if path not in unverified]
        if not ready:
            return set()
        self._observer.read(ready)
        results = self._workers.each(lambda path: self._one_owner(path, path in prune), ready)
        # Only then the report, in the order in which a reader expects it: first what was retired.
        for pruned in (False, True):
            for path, result in zip(ready, results):
                taken = [_Taken("", error=result)] if isinstance(result, BitbucketError) else result
                for item in taken:
                    if item.pruned is pruned:
                        self._collect(path, item)
        return self._interrupted

    def _one_owner(self, path: str, prune: bool) -> list[_Taken]:
        """In a thread. Nothing is raised, so that what was done before a failure is reported."""
        taken: list[_Taken] = []
        try:
            for plan in self._observer.observe(path).plans:
                observation = self._observer.current(path)
                if plan.reference in self._failed:
                    continue
                due = observation.plan_for(plan.reference)
                taken.append(self._take(observation, due.reference, () if due.issue else due.steps, due.warnings))
            if prune and not any(item.error for item in taken):
                observation = self._observer.current(path)
                taken.append(self._take(observation, "", observation.prune, pruned=True))
        except BitbucketError as error:
            taken.append(_Taken("", error=error))
        for item in taken:
            self._workers.note(item.error)
        return taken

    def _take(
        self,
        observation: Observation,
        reference: str,
        steps: t.Sequence[Step],
        warnings: t.Sequence[str] = (),
        pruned: bool = False,
    ) -> _Taken:
        applied = apply(
            self._api, observation.view, observation.policy, steps, lambda step: self._before(step, observation)
        )
        kept = [step for step in steps if isinstance(step, Keep)]
        return _Taken(reference, [*applied.done, *kept], warnings, applied.error, pruned)

    def _collect(self, path: str, taken: _Taken) -> None:
        owner = self._observer.observations[path].owner
        self._outcome.warn(taken.warnings)
        for step in taken.steps:
            self._outcome.add(owner, taken.reference, step)
        if taken.error and taken.error.reason == "interrupted":
            self._interrupted.add(path)
        elif taken.error:
            self._outcome.fail(path, taken.error, taken.reference or None)


def prunable(outcome: Outcome, observer: Observer) -> list[Observation]:
    """Owners that have something to prune and no failure."""
    failed = outcome.failed_owners
    latest = [observer.observations[item.owner.path] for item in outcome.observations]
    return [item for item in latest if item.prune and item.owner.path not in failed]
