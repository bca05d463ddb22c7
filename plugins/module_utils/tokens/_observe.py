# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Observing owners: what the store holds and what Bitbucket lists, and the plans that follow. Reads only."""

from __future__ import annotations

import collections.abc as c
import threading
import typing as t

from ..core._errors import BitbucketError
from ..core._limits import FRESH, RECENT
from ..core._model import Owner, Token, canonical_reference, owner_path
from ..datacenter._api import DataCenter
from . import _plan
from ._declaration import Declaration
from ._delivery import Delivery, Held
from ._types import NEW, UNKNOWN, Fail, Keep, Options, Plan, Policy, Step, View

_Value = t.TypeVar("_Value")


class Observation(t.NamedTuple):
    """One owner, as it was observed and planned. ``at`` is when the older of both sources was asked, in seconds."""

    view: View
    policy: Policy
    plans: t.Sequence[Plan]
    prune: t.Sequence[Step]
    at: float

    @property
    def owner(self) -> Owner:
        """Whose tokens these are."""
        return self.view.owner

    @property
    def steps(self) -> t.Iterator[Step]:
        """Everything that is to be done for this owner, now or after a delivery."""
        for plan in self.plans:
            yield from (*plan.steps, *plan.retire)
        yield from self.prune

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to do, and nothing to report."""
        busy = any(not isinstance(step, Keep) or step.note for step in self.steps)
        return not busy and not any(plan.warnings for plan in self.plans)

    def plan_for(self, reference: str) -> Plan:
        """The plan of one declared token."""
        return next(plan for plan in self.plans if plan.reference == reference)


class Observer:
    """Observes the declared owners.

    :param clock: seconds that only go forward.
    """

    def __init__(
        self,
        api: DataCenter,
        declarations: t.Sequence[Declaration],
        options: Options,
        delivery: Delivery | None,
        clock: c.Callable[[], float],
    ) -> None:
        self._api = api
        self._declared = {declaration.owner.path: declaration for declaration in declarations}
        self._options = options
        self._delivery = delivery
        self._clock = clock
        self._given = None if options.stored is None else _by_owner(options.stored)
        self._began = clock()
        self._held: dict[str, Held] = {}
        #: By owner path, the last one each.
        self.observations: dict[str, Observation] = {}
        self._replaced: dict[str, dict[str, str]] = {}
        #: References that this run has delivered.
        self._written: set[str] = set()
        self._held_lock = threading.Lock()
        self._locks = {path: threading.Lock() for path in self._declared}
        self._caller: str | None = None
        self._caller_lock = threading.Lock()

    @property
    def references(self) -> list[str]:
        """Of all declared tokens."""
        return [reference for item in self._declared.values() for reference in item.references]

    @property
    def absent(self) -> list[str]:
        """References that are declared as absent."""
        return [
            item.owner.reference(spec.name) for item in self._declared.values() for spec in item.specs if spec.absent
        ]

    @property
    def held(self) -> Held:
        """What the store held of all owners when it was last read, and what this run has written to it since."""
        stored, others = {}, {}
        for held in self._held.values():
            stored.update(held.stored)
            others.update(held.others)
        return Held(stored, others, 0)

    def read(self, paths: t.Iterable[str] | None = None) -> None:
        """Read the store for these owners, or for all.

        :raises BitbucketError: if it does not answer.
        """
        if self._delivery is None:
            return
        some = list(self._declared if paths is None else paths)
        held = self._delivery.read([reference for path in some for reference in self._declared[path].references])
        others: dict[str, dict[str, str]] = {}
        for reference, token_id in held.others.items():
            others.setdefault(owner_path(canonical_reference(reference)), {})[reference] = token_id
        with self._held_lock:
            for path in some:
                # A reference without an answer is left out: the plan refuses its owner.
                asked = self._declared[path].references
                stored = {reference: held.stored[reference] for reference in asked if reference in held.stored}
                self._held[path] = Held(stored, others.get(path, {}), held.read_at)

    def written(self, reference: str, token_id: str, replaced: str | None) -> None:
        """Note what the store holds by a write of this run.

        :param replaced: the id that is replaced by a token seen to work, or ``None``.
        """
        path = owner_path(reference)
        with self._held_lock:
            self._written.add(reference)
            self._held[path].stored[reference] = token_id
            if replaced:
                self._replaced.setdefault(path, {})[reference] = replaced

    def observe(self, path: str) -> Observation:
        """List one owner's tokens and plan.

        :raises BitbucketError: if nothing may be decided about this owner.
        """
        declaration = self._declared[path]
        owner = declaration.owner
        started = self._clock()
        held = self._held.get(path)
        policy = self._policy(path, held)
        listing = self._api.tokens(owner)
        unlisted = self._unlisted(owner, policy, {token.id for token in listing.tokens})
        gone = self._options.assume_revoked if self._options.check_mode else frozenset()
        view = View(
            owner,
            tuple(token for token in (*listing.tokens, *unlisted) if token.id not in gone),
            listing.now,
            self._api.client.credential.token_id,
        )
        # `always` issues once a run.
        specs = [
            spec._replace(rotate="auto")
            if spec.rotate == "always" and owner.reference(spec.name) in self._written
            else spec
            for spec in declaration.specs
        ]
        plans = _plan.plan(view, specs, policy)
        prune = _plan.undeclared(view, declaration.specs, self._delivered(policy, plans)) if policy.prune else []
        at = min(started, held.read_at) if held else started if self._given is None else self._began
        observation = Observation(view, policy, [self._permitted(owner, plan) for plan in plans], prune, at)
        self.observations[path] = observation
        return observation

    def observe_busy(self, path: str) -> Observation | int:
        """The same. If there is nothing to do, only the number of plans: most owners of a large instance are like that.

        :raises BitbucketError: as :meth:`observe`.
        """
        observation = self.observe(path)
        if not observation.is_settled:
            return observation
        del self.observations[path]
        return len(observation.plans)

    def current(self, path: str) -> Observation:
        """The last observation of an owner; store and owner are read again if it is no longer recent.

        :raises BitbucketError: if it cannot be observed, or looking takes so long that nothing may follow from it.
        """
        with self._locks[path]:
            observation = self.observations[path]
            if self._clock() - observation.at > RECENT:
                self.read([path])
                observation = self.observe(path)
            self.require_fresh(observation)
            return observation

    def require_fresh(self, observation: Observation) -> None:
        """Refuse an observation that is too old to act on: another run may have written meanwhile.

        :raises BitbucketError: if it is.
        """
        if self._clock() - observation.at > FRESH:
            raise BitbucketError(
                f"{observation.owner.path}: reading its tokens and what the store holds took more than half an hour, "
                "so nothing was done with them. Run again when Bitbucket and the store respond faster.",
                "too_slow",
            )

    def _policy(self, path: str, held: Held | None) -> Policy:
        stored = held.stored if held else None if self._given is None else self._given.get(path, {})
        options = self._options
        return Policy(
            stored,
            options.missing_secret,
            options.rotate_created_before,
            options.prune,
            self._replaced.get(path, {}),
            held.others if held else {},
        )

    def _delivered(self, policy: Policy, plans: t.Sequence[Plan]) -> Policy:
        """The policy after delivery: pruning comes last, when secrets whose ids cannot be read were replaced."""
        stored = policy.stored or {}
        known = {
            plan.reference: NEW
            for plan in plans
            if plan.issue and self._options.issue and stored.get(plan.reference) == UNKNOWN
        }
        return policy._replace(stored={**stored, **known}) if known else policy

    def _unlisted(self, owner: Owner, policy: Policy, listed: set[str]) -> list[Token]:
        """Stored tokens that the listing left out: requested by id before they count as gone."""
        ids = {value for value in (policy.stored or {}).values() if value and value != UNKNOWN}
        found = [self._api.token(owner, token_id) for token_id in sorted(ids - listed)]
        return [token for token in found if token is not None]

    def _permitted(self, owner: Owner, plan: Plan) -> Plan:
        """The plan, or its failure if it issues a personal token for another user."""
        issues = plan.issue is not None and self._options.issue
        if not owner.user or not issues or self._caller_slug(owner) == owner.user:
            return plan
        message = (
            f"{plan.reference}: in Bitbucket only the user can create a personal token, and no administrator. Sign in "
            f"as {owner.user}, with the password or an OAuth 2.0 token."
        )
        return plan._replace(steps=(Fail("forbidden", message),), retire=())

    def _caller_slug(self, owner: Owner) -> str:
        """The caller's slug; the owner's if the server does not say, so that the server decides."""
        with self._caller_lock:
            if self._caller is None:
                name = self._api.client.credential.username or self._api.identity().name or ""
                same = name.casefold() == owner.user
                self._caller = owner.user if same else (self._api.user_slug(name) if name else None) or ""
            return self._caller or owner.user


def _by_owner(values: t.Mapping[str, _Value]) -> dict[str, dict[str, _Value]]:
    """A map of references as one of owner paths, so that each owner only sees its own part."""
    found: dict[str, dict[str, _Value]] = {}
    for reference, value in values.items():
        found.setdefault(owner_path(canonical_reference(reference)), {})[reference] = value
    return found
