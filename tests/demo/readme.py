"""The first example of README.md: what the demo declares, and the commands that it types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.documented.blocks import Block, blocks_of

from .simulation import ROOT

DECLARATION, CONSUMER = "tokens.yml", "list_repositories.yml"


class ReadmeError(Exception):
    """README.md has no such example."""


@dataclass(frozen=True)
class Example:
    """A file as printed, and the commands of the next console block."""

    text: str
    commands: Sequence[str]


def example(name: str) -> Example:
    """The example whose file has this name.

    :raises ReadmeError: where README.md prints no such file, or no command after it.
    """
    blocks = iter(blocks_of(ROOT / "README.md", ROOT))
    for block in blocks:
        if block.name and block.name["name"] == name:
            return Example(block.text, _next_commands(blocks, name))
    raise ReadmeError(f"README.md prints no {name}")


def _next_commands(blocks: Iterator[Block], name: str) -> Sequence[str]:
    for block in blocks:
        if block.commands:
            return block.commands
    raise ReadmeError(f"README.md prints no command after {name}")
