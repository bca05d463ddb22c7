# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Git's configuration files: secrets in URLs, be they values or names of sections, and in ``http.*.extraHeader``.

Git can change its files itself, but has no way to change the secret in a value and nothing else, and would have to be
there wherever this runs. A line that git would refuse is skipped, up to its end.
"""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from . import _entries, _references
from ._entries import CredentialEntry, Edit, Edits, UrlLogin
from ._references import Reference

_SKIP = re.compile(r"(?:[ \t\r\n]|[#;][^\n]*)*")
_SECTION = re.compile(r'\[([A-Za-z0-9.-]*)(?:[ \t\r]+"((?:[^"\\\n]|\\[^\n])*)")?\]')
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*(=|(?=\r?\n)|\Z)")
_PIECE = re.compile(
    r'(?P<join>\\(?:\r?\n|\Z))|\\(?P<escape>[tbn"\\])|(?P<quote>")|(?P<comment>[#;])|(?P<end>\r?\n)'
    r"|(?P<blank>[ \t\r])|(?P<plain>[^\\])"
)
_ESCAPES = {"t": "\t", "b": "\b", "n": "\n", "\\": "\\", '"': '"'}
_HEADER = re.compile(r"\s*Authorization\s*:\s*((Basic|Bearer)\s+(\S+))", re.IGNORECASE)


class Value(t.NamedTuple):
    """A value after quotes and escapes, and where in the file each of its characters stands."""

    text: str
    spans: tuple[tuple[int, int], ...]

    def edits(self, start: int, end: int, new: str = "") -> Edits:
        """Put ``new`` in place of some characters, which leaves quotes and broken lines between them as they are.

        :param new: what means the same inside and outside of quotes.
        """
        runs: list[tuple[int, int]] = []
        for first, last in self.spans[start:end]:
            if runs and runs[-1][1] == first:
                runs[-1] = (runs[-1][0], last)
            else:
                runs.append((first, last))
        return tuple(Edit(first, last, "" if number else new) for number, (first, last) in enumerate(runs))

    def entry(self, login: UrlLogin) -> CredentialEntry:
        """A secret in a URL. Removing it removes the userinfo with its @."""
        return CredentialEntry(
            self.spans[login.start][0],
            self.spans[login.end - 1][1],
            login.host,
            login.user,
            login.secret,
            self.edits(login.start, login.end + 1),
            lambda user, secret: self.edits(login.start, login.end, _entries.userinfo(user, secret)),
            login.plain,
        )


class Section(t.NamedTuple):
    """The name in lower case, and what stands in quotes behind it."""

    name: str
    sub: Value | None


class Item(t.NamedTuple):
    """``text[start:end]`` sets ``key``, in lower case; a ``value`` of ``None`` means true."""

    section: Section
    key: str
    start: int
    end: int
    value: Value | None

    @property
    def name(self) -> str:
        """As ``git config --list`` writes it."""
        return ".".join([self.section.name, *([self.section.sub.text] if self.section.sub else []), self.key])


def entries(text: str) -> t.Iterator[CredentialEntry]:
    """Every secret, in the order of the file."""
    for part in parse(text):
        value = part.sub if isinstance(part, Section) else part.value
        if value is None:
            continue
        yield from map(value.entry, _entries.in_value(value.text))
        if isinstance(part, Item) and (part.section.name, part.key) == ("http", "extraheader"):
            yield from _header(text, part, value)


def includes(text: str) -> list[Reference]:
    """The files that this one includes, under any condition."""
    paths = [value for section, key, value in _values(text) if section in ("include", "includeif") and key == "path"]
    return list(map(_references.of_include, paths))


def stores(text: str) -> list[Reference]:
    """The files that ``git credential-store`` uses in place of its own."""
    helpers = [value for section, key, value in _values(text) if (section, key) == ("credential", "helper")]
    return [found for helper in helpers for found in _references.of_helper(helper)]


def parse(text: str) -> t.Iterator[Section | Item]:
    """Sections and what they set, in the order of the file."""
    section = Section("", None)
    position = 1 if text.startswith("\ufeff") else 0
    while True:
        skipped = _SKIP.match(text, position)
        position = skipped.end() if skipped else position
        if position == len(text):
            return
        header = _SECTION.match(text, position)
        if header:
            section = Section(header[1].lower(), _subsection(header))
            position = header.end()
            yield section
            continue
        item, position = _item(text, position, section)
        if item:
            yield item


def _item(text: str, position: int, section: Section) -> tuple[Item | None, int]:
    """What is set there, and where to read on."""
    key = _KEY.match(text, position)
    if key is None:
        return None, _end_of_line(text, position)
    name = key[1].lower()
    if not key[2]:
        return Item(section, name, position, key.end(), None), key.end()
    value, end, following = _value(text, key.end())
    return (None if value is None else Item(section, name, position, end, value)), following


def _values(text: str) -> list[tuple[str, str, str]]:
    items = [part for part in parse(text) if isinstance(part, Item)]
    return [(item.section.name, item.key, item.value.text) for item in items if item.value]


def _subsection(header: re.Match[str]) -> Value | None:
    if header[2] is None:
        return None
    characters, spans = [], []
    position = header.start(2)
    while position < header.end(2):
        end = position + (2 if header.string[position] == "\\" else 1)
        characters.append(header.string[end - 1])
        spans.append((position, end))
        position = end
    return Value("".join(characters), tuple(spans))


def _value(text: str, position: int) -> tuple[Value | None, int, int]:
    """What stands behind an equals sign, where it ends, and where to read on; ``None`` for what git would refuse."""
    read: list[tuple[str, int, int]] = []
    blanks: list[tuple[str, int, int]] = []
    quoted, end = False, position
    while position < len(text):
        piece = _PIECE.match(text, position)
        kind = piece.lastgroup if piece else None
        if piece is None or (quoted and kind == "end"):
            return None, position, _end_of_line(text, position)
        if not quoted and kind in ("end", "comment"):
            break
        position = piece.end()
        if kind == "blank" and not quoted:
            # Those before the value and those behind it are no part of it.
            blanks += [(piece.group(), *piece.span())] if read else []
            continue
        read += blanks
        blanks, end = [], position
        if kind == "quote":
            quoted = not quoted
        elif kind != "join":
            read.append((_ESCAPES[piece["escape"]] if piece["escape"] else piece.group(), *piece.span()))
    if quoted:
        return None, position, position
    value = Value("".join(part[0] for part in read), tuple((part[1], part[2]) for part in read))
    return value, end, _end_of_line(text, position)


def _header(text: str, item: Item, value: Value) -> t.Iterator[CredentialEntry]:
    """The header that logs in. A key may come several times, so removing one leaves the others."""
    match = _HEADER.match(value.text)
    if match is None:
        return
    user, secret = (None, match[3]) if match[2].lower() == "bearer" else _opened(match[3])
    if not secret:
        return
    address = _entries.ADDRESS.match(item.section.sub.text) if item.section.sub else None
    yield CredentialEntry(
        value.spans[match.start(3)][0],
        value.spans[match.end(3) - 1][1],
        _entries.hostname(address["host"]) if address else None,
        user,
        secret,
        (_entries.without(text, item.start, item.end),),
        lambda who, new: value.edits(*match.span(1), f"Basic {_entries.basic(who, new)}"),
        address is not None and address["scheme"].lower() == "http",
    )


def _opened(login: str) -> tuple[str | None, str]:
    try:
        text = base64.b64decode(login, validate=True).decode(errors="surrogateescape")
    except (binascii.Error, ValueError):
        return None, ""
    user, _colon, secret = text.partition(":")
    return user or None, secret


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end
