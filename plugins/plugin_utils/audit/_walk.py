# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at every owner, a batch at a time, and saying on the way how far it is."""

from __future__ import annotations

import collections.abc as c
import time
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _permissions
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Token, owner_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._census import Failure
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._directory import Place
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Listing, Walked

Result = dict[str, t.Any]
#: Runs the module with what it is told.
ModuleCall = c.Callable[[Result], Result]

#: Seconds that a batch is meant to take, and so between two lines of progress: a log is not flooded by them.
INTERVAL = 10.0
FIRST, LARGEST = 200, 2000
# After these every further request is of no use, or does harm.
_FATAL = ("credential", "unreachable", "stopped")


class Walk:
    """One audit's reading.

    :param call: runs the module.
    :param say: shows progress.
    :param clock: seconds that only go forward.
    """

    def __init__(
        self, call: ModuleCall, say: c.Callable[[str], None], clock: c.Callable[[], float] = time.monotonic
    ) -> None:
        self._call = call
        self._say = say
        self._clock = clock
        self._said = clock()
        self._listings: list[Listing] = []
        self._unread: list[Failure] = []
        self._guessed: frozenset[str] = frozenset()

    def run(self) -> Walked:
        """Read everything that can be read.

        :raises BitbucketError: where that is nothing at all.
        """
        found = self._checked(self._call({}), "places")
        places = {path: Place(owner_of(path), title, link, gone) for path, title, link, gone in found["places"]}
        self._unread.extend(Failure(**failure) for failure in found["unread"])
        self._guessed = frozenset(found["guessed"])
        todo, size = list(places), FIRST
        while todo:
            started = self._clock()
            batch, todo = todo[:size], todo[size:]
            if not self._batch(batch, places):
                self._unread.extend(Failure(path, "stopped", _STOPPED) for path in todo)
                break
            self._progress(len(places) - len(todo), len(places))
            size = _next_size(len(batch), self._clock() - started)
        return Walked(found["url"], tuple(self._listings), tuple(self._unread), tuple(found["notes"]))

    def _batch(self, paths: list[str], places: c.Mapping[str, Place]) -> bool:
        """Read some owners; whether it makes sense to go on."""
        try:
            result = self._checked(self._call({"owners": paths}), "listings")
        except BitbucketError as error:
            if not self._listings:
                raise
            self._unread.extend(Failure.of(path, error) for path in paths)
            return False
        for listing in result["listings"]:
            tokens = tuple(
                Token(token_id, name, _permissions.listed(names), *times)
                for token_id, name, names, *times in listing["tokens"]
            )
            self._listings.append(Listing(places[listing["owner"]], tokens, listing["now"]))
        failures = [Failure(**failure) for failure in result["unread"]]
        self._unread.extend(failure for failure in failures if not self._never_was(failure))
        return not any(failure.reason in _FATAL for failure in failures)

    def _never_was(self, failure: Failure) -> bool:
        return failure.reason == "not_found" and owner_of(failure.owner).project in self._guessed

    def _checked(self, result: Result, key: str) -> Result:
        if key not in result:
            raise BitbucketError(str(result.get("msg")), str(result.get("reason", "error")))
        return result

    def _progress(self, done: int, total: int) -> None:
        now = self._clock()
        if now - self._said >= INTERVAL * 0.9 and done < total:
            self._said = now
            self._say(f"audit: {done:,} of {total:,} owners")


_STOPPED = "Not tried: the server has refused the credential, or is gone, meanwhile."


def _next_size(size: int, seconds: float) -> int:
    """As many owners as an interval has room for, by the pace of the last batch."""
    return max(FIRST // 4, min(LARGEST, int(size * INTERVAL / max(seconds, 0.01))))
