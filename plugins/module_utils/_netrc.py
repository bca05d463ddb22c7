# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Netrc files, read as curl reads them for git: words in any layout, quotes, comments, macros.

The standard library's parser gives no positions, so that nothing could be removed by it.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _entries
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._entries import Edit, Edits, Entry

# A quote that is not closed on its line is a character like any other: it may not swallow the rest of the file.
_WORD = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|[^ \t\r\n]+')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_END_OF_MACRO = re.compile(r"\n\r?\n")
_SAFE = re.compile(r'[^\s"#\\][^\s"\\]*')

_LOGIN = ("login", "user")
_PASSWORD = ("password", "passwd")


class Word(t.NamedTuple):
    start: int
    end: int
    raw: str

    @property
    def value(self) -> str:
        if len(self.raw) > 1 and self.raw[0] == self.raw[-1] == '"':
            return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), self.raw[1:-1])
        return self.raw


@dataclass
class Machine:
    """What follows ``machine NAME``, or ``default``, up to the next one.

    :param name: ``None`` for ``default``.
    :param runs: from where to where its words go, comments left out.
    """

    name: str | None
    login: Word | None = None
    #: Each with the word "password" before it.
    passwords: list[tuple[Word, Word]] = field(default_factory=list)
    runs: list[tuple[int, int]] = field(default_factory=list)

    def extend(self, *words: Word) -> None:
        self.runs[-1] = (self.runs[-1][0], words[-1].end)


def entries(text: str) -> t.Iterator[Entry]:
    """Every password; removing one removes its machine, and no comment."""
    for machine in machines(text):
        removal = tuple(_entries.without(text, start, end) for start, end in machine.runs)
        for keyword, password in machine.passwords:
            yield Entry(
                password.start,
                password.end,
                None if machine.name is None else _entries.hostname(machine.name),
                machine.login.value if machine.login else None,
                password.value,
                removal,
                _replacement(machine.login, keyword, password),
            )


def machines(text: str) -> list[Machine]:
    found: list[Machine] = []
    current: Machine | None = None
    broken = False
    position = 0
    while (word := _word(text, position)) is not None:
        keyword = word.raw.lower()
        if word.raw.startswith("#"):
            position, broken = _end_of_line(text, word.end), True
            continue
        if keyword == "macdef":
            position, current = _end_of_macro(text, word.end), None
            continue
        words = [word]
        if keyword in ("machine", "account", *_LOGIN, *_PASSWORD):
            value = _word(text, word.end)
            words += [value] if value else []
        if keyword in ("machine", "default"):
            current = Machine(words[1].value if len(words) > 1 else None, runs=[(word.start, words[-1].end)])
            # A machine without a name is the end of the file, and has no password.
            found.append(current)
        elif current is not None:
            _take(current, words, broken)
        broken = False
        position = words[-1].end
    return found


def _take(machine: Machine, words: list[Word], broken: bool) -> None:
    """A keyword and its value, or a word that means nothing here."""
    if broken:
        machine.runs.append((words[0].start, words[-1].end))
    machine.extend(*words)
    if len(words) == 1:
        return
    keyword, value = words
    if keyword.raw.lower() in _LOGIN:
        machine.login = value
    elif keyword.raw.lower() in _PASSWORD and value.value:
        machine.passwords.append((keyword, value))


def _word(text: str, position: int) -> Word | None:
    match = _WORD.search(text, position)
    return Word(match.start(), match.end(), match.group()) if match else None


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _end_of_macro(text: str, position: int) -> int:
    """A macro has a name and goes to the first empty line."""
    name = _word(text, position)
    end = _END_OF_MACRO.search(text, name.end) if name else None
    return end.end() if end else len(text)


def _replacement(login: Word | None, keyword: Word, password: Word) -> t.Callable[[str, str], Edits]:
    def edits(user: str, secret: str) -> Edits:
        name = _quoted(user)
        who = Edit(login.start, login.end, name) if login else Edit(keyword.start, keyword.start, f"login {name} ")
        return who, Edit(password.start, password.end, _quoted(secret))

    return edits


def _quoted(text: str) -> str:
    """As it is where that can be, since not every reader knows quotes."""
    if _SAFE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
