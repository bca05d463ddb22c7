# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of store, and how ``KIND:PLACE`` becomes one."""

from __future__ import annotations

import collections.abc as c
import importlib
import typing as t

from ansible.parsing.vault import VaultLib

from ._base import BaseStore, Store, StoreError
from ._options import StoreOptions

#: Each has a module of its name, which says in ``STORE`` how the kind is opened.
KINDS = ("ansible_vault", "file", "hashi_vault", "awx_credential", "helper")


def kind_of(name: str) -> type[BaseStore]:
    """The kind of store. It is loaded only now: an ad-hoc run should not wait for what it does not use."""
    module = importlib.import_module(f"{__package__}._{name}")
    return t.cast("type[BaseStore]", module.STORE)


def open_store(text: str, given: c.Mapping[str, t.Any], vault: VaultLib, single: bool) -> Store:
    """The store that ``KIND:PLACE`` names. Relative paths start where ansible was started.

    :param given: `store_options`.
    :param vault: the play's vault secrets.
    :param single: whether it is for one token (a file) or for any number (a directory).
    :raises StoreError: for an unknown kind or option.
    """
    name, colon, place = text.partition(":")
    if not colon or not place.strip() or name not in KINDS:
        raise StoreError(
            f"`store` must be KIND:PLACE with one of the kinds {', '.join(KINDS)}, such as "
            "file:/etc/ci/bitbucket.token or ansible_vault:tokens.yml."
        )
    kind = kind_of(name)
    options = StoreOptions(given, kind.OPTIONS)
    options.require_known(name)
    return kind.opened(place.strip(), options, vault, single)
