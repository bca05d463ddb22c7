# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Carrying out steps: the only code that writes tokens."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field

from ..core import _secret
from ..core._errors import (
    FOR_ALL,
    BitbucketError,
    LockoutError,
    LostAnswerError,
    RateLimitError,
    StatusError,
    StrayError,
)
from ..core._model import Owner, owner_of, owner_path
from ..datacenter._api import DataCenter, Issued, expiry_days
from ._plan import would_issue_again
from ._spec import TokenSpec
from ._types import UNKNOWN, Fail, Issue, Keep, Policy, Revoke, Step, Update, View


@dataclass
class Applied:
    """What was done, in order. A failure ends it; the steps before are done and reported.

    ``issued`` is there as soon as the server has answered, before the secret is verified.
    """

    done: list[Step] = field(default_factory=list)
    issued: Issued | None = None
    verified: bool = False
    error: BitbucketError | None = None
    _usable: bool | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def decide(self, usable: bool) -> bool:
        """Whether the issued secret is to be delivered: the first caller decides.

        The thread that verifies the secret asks, and that of a run that no longer waits for it.
        """
        with self._lock:
            if self._usable is None:
                self._usable = usable
            return self._usable


def apply(
    api: DataCenter,
    view: View,
    policy: Policy,
    steps: t.Iterable[Step],
    before: t.Callable[[Step], None] = lambda _step: None,
    result: Applied | None = None,
    again: t.Callable[[], None] = lambda: None,
) -> Applied:
    """Carry out ``steps`` for one reference. Errors are returned with what was done before them, not raised.

    :param before: called before each step; raises :class:`BitbucketError` if it must not be taken.
    :param result: where to note what is done, for a caller that does not wait for the end.
    :param again: called before a create is sent once more; raises :class:`BitbucketError` if it must not be.
    """
    result = Applied() if result is None else result
    try:
        for step in steps:
            before(step)
            if _apply_one(api, view, policy, step, result, again):
                result.done.append(step)
    except BitbucketError as error:
        result.error = error
    return result


def discard_all(api: DataCenter, tokens: t.Mapping[str, str], revocable: bool = True) -> dict[str, StrayError]:
    """Revoke tokens that this run issued and no store took, given as ids by reference.

    Once an answer holds for all of them, as a refused login does, the others are not tried.

    :param revocable: whether the server still answers; if not, the tokens are only named.
    :returns: a failure for each token that still exists.
    """
    failures: dict[str, StrayError] = {}
    for reference, token_id in tokens.items():
        owner = owner_of(owner_path(reference))
        if not revocable:
            what = f"Token {token_id} of {owner.label} was issued, is stored nowhere and was not revoked"
            failures[reference] = StrayError(f"{what}: revoke it manually.", "stopped", token_id)
            continue
        try:
            discard(api, owner, token_id)
        except StrayError as error:
            failures[reference] = error
            revocable = error.reason not in FOR_ALL
    return failures


def discard(api: DataCenter, owner: Owner, token_id: str) -> None:
    """Revoke a token that this run issued and whose secret was not delivered.

    :raises StrayError: if it still exists, with its id and the reason why it could not be revoked.
    """
    try:
        api.revoke(owner, token_id)
    except BitbucketError as error:
        raise StrayError(
            f"Token {token_id} of {owner.label} was issued, is stored nowhere and could not be revoked: revoke it "
            f"manually. {error}",
            error.reason,
            token_id,
        ) from None


def _apply_one(
    api: DataCenter, view: View, policy: Policy, step: Step, result: Applied, again: t.Callable[[], None]
) -> bool:
    """Carry out one step; ``False`` if there was nothing to do (any more)."""
    if isinstance(step, Keep):
        return False
    if isinstance(step, Fail):
        raise BitbucketError(step.message, step.reason)
    if isinstance(step, Update):
        api.update(view.owner, step.token.id, step.name, step.permissions)
        return True
    if isinstance(step, Revoke):
        api.revoke(view.owner, step.token.id)
        return True
    _issue(api, view, policy, step, result, again)
    return True


