# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One run over many owners: observe, check the limits, apply and deliver, and only then retire.

Owners are worked on by several threads. The thread of the caller delivers what they issue, so that a secret waits only
for the write before its own. A run may crash between any two steps: the next one decides again from the declaration,
the store and the server.
"""

from __future__ import annotations

import threading
import time
import typing as t
from dataclasses import dataclass, field

from ..core._errors import BitbucketError, GuardError, StrayError
from ..core._limits import FRESH
from ..core._model import Owner
from ..core._progress import Progress
from ..core._workers import Interruption, Workers, interrupted
from ..datacenter._api import DataCenter, Issued
from ._apply import Applied, apply, discard_all
from ._cleanup import clean_up
from ._declaration import Declaration
from ._delivery import REFUSED, UNCERTAIN, WRITTEN, Delivery, Entry
from ._limits import Limits
from ._observe import Observation, Observer
from ._outcome import Delivered, Outcome
from ._retire import Retirement, prunable
from ._types import Fail, Issue, Keep, Options, Plan, Revoke, Step, Update

#: After so many secrets in a row that the store did not take, no more tokens are issued: each is valid and unusable.
_MOST_LOST = 20
#: Seconds between two looks for the end of the run, while there is no room.
_POLL = 0.2


class Runtime(t.NamedTuple):
    """What a run needs of the process that it runs in.

    ``say`` shows progress. ``clock`` gives seconds that only go forward.
    """

    say: t.Callable[[str], None] = lambda _text: None
    clock: t.Callable[[], float] = time.monotonic
    interruption: Interruption | None = None


def reconcile(
    api: DataCenter,
    declarations: t.Sequence[Declaration],
    options: Options,
    delivery: Delivery | None = None,
    runtime: Runtime | None = None,
) -> Outcome:
    """Bring the tokens of every declared owner to their declared state, or in check mode say what that takes.

    One owner's failure stops no other; it is in the outcome's ``failures``.

    :param delivery: where issued secrets go. Without one they are in the outcome, and nothing waits for them.
    :raises BitbucketError: if nothing at all was written: a limit held, the credential is refused, or the store cannot
        be read or written.
    """
    return _Run(api, declarations, options, delivery, runtime or Runtime()).run()


@dataclass(eq=False)
class _Task:
    """The steps of one plan, and what became of them. ``answer``: what became of the issued secret."""

    path: str
    plan: Plan
    applied: Applied = field(default_factory=Applied)
    begun: float = 0
    has_room: bool = False
    answer: str = ""


class _Run:
    """One run. Its methods are in the order in which they are called."""

    def __init__(
        self,
        api: DataCenter,
        declarations: t.Sequence[Declaration],
        options: Options,
        delivery: Delivery | None,
        runtime: Runtime,
    ) -> None:
        self._api = api
        self._declarations = declarations
        self._options = options
        self._delivery = delivery
        self._runtime = runtime
        self._interruption = runtime.interruption or Interruption()
        self._progress = Progress(runtime.say, "tokens", runtime.clock)
        self._workers = Workers(options.concurrency, interruption=runtime.interruption)
        self._observer = Observer(api, declarations, options, delivery, runtime.clock)
        self._limits = Limits(options, delivery.name if delivery else "")
        self._outcome = Outcome(shows_secrets=delivery is None, latest=self._observer.observations)
        self._room = threading.Semaphore(delivery.batch if delivery else 1)
        self._delivered = 0
        #: How many tasks had a request under way when the run was interrupted.
        self._under_way = 0
        #: What keeps this run from issuing and retiring any more.
        self._ended: BitbucketError | None = None
        self._lost = 0
        #: The paths of owners for which something was left undone.
        self._left: set[str] = set()
        self._strays: dict[str, BitbucketError] = {}
        #: Owners to observe again once their secrets are delivered, and those whose secrets were not seen to work.
        self._waiting: dict[str, None] = {}
        self._unverified: set[str] = set()

    def run(self) -> Outcome:
        if not self._declarations:
            return self._outcome
        if self._delivery:
            self._open(self._delivery)
        self._observe()
        if self._options.check_mode:
            self._predict()
        else:
            self._limits.check(step for item in self._outcome.observations for step in item.steps)
            self._apply()
            self._retire()
        self._report_end()
        if self._delivery and not (self._ended or self._workers.stopped):
            clean_up(self._outcome, self._observer, self._delivery, self._options)
        return self._outcome

    def _open(self, delivery: Delivery) -> None:
        try:
            delivery.prepare(self._observer.references, self._options.check_mode)
            self._observer.read()
        except BitbucketError as error:
            error.add("Nothing was changed.")
            raise

    def _observe(self) -> None:
        self._workers.progress = self._progress.of("{} of {} owners observed")
        paths = [declaration.owner.path for declaration in self._declarations]
        observe = self._observer.observe_busy if self._options.whole else self._observer.observe
        for path, result in zip(paths, self._workers.each(observe, paths)):
            if isinstance(result, Observation):
                self._outcome.observations.append(result)
                self._outcome.observed[path] = len(result.plans)
            elif isinstance(result, int):
                self._outcome.observed[path] = result
            elif result.reason == "interrupted":
                self._left.add(path)
            else:
                self._outcome.fail(path, result)

    def _predict(self) -> None:
        """Check mode. A limit fails the task, after everything that would exceed it is in the result."""
        for observation in self._outcome.observations:
            for plan in observation.plans:
                self._outcome.warn(plan.warnings)
                for step in self._chosen(plan):
                    self._outcome.add(observation.owner, plan.reference, step)
        for observation in prunable(self._outcome, self._observer):
            for step in observation.prune:
                self._outcome.add(observation.owner, "", step)
        try:
            self._limits.check(step for item in self._outcome.observations for step in item.steps)
        except GuardError as error:
            self._outcome.fail(None, error)

    def _chosen(self, plan: Plan) -> tuple[Step, ...]:
        """The steps of a plan that this run is for, those that wait for a delivery included."""
        if plan.issue and not self._options.issue:
            return ()
        # If the caller keeps the secrets, whether they were stored shows in what it says the next time.
        waits = self._options.stored is not None
        return plan.steps if waits else (*plan.steps, *plan.retire)

    # Applying and delivering

    def _apply(self) -> None:
        tasks = {
            plan.reference: _Task(observation.owner.path, plan)
            for observation in self._outcome.observations
            for plan in observation.plans
            if any(isinstance(step, (Issue, Update, Revoke)) for step in self._due(plan))
        }
        self._workers.progress = self._progress.of("{} of {} tokens changed")
        results = self._workers.each(
            self._apply_one,
            list(tasks.values()),
            receive=self._receive,
        )
        unfinished = {task: error for task, error in zip(tasks.values(), results) if isinstance(error, BitbucketError)}
        # An interrupted run does not wait for a verification that hangs: the secret is delivered without it.
        self._deliver([task for task in unfinished if task.applied.issued and task.applied.decide(usable=True)])
        for task, error in unfinished.items():
            task.applied.error = task.applied.error or error
        for observation in self._outcome.observations:
            for plan in observation.plans:
                self._collect(observation.owner, plan, tasks.get(plan.reference))
        self._left |= {task.path for task in tasks.values() if task.applied.error or not task.has_room}
        self._under_way = sum(task.has_room and not task.applied.issued for task in unfinished)

    def _apply_one(self, task: _Task) -> _Task:
        """In a thread: carry out what is due now. A task never fails as a whole, so that all of it is reported."""
        if not self._has_room():
            return task
        task.has_room = True
        try:
            task.begun = self._runtime.clock()
            observation = self._observer.current(task.path)
            task.plan = observation.plan_for(task.plan.reference)
            apply(
                self._api,
                observation.view,
                observation.policy,
                self._due(task.plan),
                lambda step: self._before(step, observation),
                task.applied,
                self._require_uninterrupted,
            )
        except BitbucketError as error:
            task.applied.error = error
        self._workers.note(task.applied.error)
        return task

    def _has_room(self) -> bool:
        """Wait until the store takes one more secret; ``False`` if nothing more is to be issued."""
        while not (self._ended or self._workers.stopped):
            if self._delivery is None or self._room.acquire(timeout=_POLL):
                return True
        return False

    def _due(self, plan: Plan) -> tuple[Step, ...]:
        """What is done before the delivery: what must wait for it is planned again afterwards."""
        waits = plan.issue is not None and (self._delivery is not None or self._options.stored is not None)
        return plan.steps if waits and self._options.issue else self._chosen(plan)

    def _before(self, step: Step, observation: Observation) -> None:
        """Refuse a step that must not be taken (any more)."""
        if isinstance(step, (Keep, Fail)):
            return
        self._require_uninterrupted()
        if isinstance(step, Revoke):
            self._observer.require_fresh(observation)
        self._limits.take(step)

    def _require_uninterrupted(self) -> None:
        if self._interruption.requested:
            raise interrupted()

    def _receive(self, tasks: t.Sequence[_Task]) -> None:
        """In the caller's thread: deliver what was issued, and make room for as many more."""
        self._deliver([task for task in tasks if task.applied.issued])
        if room := sum(task.has_room for task in tasks):
            self._room.release(room)

    def _deliver(self, tasks: t.Sequence[_Task]) -> None:
        """Write secrets to the store, and note what became of each."""
        if self._delivery is None or not tasks:
            return
        late = [task for task in tasks if self._runtime.clock() - task.begun > FRESH]
        # Another run may have taken these for orphans by now.
        self._take_back(late, "too_late")
        timely = {task.plan.reference: task for task in tasks if task not in late}
        if not timely:
            return
        said = self._delivery.deliver([_secret_of(task) for task in timely.values()])
        self._ended = self._ended or said.error
        for reference, task in timely.items():
            self._settle(task, said.by_reference.get(reference, UNCERTAIN), said.reasons.get(reference, ""))
        self._take_back([task for task in timely.values() if task.answer == REFUSED], "lost_race")
        taken = any(task.answer in (WRITTEN, REFUSED) for task in timely.values())
        self._lost = 0 if taken else self._lost + len(timely)
        if self._lost >= _MOST_LOST and self._ended is None:
            name = self._delivery.name
            self._ended = BitbucketError(
                f"{name} took none of the last secrets, so no more tokens are issued.", "store"
            )

    def _settle(self, task: _Task, answer: str, why: str) -> None:
        task.answer = answer
        plan, issued, path = task.plan, task.applied.issued, task.path
        if issued is None or self._delivery is None:
            return
        if answer == UNCERTAIN:
            # The id comes first: names may be so long that the end of a message is cut.
            message = (
                f"Token {issued.token.id}: whether {self._delivery.name} holds its secret is not known. The token was "
                f"not revoked: run again once the store works. It is for {plan.reference}. {why}"
            ).strip()
            self._strays[plan.reference] = StrayError(message, "store", issued.token.id)
        elif answer == WRITTEN:
            self._delivered += 1
            replaces = plan.issue.replaces if plan.issue and task.applied.verified else None
            self._observer.written(
                plan.reference, issued.token.id, replaces if replaces and replaces.isdigit() else None
            )
            if not task.applied.verified:
                self._unverified.add(path)
            if any(isinstance(step, (Revoke, Update)) for step in plan.retire):
                self._waiting[path] = None

    def _take_back(self, tasks: t.Sequence[_Task], reason: str) -> None:
        """Revoke tokens that were issued and not delivered, and have their owners observed again."""
        tokens = {task.plan.reference: task.applied.issued.token.id for task in tasks if task.applied.issued}
        failures = discard_all(self._api, tokens, revocable=not (self._workers.failed or self._interruption.overdue))
        for task in tasks:
            reference = task.plan.reference
            task.answer = reason
            self._waiting[task.path] = None
            if reference in failures:
                self._workers.note(failures[reference])
                self._strays[reference] = failures[reference]
            elif reason == "too_late":
                self._strays[reference] = _late(reference)

    def _collect(self, owner: Owner, plan: Plan, task: _Task | None) -> None:
        """Note what became of one declared token."""
        if task is None:
            self._outcome.warn(plan.warnings)
            for step in self._due(plan):
                self._outcome.add(owner, plan.reference, step)
            return
        plan, applied = task.plan, task.applied
        self._outcome.warn(plan.warnings)
        # An interrupted verification leaves an issued token that is not among the steps done.
        unverified = [plan.issue] if applied.issued and plan.issue and plan.issue not in applied.done else []
        kept = [step for step in self._chosen(plan) if isinstance(step, Keep)]
        for step in (*applied.done, *unverified, *kept):
            if isinstance(step, Issue) and applied.issued:
                self._collect_issued(owner, task, step, applied.issued)
            else:
                self._outcome.add(owner, plan.reference, step)
        if error := self._strays.get(plan.reference):
            self._outcome.fail(task.path, error, plan.reference)
        if applied.error and applied.error.reason == "stopped":
            if task.path not in self._outcome.failed_owners:
                self._outcome.fail(task.path, applied.error)
        elif applied.error and applied.error.reason != "interrupted":
            self._outcome.fail(task.path, applied.error, plan.reference)

    def _collect_issued(self, owner: Owner, task: _Task, step: Issue, issued: Issued) -> None:
        """Note an issued token; one that was revoked again is no change."""
        reference = task.plan.reference
        if task.answer not in ("", WRITTEN, UNCERTAIN):
            self._outcome.report.note(reference, issued.token.id, task.answer)
            return
        self._outcome.add(owner, reference, step, issued.token)
        self._outcome.deliveries.append(Delivered(task.plan, issued, task.applied.verified))

    def _retire(self) -> None:
        """What had to wait for the delivery."""
        if self._ended or self._workers.stopped:
            self._left |= self._waiting.keys()
            return
        self._workers.progress = self._progress.of("older tokens of {} of {} owners checked")
        retirement = Retirement(self._api, self._observer, self._workers, self._outcome, self._before)
        try:
            self._left |= retirement.run(self._waiting if self._delivery else {}, self._unverified)
        except BitbucketError as error:
            self._ended = error

    def _report_end(self) -> None:
        """Say why the rest was left undone."""
        if self._ended:
            self._ended.add(f"Owners left: {len(self._left):,}." if self._left else "")
            self._outcome.fail(None, self._ended)
        if not self._interruption.requested:
            return
        under_way = (
            f" {self._under_way:,} request(s) had no answer yet: a later run revokes the tokens that they create."
            if self._under_way
            else ""
        )
        self._outcome.fail(
            None,
            BitbucketError(
                f"The run was interrupted. {self._delivered:,} token(s) were issued and delivered before that. No "
                f"older token was revoked afterwards.{under_way} Run again: {len(self._left):,} owner(s) are left.",
                "interrupted",
            ),
        )


def _secret_of(task: _Task) -> Entry:
    issued, issue = task.applied.issued, task.plan.issue
    if issued is None:
        raise BitbucketError(f"{task.plan.reference}: no token was issued.")
    return Entry(task.plan.reference, issued.token.id, issued.secret, issue.replaces if issue else None)


def _late(reference: str) -> BitbucketError:
    return BitbucketError(
        f"{reference}: its new token was issued more than half an hour after the run began with it, which is too late "
        "to store it. It was revoked, and the stored secret stays in use: run again.",
        "too_late",
    )
