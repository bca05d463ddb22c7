# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message of a task that fails at the end of a playbook."""

from __future__ import annotations

import collections.abc as c


def failures_in_one(failures: c.Sequence[str], most: int) -> str:
    """All failures in one message, which names the first ones."""
    count = f"{len(failures)} failures: " if len(failures) > 1 else ""
    more = f"; and {len(failures) - most} more, all in the report" if len(failures) > most else ""
    return f"{count}{'; '.join(failures[:most])}{more}"
