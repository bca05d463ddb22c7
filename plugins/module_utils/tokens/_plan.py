# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The decision tables, and nothing else: what to do about each declared token of one owner.

Pure: it sees what is declared, what Bitbucket lists and what the store holds, and returns steps. Part one decides
about the token whose secret is in use, the first row that applies; part two about every other candidate.
"""

from __future__ import annotations

import fnmatch
import typing as t

from ..core._errors import BitbucketError, InputError
from ..core._limits import SETTLE
from ..core._model import DAY, Token
from ..core._times import iso
from ._spec import TokenSpec
from ._types import UNKNOWN, Fail, Issue, Keep, Plan, Policy, Revoke, Step, Update, View

#: How much longer than declared a token may live before it is replaced: rounding to whole days, twice.
_LIFETIME_SLACK = 2 * DAY


class _Case(t.NamedTuple):
    """What the rows of part one look at."""

    reference: str
    spec: TokenSpec
    policy: Policy
    view: View
    candidates: tuple[Token, ...]
    current: Token | None
    aside: tuple[Token, ...] = ()
    """Live tokens of this name whose secrets the store holds under references that are not declared."""

    @property
    def stored(self) -> str | None:
        return self.policy.stored[self.reference] if self.policy.stored is not None else None

    @property
    def has_store(self) -> bool:
        return self.policy.stored is not None

    @property
    def stored_id(self) -> str | None:
        return None if self.stored == UNKNOWN else self.stored

    @property
    def live(self) -> list[Token]:
        return [token for token in self.candidates if not token.expired(self.view.now)]

    def issue(self, reason: str) -> Issue:
        used = any(token.last_used is not None for token in (*self.live, *self.aside))
        return Issue(self.spec, reason, self.stored, used)


def plan(view: View, specs: t.Sequence[TokenSpec], policy: Policy) -> list[Plan]:
    """Decide about every declared token of one owner.

    :raises BitbucketError: if nothing about this owner may be decided.
    """
    _check(view, specs, policy)
    return [_plan_one(view, spec, policy) for spec in specs]


def undeclared(view: View, specs: t.Sequence[TokenSpec], policy: Policy) -> list[Step]:
    """Part two's last row: what ``prune`` matches and no declared reference has to do with."""
    stored = set((policy.stored or {}).values())
    if UNKNOWN in stored:
        return []
    kept = {token.id for spec in specs for token in _candidates(view, spec, policy)} | stored
    # What was declared once may go by its own name. Under another it was renamed, and somebody may still declare it.
    renamed = {value: reference for reference, value in policy.others.items()}
    return [
        _unless_in_use(view, Revoke(token, "undeclared"))
        for token in view.tokens
        if token.id not in kept
        and renamed.get(token.id) in (None, view.owner.reference(token.name))
        and any(fnmatch.fnmatchcase(token.name, pattern) for pattern in policy.prune)
    ]


def would_issue_again(view: View, spec: TokenSpec, created: Token, policy: Policy) -> str | None:
    """The stop rule: why a token just created would be replaced at once, or two days after its grace.

    ``view.now`` is the clock of the answer that brought the token; its own creation time stands in where that is
    missing. :returns: the reason of the row that would issue, or ``None``.
    """
    reference = view.owner.reference(spec.name)
    start = created.created if view.now is None else view.now
    stored = policy._replace(stored={reference: created.id})
    # `always` asks for one more token by intent; what is tested here is whether anything else would.
    spec = spec._replace(rotate="auto") if spec.rotate == "always" else spec
    # The later look falls just short: the narrowest windows allowed make the token due at that very instant.
    later = min(start, created.created) + (spec.grace_days + 2) * DAY - 1
    for now in (start, later):
        case = _Case(reference, spec, stored, view._replace(now=now), (created,), created)
        step = _decide(case)
        if isinstance(step, Issue):
            return step.reason
    return None


def _check(view: View, specs: t.Sequence[TokenSpec], policy: Policy) -> None:
    future = policy.rotate_created_before
    if future is not None and view.now is not None and future > view.now:
        raise InputError(
            f"`rotate_created_before` is {iso(future)}, which is later than the server's clock ({iso(view.now)}): "
            "every run would replace every token. Set a time in the past."
        )
    if policy.stored is None:
        return
    holders: dict[str, str] = {}
    for spec in specs:
        reference = view.owner.reference(spec.name)
        if reference not in policy.stored:
            raise BitbucketError(f"The store returned no answer for {reference}: nothing is decided about its owner.")
        held = policy.stored[reference]
        if held and held != UNKNOWN and holders.setdefault(held, reference) != reference:
            raise BitbucketError(
                f"The store holds the secret of token {held} under two references, {holders[held]} and {reference}: "
                "remove the wrong entry.",
                "stored_twice",
            )


