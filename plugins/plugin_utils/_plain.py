# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of Ansible as plain data. Its own types do not serialize, and some of them cannot be copied."""

from __future__ import annotations

import collections.abc as c
import typing as t


def plain(value: t.Any) -> t.Any:
    """Without Ansible's own types, which do not serialize."""
    if isinstance(value, c.Mapping):
        return {str.__str__(str(name)): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str.__str__(str(value))
