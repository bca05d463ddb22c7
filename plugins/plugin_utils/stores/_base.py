# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every store does, and what it refuses."""

from __future__ import annotations

import abc
import collections.abc as c
import contextlib
import typing as t
from dataclasses import dataclass

from ...module_utils.core import _secret
from ...module_utils.core._errors import BitbucketError
from ...module_utils.tokens._delivery import REFUSED, UNCERTAIN, WRITTEN, Entry
from ...module_utils.tokens._types import UNKNOWN

if t.TYPE_CHECKING:
    from ansible.parsing.vault import VaultLib

    from ._options import Option, StoreOptions

#: The store holds nothing for the reference any more.
REMOVED = "removed"

_LONGEST_ID = 20
# Others may write to an entry at the same time, but hardly three times in a row.
_TRIES = 3
_Item = t.TypeVar("_Item")
_Result = t.TypeVar("_Result")


class StoreError(BitbucketError):
    """A store that cannot be read or written; names the store and the entry, never the secret.

    ``gone``: the service does not answer, so further requests are useless.
    """

    reason = "store"
    gone = False


class MovedError(StoreError):
    """A write that was refused because the entry has changed since it was read: compare again."""


def require_fitting(entry: Entry) -> None:
    """Refuse what cannot be this token's secret.

    :raises StoreError: for characters that no secret has, a log filter's placeholder, or the secret of another token.
    """
    if not _secret.is_plausible(entry.secret):
        raise StoreError(
            f"{entry.reference}: the value to store for token {entry.id} is not a Bitbucket secret (allowed: "
            f"{_secret.ALLOWED})."
        )
    if _secret.token_id(entry.secret) not in (None, entry.id):
        raise StoreError(f"{entry.reference}: the secret to store is not the one of token {entry.id}.")


@dataclass(frozen=True)
class Removal:
    """One entry to remove, if the store still holds the id ``replaces``."""

    reference: str
    replaces: str | None
    id: None = None


Change = Entry | Removal


class StoredEntry(t.NamedTuple):
    """What a store holds for one reference.

    :param id: the token's id, ``unknown`` or ``None``, as ``Store.read`` returns it.
    :param secret: the stored text, if the store shows it together with the id.
    :param state: what this kind of store needs in order to replace the entry.
    """

    id: str | None
    secret: str | None = None
    state: t.Any = None


class Store(abc.ABC):
    """A place for secrets by reference."""

    #: As in ``KIND:PLACE``, for messages.
    name: str
    #: How many secrets one write takes at most.
    batch = 16

    def __init__(self) -> None:
        #: Why an answer of the last write or removal was ``unknown``, by reference, if that is known.
        self.reasons: dict[str, str] = {}

    @abc.abstractmethod
    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        """Prove that the store can be read, and written for ``references``.

        :raises StoreError: if it cannot.
        """

    @abc.abstractmethod
    def read(self, references: c.Iterable[str]) -> dict[str, str | None]:
        """The id stored for each reference, ``unknown`` if a secret's id cannot be read, ``None`` for nothing.

        :raises StoreError: if the store does not answer, which is not the same as nothing.
        """

    def others(self, references: c.Collection[str]) -> dict[str, str]:
        """Ids that the store holds for the same owners under other references, by reference; empty if the store cannot
        list its entries. Owners are the same in any case: an entry under ``projects/pay`` belongs to ``projects/PAY``.

        Tokens are renamed by people too: one that has a declared name now may be stored under another reference.

        :raises StoreError: if the store does not answer.
        """
        return {}

    @abc.abstractmethod
    def write(self, entries: c.Sequence[Entry]) -> dict[str, str]:
        """Compare and set: an entry is written if the store still holds what it replaces.

        :returns: for each reference ``written``, ``refused`` or ``unknown``.
        :raises StoreError: if nothing is known of any of them, and nothing was written.
        """

    @abc.abstractmethod
    def remove(self, tokens: c.Mapping[str, str]) -> dict[str, str]:
        """Compare and remove: an entry goes if the store still holds the id of the revoked token.

        :param tokens: the id of the revoked token, by reference.
        :returns: for each reference ``removed``, also if nothing was there; ``refused`` if another id is there; or
            ``unknown``, for which ``reasons`` says why.
        :raises StoreError: if nothing is known of any of them, and nothing was removed.
        """

    @abc.abstractmethod
    def secret(self, reference: str) -> str:
        """The secret stored for ``reference``.

        :raises StoreError: if there is none.
        """


