# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store ``ansible_vault:FILE``: two variables in a vaulted file that plays load with ``vars_files``."""

from __future__ import annotations

import collections.abc as c
import contextlib
import typing as t
from pathlib import Path

from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, is_encrypted, match_encrypt_secret, parse_vaulttext_envelope

from ...module_utils.core import _files, _locks
from ...module_utils.core._model import owner_path
from ...module_utils.tokens._delivery import Entry
from ._base import BaseStore, Change, StoredEntry, StoreError, id_of, known_ids
from ._files import ensure_directory, real, require_replaceable, store_errors
from ._options import Option, StoreOptions
from ._variables import UnfitError, Variables

_Key = tuple[t.Any, t.Any]  # vault id and vault secret, as ansible hands them around


class AnsibleVaultStore(BaseStore):
    """Secrets in one file, encrypted with the play's own vault secrets.

    :param vault: the play's vault, with its secrets.
    :param lock_timeout: seconds to wait for another run's write.
    """

    OPTIONS: t.ClassVar = {"lock_timeout": Option("seconds", 60)}
    survives_job = False
    #: Encrypting a file takes as long for one secret as for many.
    batch = 200
    together = True

    @classmethod
    @store_errors()
    def opened(cls, place: str, options: StoreOptions, vault: VaultLib, single: bool) -> AnsibleVaultStore:
        return cls(_files.absolute(place), vault, options.seconds("lock_timeout"))

    def __init__(self, path: Path, vault: VaultLib, lock_timeout: float = 60) -> None:
        super().__init__()
        self.name = f"ansible_vault:{path}"
        # The lock and the temporary file are next to the target of links.
        path = real(path)
        self._path = path
        self._vault = vault
        self._timeout = lock_timeout
        self._seen: tuple[str, Variables, _Key] | None = None
        # The last plain text: parsing what was just written would take longer than writing it.
        self._written: tuple[str, Variables] | None = None
        self._lock = path.parent / f".{path.name}.lock"

    @store_errors()
    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        ensure_directory(self._path.parent, check_mode)
        require_replaceable(self._path)
        self._load()
        if not check_mode:
            with _locks.locked(self._lock, self._timeout):
                _files.remove_leftover(self._path)

    @store_errors()
    def _look(self, references: c.Sequence[str]) -> dict[str, StoredEntry]:
        variables, _key = self._load()
        return {
            reference: StoredEntry(_held(variables, reference), variables.secrets.get(reference))
            for reference in references
        }

    @store_errors()
    def others(self, references: c.Collection[str]) -> dict[str, str]:
        variables, _key = self._load()
        owners = {owner_path(reference).casefold() for reference in references}
        others = [
            other for other in variables.secrets.keys() - set(references) if owner_path(other).casefold() in owners
        ]
        return known_ids({other: _held(variables, other) for other in others})

    @contextlib.contextmanager
    def _exclusive(self) -> c.Iterator[None]:
        with store_errors(), _locks.locked(self._lock, self._timeout):
            yield

    @store_errors()
    def _put(self, changes: c.Sequence[Change], held: c.Mapping[str, StoredEntry]) -> c.Collection[str]:
        variables, key = self._load()
        entries = {change.reference: change for change in changes if isinstance(change, Entry)}
        new = variables.merged({reference: (entry.secret, entry.id) for reference, entry in entries.items()})
        self._replace(new.without([change.reference for change in changes if change.reference not in entries]), key)
        return ()

    def _load(self) -> tuple[Variables, _Key]:
        """What the file holds now, and the key to encrypt it with again."""
        text = _files.read_text(self._path)
        if text is None or not text.strip():
            return Variables(""), self._new_key()
        # Decrypting and parsing thousands of secrets takes longer than reading them, and a run reads after each write.
        if self._seen is not None and self._seen[0] == text:
            return self._seen[1:]
        if not is_encrypted(text):
            raise StoreError(f"{self._path} is not encrypted with ansible-vault. Encrypt it, or name another file.")
        try:
            plain, _opened_by, secret = self._vault.decrypt_and_get_vault_id(text)
            # The label of the file itself: another vault id may have the same password.
            label = parse_vaulttext_envelope(text.encode())[3]
        except AnsibleError:
            raise StoreError(
                f"{self._path} cannot be decrypted: none of the vault secrets given (`--vault-id`, "
                "`--vault-password-file`, or AWX's vault credential) opens it."
            ) from None
        content = _text(plain)
        try:
            if self._written is None or self._written[0] != content:
                self._written = (content, Variables(content))
            self._seen = (text, self._written[1], (label, secret))
        except UnfitError as error:
            raise StoreError(f"{self._path} {error}") from None
        return self._seen[1:]

    def _new_key(self) -> _Key:
        missing = StoreError(
            f"{self._path} cannot be encrypted, since there is no vault secret. Pass one with `--vault-id` or "
            "`--vault-password-file`, or attach a vault credential in AWX."
        )
        if not self._vault.secrets:
            raise missing
        try:
            key: _Key = match_encrypt_secret(self._vault.secrets, constants.DEFAULT_VAULT_ENCRYPT_IDENTITY)
        except AnsibleError:
            raise missing from None
        return key

    def _replace(self, variables: Variables, key: _Key) -> None:
        plain = variables.text
        vault_id, secret = key
        # The default label is written as no label at all, as ansible-vault does.
        label = None if vault_id == constants.DEFAULT_VAULT_IDENTITY else vault_id
        try:
            data = self._vault.encrypt(plain, secret, vault_id=label)
        except AnsibleError:
            # Its text may quote what was to be encrypted.
            raise StoreError(f"{self._path} could not be encrypted.") from None
        _files.replace(self._path, data)
        self._written = (plain, variables)


def _held(variables: Variables, reference: str) -> str | None:
    return id_of(variables.secrets.get(reference), variables.ids.get(reference))


def _text(data: t.Any) -> str:
    """Plain text: ansible's own string types cannot be dumped by YAML, and the failure would quote the secret."""
    return data.decode("utf-8") if isinstance(data, bytes) else str.__str__(data)


STORE = AnsibleVaultStore
