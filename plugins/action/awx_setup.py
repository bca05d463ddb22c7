# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils.core._errors import BitbucketError
from ..modules import awx_setup
from ..plugin_utils._action import validated
from ..plugin_utils._local import task_environment
from ..plugin_utils.awx._setup import Setup
from ..plugin_utils.awx._written import bring


class ActionModule(ActionBase):
    """Has AWX run this collection; no module runs."""

    _supports_async = False

    def run(self, tmp: None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            params = validated("tokensmith.bitbucket.awx_setup", awx_setup.SPEC, {}, dict(self._task.args))
            with task_environment(self):
                setup = Setup(params, variables, lambda name: self._templar.template(variables[name]), os.environ)
                result = bring(params, setup.objects(), self._task.check_mode)
        except BitbucketError as error:
            return {"failed": True, "changed": False, "msg": str(error), "reason": error.reason}
        return {**result, "withheld": setup.variables.withheld}
