# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The port through which secrets leave the reconciliation. The action plugins pass one that writes to a store."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ..core._errors import BitbucketError

#: The store holds the secret now.
WRITTEN = "written"
#: The store holds another id than the one that was read: another run was faster.
REFUSED = "refused"
#: Whether the store holds the secret is not known.
UNCERTAIN = "unknown"


@dataclass(frozen=True)
class Entry:
    """A secret to store. ``replaces`` is what the store held when this was decided: an id, ``unknown`` or ``None``."""

    reference: str
    id: str
    secret: str = field(repr=False)
    replaces: str | None = None


class Held(t.NamedTuple):
    """What a store holds of some owners.

    ``stored`` has an answer for every reference that was asked for: an id, ``unknown``, or ``None`` for nothing.
    ``others`` are the ids under other references of the same owners, as far as the store can tell. ``read_at`` is the
    clock of the run just before the store was read, in seconds.
    """

    stored: dict[str, str | None]
    others: dict[str, str]
    read_at: float


class Answers(t.NamedTuple):
    """The answers of a write, by reference; ``reasons`` say why one is ``unknown``, and ``error`` ends the run."""

    by_reference: dict[str, str]
    reasons: t.Mapping[str, str] = {}
    error: BitbucketError | None = None


class Delivery(t.Protocol):
    """What the reconciliation needs of a store. Its methods may be called from several threads."""

    @property
    def name(self) -> str:
        """The store's name, for messages."""

    @property
    def batch(self) -> int:
        """How many secrets one write takes. A run that is killed leaves at most so many undelivered."""

    def prepare(self, references: t.Sequence[str], check_mode: bool) -> None:
        """Prove that the store can be read and, except in check mode, written.

        :raises BitbucketError: if it cannot.
        """

    def read(self, references: t.Sequence[str]) -> Held:
        """What the store holds.

        :raises BitbucketError: if it does not answer.
        """

    def deliver(self, entries: t.Sequence[Entry]) -> Answers:
        """Write secrets, compare-and-set, and read back those of which the store does not know."""

    def remove(self, tokens: t.Mapping[str, str]) -> tuple[list[str], list[str]]:
        """Remove entries of revoked tokens, given as ids by reference.

        :returns: the references whose entries are gone, and a warning for each of the others.
        """
