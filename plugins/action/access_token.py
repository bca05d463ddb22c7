# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ..module_utils.datacenter import _owners
from ..modules import access_token
from ..plugin_utils._action import Result, StoreAction


class ActionModule(StoreAction):
    """Delivers the secret of one token."""

    module = access_token
    stored_by_caller = ("secret", "id")
    single = True

    def owners(self, params: Result) -> _owners.DeclaredOwners:
        return _owners.declared_owner(params)
