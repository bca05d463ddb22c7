# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Doing the same for many owners at once, so that one failure stops nobody else, save for a refused credential."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils._errors import BitbucketError, LockoutError

_Item = t.TypeVar("_Item")
_Result = t.TypeVar("_Result")


class Workers:
    """A number of threads that stop together once the server has refused the credential they share."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = max(1, concurrency)
        self._refused = threading.Event()

    def refused(self) -> None:
        """Leave untried whatever has not begun: one more failed login could lock the account."""
        self._refused.set()

    def each(self, function: t.Callable[[_Item], _Result], items: t.Sequence[_Item]) -> list[_Result | BitbucketError]:
        """Call ``function`` with every item; results and errors in the items' order.

        The first item goes alone, so that a wrong password costs one failed login and not one per thread.

        :raises LockoutError: where the first item's credential is refused.
        """
        results = [self._guarded(function, item) for item in items[:1]]
        for result in results:
            if isinstance(result, LockoutError):
                raise result
        if len(items) > 1:
            # Loaded here, since a run about one owner does without.
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(self._concurrency) as pool:
                results.extend(pool.map(lambda item: self._guarded(function, item), items[1:]))
        return results

    def _guarded(self, function: t.Callable[[_Item], _Result], item: _Item) -> _Result | BitbucketError:
        if self._refused.is_set():
            return LockoutError("Not tried, since the server has refused the credential meanwhile.", 401)
        try:
            return function(item)
        except LockoutError as error:
            self.refused()
            return error
        except BitbucketError as error:
            return error
