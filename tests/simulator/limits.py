"""D27: a token bucket per user, off by default."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .clock import Clock
from .errors import error_response
from .exchange import Response
from .switches import Switches


@dataclass
class Bucket:
    level: float
    at: int


class RateLimiter:
    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def take(self, who: str, now: int, capacity: int, refill: float) -> int | None:
        """Take one from a bucket; where it is empty, the whole seconds until it is not."""
        bucket = self._buckets.setdefault(who, Bucket(float(capacity), now))
        gained = max(0, now - bucket.at) / 1000 * refill
        bucket.level, bucket.at = min(float(capacity), bucket.level + gained), now
        if bucket.level >= 1:
            bucket.level -= 1
            return None
        return math.ceil((1 - bucket.level) / refill) if refill > 0 else 60

    def refusal(self, user: str | None, clock: Clock, switches: Switches) -> Response | None:
        """An answer when the user's bucket is empty. Anonymous calls have no bucket."""
        capacity = switches.rate_limit_capacity
        if capacity <= 0 or user is None:
            return None
        wait = self.take(user, clock.now_ms(), capacity, switches.rate_limit_refill)
        return None if wait is None else too_many_requests(wait, clock, switches)


def too_many_requests(wait: int, clock: Clock, switches: Switches) -> Response:
    """D27 [live] for 429 and whole seconds; the body is not recorded."""
    response = error_response(429, "Too many requests", shape=switches.rate_limit_body)
    if switches.retry_after == "seconds":
        response.headers["Retry-After"] = str(wait)
    elif switches.retry_after == "date":
        response.headers["Retry-After"] = clock.http_date(age_seconds=-wait)
    return response
