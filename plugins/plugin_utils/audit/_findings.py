# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging tokens. Pure: what was listed, a policy and a declaration in, findings out."""

from __future__ import annotations

import collections
import collections.abc as c
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY, Token, expires_within
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._times import iso
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._directory import ARCHIVED, Place
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._spec import TokenSpec
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._declared import Declared
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import (
    CODES,
    Audit,
    Finding,
    Judged,
    Listing,
    Walked,
)
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._policy import Policy


class _Case(t.NamedTuple):
    """All that a judgement of one token may rest on."""

    place: Place
    token: Token
    now: int | None
    policy: Policy
    namesakes: int
    specs: list[TokenSpec] | None

    @property
    def namesake_specs(self) -> list[TokenSpec]:
        return [spec for spec in self.specs or () if spec.name == self.token.name.strip()]


def judge(walked: Walked, policy: Policy, declared: Declared, started: int) -> Audit:
    """What is found of every token, sorted by reference and age.

    :param started: the controller's clock, by which rules lapse where the server has none.
    :raises InputError: where a declaration cannot be right.
    """
    now = started if walked.now is None else walked.now
    tokens = [judged for listing in walked.listings for judged in _listing(listing, policy, declared, now)]
    tokens.sort(key=lambda item: (item.reference, item.token.created, item.token.id))
    notes = (*walked.notes, *declared.notes, *_clock_notes(walked), *_lapsed(policy, now))
    return Audit(walked, tuple(tokens), notes, started)


def _listing(listing: Listing, policy: Policy, declared: Declared, waived_at: int) -> c.Iterator[Judged]:
    names = collections.Counter(token.name.strip() for token in listing.tokens if not token.expired(listing.now))
    specs = declared.specs(listing.place)
    for token in listing.tokens:
        case = _Case(listing.place, token, listing.now, policy, names[token.name.strip()], specs)
        reference = listing.place.owner.reference(token.name)
        yield Judged(listing.place, token, reference, tuple(_findings(case, reference, waived_at)))


def _findings(case: _Case, reference: str, waived_at: int) -> c.Iterator[Finding]:
    expired = case.token.expired(case.now)
    for code in CODES:
        severity = case.policy.severity(code, expired)
        detail = None if severity == "none" else _CHECKS[code](case)
        if detail is not None:
            yield Finding(code, severity, detail, case.policy.waiver(reference, code, waived_at))


def _expired(case: _Case) -> str | None:
    return f"since {iso(case.token.expires)}" if case.token.expired(case.now) else None


def _expiring(case: _Case) -> str | None:
    expires = case.token.expires
    return f"on {iso(expires)}" if expires_within(expires, case.now, case.policy.expiring_days) else None


def _never_expires(case: _Case) -> str | None:
    return "it has no expiry" if case.token.expires is None else None


def _never_used(case: _Case) -> str | None:
    token = case.token
    if case.now is None or token.last_used is not None:
        return None
    if token.created > case.now - case.policy.never_used_days * DAY:
        return None
    # A use that Bitbucket did not record looks the same.
    return f"no use recorded since {iso(token.created)}, when it was created"


def _unused(case: _Case) -> str | None:
    used = case.token.last_used
    if case.now is None or used is None or used > case.now - case.policy.unused_days * DAY:
        return None
    return f"last use recorded on {iso(used)}"


def _administrator(case: _Case) -> str | None:
    names = [name for name in case.token.permissions.names if name.endswith("_ADMIN")]
    return ", ".join(names) or None


def _wider(case: _Case) -> str | None:
    declared = [spec.permissions for spec in case.namesake_specs if spec.permissions is not None]
    if not declared or not all(case.token.permissions.exceeds(permissions) for permissions in declared):
        return None
    return f"declared: {', '.join(declared[-1].names)}"


def _undeclared(case: _Case) -> str | None:
    if case.specs is None:
        return None
    namesakes = case.namesake_specs
    if not namesakes:
        return "no token of this name is declared here"
    return "declared as absent" if all(spec.absent for spec in namesakes) else None


def _duplicate(case: _Case) -> str | None:
    alone = case.namesakes < 2 or case.token.expired(case.now)
    if alone:
        return None
    return f"{case.namesakes} of this name. To revoke this one: {case.place.owner.revocation(case.token.id)}"


def _inactive(case: _Case) -> str | None:
    if not case.place.inactive:
        return None
    return "the repository is archived" if case.place.inactive == ARCHIVED else "the user is deactivated"


_CHECKS: dict[str, c.Callable[[_Case], str | None]] = {
    "expired": _expired,
    "expiring": _expiring,
    "never_expires": _never_expires,
    "never_used": _never_used,
    "unused": _unused,
    "administrator": _administrator,
    "wider_than_declared": _wider,
    "undeclared": _undeclared,
    "duplicate_name": _duplicate,
    "owner_inactive": _inactive,
}


def _clock_notes(walked: Walked) -> c.Iterator[str]:
    blind = [listing for listing in walked.listings if listing.now is None and listing.tokens]
    if blind:
        yield (
            f"no_clock: {len(blind)} owners were listed without a usable `Date` from the server, so nothing of theirs "
            "is said to have expired, to expire soon or to be unused."
        )


def _lapsed(policy: Policy, now: int) -> c.Iterator[str]:
    for waiver in policy.waivers:
        if now > waiver.until:
            yield f"The rule that ignored {waiver.reference} ({waiver.reason}) has lapsed with {waiver.until_text}."
