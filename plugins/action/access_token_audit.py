# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import gc

from ansible.utils.display import Display

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_audit
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._action import (
    ModuleAction,
    own_options,
    refuse_internal,
)
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._auditor import Auditor, audited
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._walk import Result

# What the module needs to find and list owners; all else is the controller's.
_LISTING = (*_argspec.CONNECTION, "projects", "repositories", "users", "concurrency")


class ActionModule(ModuleAction):
    """Judges on the controller what the module lists, and writes the report there."""

    _supports_async = False

    module_name = "tokensmith.bitbucket.access_token_audit"

    def run(self, tmp: None = None, task_vars: Result | None = None) -> Result:
        """Run the task."""
        super().run(tmp, task_vars)
        # This process is a fork that ends with the task, and makes hundreds of thousands of objects.
        gc.freeze()
        return audited(lambda: self._auditor(task_vars), self._task.check_mode)

    def _auditor(self, task_vars: Result | None) -> Auditor:
        args = dict(self._task.args)
        refuse_internal(args)
        params = own_options(self.module_name, access_token_audit.SPEC, access_token_audit.CONSTRAINTS, args)
        listing = {key: value for key, value in args.items() if key in _LISTING}
        return Auditor(params, lambda told: self._call({**listing, "walk": told}, task_vars), Display().display)
