# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import collections.abc as c

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._names import by_name
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter import _owners
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens import _summary
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._declaration import (
    Declaration,
    declarations,
    overrides_for,
)
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_set
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._action import CustodyAction
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._custody import Result


class ActionModule(CustodyAction):
    """Delivers the secrets of a declared set."""

    module_name = "tokensmith.bitbucket.access_token_set"
    spec = access_token_set.SPEC
    constraints = access_token_set.CONSTRAINTS
    own_custody = ("stored",)
    single = False

    def owners(self, params: Result) -> _owners.DeclaredOwners:
        return _owners.declared_owners(params)

    def declared(self, params: Result, resolved: _owners.Resolved) -> list[Declaration]:
        overrides = _argspec.overrides(params["overrides"])
        return declarations(resolved.owners, params["set"], overrides, params["prune"], resolved.failures)

    def shape(self, result: Result) -> Result:
        return {**result, "summary": _summary.lines_of(result, self._task.check_mode)}

    def arguments(self, args: Result, owners: c.Sequence[Owner], prune: bool) -> Result:
        return {
            **args,
            "projects": [owner.project for owner in owners if owner.project and not owner.repository],
            "repositories": [f"{owner.project}/{owner.repository}" for owner in owners if owner.repository],
            "users": [owner.user for owner in owners if owner.user],
            "overrides": overrides_for(owners, by_name(args.get("overrides") or {})),
            "prune": args.get("prune") or [] if prune else [],
        }
