"""One answer to every text, on every Python that a target may have."""

from __future__ import annotations

import datetime
import json
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _times
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._times import (
    from_iso,
    from_server,
    from_task,
    iso,
)
from tests.leaks.cores import interpreter

NOW = 1_768_467_600_000
MIDNIGHT = 1_768_435_200_000
END_OF_TIME = 253_402_300_799_000

READ = {
    "2026-01-15T09:00:00Z": NOW,
    " 2026-01-15t09:00:00z\n": NOW,
    "2026-01-15T09:00:00.5Z": NOW + 500,
    "2026-01-15T09:00:00,25Z": NOW + 250,
    "2026-01-15T09:00:00.123456789Z": NOW + 123,
    "2026-01-15T09:00:00.000+0000": NOW,
    "2026-01-15T09:00": NOW,
    "2026-01-15T09:00Z": NOW,
    "2026-01-15 09:00:00": NOW,
    "2026-01-15 09:00:00 Z": NOW,
    "2026-01-15 10:00:00+0100": NOW,
    "2026-01-15T10:00:00+01:00": NOW,
    "2026-01-15T10:00:00+01": NOW,
    "2026-01-15 10:00:00 +0100": NOW,
    "2026-01-15T03:30:00.000-05:30": NOW,
    "2026-01-15": MIDNIGHT,
    "1969-12-31T23:59:59.500Z": -500,
    "0001-01-01T00:00:00Z": -62_135_596_800_000,
    "9999-12-31T23:59:59Z": END_OF_TIME,
}
REFUSED = [
    # In UTC these are in years that no date has.
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "",
    "soon",
    "yesterday",
    "2026",
    "2026-01",
    "2026-1-15",
    "20260115",
    "20260115T090000Z",
    "2026-W03-4",
    "2026-W03",
    "2026-015",
    "2026-13-01",
    "2026-02-30",
    "2026-02-30T09:00:00Z",
    "2026-01-15T",
    "2026-01-15T09",
    "2026-01-15T09Z",
    "2026-01-15Z",
    "2026-01-15+01:00",
    "2026-01-15T24:00:00Z",
    "2026-01-15T09:60:00Z",
    "2026-01-15T09:00:60Z",
    "2026-01-15T09:00:00.Z",
    "2026-01-15T09:00:00+99:00",
    "2026-01-15T09:00:00+01:60",
    "2026-01-15T09:00:00ZZ",
    "2026-01-15X09:00:00Z",
    "2027-03-31 or whenever",
    "2026-01-15T09:00:00Z or later",
    "1768467600000",
    "\u0662\u0660\u0662\u0666-01-15",
]
TABLE: dict[str, int | None] = {**READ, **dict.fromkeys(REFUSED)}
# Prints what the module makes of each text; it needs nothing but the standard library.
_SCRIPT = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("times", sys.argv[1])
times = importlib.util.module_from_spec(spec)
spec.loader.exec_module(times)
print(json.dumps([times.from_iso(text) for text in json.loads(sys.argv[2])]))
"""


@pytest.mark.parametrize("text", TABLE, ids=repr)
def test_what_is_a_date_or_time(text):
    assert from_iso(text) == TABLE[text]


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.12", "3.13"])
def test_every_python_gives_the_same_answers(version):
    python = interpreter((version,))
    if python is None:
        pytest.skip(f"no Python {version} is installed")
    command = [python, "-I", "-c", _SCRIPT, str(Path(_times.__file__)), json.dumps(list(TABLE))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == list(TABLE.values())


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-01-15", MIDNIGHT),
        ("'2026-01-15'", MIDNIGHT),
        ("2026-01-15T09:00:00Z", NOW),
        ("2026-01-15 09:00:00", NOW),
        ("2026-01-15T10:00:00+01:00", NOW),
        ("2026-01-15T09:00:00.5Z", NOW + 500),
        ("2026", None),
        ("yes", None),
        ("[2026-01-15]", None),
        ("~", None),
    ],
)
def test_what_yaml_makes_of_a_date_without_quotes_is_read(written, expected):
    assert from_task(yaml.safe_load(written)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOW, NOW),
        (float(NOW), NOW),
        ("2026-01-15T09:00:00.000+0000", NOW),
        (0, 0),
        (END_OF_TIME, END_OF_TIME),
        (END_OF_TIME + 1, None),
        (-1, None),
        ("1969-12-31T23:59:59Z", None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (str(NOW), None),
        ("soon", None),
        (None, None),
        ([NOW], None),
    ],
    ids=repr,
)
def test_servers_write_milliseconds_or_iso_8601(value, expected):
    assert from_server(value) == expected


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(NOW + 999, "2026-01-15T09:00:00Z"), (-62_135_596_800_000, "0001-01-01T00:00:00Z"), (None, None)],
)
def test_times_are_written_in_utc_to_the_second(milliseconds: t.Any, text: t.Any) -> None:
    assert iso(milliseconds) == text


def test_a_time_without_a_zone_is_utc_and_not_the_machines():
    assert from_task(datetime.datetime(2026, 1, 15, 9)) == NOW
