"""The server's clock. It drives the ``Date`` header and every stored instant, and tests move it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

UTC = timezone(timedelta(0))  # datetime.UTC is not there on 3.10
DAY_MS = 86_400_000
DEFAULT_START = "2026-01-15T09:00:00Z"


def to_ms(at: str | int | datetime) -> int:
    """Epoch milliseconds of an ISO 8601 text (UTC unless it says otherwise), a datetime, or itself."""
    if isinstance(at, int):
        return at
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def iso_of(at: int, style: str) -> str:
    """ISO 8601 as the switches ``time_format`` name it."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    if style == "offset":
        return moment.isoformat(timespec="milliseconds")
    precision = {"iso": "seconds", "iso_millis": "milliseconds", "iso_micros": "microseconds"}[style]
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


class Clock:
    """Frozen at a fixed instant by default (unit tests); ``Clock(frozen=False)`` is real time plus an offset."""

    def __init__(self, at: str | int | datetime | None = None, *, frozen: bool = True) -> None:
        self._offset_ms = 0
        self._frozen_ms: int | None = to_ms(DEFAULT_START if at is None else at) if frozen else None
        if at is not None:
            self.set(at)

    @property
    def frozen(self) -> bool:
        return self._frozen_ms is not None

    def now_ms(self) -> int:
        if self._frozen_ms is not None:
            return self._frozen_ms
        return time.time_ns() // 1_000_000 + self._offset_ms

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def set(self, at: str | int | datetime) -> None:
        self._move(to_ms(at) - self.now_ms())

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        self._move(round(days * DAY_MS + hours * 3_600_000 + minutes * 60_000 + seconds * 1000))

    def freeze(self) -> None:
        self._frozen_ms = self.now_ms()

    def unfreeze(self) -> None:
        if self._frozen_ms is not None:
            self._offset_ms = self._frozen_ms - time.time_ns() // 1_000_000
            self._frozen_ms = None

    def http_date(self, age_seconds: float = 0) -> str:
        return formatdate(self.now_ms() // 1000 - age_seconds, usegmt=True)

    def _move(self, delta_ms: int) -> None:
        if self._frozen_ms is not None:
            self._frozen_ms += delta_ms
        else:
            self._offset_ms += delta_ms
