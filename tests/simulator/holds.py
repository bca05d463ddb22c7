"""Requests that are stopped half-way until a test lets them go, so that it can kill the client in between."""

from __future__ import annotations

import itertools
import threading
import typing as t
from dataclasses import dataclass, field

from .exchange import Request


@dataclass
class Hold:
    id: int
    method: str
    path: str
    when: str
    released: threading.Event = field(default_factory=threading.Event)
    abandoned: bool = False
    """The server ends: the request is dropped, not served."""


class Holds:
    def __init__(self) -> None:
        self._held: dict[int, Hold] = {}
        self._ids = itertools.count(1)
        self._changed = threading.Condition()

    def begin(self, request: Request, when: str) -> Hold:
        hold = Hold(next(self._ids), request.method, request.path, when)
        with self._changed:
            self._held[hold.id] = hold
            self._changed.notify_all()
        return hold

    def release(self, hold_id: int | None = None, *, abandon: bool = False) -> int:
        """Let one go, or all; the number of those let go."""
        with self._changed:
            chosen = [hold for hold in self._held.values() if hold_id in (None, hold.id)]
            for hold in chosen:
                del self._held[hold.id]
                hold.abandoned = abandon
                hold.released.set()
        return len(chosen)

    def wait(self, count: int = 1, timeout: float = 10) -> bool:
        """Block until so many requests are held; for tests that run the simulator in their own process."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._held) >= count, timeout)

    def __len__(self) -> int:
        return len(self._held)

    def as_list(self) -> list[dict[str, t.Any]]:
        with self._changed:
            held = list(self._held.values())
        return [{"id": hold.id, "method": hold.method, "path": hold.path, "when": hold.when} for hold in held]
