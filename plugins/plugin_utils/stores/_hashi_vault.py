# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store ``hashi_vault:MOUNT/PREFIX``: the KV v2 engine, with secret and id in one write."""

from __future__ import annotations

import collections.abc as c
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import is_reference
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import (
    UNCERTAIN,
    Entry,
    Store,
    StoreError,
    id_of,
    is_id,
    outcome,
    removal,
    removed,
    settled,
    shown,
)
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._remote import (
    Options,
    ca_file,
    option,
    safe_url,
)
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._vault_server import (
    Login,
    VaultError,
    VaultServer,
    Version,
)

SECRET, ID = "secret", "id"
_NEEDED = {"read", "create", "update"}
_AT_ONCE = 8
_PATHS_AT_ONCE = 200
# Others may write other fields beside ours, but hardly three times in a row.
_TRIES = 3
_Item = t.TypeVar("_Item")
_Result = t.TypeVar("_Result")


class HashiVaultStore(Store):
    """Secrets in Vault, each at its reference below a prefix.

    :param server: who to ask.
    :param mount: the KV v2 engine's mount.
    :param prefix: the path above the references.
    """

    def __init__(self, server: VaultServer, mount: str, prefix: str) -> None:
        super().__init__()
        self.name = f"hashi_vault:{mount}/{prefix}"
        self._server = server
        self._mount = mount
        self._prefix = prefix
        self._gone = ""

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

    def read(self, references: c.Iterable[str]) -> dict[str, str | None]:
        asked = list(dict.fromkeys(references))
        return dict(zip(asked, self._each(lambda reference: _held(self._version(reference)), asked), strict=True))

    def write(self, entries: c.Sequence[Entry]) -> dict[str, str]:
        self.troubles.clear()
        self._gone = ""
        sound = self.sound(entries)
        answers = dict.fromkeys([entry.reference for entry in entries], UNCERTAIN)
        return {
            **answers,
            **dict(zip([entry.reference for entry in sound], self._each(self._write, sound), strict=True)),
        }

    def remove(self, tokens: c.Mapping[str, str]) -> dict[str, str]:
        self.troubles.clear()
        self._gone = ""
        asked = list(tokens)

        def remove(reference: str) -> str:
            return self._answered(reference, lambda: self._compare_and_remove(reference, tokens[reference]))

        return dict(zip(asked, self._each(remove, asked), strict=True))

    def secret(self, reference: str) -> str:
        return shown(self.name, reference, _text(self._version(reference)))

    def _write(self, entry: Entry) -> str:
        return self._answered(entry.reference, lambda: self._compare_and_set(entry))

    def _answered(self, reference: str, do: c.Callable[[], str]) -> str:
        """One answer of its own for each entry; none is tried once the server is gone."""
        if self._gone:
            self.troubles[reference] = self._gone
            return UNCERTAIN
        try:
            return do()
        except StoreError as error:
            self.troubles[reference] = str(error)
            if isinstance(error, VaultError) and error.gone:
                self._gone = str(error)
            return UNCERTAIN

    def _compare_and_set(self, entry: Entry) -> str:
        for _try in range(_TRIES):
            before = self._version(entry.reference)
            known = outcome(_held(before), entry)
            if known:
                return known
            fields = {**before.fields, SECRET: entry.secret, ID: entry.id}
            if not self._put(entry.reference, fields, before):
                continue
            after = self._version(entry.reference)
            if _held(after) == entry.id and after.fields.get(SECRET) != entry.secret:
                return UNCERTAIN
            return settled(UNCERTAIN, _held(after), entry)
        return self._contended(entry.reference)

    def _compare_and_remove(self, reference: str, token_id: str) -> str:
        """A new version without our two fields. Vault deletes no version conditionally, and has no other permission."""
        for _try in range(_TRIES):
            before = self._version(reference)
            known = removal(_held(before), token_id)
            if known:
                return known
            fields = {name: value for name, value in before.fields.items() if name not in (SECRET, ID)}
            if self._put(reference, fields, before):
                return removed(_held(self._version(reference)), token_id)
        return self._contended(reference)

    def _put(self, reference: str, fields: dict[str, t.Any], before: Version) -> bool:
        """Whether the new version was written; ``False`` if ``before`` is not the newest one any more."""
        try:
            self._server.write(self._mount, self._path(reference), fields, before.number)
        except VaultError as error:
            if error.conflict:
                return False
            raise
        return True

    def _contended(self, reference: str) -> str:
        self.troubles[reference] = f"{self.name}: others keep writing to {reference}."
        return UNCERTAIN

    def _version(self, reference: str) -> Version:
        return self._server.read(self._mount, self._path(reference))

    def _path(self, reference: str) -> str:
        if not is_reference(reference):
            raise StoreError(f"{reference} is not a reference, such as projects/PAY/tokens/ci.")
        return f"{self._prefix}/{reference}"

    @staticmethod
    def _each(do: c.Callable[[_Item], _Result], items: c.Sequence[_Item]) -> list[_Result]:
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            return list(pool.map(do, items))
        finally:
            pool.shutdown(cancel_futures=True)


