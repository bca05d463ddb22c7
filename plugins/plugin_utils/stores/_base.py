# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every store does, and what it refuses."""

from __future__ import annotations

import abc
import collections.abc as c
from dataclasses import dataclass, field

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _secret
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._steps import UNKNOWN

#: The store holds the secret now.
WRITTEN = "written"
#: Another id is there than the one that was read: somebody else was faster.
REFUSED = "refused"
#: Whether the store holds the secret is not known.
UNCERTAIN = "unknown"
#: The store holds nothing for the reference any more.
REMOVED = "removed"

_LONGEST_ID = 20


class StoreError(BitbucketError):
    """A store that cannot be read or written; says where, never what."""

    reason = "store"


@dataclass(frozen=True)
class Entry:
    """One secret to keep. ``replaces`` is what the store held when this was decided: an id, ``unknown`` or ``None``."""

    reference: str
    id: str
    secret: str = field(repr=False)
    replaces: str | None = None

    def check(self) -> None:
        """Refuse what cannot be this token's secret.

        :raises StoreError: for characters that no secret has, a log filter's placeholder, or the secret of another
            token.
        """
        if not _secret.is_plausible(self.secret):
            raise StoreError(
                f"{self.reference}: the value to store for token {self.id} is not a Bitbucket secret (allowed: "
                f"{_secret.ALLOWED})."
            )
        if _secret.token_id(self.secret) not in (None, self.id):
            raise StoreError(f"{self.reference}: the secret to store is not the one of token {self.id}.")


class Store(abc.ABC):
    """A place for secrets by reference."""

    #: As in ``KIND:PLACE``, for messages.
    name: str

    def __init__(self) -> None:
        #: Why an answer of the last write was ``unknown``, by reference, where that is known.
        self.troubles: dict[str, str] = {}

    def sound(self, entries: c.Iterable[Entry]) -> list[Entry]:
        """The entries that can be written; of the others ``troubles`` says why not."""
        sound = []
        for entry in entries:
            try:
                entry.check()
                sound.append(entry)
            except StoreError as error:
                self.troubles[entry.reference] = str(error)
        return sound

    @abc.abstractmethod
    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        """Prove that the store can be read, and written for ``references``.

        :raises StoreError: where it cannot.
        """

    @abc.abstractmethod
    def read(self, references: c.Iterable[str]) -> dict[str, str | None]:
        """The id stored for each reference, ``unknown`` where a secret's id cannot be read, ``None`` for nothing.

        :raises StoreError: where the store does not answer, which is not the same as nothing.
        """

    def beside(self, references: c.Collection[str]) -> dict[str, str]:
        """What else the store holds of the same owners: ids by reference, where the store can tell without a request.
        Owners are the same in any case: an entry under ``projects/pay`` belongs to ``projects/PAY``.

        Tokens are renamed by people too: one that has a declared name now may still be what another reference stores.

        :raises StoreError: where the store does not answer.
        """
        return {}

    @abc.abstractmethod
    def write(self, entries: c.Sequence[Entry]) -> dict[str, str]:
        """Compare and set: an entry is written where the store still holds what it replaces.

        :returns: for each reference ``written``, ``refused`` or ``unknown``.
        :raises StoreError: where nothing is known of any of them.
        """

    @abc.abstractmethod
    def remove(self, tokens: c.Mapping[str, str]) -> dict[str, str]:
        """Compare and remove: an entry goes if the store still holds the id of the revoked token.

        :param tokens: the id of the revoked token, by reference.
        :returns: for each reference ``removed``, also if nothing was there; ``refused`` if another id is there; or
            ``unknown``, for which ``troubles`` says why.
        :raises StoreError: if nothing is known of any of them.
        """

    @abc.abstractmethod
    def secret(self, reference: str) -> str:
        """The secret stored for ``reference``.

        :raises StoreError: where there is none.
        """


def id_of(secret: str | None, recorded: str | None = None) -> str | None:
    """What a stored secret says of its token: its own id, else the one recorded beside it, else ``unknown``.

    A log filter's placeholder counts as no entry: the real secret is lost. The recorded id is not believed for a text
    that cannot be a secret.
    """
    if secret is None or not secret.strip() or _secret.is_redaction_marker(secret):
        return None
    believed = recorded if _secret.is_plausible(secret.strip()) else None
    return _secret.token_id(secret) or believed or UNKNOWN


def shown(store: str, reference: str, text: str | None) -> str:
    """A stored secret that may be handed on: to a lookup, or to another store.

    :param store: the store's name, for messages.
    :raises StoreError: if nothing is stored, or a text that cannot be a secret, such as a template.
    """
    if text is None or id_of(text) is None:
        raise StoreError(f"{store} holds no secret of {reference}.")
    secret = text.strip()
    if not _secret.is_plausible(secret):
        raise StoreError(
            f"{store}: the entry of {reference} is not a Bitbucket secret (allowed: {_secret.ALLOWED}). Replace it "
            "with the secret, or remove the entry and run again."
        )
    return secret


def outcome(held: str | None, entry: Entry) -> str | None:
    """The answer for ``entry`` where the store holds ``held`` now; ``None`` says: write it."""
    if held == entry.id:
        return WRITTEN
    return None if held == entry.replaces else REFUSED


def removal(held: str | None, token_id: str) -> str | None:
    """The answer for an entry to remove if the store holds ``held`` now; ``None`` says: remove it."""
    if held is None:
        return REMOVED
    return None if held == token_id else REFUSED


def removed(held: str | None, token_id: str) -> str:
    """The answer for an entry that should be gone, from what the store holds on reading back."""
    return removal(held, token_id) or UNCERTAIN


def known_ids(held: c.Mapping[str, str | None]) -> dict[str, str]:
    """Those references for which there is an id."""
    return {reference: value for reference, value in held.items() if value is not None and value != UNKNOWN}


def is_id(value: object) -> bool:
    """Whether this can be a token's id: a string of digits, since a number has already lost its zeros."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isascii() and value.isdigit()


def settled(said: str, held: str | None, entry: Entry) -> str:
    """The answer for ``entry`` from what a service said of it and what it holds on reading back.

    A refusal by one that still holds what was to be replaced is none: nobody was faster.
    """
    if held == entry.id:
        return WRITTEN
    return REFUSED if said == REFUSED and held != entry.replaces else UNCERTAIN
