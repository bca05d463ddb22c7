# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a run did, or in check mode would do, and the result that a task gets from it."""

from __future__ import annotations

import collections.abc as c
import typing as t
from dataclasses import dataclass, field

from ..core._errors import BitbucketError, StrayError, failure_message
from ..core._model import Owner, Token, owner_of, owner_path
from ..datacenter._api import Issued
from ._observe import Observation
from ._report import Report
from ._types import Fail, Plan, Step

Result = dict[str, t.Any]

_MOST_NAMED = 3


class Delivered(t.NamedTuple):
    """A token that was issued, and whose secret was delivered or is for the caller."""

    plan: Plan
    issued: Issued
    verified: bool

    def describe(self) -> Result:
        """What results say of it: nothing secret."""
        issue = self.plan.issue
        return {
            **self.issued.token.describe(self.plan.reference, self.issued.now),
            "reason": issue.reason if issue else None,
            "replaces": issue.replaces if issue else None,
            "verified": self.verified,
        }


@dataclass
class Outcome:
    """Collects what was done, in the order of the owners."""

    report: Report = field(default_factory=Report)
    #: How many tokens are declared for each owner that was observed, by its path.
    observed: dict[str, int] = field(default_factory=dict)
    #: The first observations. If a task declares all tokens of its owners, those with nothing to do are left out.
    observations: list[Observation] = field(default_factory=list)
    #: The last observation of each owner, by its path.
    latest: t.Mapping[str, Observation] = field(default_factory=dict)
    deliveries: list[Delivered] = field(default_factory=list)
    failures: list[Result] = field(default_factory=list)
    warnings: dict[str, None] = field(default_factory=dict)
    #: Stored tokens that are not declared; ``None`` if the task does not declare all tokens of its owners.
    undeclared: list[str] | None = None
    #: Whether the secrets are in the result, and not in a store.
    shows_secrets: bool = True
    #: The paths of owners for which anything failed.
    failed_owners: set[str] = field(default_factory=set)
    _known: set[tuple[str | None, str | None, str]] = field(default_factory=set)

    def fail(self, path: str | None, error: BitbucketError, reference: str | None = None) -> None:
        """Note that an owner, one of its references, or the whole run (no ``path``) failed; the same thing once."""
        entry = {"owner": path, "reference": reference, "reason": error.reason, "msg": str(error)}
        key = (path, reference, error.reason)
        if key not in self._known:
            self._known.add(key)
            self.failures.append({**entry, "id": error.token_id} if isinstance(error, StrayError) else entry)
        if path:
            self.failed_owners.add(path)

    def add_unresolved(self, failures: c.Sequence[Result]) -> None:
        """Note declared owners that were not found."""
        self.failures[:0] = failures
        self.failed_owners.update(failure["owner"] for failure in failures)

    def add(self, owner: Owner, reference: str, step: Step, issued: Token | None = None) -> None:
        """Note a step that was taken, or in check mode would be."""
        if isinstance(step, Fail):
            self.fail(owner.path, BitbucketError(step.message, step.reason), reference)
        else:
            self.report.add(owner, reference, step, issued)

    def warn(self, texts: c.Iterable[str]) -> None:
        """Note warnings; the same text once."""
        self.warnings.update(dict.fromkeys(texts))


def result_of(outcome: Outcome) -> Result:
    """The part of a result that every reconciling module returns. ``warned`` are its warnings."""
    report = outcome.report
    result: Result = {
        "changed": report.changed,
        "diff": report.diff,
        "changes": report.changes,
        "notes": report.notes,
        "counts": _counts(outcome),
        "failures": outcome.failures,
        "issued": [delivered.describe() for delivered in outcome.deliveries],
        "warned": [*outcome.warnings, *namesakes(report.notes)],
    }
    if outcome.shows_secrets:
        result["secrets"] = {item.plan.reference: item.issued.secret for item in outcome.deliveries}
    if report.removed is not None:
        result["removed"] = report.removed
    if outcome.undeclared is not None:
        result["undeclared"] = outcome.undeclared
    return failed(result)


def failed(result: Result) -> Result:
    """The result, marked as failed if it has failures. What ended the run comes first: only some are shown."""
    by_weight = sorted(result["failures"], key=lambda entry: entry["owner"] is not None)
    if by_weight:
        result.update(failed=True, msg=failure_message(by_weight), reason=by_weight[0]["reason"])
    return result


def aborted(error: BitbucketError) -> Result:
    """The result of a run that ended before anything was written."""
    entry = {"owner": None, "reference": None, "reason": error.reason, "msg": str(error)}
    return failed({"changed": False, "failures": [entry]})


def of_one(result: Result) -> Result:
    """The result of a task that declares one token. ``reason``: why it failed, or why it issued or updated a token."""
    changes = result["changes"]
    reasons = [change["reason"] for change in changes if change["step"] != "revoke"]
    own = {key: value for key, value in result.items() if key not in ("issued", "counts", "failures", "secrets")}
    return {
        **own,
        "reason": result["reason"] if result.get("failed") else (reasons[-1] if reasons else None),
        "revoked": [{key: item[key] for key in ("id", "reason")} for item in changes if item["step"] == "revoke"],
    }


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
    return {
        "owners": len(outcome.observed.keys() | outcome.failed_owners),
        "owners_failed": len(outcome.failed_owners),
        "tokens": sum(outcome.observed.values()),
        **outcome.report.counts,
    }
