# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Doing the same for many owners at once. One owner's failure stops nobody else; what fails for all stops all."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import FOR_ALL, BitbucketError

_Item = t.TypeVar("_Item")
_Result = t.TypeVar("_Result")


class Workers:
    """A number of threads that stop together once the server refuses the credential they share, is gone, or answers
    with nothing but its rate limit.

    :param progress: is called with the number of items that are done and the number of all of them.
    """

    def __init__(self, concurrency: int, progress: t.Callable[[int, int], None] = lambda _done, _all: None) -> None:
        self._concurrency = max(1, concurrency)
        self._progress = progress
        self._stopped = threading.Event()

    def note(self, error: BitbucketError | None) -> None:
        """Leave untried whatever has not begun where ``error`` is not one owner's own.

        One more failed login could lock the account, and waiting for a server that is gone, or for its rate limit, once
        for each of thousands of owners takes hours or days.
        """
        if error is not None and error.reason in FOR_ALL:
            self._stopped.set()

    def each(
        self, function: t.Callable[[_Item], _Result], items: t.Sequence[_Item], keep_errors: bool = False
    ) -> list[_Result | BitbucketError]:
        """Call ``function`` with every item; results and errors in the items' order.

        The first item goes alone, so that a wrong password costs one failed login and not one per thread.

        :param keep_errors: whether the first item's error is returned like those of the others, because earlier results
            are of use without these.
        :raises BitbucketError: if the first item fails in a way that the others would too.
        """
        results = [self._guarded(function, item) for item in items[:1]]
        for result in results:
            if isinstance(result, BitbucketError) and result.reason in FOR_ALL and not keep_errors:
                raise result
        if len(items) > 1:
            results.extend(self._together(function, items[1:], len(results)))
        return results

    def _together(
        self, function: t.Callable[[_Item], _Result], items: t.Sequence[_Item], done: int
    ) -> list[_Result | BitbucketError]:
        # Loaded here, since a run about one owner does without.
        from concurrent.futures import ThreadPoolExecutor

        results: dict[int, _Result | BitbucketError] = {}
        pending = iter(enumerate(items))
        lock = threading.Lock()

        def work() -> None:
            while True:
                with lock:
                    position, item = next(pending, (-1, None))
                if position < 0:
                    return
                result = self._guarded(function, t.cast("_Item", item))
                with lock:
                    results[position] = result
                    self._progress(done + len(results), done + len(items))

        with ThreadPoolExecutor(self._concurrency) as pool:
            # One task for each thread and not for each item, of which there may be many thousands.
            for future in [pool.submit(work) for _thread in range(min(self._concurrency, len(items)))]:
                future.result()
        return [results[position] for position in range(len(items))]

    def _guarded(self, function: t.Callable[[_Item], _Result], item: _Item) -> _Result | BitbucketError:
        if self._stopped.is_set():
            return BitbucketError(
                "Not tried: the server has refused the credential, is gone, or allows no more requests, meanwhile.",
                "stopped",
            )
        try:
            return function(item)
        except BitbucketError as error:
            self.note(error)
            return error
