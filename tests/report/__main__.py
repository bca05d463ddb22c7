"""``python -m tests.report DIRECTORY``: pictures of the report for the documentation, always of the same tokens."""

from __future__ import annotations

import sys
import tempfile
import typing as t
from pathlib import Path

from . import sample
from .browser import lack, running

#: Name, width, height, colours.
PICTURES: list[tuple[str, int, int, t.Literal["light", "dark"]]] = [
    ("audit-light.png", 1240, 1720, "light"),
    ("audit-dark.png", 1240, 1720, "dark"),
    ("audit-mobile.png", 360, 1800, "light"),
]


def main() -> int:
    missing = lack()
    if missing:
        print(f"screenshots: {missing}", file=sys.stderr)
        return 2
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, running() as browser:
        report = Path(place, "audit.html")
        report.write_text(sample.page(*sample.company()), encoding="utf-8")
        for name, width, height, colours in PICTURES:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=colours)
            page.goto(report.as_uri())
            page.screenshot(path=target / name)
            page.close()
            print(target / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
