# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets from one store to another. Nothing is issued or revoked, and nothing is removed from where it was."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ..module_utils.core import _secret
from ..module_utils.core._errors import InputError, failure_message
from ..module_utils.core._model import is_reference
from ..module_utils.core._redact import without_shapes
from ..module_utils.tokens._delivery import REFUSED, UNCERTAIN, WRITTEN, Entry
from ..module_utils.tokens._types import UNKNOWN
from .stores._base import Store, StoreError, require_fitting

Result = dict[str, t.Any]


class Copy:
    """One run of one task.

    :param overwrite: whether a secret of another token at the destination is replaced.
    """

    def __init__(self, source: Store, destination: Store, overwrite: bool) -> None:
        self._source = source
        self._destination = destination
        self._overwrite = overwrite
        self._ids: dict[str, str | None] = {}
        self._held: dict[str, str | None] = {}
        self._copied: list[str] = []
        self._failures: list[Result] = []

    def run(self, references: c.Iterable[str], check_mode: bool) -> Result:
        """Copy what is not there yet.

        :returns: the task's result: references and ids, and no secret.
        """
        # Ansible's own string types stay here: what writes YAML does not know them.
        wanted = list(dict.fromkeys(map(str.__str__, references)))
        for reference in wanted:
            if not is_reference(reference):
                raise InputError(f"{without_shapes(reference)} is not a reference, such as projects/PAY/tokens/ci.")
        self._ids = self._source.read(wanted)
        found = [reference for reference in wanted if self._ids[reference] is not None]
        self._destination.prepare(found, check_mode)
        self._held = self._destination.read(found)
        due = [reference for reference in found if self._is_due(reference)]
        if check_mode:
            self._copied = due
        batch = self._destination.batch
        for start in range(0, 0 if check_mode else len(due), batch):
            self._hand_over(due[start : start + batch])
        return self._result(wanted, found)

    def _is_due(self, reference: str) -> bool:
        token_id, held = self._ids[reference], self._held[reference]
        if token_id == UNKNOWN:
            self._fail(reference, "stored_unknown", f"{self._source.name} does not tell whose secret it holds.")
        elif held == token_id or (held == UNKNOWN and self._is_same(reference)):
            return False
        elif held is not None and not self._overwrite:
            text = f"{self._destination.name} holds the secret of another token: {held}. `overwrite` would replace it."
            self._fail(reference, "exists", text)
        else:
            return True
        return False

    def _is_same(self, reference: str) -> bool:
        """Whether both hold the same text, if the destination cannot store the id."""
        return self._destination.secret(reference) == self._source.secret(reference)

    def _hand_over(self, references: c.Sequence[str]) -> None:
        entries = [entry for entry in map(self._entry, references) if entry is not None]
        answers = self._write(entries)
        for entry in entries:
            answer = answers.get(entry.reference, UNCERTAIN)
            if answer == WRITTEN:
                self._copied.append(entry.reference)
            elif answer == REFUSED:
                text = f"{self._destination.name} holds another secret than a moment ago: run again."
                self._fail(entry.reference, "lost_race", text)
            else:
                why = self._destination.reasons.get(entry.reference, "")
                text = f"Whether {self._destination.name} holds this secret is not known. {why}"
                self._fail(entry.reference, "store", text.strip())

    def _entry(self, reference: str) -> Entry | None:
        try:
            secret = self._source.secret(reference)
            _secret.register_secret(secret)
            entry = Entry(reference, str(self._ids[reference]), secret, self._held[reference])
            require_fitting(entry)
        except StoreError as error:
            self._fail(reference, error.reason, str(error))
            return None
        return entry

    def _write(self, entries: list[Entry]) -> dict[str, str]:
        """The destination's answers; if it does not know, what reading again shows."""
        try:
            answers = self._destination.write(entries) if entries else {}
        except StoreError as error:
            self._destination.reasons = {entry.reference: str(error) for entry in entries}
            answers = {}
        unsure = [entry for entry in entries if answers.get(entry.reference, UNCERTAIN) == UNCERTAIN]
        try:
            held = self._destination.read([entry.reference for entry in unsure]) if unsure else {}
        except StoreError:
            held = {}
        landed = {entry.reference: WRITTEN for entry in unsure if held.get(entry.reference) == entry.id}
        return {**answers, **landed}

    def _fail(self, reference: str, reason: str, text: str) -> None:
        self._failures.append({"reference": reference, "reason": reason, "msg": f"{reference}: {text}"})

    def _result(self, wanted: c.Sequence[str], found: c.Sequence[str]) -> Result:
        missing = [reference for reference in wanted if self._ids[reference] is None]
        failed = {failure["reference"] for failure in self._failures}
        unchanged = [reference for reference in found if reference not in failed and reference not in self._copied]
        result: Result = {
            "changed": bool(self._copied),
            "copied": [{"reference": reference, "id": self._ids[reference]} for reference in self._copied],
            "unchanged": unchanged,
            "missing": missing,
            "failures": self._failures,
            "diff": {
                "before": {reference: self._held[reference] for reference in self._copied},
                "after": {reference: self._ids[reference] for reference in self._copied},
            },
        }
        if self._failures:
            result.update(failed=True, msg=failure_message(self._failures), reason=self._failures[0]["reason"])
        return result
