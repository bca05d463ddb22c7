# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Progress of long work."""

from __future__ import annotations

import collections.abc as c
import contextlib
import time

#: Seconds between two lines.
INTERVAL = 10.0


class Progress:
    """Says how far long work is, at most once in an interval.

    :param say: shows one line.
    :param name: what every line begins with.
    :param clock: seconds that only go forward.
    """

    def __init__(self, say: c.Callable[[str], None], name: str, clock: c.Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._name = name
        self._clock = clock
        self._said = clock()

    def of(self, line: str) -> c.Callable[[int, int], None]:
        """For :class:`Workers`: what to call after each of a number of items.

        :param line: with two places for numbers, of the items that are done and of all.
        """

        def progress(done: int, total: int) -> None:
            now = self._clock()
            if now - self._said >= INTERVAL and done < total:
                self._said = now
                # Progress that cannot be shown must not end the work.
                with contextlib.suppress(OSError):
                    self._say(f"{self._name}: {line.format(f'{done:,}', f'{total:,}')}")

        return progress
