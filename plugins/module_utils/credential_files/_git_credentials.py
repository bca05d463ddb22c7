# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of ``git credential-store``: one URL a line, its user and password percent-encoded."""

from __future__ import annotations

import re
import typing as t

from ..core._shapes import sightings
from . import _entries
from ._entries import CredentialEntry, Edit, Edits, UrlLogin

# Git knows no comments here and ignores such a line; whoever disabled it left the secret readable.
_LINE = re.compile(
    r"^[ \t#]*(?P<scheme>https?)://(?P<userinfo>[^/?#\r\n]*)@(?P<host>[^/?#@:\s]+)[^\n]*(?:\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)


def entries(text: str) -> t.Iterator[CredentialEntry]:
    """Every line with a secret; removing one removes its line, unless another one is on it."""
    for login in _entries.logins(text, _LINE):
        start = text.rfind("\n", 0, login.start) + 1
        end = text.find("\n", login.end) + 1 or len(text)
        yield CredentialEntry(
            login.start,
            login.end,
            login.host,
            login.user,
            login.secret,
            (Edit(start, end) if _is_alone(text[start:end], login.start - start, login.end - start) else _bare(login),),
            _replacement(login),
            login.plain,
        )


def _is_alone(line: str, start: int, end: int) -> bool:
    """Whether this is the line's only secret. Behind a URL may be anything, since git reads no further."""
    others = [login.start for login in _entries.logins(line) if login.start != start]
    return not others and all(start <= seen.start and seen.end <= end for seen in sightings(line))


def _bare(login: UrlLogin) -> Edit:
    return Edit(login.start, login.end + 1)


def _replacement(login: UrlLogin) -> t.Callable[[str, str], Edits]:
    return lambda user, secret: (Edit(login.start, login.end, _entries.userinfo(user, secret)),)
