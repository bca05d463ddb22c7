"""A real Chromium: the one of the system, never one that is downloaded."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import typing as t
from collections.abc import Iterator

if t.TYPE_CHECKING:
    from playwright.sync_api import Browser

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "there is no Chromium, in which the report is tested: on Debian and Ubuntu, apt-get install chromium"


def chromium() -> str | None:
    """Where the system's Chromium is."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def lack() -> str | None:
    """What is missing, in one sentence."""
    if importlib.util.find_spec("playwright") is None:
        return "the Python package playwright is missing: make venv-test"
    return None if chromium() else MISSING


@contextlib.contextmanager
def running() -> Iterator[Browser]:
    """A headless browser while the block runs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # As root, and in containers, Chromium's own sandbox does not start; the pages are this repository's.
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()
