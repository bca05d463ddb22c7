# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGTERM and SIGINT (Ctrl-C, a canceled job) end a run in order: what was issued is still delivered."""

from __future__ import annotations

import collections.abc as c
import contextlib
import signal
import threading
import types

from ..module_utils.core._workers import Interruption

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# One for the process: after a signal, the remaining items of a loop do nothing either.
_INTERRUPTION = Interruption()


@contextlib.contextmanager
def interruptible() -> c.Iterator[Interruption]:
    """Have signals request the end of the run. Ansible sends both, one after the other: the second changes nothing."""

    def request(_number: int, _frame: types.FrameType | None) -> None:
        _INTERRUPTION.request()

    if threading.current_thread() is not threading.main_thread():
        # Only the main thread can handle signals.
        yield _INTERRUPTION
        return
    before = {number: signal.signal(number, request) for number in _SIGNALS}
    try:
        yield _INTERRUPTION
    finally:
        # After a signal the handlers stay: another one must not end this process before it has returned its result.
        if not _INTERRUPTION.requested:
            for number, handler in before.items():
                signal.signal(number, handler if handler is not None else signal.SIG_DFL)
