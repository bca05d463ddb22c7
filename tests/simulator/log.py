"""The log of requests: what a test counts and orders."""

from __future__ import annotations

import typing as t
from collections import Counter, deque
from dataclasses import asdict, dataclass

LONGEST = 200_000


@dataclass(frozen=True)
class LogEntry:
    method: str
    path: str
    query: str
    user: str | None
    status: int
    """What the client saw; 0 is no answer at all."""
    fault: str | None
    arrived: int
    answered: int
    """Epoch milliseconds by the simulator's clock."""
    host: str = ""


class RequestLog:
    def __init__(self) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=LONGEST)

    def add(self, entry: LogEntry) -> None:
        self._entries.append(entry)

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> t.Iterator[LogEntry]:
        return iter(list(self._entries))

    def __getitem__(self, index: int) -> LogEntry:
        return self._entries[index]

    def count(self, method: str | None = None) -> int:
        return len(self) if method is None else self.counts().get(method, 0)

    def counts(self) -> dict[str, int]:
        return dict(Counter(entry.method for entry in self))

    def as_list(self) -> list[dict[str, t.Any]]:
        return [asdict(entry) for entry in self]
