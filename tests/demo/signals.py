"""Ctrl-C and its kin end the demo in good order: at once, but never between starting a child and noting it down."""

from __future__ import annotations

import contextlib
import signal
import types
from collections.abc import Iterator

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """A signal asked for the end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Bell:
    """Raises :class:`Stopped` on the first signal, or once the block that must not be torn is over."""

    def __init__(self) -> None:
        self._deferred = 0
        self._rung: int | None = None

    def ring(self, number: int, _frame: types.FrameType | None) -> None:
        # Whoever asks twice must not stop the cleaning up.
        for ending in ENDINGS:
            signal.signal(ending, signal.SIG_IGN)
        self._rung = number
        self._answer()

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        self._deferred += 1
        try:
            yield
        finally:
            self._deferred -= 1
        self._answer()

    def _answer(self) -> None:
        if self._rung is not None and not self._deferred:
            number, self._rung = self._rung, None
            raise Stopped(number)


_BELL = _Bell()
#: While this block runs, a signal waits.
deferred = _BELL.deferred


def listen() -> None:
    """Take the signals; one that is ignored already, as under nohup, stays ignored."""
    for ending in ENDINGS:
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, _BELL.ring)
