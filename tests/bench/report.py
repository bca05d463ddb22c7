"""Plain output: facts on top, then a table for each measurement."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from .sandbox import LATENCY_MS


@dataclass(frozen=True)
class Line:
    """One figure; with a goal where there is one."""

    what: str
    measured: str
    goal: str = ""
    met: bool | None = None


def facts() -> None:
    versions = {name: importlib.metadata.version(name) for name in ("ansible-core", "requests", "aiohttp")}
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    system = f"{platform.machine()}, {platform.system()} {platform.release()}"
    print(f"machine    {os.cpu_count()} cores, {system}, load {load}")
    print(f"python     {platform.python_implementation()} {platform.python_version()}, {sys.executable}")
    print("packages   " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"simulator  in a process of its own, {LATENCY_MS} ms a request")


def table(title: str, lines: Sequence[Line], notes: Sequence[str] = ()) -> None:
    print(f"\n{title}")
    rows = [("", "measured", "goal", ""), *((line.what, line.measured, line.goal, _verdict(line)) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print(f"  {'  '.join(cells).rstrip()}")
    for note in notes:
        print(f"  ({note})")
    sys.stdout.flush()


def progress(text: str) -> None:
    """Where it is; apart from the tables, so that these can be kept in a file."""
    print(f"… {text}", file=sys.stderr, flush=True)


def _verdict(line: Line) -> str:
    return "" if line.met is None else ("met" if line.met else "MISSED")