def _candidates(view: View, spec: TokenSpec, policy: Policy) -> tuple[Token, ...]:
    """The tokens that may be this reference's: those of its name that no other one stores, and the stored one."""
    if spec.only_id:
        return tuple(token for token in view.tokens if token.id == spec.only_id)
    reference = view.owner.reference(spec.name)
    stored = policy.stored or {}
    elsewhere = {value for key, value in (*stored.items(), *policy.others.items()) if key != reference}
    mine = stored.get(reference)
    return tuple(
        token
        for token in view.tokens
        if (mine and token.id == mine) or (token.name == spec.name and token.id not in elsewhere)
    )


def _plan_one(view: View, spec: TokenSpec, policy: Policy) -> Plan:
    reference = view.owner.reference(spec.name)
    candidates = _candidates(view, spec, policy)
    case = _Case(reference, spec, policy, view, candidates, None, _aside(view, spec, policy))
    if spec.absent:
        gone = tuple(_unless_in_use(view, Revoke(token, "absent")) for token in candidates)
        return Plan(reference, spec, None, gone, (), _aside_warnings(case))
    case = case._replace(current=_current(case))
    step = _decide(case)
    if isinstance(step, Fail):
        return Plan(reference, spec, case.current, (step,))
    if isinstance(step, Issue):
        return _issuing(case, step)
    kept = step.token if isinstance(step, (Keep, Update)) else case.current
    steps = (step, *_withheld(case, step), *_part_two(case, kept, policy.replaced.get(reference)))
    return Plan(reference, spec, kept, steps, (), (*_never_warning(case), *_aside_warnings(case)))


def _aside(view: View, spec: TokenSpec, policy: Policy) -> tuple[Token, ...]:
    others = set(policy.others.values()) - set((policy.stored or {}).values())
    return tuple(
        token for token in view.tokens if token.name == spec.name and token.id in others and not token.expired(view.now)
    )


def _current(case: _Case) -> Token | None:
    if case.has_store and case.stored != UNKNOWN:
        return next((token for token in case.candidates if token.id == case.stored), None)
    now, before = case.view.now, case.policy.rotate_created_before

    def newest(token: Token) -> tuple[int, bool]:
        # Of equally new ones the one that is fine: else each run might look at the other and issue once more.
        return token.created, _rotation_reason(case.spec, token, now, before) is None

    return max(case.live or case.candidates, key=newest, default=None)


# Part one: a row is a function; it returns a step if it applies.


def _decide(case: _Case) -> Step:
    for row in (_row_unknown, _row_gone, _row_absent, _row_missing, _row_rotation, _row_update):
        step = row(case)
        if step is not None:
            return step
    if case.current is None:
        raise BitbucketError(f"Nothing in the decision table fits {case.reference}.")
    return Keep(case.current)


def _row_unknown(case: _Case) -> Step | None:
    if case.stored != UNKNOWN or (case.candidates and len(case.live) <= 1):
        return None
    return Fail(
        "stored_unknown",
        f"{case.reference}: the id of the stored secret cannot be read, and Bitbucket lists {len(case.live)} live "
        "tokens of that name, so it is not known which one is in use. Store a secret that Bitbucket issued, or remove "
        "the entry, and run again.",
    )


def _row_gone(case: _Case) -> Step | None:
    gone = case.stored_id is not None and case.current is None
    return case.issue("secret_revoked") if gone else None


def _row_absent(case: _Case) -> Step | None:
    return None if case.candidates or (case.aside and case.stored is None) else case.issue("absent")


def _row_missing(case: _Case) -> Step | None:
    if not case.has_store or case.stored is not None:
        return None
    issue = case.issue("secret_missing")
    if case.policy.missing_secret == "reissue" or (case.policy.missing_secret == "auto" and not issue.replaces_used):
        return issue
    if not case.candidates:
        return Fail("secret_missing", f"{_held_elsewhere(case)} Move the entry, or set `missing_secret: reissue`.")
    return Fail(
        "secret_missing",
        f"{case.reference}: Bitbucket lists {len(case.candidates)} token(s) of that name, and the store holds the "
        "secret of none of them. Put the secret into the store if you have it, or set `missing_secret: reissue` to "
        "issue a new token in addition to the old one.",
    )


def _row_rotation(case: _Case) -> Step | None:
    """The rows from ``expired`` to ``forced``, which ``rotate`` switches."""
    if case.current is None:
        return None
    if case.spec.rotate == "always":
        return case.issue("always")
    if case.spec.rotate == "never":
        return None
    if case.current.expires is not None and case.view.now is None:
        return Fail(
            "no_clock",
            f"{case.reference}: the server's answer has no usable Date header, so it is not known whether token "
            f"{case.current.id} has expired. Nothing was changed.",
        )
    reason = _rotation_reason(case.spec, case.current, case.view.now, case.policy.rotate_created_before)
    return case.issue(reason) if reason else None


