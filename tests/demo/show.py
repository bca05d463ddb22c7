"""What the demo prints: calm, one line per step, and a table at the end."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .history import RunRecord

#: Lines longer than this are hard to read, however wide the terminal is.
WIDEST = 100


class Screen:
    """Prints to the terminal; without one, plain text of 80 columns."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=False)
        self._step = 0

    def title(self, text: str, below: str) -> None:
        self._console.print(Text(text, style="bold"))
        self._console.print(Text(below))

    def step(self, text: str) -> None:
        """What is about to be done."""
        self._step += 1
        self._console.print()
        self._hanging(Text(f"{self._step}. ", style="bold cyan"), text, "bold")

    def command(self, *lines: str) -> None:
        """A command as a user can type it; never wrapped, so that it can be copied."""
        text = f" \\\n{' ' * 7}".join(lines)
        self._console.print(Text(f"   $ {text}", style="cyan"), no_wrap=True, overflow="ignore", crop=False)

    def found(self, text: str, seconds: float | None = None) -> None:
        """What came of it."""
        # A hard space: the unit is not to begin a line.
        took = "" if seconds is None else f" ({seconds:.1f}\xa0s)"
        self._hanging(Text("   ✓ ", style="green"), f"{text}{took}", "")

    def _hanging(self, mark: Text, text: str, style: str) -> None:
        """Text that is indented below its mark where it needs more than a line."""
        lines = textwrap.wrap(text, min(self._console.width, WIDEST) - len(mark), break_on_hyphens=False)
        joined = f"\n{' ' * len(mark)}".join(lines)
        self._console.print(Text.assemble(mark, (joined, style)), soft_wrap=True)

    def history(self, records: Sequence[RunRecord]) -> None:
        """Every token in every run, and below them the figures of the run."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
        table.add_column("Project", style="bold", no_wrap=True)
        table.add_column("Token", no_wrap=True)
        for number, record in enumerate(records, 1):
            table.add_column(f"Run {number}\nday {record.day}", no_wrap=True)
        rows = sorted({reference for record in records for reference in record.events})
        previous = ""
        for owner, name in rows:
            cells = [record.events.get((owner, name), "kept") for record in records]
            new = owner != previous
            table.add_row(owner if new else "", name, *map(_cell, cells))
            previous = owner
        table.add_section()
        for label, values in _figures(records):
            table.add_row(label, "", *values)
        self._console.print()
        self._console.print(table)

    def end(self, text: str) -> None:
        self._console.print(Text(text, style="bold green"))


def _cell(event: str) -> Text:
    styles = {"kept": "dim", "issued": "green", "rotated": "yellow", "old retired": "magenta"}
    return Text(event, style=styles[event])


def _figures(records: Sequence[RunRecord]) -> list[tuple[str, list[str]]]:
    return [
        ("changed", [str(record.changed) for record in records]),
        ("valid tokens", [str(record.alive) for record in records]),
        ("requests", [str(record.requests) for record in records]),
        ("seconds", [f"{record.seconds:.1f}" for record in records]),
    ]
