# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What several calls of the module did, merged into the one result of the task. No secret stays in it."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    ENDS_ALL,
    BitbucketError,
    failure_message,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_path
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._results import namesakes
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._steps import GUARDED, NEW

Result = dict[str, t.Any]

_SUMMED = ("issued", "updated", "revoked")


class Ledger:
    """Collects results in the order of the calls."""

    def __init__(self) -> None:
        #: The message of a call that failed as a whole; no further one is made after it.
        self.stopped: str | None = None
        self._result: Result = {"changed": False, "changes": [], "notes": [], "failures": [], "issued": []}
        self._before: Result = {}
        self._after: Result = {}
        self._warnings: list[str] = []
        self._unresolved = 0
        self._counted = False

    @property
    def failed_owners(self) -> set[str]:
        """Owners for which anything failed so far."""
        return {entry["owner"] for entry in self._result["failures"]}

    def take(self, result: Result) -> list[Result]:
        """Add one call's result.

        :returns: the tokens that it issued, each with its ``secret``.
        """
        self._warnings.extend(result.get("warnings") or ())
        if "failures" not in result:
            # Not the module's own account: it stopped before it did anything, or could not run at all.
            self.stopped = str(result.get("msg") or "The module did not run.")
            entry = {"owner": None, "reference": None, "reason": result.get("reason", "error"), "msg": self.stopped}
            self._result["failures"].append(entry)
            self._result.update({key: True for key in ("unreachable",) if result.get(key)})
            return []
        secrets = result.get("secrets") or {}
        issued = result.get("issued") or []
        for key in ("changes", "issued"):
            self._result[key].extend(result.get(key) or ())
        # Several calls look at the same owner.
        self._result["notes"] += [note for note in result.get("notes") or () if note not in self._result["notes"]]
        self._add_failures(result["failures"])
        self._count(result.get("counts"))
        self._merge_diff(result.get("diff") or {})
        if "access_token" in result:
            self._result["access_token"] = result["access_token"]
        if result.get("msg") and not result.get("failed") and not self.changed:
            self._result["msg"] = result["msg"]
        return [{**item, "secret": secrets[item["reference"]]} for item in issued]

    def add_unresolved(self, failures: c.Sequence[Result]) -> None:
        """Note declared owners that were not found. They count as owners."""
        self._unresolved = len(failures)
        self._result["failures"].extend(failures)
        if failures:
            zeros = dict.fromkeys(("owners_failed", "tokens", *_SUMMED), 0)
            self._result["counts"] = {"owners": len(failures), **zeros}

    def _add_failures(self, failures: list[Result]) -> None:
        """A later call meets what failed before once more; that is one failure."""
        known = {(entry["owner"], entry["reference"], entry["reason"]) for entry in self._result["failures"]}
        for entry in failures:
            if (entry["owner"], entry.get("reference"), entry["reason"]) not in known:
                self._result["failures"].append(entry)
            if entry["reason"] in ENDS_ALL:
                self.stopped = entry["msg"]

    @property
    def changed(self) -> bool:
        """Whether anything was done so far."""
        return bool(self._result["changes"] or self._result.get("removed"))

    @property
    def changes(self) -> list[Result]:
        """The steps that were taken, or in check mode would be."""
        return list(self._result["changes"])

    @property
    def seen(self) -> set[str]:
        """Ids of tokens that were changed, or kept for a reason."""
        return {item["id"] for key in ("changes", "notes") for item in self._result[key]}

    def remove(self, entries: c.Mapping[str, str]) -> None:
        """Note entries that were removed from the store, or in check mode would be: ids by reference."""
        self._result["removed"] = sorted(entries)
        for reference, token_id in entries.items():
            self._before.setdefault(reference, {}).setdefault(token_id, {"stored": True})
            self._after.setdefault(reference, {}).pop(token_id, None)

    def report_undeclared(self, references: list[str]) -> None:
        """Note tokens that are stored and not declared."""
        self._result["undeclared"] = references

    @property
    def guarded(self) -> int:
        """How many of the revocations that `max_revocations` counts were made."""
        return sum(item["step"] == "revoke" and item["reason"] in GUARDED for item in self._result["changes"])

    def warn(self, text: str) -> None:
        """Say something of a run that went well."""
        self._warnings.append(text)

    def fail(
        self,
        error: BitbucketError,
        reference: str | None = None,
        token_id: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Note a failure of the hand-over itself, which stops it where neither reference nor owner is named.

        :param token_id: the token that may need manual attention.
        """
        owner = owner_path(reference) if reference else owner
        entry = {"owner": owner, "reference": reference, "reason": error.reason, "msg": str(error)}
        self._result["failures"].append({**entry, "id": token_id} if token_id else entry)
        if owner is None:
            self.stopped = str(error)

    def withdraw(self, reference: str, token_id: str, reason: str) -> None:
        """Take back that a token was issued: it is revoked again, so nothing is different for anyone."""
        self._result["changes"] = [item for item in self._result["changes"] if item["id"] != token_id]
        self._result["issued"] = [item for item in self._result["issued"] if item["id"] != token_id]
        self._after.get(reference, {}).pop(NEW, None)
        self._result["notes"].append({"reference": reference, "id": token_id, "reason": reason})
        if "counts" in self._result:
            self._result["counts"]["issued"] -= 1

    def result(self) -> Result:
        """The task's result."""
        result = self._result
        result["changed"] = self.changed
        result["diff"] = {"before": self._before, "after": self._after}
        result["issued"] = [{key: value for key, value in item.items() if key != "retire"} for item in result["issued"]]
        result["warnings"] = list(dict.fromkeys([*self._warnings, *namesakes(result["notes"])]))
        if "counts" in result:
            result["counts"]["owners_failed"] = len(self.failed_owners - {None})
        if result["failures"]:
            # What stopped the run comes first: of many failures only some are shown.
            by_weight = sorted(result["failures"], key=lambda entry: entry["owner"] is not None)
            result.update(failed=True, msg=failure_message(by_weight), reason=by_weight[0]["reason"])
        return result

    def _count(self, counts: Result | None) -> None:
        if counts is None:
            return
        if not self._counted:
            # Later calls look at some of the owners once more.
            self._result["counts"] = {**counts, "owners": counts["owners"] + self._unresolved}
            self._counted = True
            return
        for key in _SUMMED:
            self._result["counts"][key] += counts[key]

    def _merge_diff(self, diff: Result) -> None:
        """Later calls see what earlier ones did: the first before counts, and the last after."""
        before, after = diff.get("before") or {}, diff.get("after") or {}
        for reference in {**before, **after}:
            was, becomes = before.get(reference, {}), after.get(reference, {})
            mine, theirs = self._before.setdefault(reference, {}), self._after.setdefault(reference, {})
            for token_id, fields in was.items():
                mine.setdefault(token_id, fields)
                theirs.pop(token_id, None)
            theirs.update(becomes)
