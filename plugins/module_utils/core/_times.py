# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Dates and times: ISO 8601 in, milliseconds since the epoch (UTC) inside, ISO 8601 out.

``datetime.fromisoformat`` accepts other texts on each version of Python, so it is not used.
"""

from __future__ import annotations

import datetime
import re
import typing as t

#: The last moment that ISO 8601 can write with four digits for the year.
END_OF_TIME = 253402300799000
_BEGIN_OF_TIME = -62135596800000

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MILLISECOND = datetime.timedelta(milliseconds=1)
_DATE = r"(\d{4})-(\d\d)-(\d\d)"
_TIME = r"(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
_ZONE = r"(?:Z|([+-])(\d\d)(?::?(\d\d))?)"
_ISO = re.compile(rf"{_DATE}(?:[T ]{_TIME} ?{_ZONE}?)?", re.ASCII | re.IGNORECASE)


def iso(milliseconds: int | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    if milliseconds is None:
        return None
    moment = _EPOCH + datetime.timedelta(seconds=milliseconds // 1000)
    return f"{moment.replace(tzinfo=None).isoformat()}Z"


def from_iso(text: str) -> int | None:
    """Milliseconds since the epoch for a calendar date, which means its first moment, or a date and time; ``None`` for
    other text. UTC unless it names a zone. Digits beyond milliseconds are dropped.
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    *numbers, fraction, sign, zone_hours, zone_minutes = match.groups(default="0")
    year, month, day, hour, minute, second = map(int, numbers)
    microsecond = int(f"{fraction:0<3}"[:3]) * 1000
    try:
        zone = _zone(sign, int(zone_hours), int(zone_minutes))
        moment = datetime.datetime(year, month, day, hour, minute, second, microsecond, zone)
    except ValueError:
        return None
    milliseconds = (moment - _EPOCH) // _MILLISECOND
    # In UTC it may be in a year that no date has.
    return milliseconds if _BEGIN_OF_TIME <= milliseconds <= END_OF_TIME else None


def from_task(value: t.Any) -> int | None:
    """As :func:`from_iso`, also for what YAML makes of a date or time without quotes; ``None`` for anything else."""
    if isinstance(value, datetime.date):
        value = value.isoformat()
    return from_iso(value) if isinstance(value, str) else None


def from_server(value: t.Any) -> int | None:
    """As :func:`from_iso`, also for a number of milliseconds; ``None`` for anything else and any other century."""
    milliseconds = from_iso(value) if isinstance(value, str) else value
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, (int, float)):
        return None
    return int(milliseconds) if 0 <= milliseconds <= END_OF_TIME else None


def _zone(sign: str, hours: int, minutes: int) -> datetime.timezone:
    """The offset from UTC.

    :raises ValueError: for more than a day or an hour.
    """
    if minutes > 59:
        raise ValueError
    offset = datetime.timedelta(hours=hours, minutes=minutes)
    return datetime.timezone(-offset if sign == "-" else offset)
