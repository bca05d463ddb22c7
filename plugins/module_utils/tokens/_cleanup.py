# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The store's entries at the end of a run: those of revoked tokens go, those of undeclared tokens are reported."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ..core._model import canonical_reference, owner_path
from ._delivery import Delivery
from ._observe import Observer
from ._outcome import Outcome
from ._types import GUARDED, UNKNOWN, Options

Result = dict[str, t.Any]

_MOST_NAMED = 3


def clean_up(outcome: Outcome, observer: Observer, delivery: Delivery, options: Options) -> None:
    """Remove the entries of revoked tokens, and report those of undeclared ones.

    :param outcome: gets what was removed, or in check mode would be.
    """
    held = observer.held
    tokens = {
        **revoked({**held.stored, **held.others}, outcome.report.changes),
        **left_over(held.stored, observer.absent, outcome.report.seen, outcome.observed.keys() - outcome.failed_owners),
    }
    removed, warnings = (list(tokens), []) if options.check_mode else delivery.remove(tokens)
    outcome.report.remove({reference: tokens[reference] for reference in removed})
    outcome.warn(warnings)
    if options.whole:
        outcome.undeclared = undeclared(held.others, removed, observer.references)
        if outcome.undeclared:
            outcome.warn([undeclared_warning(delivery.name, outcome.undeclared)])


def revoked(entries: c.Mapping[str, str | None], changes: c.Iterable[Result]) -> dict[str, str]:
    """Entries whose tokens this run has revoked as absent or undeclared: their ids by reference.

    :param entries: what the store holds of the owners, declared or not.
    :param changes: the run's steps.
    """
    gone = {item["id"] for item in changes if item["step"] == "revoke" and item["reason"] in GUARDED}
    return {reference: token_id for reference, token_id in entries.items() if token_id and token_id in gone}


def left_over(
    stored: c.Mapping[str, str | None], absent: c.Collection[str], kept: c.Collection[str], owners: c.Collection[str]
) -> dict[str, str]:
    """Entries of tokens that an earlier run has revoked, and whose removal it did not finish: their ids by reference.

    An absent token that was found is revoked by this run, or kept for a reason. One of which neither is reported was
    not found.

    :param kept: ids of tokens that this run has revoked or kept.
    :param owners: those whose tokens were all looked at, without a failure.
    """
    found = {reference: stored.get(reference) for reference in absent if owner_path(reference) in owners}
    return {
        reference: token_id
        for reference, token_id in found.items()
        if token_id and token_id != UNKNOWN and token_id not in kept
    }


def undeclared(others: c.Iterable[str], removed: c.Collection[str], declared: c.Iterable[str]) -> list[str]:
    """References of the declared owners that the store holds and the task does not declare, as the store spells them.

    An entry of a declared token in another spelling is left out: revoking it by name would revoke the declared token.
    """
    known = {canonical_reference(reference) for reference in declared}
    return sorted(
        reference for reference in others if reference not in removed and canonical_reference(reference) not in known
    )


def undeclared_warning(store: str, references: c.Sequence[str]) -> str:
    """One warning for all of them."""
    shown = ", ".join(references[:_MOST_NAMED])
    more = f" and {len(references) - _MOST_NAMED:,} more, all in `undeclared`" if len(references) > _MOST_NAMED else ""
    return (
        f"{store} holds {len(references):,} token(s) that are not declared: {shown}{more}. They are neither rotated "
        "nor revoked. To revoke them, declare them with `state: absent` or name them in `prune`."
    )
