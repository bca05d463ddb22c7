# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ..module_utils.core._errors import BitbucketError, InputError
from ..modules import store_copy
from ..plugin_utils._action import validated
from ..plugin_utils._copy import Copy
from ..plugin_utils.stores._base import Store
from ..plugin_utils.stores._catalogue import open_store
from ..plugin_utils.stores._spelling import AnySpelling


class ActionModule(ActionBase):
    """Copies secrets between stores, on the controller, where the stores are; no module runs."""

    _supports_async = False

    def run(self, tmp: None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the task."""
        super().run(tmp, task_vars)
        try:
            params = validated("tokensmith.bitbucket.store_copy", store_copy.SPEC, {}, dict(self._task.args))
            source, destination = (self._open(params, which) for which in ("source", "destination"))
            if source.name == destination.name and params["source_options"] == params["destination_options"]:
                raise InputError("`source` and `destination` are the same store.")
            result = Copy(source, destination, params["overwrite"]).run(params["references"], self._task.check_mode)
        except BitbucketError as error:
            return {"failed": True, "changed": False, "msg": str(error), "reason": error.reason}
        return {**result, "source": source.name, "destination": destination.name}

    def _open(self, params: dict[str, t.Any], which: str) -> Store:
        options = params[f"{which}_options"]
        try:
            return AnySpelling(open_store(params[which], options, self._loader._vault, single=False))
        except BitbucketError as error:
            # It speaks of the option `store`, and there are two of them here.
            raise InputError(f"`{which}`: {error}") from None