def _held(version: Version) -> str | None:
    recorded = version.fields.get(ID)
    return id_of(_text(version), recorded if is_id(recorded) else None)


def _text(version: Version) -> str | None:
    text = version.fields.get(SECRET)
    if text is not None and not isinstance(text, str):
        raise StoreError(f"Vault holds a field `{SECRET}` that is not a text, although it should be a token's secret.")
    return text


def open_hashi_vault(place: str, options: Options, timeout: float) -> HashiVaultStore:
    """The store at MOUNT/PREFIX. A mount with slashes in its name takes the option ``mount``.

    :raises StoreError: for a place or options that cannot be right.
    """
    given = option(options, "mount").strip("/")
    place = place.strip("/")
    if given and not place.startswith(f"{given}/"):
        raise StoreError("`store_options.mount` must be what MOUNT/PREFIX in `store` begins with.")
    mount, _slash, prefix = (given, "/", place[len(given) + 1 :]) if given else place.partition("/")
    if not prefix or {"", ".", ".."} & set(place.split("/")):
        raise StoreError("`store` must be hashi_vault:MOUNT/PREFIX, such as hashi_vault:secret/bitbucket.")
    server = VaultServer(
        safe_url(option(options, "url", "VAULT_ADDR"), options, "`store_options.url` or VAULT_ADDR"),
        _login(options),
        option(options, "namespace", "VAULT_NAMESPACE"),
        ca_file(option(options, "ca_path", "VAULT_CACERT"), "`store_options.ca_path` or VAULT_CACERT"),
        timeout,
    )
    return HashiVaultStore(server, mount, prefix)


def _login(options: Options) -> Login:
    method = option(options, "auth_method") or "token"
    mount = option(options, "auth_mount").strip("/")
    if method == "token":
        return Login(method, token=_needed(options, method, "token", "VAULT_TOKEN"))
    if method == "approle":
        role = _needed(options, method, "role_id", "VAULT_ROLE_ID")
        return Login(method, "", role, _needed(options, method, "secret_id", "VAULT_SECRET_ID"), mount)
    if method == "jwt":
        return Login(method, "", _needed(options, method, "role"), _needed(options, method, "jwt"), mount)
    raise StoreError("`store_options.auth_method` must be token, approle or jwt.")


def _needed(options: Options, method: str, name: str, variable: str = "") -> str:
    value = option(options, name, variable)
    if not value:
        places = f"`store_options.{name}`{f' or {variable}' if variable else ''}"
        raise StoreError(f"Signing in to Vault with {method} takes {places}.")
    if not value.isprintable() or not value.isascii():
        raise StoreError(f"`store_options.{name}` cannot be one: it holds characters that none has.")
    return value
