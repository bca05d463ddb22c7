# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging tokens. Pure: what was listed, a policy and a declaration in, findings out."""

from __future__ import annotations

import collections
import collections.abc as c

from . import _registry
from ._declared import Declared
from ._model import Audit, Finding, Judged, Observed, ObservedOwner
from ._policy import AuditPolicy


def judge(observed: Observed, policy: AuditPolicy, declared: Declared, started: int) -> Audit:
    """What is found of every token, sorted by reference and age.

    :param started: the controller's clock, by which rules lapse if the server has none.
    :raises InputError: if a declaration is invalid.
    """
    now = started if observed.now is None else observed.now
    tokens = [judged for listing in observed.owners for judged in _listing(listing, policy, declared, now)]
    tokens.sort(key=lambda item: (item.reference, item.token.created, item.token.id))
    notes = (*observed.notes, *declared.notes, *_clock_notes(observed), *_lapsed(policy, now))
    return Audit(observed, tuple(tokens), notes, started)


def _listing(listing: ObservedOwner, policy: AuditPolicy, declared: Declared, waived_at: int) -> c.Iterator[Judged]:
    names = collections.Counter(token.name.strip() for token in listing.tokens if not token.expired(listing.now))
    specs = declared.specs(listing.listed)
    for token in listing.tokens:
        case = _registry.Case(listing.listed, token, listing.now, policy.days, names[token.name.strip()], specs)
        reference = listing.listed.owner.reference(token.name)
        yield Judged(listing.listed, token, reference, tuple(_findings(case, policy, reference, waived_at)))


def _findings(case: _registry.Case, policy: AuditPolicy, reference: str, waived_at: int) -> c.Iterator[Finding]:
    expired = case.token.expired(case.now)
    for kind in _registry.REGISTRY:
        severity = policy.severity(kind.code, expired)
        detail = None if severity == "none" else kind.check(case)
        if detail is not None:
            yield Finding(kind.code, severity, detail, policy.waiver(reference, kind.code, waived_at))


def _clock_notes(observed: Observed) -> c.Iterator[str]:
    blind = [listing for listing in observed.owners if listing.now is None and listing.tokens]
    if blind:
        yield (
            f"no_clock: {len(blind)} owners were listed without a usable `Date` from the server, so nothing of theirs "
            "is said to have expired, to expire soon or to be unused."
        )


def _lapsed(policy: AuditPolicy, now: int) -> c.Iterator[str]:
    for waiver in policy.waivers:
        if now > waiver.until:
            yield f"The rule that ignored {waiver.reference} ({waiver.reason}) has lapsed with {waiver.until_text}."
