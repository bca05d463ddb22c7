"""D16: from ``expiryDays`` to an expiry date, with every answer that is not known as a switch."""

from __future__ import annotations

from .clock import DAY_MS
from .errors import invalid
from .switches import ExpiryOddity, Switches

MAX_INT32 = 2**31 - 1


def expiry_for(value: object, created: int, switches: Switches) -> int | None:
    """The instant in epoch milliseconds, None for never, or 400."""
    days = _days(value, switches)
    if days is None or switches.expiry_ignored:
        return None
    if switches.expiry_clamp_days is not None:
        days = min(days, switches.expiry_clamp_days)
    expires = created + days * DAY_MS  # D16 [inferred]
    if switches.expiry_rounding == "up":
        expires = -(-expires // DAY_MS) * DAY_MS
    elif switches.expiry_rounding == "down":
        expires = expires // DAY_MS * DAY_MS
    return expires + switches.expiry_shift_hours * 3_600_000


def _days(value: object, switches: Switches) -> int | None:
    maximum = switches.max_expiry_days
    if value is None:
        return _missing(switches)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_INT32:
        raise invalid("expiryDays", "expiryDays must be a whole number")  # D6 [doc]: int32
    if value <= 0:
        return _odd(value, switches.expiry_zero if value == 0 else switches.expiry_negative, switches)
    if maximum is not None and value > maximum:
        if switches.expiry_over_maximum == "refuse":
            # D16 [doc]: 400; its text is not known
            raise invalid("expiryDays", f"The expiry must not be later than {maximum} days from now")
        return maximum if switches.expiry_over_maximum == "clamp" else value
    return value


def _missing(switches: Switches) -> int | None:
    required = switches.expiry_required or switches.max_expiry_days is not None
    if not required or switches.expiry_missing == "never":
        return None
    if switches.expiry_missing == "maximum" and switches.max_expiry_days is not None:
        return switches.max_expiry_days
    raise invalid("expiryDays", "An expiry is required")  # D16 [doc]: 400; its text is not known


def _odd(days: int, answer: ExpiryOddity, switches: Switches) -> int | None:
    """D16 [unknown]: zero and less."""
    if answer == "refuse":
        raise invalid("expiryDays", "expiryDays must be greater than 0")
    return _missing(switches) if answer == "never" else days
