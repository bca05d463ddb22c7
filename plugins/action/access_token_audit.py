# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import gc
import typing as t

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ..module_utils.core._progress import Progress
from ..module_utils.http._connection import client_from
from ..modules import access_token_audit
from ..plugin_utils._action import secrets_of, validated
from ..plugin_utils._local import task_environment
from ..plugin_utils.audit._auditor import Auditor, audited
from ..plugin_utils.audit._observe import observe

_NAME = "tokensmith.bitbucket.access_token_audit"

Result = dict[str, t.Any]


class ActionModule(ActionBase):
    """Lists and judges tokens on the controller, and writes the report there; no module runs."""

    _supports_async = False

    def run(self, tmp: None = None, task_vars: Result | None = None) -> Result:
        """Run the task."""
        super().run(tmp, task_vars)
        # This process is a fork that ends with the task, and makes hundreds of thousands of objects.
        gc.freeze()
        args = dict(self._task.args)
        with task_environment(self):
            result = audited(lambda: _auditor(args), self._task.check_mode)
        masked: Result = remove_values(result, secrets_of(access_token_audit.SPEC, args))
        return masked


def _auditor(args: Result) -> Auditor:
    params = validated(_NAME, access_token_audit.SPEC, access_token_audit.CONSTRAINTS, args)
    client = client_from(params)
    return Auditor(params, lambda: observe(client, params, Progress(Display().display, "audit")))
