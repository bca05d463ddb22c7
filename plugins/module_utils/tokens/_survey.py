# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Looking before anything is written: each owner's tokens, what is to be done about them, and the guards."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import GuardError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import (
    Owner,
    Token,
    canonical_reference,
    owner_path,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens import _plan
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._declaration import Declaration
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._steps import (
    GUARDED,
    UNKNOWN,
    Fail,
    Issue,
    Plan,
    Policy,
    Revoke,
    Step,
    View,
)

_Value = t.TypeVar("_Value")


class Run(t.NamedTuple):
    """What one call does, in addition to the declarations.

    ``more_calls``: the caller hands the secrets over and calls again, so at most :data:`BATCH` tokens are issued,
    and what must wait for the hand-over waits. For the references in ``skip`` none is issued. ``revoked`` is how many
    of the tokens that ``max_revocations`` counts earlier calls have revoked, ``begun`` whether these changed anything.
    ``age`` is how many seconds ago the store was read. Tokens in ``gone`` count as revoked already.
    """

    policy: Policy
    issue: bool = True
    more_calls: bool = False
    max_revocations: int = 10
    max_reissues: int = 10
    revoked: int = 0
    begun: bool = False
    concurrency: int = 8
    check_mode: bool = False
    skip: frozenset[str] = frozenset()
    age: int = 0
    gone: frozenset[str] = frozenset()


class Survey(t.NamedTuple):
    """One owner, seen and decided about; nothing is written yet."""

    view: View
    policy: Policy
    plans: t.Sequence[Plan]
    prune: t.Sequence[Step]

    @property
    def steps(self) -> t.Iterator[Step]:
        """Everything that is to be done for this owner, now or after a hand-over."""
        for plan in self.plans:
            yield from (*plan.steps, *plan.retire)
        yield from self.prune


def guard(surveys: t.Sequence[Survey], run: Run) -> None:
    """Stop a run that would revoke or replace more than a mistake-free declaration does.

    :raises GuardError: before anything is written.
    """
    steps = [step for survey in surveys for step in survey.steps]
    nothing = "Nothing more" if run.begun else "Nothing"
    due = sum(isinstance(step, Revoke) and step.reason in GUARDED for step in steps)
    if due and due + run.revoked > run.max_revocations:
        raise GuardError(
            f"{due + run.revoked} tokens would be revoked as undeclared or absent, and `max_revocations` is "
            f"{run.max_revocations}. {nothing} was changed. To revoke all of them, raise the limit; `--check --diff` "
            "lists them."
        )
    reissued = sum(isinstance(step, Issue) and step.reason == "secret_missing" and step.replaces_used for step in steps)
    if run.issue and reissued > run.max_reissues:
        raise GuardError(
            f"The store holds no secret of {reissued} declared tokens that exist and are in use: check that `store` "
            f"names the right place. {nothing} was changed. To issue new tokens in addition to them, raise "
            f"`max_reissues` ({run.max_reissues}); `--check --diff` lists them."
        )


class Surveyor:
    """Looks at owners; reads only."""

    def __init__(self, api: DataCenter, run: Run) -> None:
        self._api = api
        self._run = run
        self._stored = None if run.policy.stored is None else _by_owner(run.policy.stored)
        self._replaced = _by_owner(run.policy.replaced)
        self._beside = _by_owner(run.policy.beside)
        self._caller: str | None = None
        self._caller_lock = threading.Lock()

    def survey(self, declaration: Declaration) -> Survey:
        """List one owner's tokens and decide about them.

        :raises BitbucketError: where nothing may be decided about this owner.
        """
        owner = declaration.owner
        policy = self._run.policy._replace(
            stored=None if self._stored is None else self._stored.get(owner.path, {}),
            replaced=self._replaced.get(owner.path, {}),
            beside=self._beside.get(owner.path, {}),
        )
        listing = self._api.tokens(owner)
        unlisted = self._unlisted(owner, policy, {token.id for token in listing.tokens})
        view = View(
            owner,
            tuple(token for token in (*listing.tokens, *unlisted) if token.id not in self._run.gone),
            listing.now,
            self._api.client.credential.token_id,
        )
        plans = _plan.plan(view, declaration.specs, policy)
        prune = _plan.undeclared(view, declaration.specs, policy) if policy.prune else []
        return Survey(view, policy, [self._permitted(owner, plan) for plan in plans], prune)

    def _unlisted(self, owner: Owner, policy: Policy, listed: set[str]) -> list[Token]:
        """Stored tokens that the listing left out: asked for by id before they count as gone."""
        ids = {value for value in (policy.stored or {}).values() if value and value != UNKNOWN}
        found = [self._api.token(owner, token_id) for token_id in sorted(ids - listed)]
        return [token for token in found if token is not None]

    def _permitted(self, owner: Owner, plan: Plan) -> Plan:
        """The plan, or its failure where it issues a personal token for somebody else."""
        if not owner.user or plan.issue is None or not self._run.issue or self._caller_slug(owner) == owner.user:
            return plan
        message = (
            f"{plan.reference}: in Bitbucket only the user can create a personal token, and no administrator. Sign in "
            f"as {owner.user}, with the password or an OAuth 2.0 token."
        )
        return plan._replace(steps=(Fail("forbidden", message),), retire=())

    def _caller_slug(self, owner: Owner) -> str:
        """The caller's slug; the owner's where the server does not tell, so that it decides."""
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
