"""Many owners at once: one failure is its own, a refused credential or a server that is gone is everyone's."""

from __future__ import annotations

import threading

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    BitbucketError,
    ConnectError,
    LockoutError,
    RateLimitError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Workers

EVERYONES = [LockoutError("wrong password", 401), ConnectError("nobody there"), RateLimitError("too many", 429)]


class Work:
    """Doubles numbers, fails where told to, and notes what it was called with."""

    def __init__(self, **failures: BitbucketError) -> None:
        self.failures = {int(item.removeprefix("at")): error for item, error in failures.items()}
        self.called: list[int] = []

    def __call__(self, item: int) -> int:
        self.called.append(item)
        if item in self.failures:
            raise self.failures[item]
        return 2 * item


@pytest.mark.parametrize("concurrency", [0, 1, 8])
def test_results_and_errors_come_in_the_order_of_the_items(concurrency):
    work = Work(at3=BitbucketError("three"))
    results = Workers(concurrency).each(work, range(6))
    assert [str(result) for result in results] == ["0", "2", "4", "three", "8", "10"]
    assert Workers(concurrency).each(work, []) == []


def test_the_first_goes_alone_and_then_as_many_as_allowed():
    together = threading.Barrier(3, timeout=5)
    done: list[int] = []

    def work(item: int) -> None:
        if item:
            assert done[:1] == [0]
            together.wait()
        done.append(item)

    Workers(3).each(work, range(4))
    assert sorted(done) == [0, 1, 2, 3]


def test_no_more_than_allowed_work_at_a_time():
    active, most, lock = [0], [0], threading.Lock()

    def work(_item: int) -> None:
        with lock:
            active[0] += 1
            most[0] = max(most[0], active[0])
        threading.Event().wait(0.002)
        with lock:
            active[0] -= 1

    Workers(2).each(work, range(20))
    assert most[0] <= 2


@pytest.mark.parametrize("error", EVERYONES, ids=lambda error: type(error).__name__)
def test_where_it_meets_the_first_nothing_else_is_tried(error):
    work = Work(at0=error)
    with pytest.raises(type(error)):
        Workers(8).each(work, range(6))
    assert work.called == [0]


@pytest.mark.parametrize("error", EVERYONES, ids=lambda error: type(error).__name__)
def test_where_it_meets_a_later_one_the_rest_is_left_untried_and_results_stay(error):
    workers, work = Workers(1), Work(at2=error)
    results = workers.each(work, range(5))
    assert results[:3] == [0, 2, error]
    assert all(isinstance(result, BitbucketError) and "Not tried" in str(result) for result in results[3:])
    again = workers.each(work, [9])
    assert (work.called, str(again[0])[:9]) == ([0, 1, 2], "Not tried")


def test_a_fault_of_our_own_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        Workers(2).each(lambda item: 1 // (item - 2), range(4))


def test_progress_counts_every_item():
    told: list[tuple[int, int]] = []
    Workers(4, lambda done, total: told.append((done, total))).each(Work(at3=BitbucketError("three")), range(6))
    assert told == [(done, 6) for done in range(1, 7)]


@pytest.mark.parametrize("error", EVERYONES, ids=lambda error: type(error).__name__)
def test_where_earlier_results_count_the_first_error_is_one_of_the_results(error):
    work = Work(at0=error)
    results = Workers(8).each(work, range(3), keep_errors=True)
    assert (results[0], work.called) == (error, [0])
    assert ["Not tried" in str(result) for result in results[1:]] == [True, True]
