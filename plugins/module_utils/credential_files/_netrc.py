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

from . import _entries
from ._entries import CredentialEntry, Edit, Edits

# A quote that is not closed on its line is a character like any other: it may not swallow the rest of the file.
_WORD = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|[^ \t\r\n]+')
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_END_OF_MACRO = re.compile(r"\n\r?\n")
_SAFE = re.compile(r'[^\s"#\\][^\s"\\]*')

_ONLY_BLANKS = re.compile(r"[ \t\r\n]*")
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
    #: Logins and passwords in their order, each with the word before it that says which it is.
    pairs: list[tuple[Word, Word]] = field(default_factory=list)
    runs: list[tuple[int, int]] = field(default_factory=list)
    #: A macro belongs to the machine before it, so where that goes it would belong to another one.
    macro: bool = False

    def extend(self, *words: Word) -> None:
        self.runs[-1] = (self.runs[-1][0], words[-1].end)

    def secrets(self) -> list[NetrcSecret]:
        """Each password with the login that stands next to it, on either side, or else with one further away."""
        groups: list[dict[bool, tuple[Word, Word]]] = [{}]
        for pair in self.pairs:
            is_login = pair[0].raw.lower() in _LOGIN
            if is_login in groups[-1]:
                groups.append({})
            groups[-1][is_login] = pair
        login = next((group[True] for group in groups if True in group), None)
        found = []
        for group in groups:
            login = group.get(True, login)
            if False in group and group[False][1].value:
                found.append(NetrcSecret(login, *group[False]))
        return found


class NetrcSecret(t.NamedTuple):
    """A password with the word before it, and its login with the word before that."""

    login: tuple[Word, Word] | None
    keyword: Word
    password: Word


def entries(text: str) -> t.Iterator[CredentialEntry]:
    """Every password; removing one removes its machine and no comment, or only it and its login, if more is there."""
    for machine in machines(text):
        secrets = machine.secrets()
        everything = _cut(text, machine.runs)
        starts = frozenset(secret.password.start for secret in secrets)
        for secret in secrets:
            shared = secret.login is not None and sum(other.login == secret.login for other in secrets) > 1
            login = secret.login[1] if secret.login else None
            yield CredentialEntry(
                secret.password.start,
                secret.password.end,
                None if machine.name is None else _entries.hostname(machine.name),
                login.value if login else None,
                secret.password.value,
                _cut(text, _own(text, secret, shared)) if machine.macro or len(secrets) > 1 else everything,
                None if shared else _replacement(login, secret.keyword, secret.password),
                whole=None if machine.macro else (starts, everything),
            )


def _own(text: str, secret: NetrcSecret, shared: bool) -> list[tuple[int, int]]:
    """Where the words of a secret are; a login that another password needs too is none of them."""
    runs = [(secret.keyword.start, secret.password.end)]
    if secret.login and not shared:
        runs = sorted([*runs, (secret.login[0].start, secret.login[1].end)])
        if _ONLY_BLANKS.fullmatch(text, runs[0][1], runs[1][0]):
            return [(runs[0][0], runs[1][1])]
    return runs


def _cut(text: str, runs: t.Iterable[tuple[int, int]]) -> Edits:
    return tuple(_entries.without(text, start, end) for start, end in runs)


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
            if current is not None:
                current.macro = True
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
    if len(words) > 1 and words[0].raw.lower() in (*_LOGIN, *_PASSWORD):
        machine.pairs.append((words[0], words[1]))


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