class BaseStore(Store):
    """Compares, writes and reads back, for every kind of store. A kind says how it looks up and puts entries."""

    #: The `store_options` of this kind.
    OPTIONS: t.ClassVar[dict[str, Option]]
    #: Whether the secrets still exist after a job of AWX, whose execution environment is deleted with its files.
    survives_job: t.ClassVar[bool]
    #: Whether one lookup and one put serve all entries of a write; otherwise each entry has its own.
    together = False

    @classmethod
    @abc.abstractmethod
    def opened(cls, place: str, options: StoreOptions, vault: VaultLib, single: bool) -> Store:
        """The store at ``place``.

        :param vault: the play's vault secrets.
        :param single: whether it is for one token (a file) or for any number (a directory).
        :raises StoreError: for a place or options that cannot be right.
        """

    @abc.abstractmethod
    def _look(self, references: c.Sequence[str]) -> dict[str, StoredEntry]:
        """What the store holds for each reference.

        :raises StoreError: if the store does not answer.
        """

    @abc.abstractmethod
    def _put(self, changes: c.Sequence[Change], held: c.Mapping[str, StoredEntry]) -> c.Collection[str]:
        """Write or remove entries: all of ``changes`` are of one kind.

        :param held: what a lookup has just shown.
        :returns: references that the store itself refused; it does its own comparison.
        :raises MovedError: if one entry has changed since the lookup, and was not written.
        :raises StoreError: if a change failed, or whether it failed is not known.
        """

    def _exclusive(self) -> t.ContextManager[object]:
        """Holds the store's lock, if it has one, from the lookup until the read-back."""
        return contextlib.nullcontext()

    def _shown(self, references: c.Sequence[str], held: c.Mapping[str, StoredEntry]) -> dict[str, str]:
        """The secrets of these references, as far as the store shows them."""
        return {reference: text for reference in references if (text := held[reference].secret) is not None}

    def _each(self, do: c.Callable[[_Item], _Result], items: c.Sequence[_Item]) -> list[_Result]:
        """``do`` for each item."""
        return list(map(do, items))

    def read(self, references: c.Iterable[str]) -> dict[str, str | None]:
        return {reference: held.id for reference, held in self._look(list(dict.fromkeys(references))).items()}

    def secret(self, reference: str) -> str:
        return shown(self.name, reference, self._look([reference])[reference].secret)

    def write(self, entries: c.Sequence[Entry]) -> dict[str, str]:
        self.reasons.clear()
        return {**{entry.reference: UNCERTAIN for entry in entries}, **self._applied(self._sound(entries))}

    def remove(self, tokens: c.Mapping[str, str]) -> dict[str, str]:
        self.reasons.clear()
        return self._applied([Removal(reference, token_id) for reference, token_id in tokens.items()])

    def _sound(self, entries: c.Iterable[Entry]) -> list[Entry]:
        """The entries that can be written; of the others ``reasons`` says why not."""
        sound = []
        for entry in entries:
            try:
                require_fitting(entry)
                sound.append(entry)
            except StoreError as error:
                self.reasons[entry.reference] = str(error)
        return sound

    def _applied(self, changes: c.Sequence[Change]) -> dict[str, str]:
        with self._exclusive():
            if self.together:
                groups = [self._apply(changes)] if changes else []
            else:
                groups = self._each(self._attempt_from([]), changes)
        answers = {reference: answer for group in groups for reference, answer in group.items()}
        unsure = [
            reference for reference, why in self.reasons.items() if answers.get(reference, UNCERTAIN) == UNCERTAIN
        ]
        self.reasons = {reference: self.reasons[reference] for reference in unsure}
        return answers

    def _attempt_from(self, gone: list[StoreError]) -> c.Callable[[Change], dict[str, str]]:
        """One answer of its own for each entry; none is tried once the service is gone."""

        def attempt(change: Change) -> dict[str, str]:
            try:
                if gone:
                    raise gone[0]
                return self._apply([change])
            except StoreError as error:
                if error.gone and not gone:
                    gone.append(error)
                self.reasons.setdefault(change.reference, str(error))
                return {change.reference: UNCERTAIN}

        return attempt

    def _apply(self, changes: c.Sequence[Change]) -> dict[str, str]:
        """Look, compare, put, read back: again if somebody else wrote in between."""
        moved = None
        for _try in range(_TRIES):
            held = self._look([change.reference for change in changes])
            answers = {change.reference: _compared(held[change.reference].id, change) for change in changes}
            due = [change for change in changes if answers[change.reference] is None]
            try:
                refused = self._put(due, held) if due else ()
            except MovedError as error:
                moved = error
                continue
            except StoreError as error:
                if error.gone:
                    raise
                refused = ()
                self.reasons.update((change.reference, str(error)) for change in due)
            return {**_known(answers), **self._read_back(due, refused)}
        raise moved or StoreError(f"{self.name} was not asked.")

    def _read_back(self, changes: c.Sequence[Change], refused: c.Collection[str]) -> dict[str, str]:
        """The answers, from what the store holds now."""
        if not changes:
            return {}
        try:
            held = self._look([change.reference for change in changes])
            landed = [change for change in changes if _landed(held[change.reference], change)]
            secrets = self._shown([entry.reference for entry in landed if isinstance(entry, Entry)], held)
        except StoreError as error:
            if error.gone:
                raise
            self.reasons.update((change.reference, str(error)) for change in changes)
            return {change.reference: UNCERTAIN for change in changes}
        answers = {}
        for change in changes:
            reference = change.reference
            if change in landed:
                right = isinstance(change, Removal) or secrets.get(reference, change.secret) == change.secret
                answers[reference] = _done(change) if right else UNCERTAIN
            else:
                # Another id without a refusal: ours may have been there in between. A removal leaves nothing behind.
                faster = (reference in refused or isinstance(change, Removal)) and held[reference].id != change.replaces
                answers[reference] = REFUSED if faster else UNCERTAIN
            if answers[reference] == UNCERTAIN:
                self.reasons.setdefault(reference, f"{self.name} does not hold what was written to it.")
        return answers


def id_of(secret: str | None, recorded: str | None = None) -> str | None:
    """What a stored secret says of its token: its own id, else the recorded one, else ``unknown``.

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


def _done(change: Change) -> str:
    return WRITTEN if isinstance(change, Entry) else REMOVED


def _compared(held: str | None, change: Change) -> str | None:
    """The answer for ``change`` if the store holds ``held`` now; ``None`` says: put it."""
    if held == change.id:
        return _done(change)
    return None if held == change.replaces else REFUSED


def _landed(held: StoredEntry, change: Change) -> bool:
    """Whether the store holds it now. A file has no room for the id of a secret that does not tell it."""
    return held.id == change.id or (isinstance(change, Entry) and held.secret == change.secret)


def _known(answers: c.Mapping[str, str | None]) -> dict[str, str]:
    return {reference: answer for reference, answer in answers.items() if answer is not None}


def known_ids(held: c.Mapping[str, str | None]) -> dict[str, str]:
    """Those references for which there is an id."""
    return {reference: value for reference, value in held.items() if value is not None and value != UNKNOWN}


def is_id(value: object) -> bool:
    """Whether this can be a token's id: a string of digits, since a number has already lost its zeros."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isascii() and value.isdigit()
