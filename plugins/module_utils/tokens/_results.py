# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From an outcome to what a module returns, and to what the action plugin needs for the hand-over."""

from __future__ import annotations

import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    FOR_ALL,
    StrayError,
    failure_message,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_of, owner_path
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens import _apply
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._reconcile import Delivery, Outcome

Result = dict[str, t.Any]

_MOST_NAMED = 3


def result_of(outcome: Outcome, handover: bool) -> Result:
    """The part of a result that every reconciling module returns, ``secrets`` by reference among it.

    :param handover: whether the action plugin has called, which is told what further calls are for.
    """
    report = outcome.report
    result: Result = {
        "changed": report.changed,
        "diff": report.diff,
        "changes": report.changes,
        "notes": report.notes,
        "counts": _counts(outcome),
        "failures": outcome.failures,
        "issued": [_issued(delivery, handover) for delivery in outcome.deliveries],
        "secrets": {delivery.plan.reference: delivery.issued.secret for delivery in outcome.deliveries},
        "warned": list(outcome.warnings),
    }
    if handover:
        result.update(remaining=outcome.remaining, prune=outcome.prune, limits_bearers=outcome.limits_bearers)
        # An owner has as many entries as tokens that are left.
        result["retire"] = list(dict.fromkeys(outcome.retire))
    else:
        # With a store, several calls look at the same owners, and the action plugin warns once for all of them.
        result["warned"] += namesakes(report.notes)
        if outcome.retire:
            result["warned"].append("The run took so long that revoking is left to the next one.")
    if outcome.failures:
        result.update(failed=True, msg=failure_message(outcome.failures), reason=outcome.failures[0]["reason"])
    return result


def of_one(result: Result) -> Result:
    """The result of a task that declares one token. ``reason``: why it failed, or why it issued or updated a token."""
    changes = result["changes"]
    reasons = [change["reason"] for change in changes if change["step"] != "revoke"]
    own = {key: value for key, value in result.items() if key not in ("issued", "counts", "failures")}
    return {
        **own,
        "reason": result["reason"] if result.get("failed") else (reasons[-1] if reasons else None),
        "revoked": [{key: item[key] for key in ("id", "reason")} for item in changes if item["step"] == "revoke"],
    }


def discarded(api: DataCenter, discard: t.Mapping[str, str]) -> Result:
    """Revoke tokens that no store took, and say which of them could not be.

    Once an answer holds for all of them, as a refused login does, the others are named and not tried.
    """
    failures: list[Result] = []
    error: StrayError | None = None
    for reference, token_id in discard.items():
        owner = owner_of(owner_path(reference))
        entry: Result = {"owner": owner.path, "reference": reference, "id": token_id}
        if error is not None and error.reason in FOR_ALL:
            what = f"Token {token_id} of {owner.label} was issued, is stored nowhere and was not revoked"
            message = f"{what}: revoke it manually."
            failures.append({**entry, "reason": "stopped", "msg": message})
            continue
        try:
            _apply.discard(api, owner, token_id)
        except StrayError as caught:
            error = caught
            failures.append({**entry, "reason": error.reason, "msg": str(error)})
    return {"changed": True, "failures": failures}


def namesakes(notes: t.Sequence[Result]) -> list[str]:
    """One warning for all of them: after a race over many owners there are thousands."""
    found = [(note["reference"], note["id"]) for note in notes if note["reason"] == "namesake"]
    if not found:
        return []
    commands = [f"{name}: {owner_of(owner_path(name)).revocation(token_id)}" for name, token_id in found[:_MOST_NAMED]]
    more = [f"{len(found) - _MOST_NAMED} more are in `notes`"] if len(found) > _MOST_NAMED else []
    return [
        f"Tokens that are newer than the stored token of the same name were kept: {len(found)}. If nothing uses one, "
        f"revoke it. {'; '.join([*commands, *more])}"
    ]


def _counts(outcome: Outcome) -> dict[str, int]:
    plans = [plan for survey in outcome.surveys for plan in survey.plans]
    failed = {entry["owner"] for entry in outcome.failures if entry["owner"]}
    surveyed = {survey.view.owner.path for survey in outcome.surveys}
    return {
        "owners": len(surveyed | failed),
        "owners_failed": len(failed),
        "tokens": len(plans),
        **outcome.report.counts,
    }


def _issued(delivery: Delivery, handover: bool) -> Result:
    issue = delivery.plan.issue
    token = delivery.issued.token
    issued = {
        **token.describe(delivery.plan.reference, delivery.issued.now),
        "reason": issue.reason if issue else None,
        "replaces": issue.replaces if issue else None,
        "verified": delivery.verified,
    }
    return {**issued, "retire": delivery.retire} if handover else issued
