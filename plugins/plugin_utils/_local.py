# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work in the process of an action plugin, on the controller."""

from __future__ import annotations

import collections.abc as c
import contextlib
import os
import typing as t

from ansible.plugins.action import ActionBase


@contextlib.contextmanager
def task_environment(action: ActionBase) -> c.Iterator[None]:
    """Set the environment variables that the task and its play declare, as Ansible does for a module."""
    wanted: dict[str, t.Any] = {}
    action._compute_environment_string(wanted)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update({name: str(value) for name, value in wanted.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