def _issue(
    api: DataCenter, view: View, policy: Policy, step: Issue, result: Applied, again: t.Callable[[], None]
) -> None:
    """Create a token that can be delivered, and verify its secret if it replaces another."""
    issued = _create(api, view, policy, step.spec, again)
    problem = _problem(view, policy, step.spec, issued)
    if problem:
        discard(api, view.owner, issued.token.id)
        raise BitbucketError(f"{view.owner.reference(step.spec.name)}: {problem}", "unusable")
    result.issued = issued
    # A first secret takes no working one from anybody, and using it would hide whether somebody else did.
    first = step.replaces is None or step.replaces == UNKNOWN
    verified = True if first else _verify(api, issued)
    if result.decide(verified is not None):
        result.verified = bool(verified)
        return
    result.issued = None
    discard(api, view.owner, issued.token.id)
    raise BitbucketError(
        f"{view.owner.reference(step.spec.name)}: the server refuses the secret of the token it has just issued. The "
        "token was revoked, and the previous one stays in use.",
        "rejected",
    )


def _create(api: DataCenter, view: View, policy: Policy, spec: TokenSpec, again: t.Callable[[], None]) -> Issued:
    """Create once more at most, after the owner has shown that it answers; a lost token is left to `orphan`."""
    owner = view.owner
    try:
        return _new(view, policy, api.create(owner, spec.name, spec.wanted, spec.expires_in_days))
    except LostAnswerError as error:
        if error.token_id and error.token_id not in _known(view, policy):
            discard(api, owner, error.token_id)
        else:
            api.tokens(owner)
    again()
    try:
        return _new(view, policy, api.create(owner, spec.name, spec.wanted, spec.expires_in_days))
    except LostAnswerError as error:
        if error.token_id and error.token_id not in _known(view, policy):
            discard(api, owner, error.token_id)
        raise BitbucketError(
            f"{error} This happened twice, and no secret of {owner.reference(spec.name)} arrived. If a token was "
            "created nevertheless, a later run revokes it as unused.",
            "lost_answer",
        ) from None


def _known(view: View, policy: Policy) -> set[str | None]:
    """The ids that cannot be a new token's: revoking one as such would take a secret from its users."""
    return {view.in_use, *(token.id for token in view.tokens), *(policy.stored or {}).values()}


def _new(view: View, policy: Policy, issued: Issued) -> Issued:
    if issued.token.id in _known(view, policy):
        raise LostAnswerError(f"The server named token {issued.token.id}, which was there before, as a new one.")
    return issued


def _problem(view: View, policy: Policy, spec: TokenSpec, issued: Issued) -> str | None:
    """Why a token just created must not be delivered."""
    named = _secret.token_id(issued.secret)
    if not _secret.is_plausible(issued.secret) or named not in (None, issued.token.id):
        return (
            f"the server's answer contains no valid secret of token {issued.token.id} (allowed: {_secret.ALLOWED}). "
            "The token was revoked."
        )
    current = View(view.owner, (issued.token,), issued.now, view.in_use)
    reason = would_issue_again(current, spec, issued.token, policy)
    if reason is None:
        return None
    asked = "no expiry" if spec.expires_in_days is None else f"{spec.expires_in_days} days"
    days = expiry_days(issued.token)
    given = "no expiry" if days is None else f"{days} days"
    return (
        f"asked for {asked}, the server gave {given}, so each run would replace the token ({reason}). It was revoked, "
        "and the previous one stays in use: declare a lifetime that the server grants."
    )


def _verify(api: DataCenter, issued: Issued) -> bool | None:
    """Sign in once with the new secret: whether that worked, or ``None`` if the server refuses the secret.

    ``False``: there was no clear answer.
    """
    if api.limits_bearers:
        return False
    try:
        identity = DataCenter(api.client.as_bearer(issued.secret)).identity()
    except RateLimitError:
        api.limits_bearers = True
        return False
    except StatusError as error:
        if isinstance(error, LockoutError) and error.status == 401:
            return None
        # 401 for want of permission is the answer to somebody known.
        return error.status == 401
    except BitbucketError:
        return False
    return identity.name is not None
