"""Plain output: facts on top, then a table for each measurement."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.demo.simulation import ROOT

from .sandbox import LATENCY_MS

GUIDE = ROOT / "docs" / "docsite" / "rst" / "guide_speed.rst"
BEGIN, END = ".. The table is written by make bench.\n", ".. End of the table.\n"
NOT_MEASURED = "not measured yet"


@dataclass(frozen=True)
class Line:
    """One figure; with a goal where there is one."""

    what: str
    measured: str
    goal: str = ""
    met: bool | None = None


class Goal(t.NamedTuple):
    """A row of the summary: two figures whose ratio counts, or one figure."""

    work: str
    compared: str
    goal: str

    def measured(self, what: str, value: float, text: str) -> Line:
        """The line of a figure; ``value`` is compared with the number of the goal."""
        limit = float(self.goal.split()[1])
        met = value >= limit if self.goal.startswith("≥") else value <= limit
        SUMMARY[self] = text
        return Line(what, text, self.goal, met)


#: What was measured, by row.
SUMMARY: dict[Goal, str] = {}


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


def summary(goals: Sequence[Goal]) -> str:
    """The rows of the guide's table."""
    lines = [".. list-table::", "  :header-rows: 1", "  :widths: 40 40 10 10", ""]
    for cells in (("Work", "Compared with", "Measured", "Goal"), *(_row(goal) for goal in goals)):
        lines += [f"  {'*' if at == 0 else ' '} - {cell}".rstrip() for at, cell in enumerate(cells)]
    return "\n".join([*lines, ""])


def _row(goal: Goal) -> tuple[str, ...]:
    return goal.work, goal.compared or "–", SUMMARY.get(goal, NOT_MEASURED), goal.goal


def write(goals: Sequence[Goal], guide: Path = GUIDE) -> None:
    """Put the table into the guide, with the machine that it was measured on."""
    before, _begin, rest = guide.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    text = f"{before}{BEGIN}\n{summary(goals)}\n{machine()}\n\n{END}{after}"
    guide.write_text(text, encoding="utf-8")


def machine() -> str:
    core = importlib.metadata.version("ansible-core")
    cores = os.cpu_count()
    return f"Measured with {cores} cores, Python {platform.python_version()} and ansible-core {core}."


def progress(text: str) -> None:
    """Where it is; apart from the tables, so that these can be kept in a file."""
    print(f"… {text}", file=sys.stderr, flush=True)


def _verdict(line: Line) -> str:
    return "" if line.met is None else ("met" if line.met else "MISSED")
