# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The same work for many owners at once. The failure of one owner stops no other; a failure of all stops all."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
import typing as t

from ._errors import FOR_ALL, BitbucketError

_Item = t.TypeVar("_Item")
_Result = t.TypeVar("_Result")

#: Seconds between two looks for an interruption.
_POLL = 0.2
#: Seconds after an interruption that requests under way may still take.
_PATIENCE = 3.5


class Interruption:
    """Whether somebody asked this run to end. Signal handlers set it; the run looks at it before each step."""

    def __init__(self) -> None:
        self._since: float | None = None

    def request(self) -> None:
        """Ask the run to end. Asking again changes nothing."""
        if self._since is None:
            self._since = time.monotonic()

    @property
    def requested(self) -> bool:
        """Whether the run must begin nothing more."""
        return self._since is not None

    @property
    def overdue(self) -> bool:
        """Whether requests under way are no longer waited for."""
        return self._since is not None and time.monotonic() > self._since + _PATIENCE


class Workers:
    """Threads that stop together once the server refuses the credential they share, is gone, answers with nothing but
    its rate limit, or the run is interrupted.

    :param progress: see the attribute.
    """

    def __init__(
        self,
        concurrency: int,
        progress: t.Callable[[int, int], None] = lambda _done, _all: None,
        interruption: Interruption | None = None,
    ) -> None:
        self._concurrency = max(1, concurrency)
        #: Is called with the number of items that are done and the number of all of them.
        self.progress = progress
        self._stopped = threading.Event()
        self._interruptible = interruption is not None
        self._interruption = interruption or Interruption()

    @property
    def failed(self) -> bool:
        """Whether the server refused the credential, is gone, or allows no more requests."""
        return self._stopped.is_set()

    @property
    def stopped(self) -> bool:
        """Whether nothing more is begun."""
        return self.failed or self._interruption.requested

    def note(self, error: BitbucketError | None) -> None:
        """Begin nothing more if ``error`` is not one owner's own.

        One more failed login could lock the account, and waiting for a server that is gone, or for its rate limit, once
        for each of thousands of owners takes hours or days.
        """
        if error is not None and error.reason in FOR_ALL:
            self._stopped.set()

    def each(
        self,
        function: t.Callable[[_Item], _Result],
        items: t.Sequence[_Item],
        *,
        receive: t.Callable[[list[_Result]], None] = lambda _results: None,
        keep_errors: bool = False,
    ) -> list[_Result | BitbucketError]:
        """Call ``function`` with every item; results and errors in the items' order.

        The first item goes alone, so that a wrong password costs one failed login and not one per thread.

        :param receive: gets results as they arrive, in the caller's thread.
        :param keep_errors: whether the first item's error is returned like those of the others, because earlier results
            are of use without these.
        :raises BitbucketError: if the first item fails in a way that the others would too.
        """
        results: list[_Result | BitbucketError] = [interrupted()] * len(items)
        finished = 0
        for numbers in (range(min(1, len(items))), range(1, len(items))):
            for arrived in self._arrivals(function, items, numbers):
                # First, since the results may hold the only copy of a secret.
                receive([result for _number, result in arrived if not isinstance(result, BitbucketError)])
                for number, result in arrived:
                    results[number] = result
                    finished += 1
                    self.progress(finished, len(items))
            first = results[0] if results else None
            if isinstance(first, BitbucketError) and first.reason in FOR_ALL and not keep_errors:
                raise first
        return results

    def _arrivals(
        self, function: t.Callable[[_Item], _Result], items: t.Sequence[_Item], numbers: t.Sequence[int]
    ) -> t.Iterator[list[tuple[int, _Result | BitbucketError]]]:
        """Results with the numbers of their items, as they arrive; ends early once an interruption is overdue."""
        if not numbers:
            return
        if len(numbers) == 1 and not self._interruptible:
            yield [(numbers[0], self._guarded(function, items[numbers[0]]))]
            return
        # Loaded here, since most imports of this file are for runs that end before.
        from multiprocessing.pool import ThreadPool

        arrived: queue.SimpleQueue[tuple[int, _Result | BitbucketError]] = queue.SimpleQueue()
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in numbers:
            waiting.put(number)

        def work() -> None:
            with contextlib.suppress(queue.Empty):
                while True:
                    number = waiting.get_nowait()
                    arrived.put((number, self._guarded(function, items[number])))

        # Its threads do not keep the process alive: an interrupted run does not wait for a server that hangs.
        pool = ThreadPool(min(self._concurrency, len(numbers)))
        try:
            # One task for each thread and not for each item, of which there may be many thousands.
            tasks = [pool.apply_async(work) for _thread in range(min(self._concurrency, len(numbers)))]
            left = len(numbers)
            while left and not self._interruption.overdue:
                some = _waiting(arrived)
                left -= len(some)
                if some:
                    yield some
                else:
                    self._raise_defects(tasks)
        finally:
            pool.terminate()

    def _raise_defects(self, tasks: t.Sequence[t.Any]) -> None:
        """A defect of our own ends all threads. What they have done until then is received before it is raised."""
        if any(task.ready() and not task.successful() for task in tasks):
            self._stopped.set()
            if all(task.ready() for task in tasks):
                for task in tasks:
                    task.get()

    def _guarded(self, function: t.Callable[[_Item], _Result], item: _Item) -> _Result | BitbucketError:
        if self._interruption.requested:
            return interrupted()
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


def _waiting(arrived: queue.SimpleQueue[_Item]) -> list[_Item]:
    """What is in the queue, after waiting a moment for something to be."""
    found = []
    with contextlib.suppress(queue.Empty):
        found.append(arrived.get(timeout=_POLL))
        while True:
            found.append(arrived.get_nowait())
    return found


def interrupted() -> BitbucketError:
    """The error of work that was not done since the run was interrupted."""
    return BitbucketError("Not finished: the run was interrupted.", "interrupted")
