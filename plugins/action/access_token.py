# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import collections.abc as c

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter import _owners
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens import _results
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._declaration import Declaration
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._spec import spec_of
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._action import CustodyAction
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._custody import Result


class ActionModule(CustodyAction):
    """Delivers the secret of one token."""

    module_name = "tokensmith.bitbucket.access_token"
    spec = access_token.SPEC
    constraints = access_token.CONSTRAINTS
    own_custody = ("secret", "id")
    single = True

    def owners(self, params: Result) -> _owners.DeclaredOwners:
        return _owners.declared_owner(params)

    def declared(self, params: Result, resolved: _owners.Resolved) -> list[Declaration]:
        if not params["name"]:
            raise InputError("With `store`, a token is named by `name`; `id` and `secret` are for runs without one.")
        return [Declaration(owner, (spec_of(params, owner),)) for owner in resolved.owners]

    def arguments(self, args: Result, owners: c.Sequence[Owner], prune: bool) -> Result:
        owner = owners[0]
        names = {"project": owner.project, "repository": owner.repository, "user": owner.user}
        return {**args, **{key: value or None for key, value in names.items()}}

    def shape(self, result: Result) -> Result:
        return _results.of_one(result) if "changes" in result else result
