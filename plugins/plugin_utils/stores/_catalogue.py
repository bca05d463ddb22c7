# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of store, and how ``KIND:PLACE`` becomes one."""

from __future__ import annotations

import collections.abc as c
import os
import re
import typing as t

from ansible.parsing.vault import VaultLib

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores import _files
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store, StoreError

_Options = c.Mapping[str, t.Any]
_NAME = re.compile(r"[a-z_]{1,24}")


class _Kind(t.NamedTuple):
    """How a kind of store is opened, and the options that it knows."""

    open: c.Callable[[str, _Options, VaultLib, bool], Store]
    options: frozenset[str]


def open_store(text: str, options: _Options, vault: VaultLib, single: bool) -> Store:
    """The store that ``KIND:PLACE`` names. Relative paths start where ansible was started.

    :param vault: the play's vault secrets.
    :param single: whether it is for one token (a file) or for any number (a directory).
    :raises StoreError: for an unknown kind or option.
    """
    kind, colon, place = text.partition(":")
    if not colon or not place.strip() or kind not in _KINDS:
        raise StoreError(
            f"`store` must be KIND:PLACE with one of the kinds {', '.join(_KINDS)}, such as "
            "file:/etc/ci/bitbucket.token or ansible_vault:tokens.yml."
        )
    for option in sorted(set(options) - _KINDS[kind].options):
        known = ", ".join(sorted(_KINDS[kind].options))
        # A text in place of a mapping is split at its equals signs: what comes out may be part of a secret.
        named = option if _NAME.fullmatch(option) else "such option"
        raise StoreError(f"`store_options` of {kind} has no {named}: it knows {known}.")
    return _KINDS[kind].open(place.strip(), options, vault, single)


# Each kind is loaded when it is asked for: an ad-hoc run should not wait for what it does not use.


def _file(place: str, options: _Options, vault: VaultLib, single: bool) -> Store:
    from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._file import FileStore

    path = _files.place(place)
    # A directory also serves a single token, so that one BITBUCKET_TOKEN_STORE fits every task. One that is yet to be
    # created is named with a slash at its end.
    mode = _mode(options.get("mode"))
    # Path.is_dir raises where a folder above may not be searched.
    one = single and not (place.endswith("/") or os.path.isdir(path))  # noqa: PTH112
    return FileStore(path, one, mode, _seconds(options, "lock_timeout", 60))


def _ansible_vault(place: str, options: _Options, vault: VaultLib, single: bool) -> Store:
    from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._ansible_vault import AnsibleVaultStore

    return AnsibleVaultStore(_files.place(place), vault, _seconds(options, "lock_timeout", 60))


def _awx_credential(place: str, options: _Options, vault: VaultLib, single: bool) -> Store:
    from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._awx_credential import (
        open_awx_credential,
    )

    return open_awx_credential(place, options, _seconds(options, "timeout", 30))


def _hashi_vault(place: str, options: _Options, vault: VaultLib, single: bool) -> Store:
    from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._hashi_vault import open_hashi_vault

    return open_hashi_vault(place, options, _seconds(options, "timeout", 30))


def _helper(place: str, options: _Options, vault: VaultLib, single: bool) -> Store:
    from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._helper import HelperStore

    return HelperStore(place, _seconds(options, "timeout", 60))


_KINDS = {
    "ansible_vault": _Kind(_ansible_vault, frozenset({"lock_timeout"})),
    "file": _Kind(_file, frozenset({"mode", "lock_timeout"})),
    "hashi_vault": _Kind(
        _hashi_vault,
        frozenset(
            {
                *("url", "namespace", "mount", "ca_path", "timeout", "allow_insecure"),
                *("auth_method", "auth_mount", "token", "role_id", "secret_id", "role", "jwt"),
            }
        ),
    ),
    "awx_credential": _Kind(
        _awx_credential,
        frozenset(
            {
                *("url", "token", "username", "password", "organization", "api_prefix"),
                *("validate_certs", "ca_path", "timeout", "allow_insecure"),
            }
        ),
    ),
    "helper": _Kind(_helper, frozenset({"timeout"})),
}


def _seconds(options: _Options, name: str, default: float) -> float:
    try:
        seconds = float(options.get(name, default))
    except (TypeError, ValueError):
        seconds = -1
    if not 0 <= seconds <= 3600:
        raise StoreError(f"`store_options.{name}` must be a number of seconds from 0 to 3600.")
    return seconds


def _mode(value: t.Any) -> int | None:
    """File permissions as an octal string; a number has already been read as something else by YAML."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.isdigit() or set(value) - set("01234567"):
        raise StoreError("`store_options.mode` must be an octal number in quotes, such as '0640'.")
    return int(value, 8)
