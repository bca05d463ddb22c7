"""Lets tests import the working tree as ansible_collections.tokensmith.bitbucket, under make and in a bare pytest; and
prints the figures at the end.
"""

from __future__ import annotations

import contextlib
import sys
import typing as t
from collections import Counter
from pathlib import Path

from tests.promises import FULL, figure_of

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / ".cache" / "source"

#: What pytest calls the end of a test, and the figures do. An error comes from what a test needs, before it or after.
OUTCOMES = {
    "passed": "tests passed",
    "failed": "tests failed",
    "error": "tests with errors",
    "skipped": "tests skipped",
}


def lay_source_link() -> None:
    link = SOURCE / "ansible_collections" / "tokensmith" / "bitbucket"
    link.parent.mkdir(parents=True, exist_ok=True)
    # Another worker may be first.
    with contextlib.suppress(FileExistsError):
        link.symlink_to(Path("../../../.."), target_is_directory=True)


lay_source_link()
sys.path.insert(0, str(SOURCE))


def pytest_terminal_summary(terminalreporter: t.Any) -> None:
    """Add up what the tests recorded as ``figure: word``, such as ``crash points: tried``."""
    totals: dict[str, Counter[str]] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()) if getattr(report, "when", "") == "call" else ():
                figure, _colon, word = name.partition(": ")
                totals.setdefault(figure, Counter())[word] += value
    if FULL:
        for outcome, word in OUTCOMES.items():
            for report in terminalreporter.stats.get(outcome, ()):
                if figure := figure_of(report.nodeid):
                    totals.setdefault(figure, Counter())[word] += 1
    for figure, words in totals.items():
        terminalreporter.write_line(f"{figure}: {', '.join(f'{number:,} {word}' for word, number in words.items())}")
