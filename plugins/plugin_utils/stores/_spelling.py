# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries whose owner is written in another case, such as ``projects/pay`` for ``projects/PAY``."""

from __future__ import annotations

import collections.abc as c
import dataclasses

from ...module_utils.core._model import canonical_reference, owner_path
from ...module_utils.tokens._delivery import Entry
from ._base import Store, StoreError


class AnySpelling(Store):
    """A store that finds an entry in whatever case its owner is written.

    The entry keeps its place, so that its consumers still find it: it is read and replaced under the reference that it
    has.

    :param written: by owner path, other spellings of that path to look under.
    """

    def __init__(self, store: Store, written: c.Mapping[str, c.Collection[str]] | None = None) -> None:
        super().__init__()
        self.name = store.name
        self.batch = store.batch
        self._store = store
        self._written = written or {}
        #: The reference that the entry has, by the one that is asked for.
        self._place: dict[str, str] = {}

    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        self._store.prepare(references, check_mode)

    def read(self, references: c.Iterable[str]) -> dict[str, str | None]:
        wanted = list(references)
        answers = self._store.read([self._at(reference) for reference in wanted])
        held = {reference: answers[self._at(reference)] for reference in wanted}
        missing = [reference for reference in wanted if held[reference] is None and reference not in self._place]
        others = self._elsewhere(missing)
        answers = self._store.read([other for group in others.values() for other in group]) if others else {}
        for reference, group in others.items():
            for other in group:
                if answers[other] is not None:
                    self._place[reference], held[reference] = other, answers[other]
        return held

    def others(self, references: c.Collection[str]) -> dict[str, str]:
        return self._store.others([self._at(reference) for reference in references])

    def write(self, entries: c.Sequence[Entry]) -> dict[str, str]:
        asked = {self._at(entry.reference): entry.reference for entry in entries}
        answers = self._store.write(
            [dataclasses.replace(entry, reference=self._at(entry.reference)) for entry in entries]
        )
        self.reasons = {asked.get(place, place): why for place, why in self._store.reasons.items()}
        return {asked[place]: answer for place, answer in answers.items()}

    def remove(self, tokens: c.Mapping[str, str]) -> dict[str, str]:
        asked = {self._at(reference): reference for reference in tokens}
        answers = self._store.remove({place: tokens[reference] for place, reference in asked.items()})
        self.reasons = {asked.get(place, place): why for place, why in self._store.reasons.items()}
        return {asked[place]: answer for place, answer in answers.items()}

    def secret(self, reference: str) -> str:
        try:
            return self._store.secret(self._at(reference))
        except StoreError:
            if reference in self._place or self.read([reference])[reference] is None or reference not in self._place:
                raise
            return self._store.secret(self._at(reference))

    def _at(self, reference: str) -> str:
        return self._place.get(reference, reference)

    def _elsewhere(self, missing: c.Sequence[str]) -> dict[str, list[str]]:
        """Other spellings to look under, for each reference that the store holds nothing for."""
        if not missing:
            return {}
        found: dict[str, list[str]] = {}
        kept: dict[str, list[str]] = {}
        for other in self._store.others(missing):
            kept.setdefault(canonical_reference(other), []).append(other)
        for reference in missing:
            canonical, name = canonical_reference(reference), reference.rpartition("/tokens/")[2]
            written = [f"{path}/tokens/{name}" for path in self._written.get(owner_path(reference), ())]
            others = dict.fromkeys([*kept.get(canonical, ()), *written, canonical])
            others.pop(reference, None)
            if others:
                found[reference] = list(others)
        return found
