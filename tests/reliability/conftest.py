"""How much is tried, and the figures at the end."""

from __future__ import annotations

import os
import typing as t
from collections import Counter
from pathlib import Path

import pytest

#: ``RELIABILITY=full``: every point, instead of a sample that takes a minute or two.
FULL = os.environ.get("RELIABILITY") == "full"
BUILT = Path(__file__).resolve().parents[2] / ".cache" / "collections" / "ansible_collections" / "tokensmith"


@pytest.fixture
def built() -> None:
    if not BUILT.exists():
        pytest.skip("the collection is not built: make build")


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """Add up what the tests recorded as ``figure: word``, such as ``crash points: tried``."""
    totals: dict[str, Counter[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()) if getattr(report, "when", "") == "call" else ():
                figure, _colon, word = name.partition(": ")
                totals.setdefault(figure, Counter())[word] += value
    for figure, words in totals.items():
        terminalreporter.write_line(f"{figure}: {', '.join(f'{number:,} {word}' for word, number in words.items())}")
