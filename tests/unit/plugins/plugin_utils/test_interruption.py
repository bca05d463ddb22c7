"""Signals request the end of a run; the handlers of Ansible are back afterwards."""

from __future__ import annotations

import os
import signal

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Interruption
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils import _interruption


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_requests_the_end_and_another_changes_nothing(monkeypatch, number):
    monkeypatch.setattr(_interruption, "_INTERRUPTION", Interruption())
    before = {other: signal.getsignal(other) for other in (signal.SIGTERM, signal.SIGINT)}
    with _interruption.interruptible() as interruption:
        assert not interruption.requested
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), signal.SIGTERM)
        assert (interruption.requested, interruption.overdue) == (True, False)
    assert {other: signal.getsignal(other) for other in before} == before
    with _interruption.interruptible() as again:
        assert again.requested, "the next item of a loop would begin"
