# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.modules import awx_objects
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._action import validated
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.awx._declared import declared_of
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.awx._written import Objects
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._controller import open_controller

_MODULE = "tokensmith.bitbucket.awx_objects"


class ActionModule(ActionBase):
    """Sets up AWX from where ansible runs, with the client that the store has; no module runs."""

    _supports_async = False

    def run(self, tmp: None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task."""
        super().run(tmp, task_vars)
        try:
            params = validated(_MODULE, awx_objects.SPEC, {}, dict(self._task.args))
            if params["timeout"] < 1 or params["sync_timeout"] < 0:
                raise InputError("`timeout` must be at least 1 second, and `sync_timeout` at least 0.")
            declared = [declared_of(entry) for entry in params["objects"]]
            controller = open_controller(params, params["timeout"], place="")
            objects = Objects(controller, params["update_secrets"], params["sync_timeout"])
            return objects.bring(declared, self._task.check_mode)
        except BitbucketError as error:
            return {"failed": True, "changed": False, "msg": str(error), "reason": error.reason}
