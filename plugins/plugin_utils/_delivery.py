# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery into a store: write, compare-and-set, and read back if the store does not know."""

from __future__ import annotations

import collections.abc as c
import threading
import time

from ..module_utils.core import _secret
from ..module_utils.tokens._delivery import REFUSED, UNCERTAIN, WRITTEN, Answers, Entry, Held
from .stores._base import REMOVED, Store, StoreError


class StoreDelivery:
    """Puts secrets into ``store``, one call at a time.

    :param clock: seconds that only go forward.
    """

    def __init__(self, store: Store, clock: c.Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The store's name, for messages."""
        return self._store.name

    @property
    def batch(self) -> int:
        """How many secrets one write takes."""
        return self._store.batch

    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        """Prove that the store can be read and, except in check mode, written."""
        with self._lock:
            self._store.prepare(references, check_mode)

    def read(self, references: c.Sequence[str]) -> Held:
        """What the store holds of these references and their owners."""
        with self._lock:
            started = self._clock()
            return Held(self._store.read(references), self._store.others(references), started)

    def deliver(self, entries: c.Sequence[Entry]) -> Answers:
        """Write secrets. Those of which the store does not know are read again: it may hold them."""
        for entry in entries:
            _secret.register_secret(entry.secret)
        error: StoreError | None = None
        with self._lock:
            try:
                answers = self._store.write(entries)
            except StoreError as caught:
                answers, error = {}, caught
            except OSError as caught:
                answers, error = {}, StoreError(f"{self.name}: {caught.strerror or type(caught).__name__}.")
            reasons = dict(self._store.reasons)
            unsure = [entry for entry in entries if answers.get(entry.reference, UNCERTAIN) == UNCERTAIN]
            if unsure:
                held = self._held(unsure)
                answers.update((item.reference, WRITTEN) for item in unsure if held.get(item.reference) == item.id)
        return Answers(answers, reasons, error)

    def _held(self, entries: c.Sequence[Entry]) -> dict[str, str | None]:
        try:
            return self._store.read([entry.reference for entry in entries])
        except StoreError:
            return {}

    def remove(self, tokens: c.Mapping[str, str]) -> tuple[list[str], list[str]]:
        """Remove the entries of revoked tokens, given as ids by reference.

        :returns: the references whose entries are gone, and a warning for each of the others.
        """
        if not tokens:
            return [], []
        with self._lock:
            try:
                answers, reasons = self._store.remove(tokens), dict(self._store.reasons)
            except StoreError as error:
                answers, reasons = {}, dict.fromkeys(tokens, str(error))
        # If another run has stored a new secret, there is nothing to remove and nothing to report.
        uncertain = [item for item in tokens if answers.get(item, UNCERTAIN) not in (REMOVED, REFUSED)]
        warnings = [
            f"{reference}: token {tokens[reference]} is revoked, but {self.name} still holds its secret. Remove the "
            f"entry. {reasons.get(reference, '')}".strip()
            for reference in uncertain
        ]
        return [reference for reference in tokens if answers.get(reference) == REMOVED], warnings
