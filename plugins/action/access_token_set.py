# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ..module_utils.datacenter import _owners
from ..modules import access_token_set
from ..plugin_utils._action import Result, StoreAction


class ActionModule(StoreAction):
    """Delivers the secrets of a declared set."""

    module = access_token_set
    stored_by_caller = ("stored",)
    single = False

    def owners(self, params: Result) -> _owners.DeclaredOwners:
        return _owners.declared_owners(params)
