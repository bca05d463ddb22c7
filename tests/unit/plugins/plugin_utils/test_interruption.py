"""Signals request the end of a run."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Interruption
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils import _interruption

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_interruption, "_INTERRUPTION", Interruption())
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in SIGNALS]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_requests_the_end_and_another_changes_nothing(number):
    """Ansible sends both, and the second may come when the work is over but its result is not yet sent."""
    with _interruption.interruptible() as interruption:
        assert not interruption.requested
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)
        assert (interruption.requested, interruption.overdue) == (True, False)
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    with _interruption.interruptible() as again:
        assert again.requested, "the next item of a loop would begin"


def test_without_a_signal_the_handlers_are_those_from_before():
    before = handlers()
    with _interruption.interruptible():
        assert handlers() != before
    assert handlers() == before


def test_a_thread_cannot_handle_signals_and_works_without():
    seen: list[bool] = []

    def work() -> None:
        with _interruption.interruptible() as interruption:
            seen.append(interruption.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
