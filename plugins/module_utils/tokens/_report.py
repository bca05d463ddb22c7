# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The report of a run: its diff, each change, and the figures. Nothing secret."""

from __future__ import annotations

import typing as t

from ..core._model import Owner, Token
from ..core._permissions import Permissions
from ..core._times import iso
from ._types import NEW, Issue, Keep, Revoke, Step, Update

_Side = dict[str, dict[str, dict[str, t.Any]]]


class Report:
    """Collects steps by reference, in the order they are done or would be."""

    def __init__(self) -> None:
        self.before: _Side = {}
        self.after: _Side = {}
        self.changes: list[dict[str, t.Any]] = []
        self._notes: dict[tuple[str, str, str], None] = {}
        self.counts = {"issued": 0, "updated": 0, "revoked": 0}
        #: References whose entries were removed from the store; ``None`` without a store.
        self.removed: list[str] | None = None

    def add(self, owner: Owner, reference: str, step: Step, issued: Token | None = None) -> None:
        """Note one step; ``issued`` is the token that an :class:`Issue` brought."""
        if isinstance(step, Issue):
            self._issue(reference, step, issued)
        elif isinstance(step, Update):
            self._update(reference, step)
        elif isinstance(step, Revoke):
            self._revoke(owner, reference, step)
        elif isinstance(step, Keep) and step.note:
            self.note(reference, step.token.id, step.note)

    def note(self, reference: str, token_id: str, reason: str) -> None:
        """Say something of a token that this run does not change; the same thing once."""
        self._notes[reference, token_id, reason] = None

    @property
    def notes(self) -> list[dict[str, t.Any]]:
        """Tokens that are not changed although their state suggests it."""
        return [dict(zip(("reference", "id", "reason"), note)) for note in self._notes]

    def remove(self, entries: t.Mapping[str, str]) -> None:
        """Note entries that were removed from the store, or in check mode would be: ids by reference."""
        self.removed = sorted(entries)
        for reference, token_id in entries.items():
            self.before.setdefault(reference, {}).setdefault(token_id, {"stored": True})
            self.after.setdefault(reference, {}).pop(token_id, None)

    @property
    def seen(self) -> set[str]:
        """Ids of tokens that are changed, or kept for a reason."""
        return {item["id"] for item in self.changes} | {token_id for _reference, token_id, _reason in self._notes}

    @property
    def changed(self) -> bool:
        """Whether anything is different afterwards."""
        return bool(self.changes or self.removed)

    @property
    def diff(self) -> dict[str, _Side]:
        """Before and after, by reference and token id."""
        return {"before": self.before, "after": self.after}

    def _issue(self, reference: str, step: Issue, issued: Token | None) -> None:
        spec = step.spec
        self.counts["issued"] += 1
        fields = _fields(spec.name, spec.wanted)
        self.after.setdefault(reference, {})[NEW] = {**fields, "expires_in_days": spec.expires_in_days}
        self.before.setdefault(reference, {})
        change = {"reference": reference, "step": "issue", "reason": step.reason, "replaces": step.replaces}
        self.changes.append({**change, "id": issued.id if issued else None})

    def _update(self, reference: str, step: Update) -> None:
        self.counts["updated"] += 1
        token = step.token
        before = self.before.setdefault(reference, {}).setdefault(token.id, _listed(token))
        after = self.after.setdefault(reference, {}).get(token.id, before)
        new = {"name": step.name, "permissions": step.permissions.names if step.permissions else None}
        self.after[reference][token.id] = {**after, **{key: value for key, value in new.items() if value is not None}}
        self.changes.append({"reference": reference, "step": "update", "reason": step.reason, "id": token.id})

    def _revoke(self, owner: Owner, reference: str, step: Revoke) -> None:
        self.counts["revoked"] += 1
        reference = reference or owner.reference(step.token.name)
        self.before.setdefault(reference, {}).setdefault(step.token.id, _listed(step.token))
        self.after.setdefault(reference, {}).pop(step.token.id, None)
        self.changes.append({"reference": reference, "step": "revoke", "reason": step.reason, "id": step.token.id})


def _fields(name: str, permissions: Permissions) -> dict[str, t.Any]:
    return {"name": name, "permissions": permissions.names}


def _listed(token: Token) -> dict[str, t.Any]:
    return {**_fields(token.name, token.permissions), "expires": iso(token.expires)}
