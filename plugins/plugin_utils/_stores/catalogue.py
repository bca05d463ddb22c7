# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of store, and how ``KIND:PLACE`` becomes one."""

from __future__ import annotations

import collections.abc as c
import typing as t
from pathlib import Path

from ansible.parsing.vault import VaultLib

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._stores.base import Store, StoreError

_OPTIONS = {"file": {"mode", "lock_timeout"}, "ansible_vault": {"lock_timeout"}}


def open_store(text: str, options: c.Mapping[str, t.Any], vault: VaultLib, single: bool) -> Store:
    """The store that ``KIND:PLACE`` names. Relative paths start where ansible was started.

    :param vault: the play's vault secrets.
    :param single: whether it is for one token (a file) or for any number (a directory).
    :raises StoreError: for an unknown kind or option.
    """
    kind, colon, place = text.partition(":")
    if not colon or not place.strip() or kind not in _OPTIONS:
        raise StoreError(
            f"`store` must be KIND:PLACE with one of the kinds {', '.join(sorted(_OPTIONS))}, such as "
            "file:/etc/ci/bitbucket.token or ansible_vault:tokens.yml."
        )
    for option in sorted(set(options) - _OPTIONS[kind]):
        known = ", ".join(sorted(_OPTIONS[kind]))
        raise StoreError(f"`store_options` of {kind} has no {option}: it knows {known}.")
    path = Path(place.strip()).expanduser().absolute()
    timeout = _seconds(options.get("lock_timeout", 60))
    # Each kind is loaded when it is asked for: an ad-hoc run should not wait for what it does not use.
    if kind == "file":
        from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._stores.file import FileStore

        # A directory also serves a single token, so that one BITBUCKET_TOKEN_STORE fits every task.
        return FileStore(path, single and not path.is_dir(), _mode(options.get("mode")), timeout)
    from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._stores.ansible_vault import AnsibleVaultStore

    return AnsibleVaultStore(path, vault, timeout)


def _seconds(value: t.Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1
    if not 0 <= seconds <= 3600:
        raise StoreError("`store_options.lock_timeout` must be a number of seconds from 0 to 3600.")
    return seconds


def _mode(value: t.Any) -> int | None:
    """File permissions as an octal string; a number has already been read as something else by YAML."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.isdigit() or set(value) - set("01234567"):
        raise StoreError("`store_options.mode` must be an octal number in quotes, such as '0640'.")
    return int(value, 8)
