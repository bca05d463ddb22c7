# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A secret in a file of credentials: where it stands, and which characters go or change with it.

Offsets count characters of text that was decoded as UTF-8 with ``surrogateescape``, so that any bytes come back as they
were. Nothing in here may put a secret into a message.
"""

from __future__ import annotations

import base64
import bisect
import re
import typing as t
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from ..core._shapes import sightings

# Userinfo ends at the last @ before the path, as browsers and curl read it. Git ends it at the first one; where a raw @
# is in a password, this finds all of the password and git a part of it.
_URL = re.compile(r"(?P<scheme>https?)://(?P<userinfo>[^\s/?#\"<>\\]*)@(?P<host>[^\s/?#@:\"'<>\\]+)", re.IGNORECASE)
# The same where the text is a URL and nothing else, in which a password may have blanks and quotes.
_WHOLE = re.compile(r"\A(?P<scheme>https?)://(?P<userinfo>[^/?#\r\n]*)@(?P<host>[^/?#@:\s]+)", re.IGNORECASE)
#: A URL that names a host, whether or not it carries a login.
ADDRESS = re.compile(r"(?P<scheme>https?)://(?:[^\s/?#]*@)?(?P<host>[^\s/?#@:]+)", re.IGNORECASE)
_NOTHING_BEHIND = re.compile(r"[ \t]*(?:\r?\n|\r?\Z)")
_BLANKS = " \t"


class Edit(t.NamedTuple):
    """``text[start:end]`` becomes ``text``."""

    start: int
    end: int
    text: str = ""


Edits = tuple[Edit, ...]


@dataclass(frozen=True)
class CredentialEntry:
    """A secret in a file.

    :param start: where it begins, and ``end`` where it ends, encoding and all.
    :param host: the host that it is for; ``None`` if the file does not say, or if it is for every host.
    :param removal: what to do to be rid of it; ``None`` if the syntax around it is not known.
    :param replacement: what to do to put another user and secret in its place; ``None`` for the same reason.
    :param plain: whether it is for a URL that goes over the network unencrypted.
    :param whole: where all the secrets begin that stand together, and what to do to be rid of them and of what holds
        them.
    """

    start: int
    end: int
    host: str | None
    user: str | None
    secret: str = field(repr=False)
    removal: Edits | None = None
    replacement: t.Callable[[str, str], Edits] | None = None
    plain: bool = False
    whole: tuple[frozenset[int], Edits] | None = None


class UrlLogin(t.NamedTuple):
    """The userinfo of a URL, ``text[start:end]``, its @ not included."""

    start: int
    end: int
    scheme: str
    host: str
    user: str | None
    secret: str

    @property
    def plain(self) -> bool:
        return self.scheme.lower() == "http"


def logins(text: str, url: re.Pattern[str] = _URL) -> t.Iterator[UrlLogin]:
    """The URLs in ``text`` that carry a secret.

    :param url: with the groups ``scheme``, ``userinfo`` and ``host``.
    """
    for match in url.finditer(text):
        user, _colon, secret = match["userinfo"].partition(":")
        if is_shaped(decoded(user)):
            # A token instead of a user name, with nothing or something meaningless as its password.
            user, secret = "", user
        if secret:
            start, end = match.span("userinfo")
            yield UrlLogin(start, end, match["scheme"], hostname(match["host"]), decoded(user) or None, decoded(secret))


def in_value(text: str) -> list[UrlLogin]:
    """Those of a text that is one URL, as a rule, or has some in it."""
    return list(logins(text, _WHOLE)) or list(logins(text))


def hostname(host: str) -> str:
    """In one spelling, without the port."""
    return decoded(host).partition(":")[0].rstrip(".").lower()


def decoded(text: str) -> str:
    return unquote(text, errors="surrogateescape")


def userinfo(user: str, secret: str) -> str:
    """For a URL, with everything encoded that git encodes in a file of credentials."""
    return f"{quote(user, safe='')}:{quote(secret, safe='')}"


def basic(user: str, secret: str) -> str:
    """For the header of a Basic login."""
    return base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")


def is_shaped(secret: str) -> bool:
    """Whether the whole of it has the shape of a secret of Bitbucket."""
    return any((found.start, found.end) == (0, len(secret)) for found in sightings(secret))


def line_numbers(text: str) -> t.Callable[[int], int]:
    """What tells the line of an offset, counted from 1; ``text`` is read once, however many are asked for."""
    breaks = [match.start() for match in re.finditer("\n", text)]
    return lambda offset: bisect.bisect_left(breaks, offset) + 1


def without(text: str, start: int, end: int) -> Edit:
    """Remove ``text[start:end]``, and the whole line where nothing else stands on it."""
    left = start
    while left and text[left - 1] in _BLANKS:
        left -= 1
    rest = _NOTHING_BEHIND.match(text, end)
    if rest is None:
        right = end
        while text[right] in _BLANKS:
            right += 1
        return Edit(start, right)
    if left == 0 or text[left - 1] == "\n":
        return Edit(left, rest.end())
    return Edit(left, end)


def removals(entries: t.Iterable[CredentialEntry]) -> list[Edit]:
    """To be rid of all of these: what holds several secrets goes once none of them stays."""
    entries = list(entries)
    gone = {entry.start for entry in entries}
    edits: list[Edit] = []
    for entry in entries:
        together = entry.whole is not None and entry.whole[0] <= gone
        edits += entry.whole[1] if entry.whole and together else entry.removal or ()
    return edits


def apply(text: str, edits: t.Iterable[Edit]) -> str:
    """``text`` with these edits made. What overlaps is removed once; the same edit twice is made once."""
    pieces: list[str] = []
    position = 0
    for edit in sorted(set(edits)):
        if edit.start < position:
            # Only removals reach into one another: two machines of a netrc file on one line, say.
            position = max(position, edit.end)
            continue
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, text[position:]])