def _rotation_reason(spec: TokenSpec, token: Token, now: int | None, before: int | None) -> str | None:
    if now is not None and token.expires is not None:
        if token.expires <= now:
            return "expired"
        if token.expires <= now + spec.rotate_before_days * DAY:
            return "expiring"
    if spec.expires_in_days is not None:
        limit = spec.expires_in_days * DAY + _LIFETIME_SLACK
        if token.expires is None or token.expires - token.created > limit:
            return "lifetime"
    if before is not None and token.created < before:
        return "forced"
    return None


def _row_update(case: _Case) -> Step | None:
    token, spec = case.current, case.spec
    if token is None:
        return None
    name = spec.name if token.name != spec.name else None
    permissions = spec.wanted if token.permissions.normal != spec.wanted.normal else None
    if permissions is not None and token.id == case.view.in_use:
        return Update(token, "name", name) if name else Keep(token, "in_use")
    if name is None and permissions is None:
        return None
    return Update(token, "permissions" if permissions else "name", name, permissions)


def _withheld(case: _Case, step: Step) -> tuple[Step, ...]:
    """A note, in addition to the renaming of the token in use, that its permissions were not changed."""
    if not isinstance(step, Update) or step.token.id != case.view.in_use:
        return ()
    differ = step.token.permissions.normal != case.spec.wanted.normal
    return (Keep(step.token, "in_use"),) if differ else ()


def _never_warning(case: _Case) -> tuple[str, ...]:
    if case.spec.rotate != "never" or case.current is None:
        return ()
    reason = _rotation_reason(case.spec, case.current, case.view.now, case.policy.rotate_created_before)
    if not reason:
        return ()
    return (f"{case.reference}: token {case.current.id} is due for rotation ({reason}), but `rotate` is `never`.",)


def _held_elsewhere(case: _Case) -> str:
    where = {token_id: reference for reference, token_id in case.policy.others.items()}
    tokens = ", ".join(f"{token.id} under {where[token.id]}" for token in case.aside)
    return f"{case.reference}: the store holds tokens of this name under references not declared here: {tokens}."


def _aside_warnings(case: _Case) -> tuple[str, ...]:
    """What is kept for the sake of an entry that may be a forgotten one."""
    if not case.aside:
        return ()
    return (f"{_held_elsewhere(case)} They are kept. Remove the entries that are not needed.",)


def _issuing(case: _Case, step: Issue) -> Plan:
    steps: tuple[Step, ...] = (step,)
    current = case.current
    if current is not None and current.name != case.spec.name:
        # Without the declared name the old token would be no candidate once the store holds its successor.
        steps = (Update(current, "name", case.spec.name), step)
    now = case.view.now
    created = now if now is not None else max((token.created for token in case.candidates), default=0) + 1
    successor = Token("", case.spec.name, case.spec.wanted, created)
    if case.has_store:
        case = case._replace(policy=case.policy._replace(stored={case.reference: successor.id}))
    later = tuple(_part_two(case, successor, step.replaces))
    return Plan(case.reference, case.spec, current, steps, later, _aside_warnings(case))


# Part two.


def _part_two(case: _Case, current: Token | None, replaced: str | None) -> list[Step]:
    """Steps for every candidate but ``current``, whose secret is in the store."""
    if current is None:
        return []
    steps = [_other(case, current, token, replaced) for token in case.candidates if token.id != current.id]
    return [_unless_in_use(case.view, step) for step in steps if step is not None]


def _other(case: _Case, current: Token, token: Token, replaced: str | None) -> Step | None:
    now = case.view.now
    if token.expired(now):
        return Revoke(token, "expired")
    if not case.has_store or case.stored == UNKNOWN:
        return None
    patience = max(case.spec.grace_days * DAY, SETTLE)
    if token.created >= current.created:
        orphan = token.last_used is None and now is not None and now - token.created >= patience
        return Revoke(token, "orphan") if orphan else Keep(token, "namesake")
    if now is not None and now - current.created >= patience:
        return Revoke(token, "superseded")
    if case.spec.grace_days == 0 and token.id == replaced:
        return Revoke(token, "superseded")
    lowered = token.permissions.lowered_to(case.spec.wanted)
    # Nothing is left of a permission that only the server knows, and a token without any cannot be.
    if token.permissions.exceeds(case.spec.wanted) and lowered.names:
        return Update(token, "permissions", None, lowered)
    return None


def _unless_in_use(view: View, step: Step) -> Step:
    """The token this very run signs in with is neither revoked nor narrowed."""
    if isinstance(step, (Revoke, Update)) and step.token.id == view.in_use:
        return Keep(step.token, "in_use")
    return step
