# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store ``hashi_vault:MOUNT/PREFIX``: the KV v2 engine, with secret and id in one write."""

from __future__ import annotations

import collections.abc as c
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible.parsing.vault import VaultLib

from ...module_utils.core._model import is_reference
from ...module_utils.tokens._delivery import Entry
from ._base import BaseStore, Change, MovedError, StoredEntry, StoreError, id_of, is_id
from ._options import Option, StoreOptions
from ._vault_server import Login, VaultError, VaultServer, Version

SECRET, ID = "secret", "id"
_NEEDED = {"read", "create", "update"}
_AT_ONCE = 8
_PATHS_AT_ONCE = 200
_Item = t.TypeVar("_Item")
_Result = t.TypeVar("_Result")


class HashiVaultStore(BaseStore):
    """Secrets in Vault, each at its reference below a prefix.

    :param server: who to ask.
    :param mount: the KV v2 engine's mount.
    :param prefix: the path above the references.
    """

    OPTIONS: t.ClassVar = {
        "url": Option(variable="VAULT_ADDR"),
        "namespace": Option(variable="VAULT_NAMESPACE"),
        "mount": Option(),
        "ca_path": Option(variable="VAULT_CACERT"),
        "timeout": Option("seconds", 30),
        "allow_insecure": Option("bool", False),
        "auth_method": Option(default="token"),
        "auth_mount": Option(),
        "token": Option(variable="VAULT_TOKEN"),
        "role_id": Option(variable="VAULT_ROLE_ID"),
        "secret_id": Option(variable="VAULT_SECRET_ID"),
        "role": Option(),
        "jwt": Option(),
    }
    survives_job = True

    @classmethod
    def opened(cls, place: str, options: StoreOptions, vault: VaultLib, single: bool) -> HashiVaultStore:
        # A mount with slashes in its name is named by an option.
        given = options.text("mount").strip("/")
        place = place.strip("/")
        if given and not place.startswith(f"{given}/"):
            raise StoreError("`store_options.mount` must be what MOUNT/PREFIX in `store` begins with.")
        mount, _slash, prefix = (given, "/", place[len(given) + 1 :]) if given else place.partition("/")
        if not prefix or {"", ".", ".."} & set(place.split("/")):
            raise StoreError("`store` must be hashi_vault:MOUNT/PREFIX, such as hashi_vault:secret/bitbucket.")
        server = VaultServer(
            options.url("url"),
            _login(options),
            options.text("namespace"),
            options.ca_file("ca_path"),
            options.seconds("timeout"),
        )
        return cls(server, mount, prefix)

    def __init__(self, server: VaultServer, mount: str, prefix: str) -> None:
        super().__init__()
        self.name = f"hashi_vault:{mount}/{prefix}"
        self._server = server
        self._mount = mount
        self._prefix = prefix

    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        kind = self._server.kind_of(self._mount)
        if kind != "kv 2":
            raise StoreError(f"{self._mount} is not a KV engine of version 2 but {kind}, which has no compare-and-set.")
        paths = [f"{self._mount}/data/{self._path(reference)}" for reference in references]
        for start in range(0, len(paths), _PATHS_AT_ONCE):
            allowed = self._server.capabilities(paths[start : start + _PATHS_AT_ONCE])
            for path, capabilities in allowed.items():
                lacking = sorted(_NEEDED - capabilities)
                if "root" not in capabilities and lacking:
                    raise StoreError(f"{self.name}: the policy of this login does not allow {lacking[0]} on {path}.")

    def _look(self, references: c.Sequence[str]) -> dict[str, StoredEntry]:
        return dict(zip(references, self._each(self._held, references), strict=True))

    def _held(self, reference: str) -> StoredEntry:
        version = self._server.read(self._mount, self._path(reference))
        text, recorded = _text(version), version.fields.get(ID)
        return StoredEntry(id_of(text, recorded if is_id(recorded) else None), text, version)

    def _put(self, changes: c.Sequence[Change], held: c.Mapping[str, StoredEntry]) -> c.Collection[str]:
        """A new version, without our two fields for a removal: Vault deletes no version conditionally."""
        for change in changes:
            before: Version = held[change.reference].state
            fields = {name: value for name, value in before.fields.items() if name not in (SECRET, ID)}
            if isinstance(change, Entry):
                fields.update({SECRET: change.secret, ID: change.id})
            try:
                self._server.write(self._mount, self._path(change.reference), fields, before.number)
            except VaultError as error:
                if error.conflict:
                    raise MovedError(f"{self.name}: others keep writing to {change.reference}.") from None
                raise
        return ()

    def _path(self, reference: str) -> str:
        if not is_reference(reference):
            raise StoreError(f"{reference} is not a reference, such as projects/PAY/tokens/ci.")
        return f"{self._prefix}/{reference}"

    def _each(self, do: c.Callable[[_Item], _Result], items: c.Sequence[_Item]) -> list[_Result]:
        if len(items) < 2:
            return super()._each(do, items)
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            return list(pool.map(do, items))
        finally:
            pool.shutdown(cancel_futures=True)


def _text(version: Version) -> str | None:
    text = version.fields.get(SECRET)
    if text is not None and not isinstance(text, str):
        raise StoreError(f"Vault has a field `{SECRET}` that is not a string, but it must be the secret of a token.")
    return text


def _login(options: StoreOptions) -> Login:
    method = options.text("auth_method") or "token"
    mount = options.text("auth_mount").strip("/")
    if method == "token":
        return Login(method, token=_needed(options, method, "token"))
    if method == "approle":
        return Login(method, "", _needed(options, method, "role_id"), _needed(options, method, "secret_id"), mount)
    if method == "jwt":
        return Login(method, "", _needed(options, method, "role"), _needed(options, method, "jwt"), mount)
    raise StoreError("`store_options.auth_method` must be token, approle or jwt.")


def _needed(options: StoreOptions, method: str, name: str) -> str:
    value = options.text(name)
    if not value:
        raise StoreError(f"Signing in to Vault with {method} needs {options.source(name)}.")
    if not value.isprintable() or not value.isascii():
        raise StoreError(f"`store_options.{name}` has characters that are not allowed in it.")
    return value


STORE = HashiVaultStore
