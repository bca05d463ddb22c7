# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that cannot be reached, as results.

Up to ansible-core 2.18 the message of a connection that fails, which may quote what the host sent, is registered as a
template. A result that an action plugin returns is not.
"""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as NormalAction

from ..module_utils.core._errors import one_line

Result = dict[str, t.Any]


class ReachAction(ActionBase):
    """Runs modules on hosts that may be unreachable."""

    def _execute_module(self, *args: t.Any, **options: t.Any) -> Result:
        try:
            result: Result = super()._execute_module(*args, **options)
        except AnsibleConnectionFailure as error:
            return {"unreachable": True, "changed": False, "msg": one_line(str(error))}
        return result


class PlainAction(ReachAction, NormalAction):
    """Runs the task's own module, as Ansible does where a module has no action plugin."""
