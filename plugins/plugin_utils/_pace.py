# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many owners one call looks at, so that what it decides by is still fresh when it acts; and when to give up."""

from __future__ import annotations

import collections
import collections.abc as c

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._limits import BATCH

#: An owner of more tokens than so many calls can see to has another problem, and so has a server that never ends.
_MOST_TURNS = 100
#: So many owners in a row, each looked at alone and too long, speak of the server and not of themselves.
_MOST_SLOW = 3


class Pace:
    """Learns from each call. Where one did nothing in time, the next looks at half as many owners."""

    def __init__(self) -> None:
        self.most = BATCH
        self._turns: collections.Counter[str] = collections.Counter()
        self._slow = 0

    @property
    def hopeless(self) -> bool:
        """Whether to leave all that is left to the next run."""
        return self._slow >= _MOST_SLOW

    def begin(self) -> None:
        """What took long before was for another purpose."""
        self._slow = 0

    def note(self, owners: c.Sequence[str], left: c.Collection[str], done: bool) -> list[str]:
        """Take notice of a call.

        :param left: those of its owners that it left something to do for.
        :param done: whether it did anything.
        :returns: those of ``left`` to give up.
        """
        self._turns.update(left)
        self.most = min(BATCH, 2 * self.most) if done else max(1, len(owners) // 2)
        alone = not done and len(owners) == 1
        self._slow = self._slow + 1 if alone else 0 if done else self._slow
        return [owner for owner in left if alone or self._turns[owner] > _MOST_TURNS]
