"""Finds the blocks of a page: fenced ones in Markdown, ``code-block`` in reStructuredText, EXAMPLES, header comments.

A block that begins with a comment such as ``# tokens.yml`` is that file; ``# Add to tokens.yml`` appends to it. A block
that cannot run has a comment directly above it: ``<!-- not run: REASON -->`` or ``.. not run: REASON``.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: The languages that are run. Blocks of another language are files if they are named, and else only read.
RUN = ("console", "yaml")
_FENCE = re.compile(r"^( *)```(\S*)$")
_DIRECTIVE = re.compile(r"^( *)\.\. code-block::\s*(\S+)\s*$")
_REASON = re.compile(r"^ *(?:<!--|\.\.|#) not run: (.*?)(?: -->)?$")
_NAME = re.compile(r"^# (?P<add>Add to )?(?P<name>[\w./-]+\.(?:yml|py|ini))(?:[,.:].*)?$")
_HEADER = re.compile(r"^#.*?\b(ansible-playbook (?:-i \S+ )?tokensmith\..*)$")


@dataclass(frozen=True)
class Block:
    """One block as printed, without its indentation."""

    page: str
    line: int
    language: str
    text: str
    reason: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def name(self) -> re.Match[str] | None:
        """The comment that says which file this is; a program may have a line for the shell above it."""
        lines = [line for line in self.text.splitlines() if not line.startswith("#!")]
        return _NAME.match(lines[0]) if lines else None

    @property
    def commands(self) -> list[str]:
        """What is typed after each ``$``, with the lines that continue it."""
        found: list[str] = []
        continued = False
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append(line[2:])
            elif continued:
                found[-1] += f"\n{line}"
            continued = bool(found) and found[-1].endswith("\\")
        return found


@dataclass
class _Reader:
    """Goes through the lines of a page and remembers the reason directly above the next block."""

    page: str
    lines: Sequence[str]
    reason: str = ""
    found: list[Block] = field(default_factory=list)

    def note(self, line: str) -> None:
        match = _REASON.match(line)
        if match:
            self.reason = match[1]
        elif line.strip():
            self.reason = ""

    def add(self, number: int, language: str, body: Sequence[str]) -> None:
        text = textwrap.dedent("\n".join(body)).strip("\n") + "\n"
        self.found.append(Block(self.page, number, language, text, self.reason))
        self.reason = ""


def blocks_of(path: Path, root: Path) -> list[Block]:
    """Every block of one file, in order."""
    page, text = str(path.relative_to(root)), path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return _markdown(page, text)
    if path.suffix == ".rst":
        return _restructured(page, text)
    if path.suffix == ".py":
        return list(_examples(page, text))
    return _header(page, text)


def _markdown(page: str, text: str) -> list[Block]:
    reader = _Reader(page, text.splitlines())
    numbers = iter(range(len(reader.lines)))
    for number in numbers:
        fence = _FENCE.match(reader.lines[number])
        if fence is None:
            reader.note(reader.lines[number])
            continue
        closing = f"{fence[1]}```"
        body = []
        for inner in numbers:
            if reader.lines[inner] == closing:
                break
            body.append(reader.lines[inner])
        reader.add(number + 1, fence[2], body)
    return reader.found


def _restructured(page: str, text: str) -> list[Block]:
    reader = _Reader(page, text.splitlines())
    numbers = iter(range(len(reader.lines)))
    for number in numbers:
        directive = _DIRECTIVE.match(reader.lines[number])
        if directive is None:
            reader.note(reader.lines[number])
            continue
        body = []
        for line in reader.lines[number + 1 :]:
            if line.strip() and len(line) - len(line.lstrip()) <= len(directive[1]):
                break
            body.append(line)
        reader.add(number + 1, directive[2], body)
        for _line in body:
            next(numbers, None)
    return reader.found


def _examples(page: str, text: str) -> Iterator[Block]:
    """EXAMPLES of a plugin; the documents of an inventory plugin's are files of their own."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "EXAMPLES":
            examples = ast.literal_eval(node.value)
            for document in re.split(r"^---\n", examples, flags=re.MULTILINE):
                reader = _Reader(page, document.splitlines())
                for line in reader.lines[:2]:
                    reader.note(line)
                reason = next((match[1] for match in map(_REASON.match, reader.lines) if match), "")
                yield Block(page, node.lineno, "yaml", document.strip("\n") + "\n", reason)


def _header(page: str, text: str) -> list[Block]:
    """The commands in the comment at the top of a playbook."""
    lines = text.splitlines()
    found, commands, first = [], [], 0
    numbers = iter(range(len(lines)))
    for number in numbers:
        if not lines[number].startswith(("#", "---")):
            break
        match = _HEADER.match(lines[number])
        if match is None:
            continue
        first = first or number + 1
        command = match[1]
        while command.endswith("\\"):
            command += "\n" + lines[next(numbers)].lstrip("#")
        commands.append(f"$ {command}")
    if commands:
        found.append(Block(page, first, "console", "\n".join(commands) + "\n"))
    return found
