# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""All secrets of a file: what its format says, and beyond that whatever has the shape of a secret of Bitbucket."""

from __future__ import annotations

import base64
import contextlib
import re
import typing as t
from pathlib import PurePath

from ..core._shapes import Sighting, sightings
from . import _entries, _git_config, _git_credentials, _netrc
from ._entries import CredentialEntry, Edit, UrlLogin

GIT_CREDENTIALS = "git_credentials"
NETRC = "netrc"
GIT_CONFIG = "git_config"
OTHER = "other"

_READERS: dict[str, t.Callable[[str], t.Iterator[CredentialEntry]]] = {
    GIT_CREDENTIALS: _git_credentials.entries,
    NETRC: _netrc.entries,
    GIT_CONFIG: _git_config.entries,
}
_NAMES = {
    ".git-credentials": GIT_CREDENTIALS,
    ".netrc": NETRC,
    "_netrc": NETRC,
    ".gitconfig": GIT_CONFIG,
    ".gitmodules": GIT_CONFIG,
    "gitconfig": GIT_CONFIG,
    "config.worktree": GIT_CONFIG,
}
_PATHS: dict[tuple[str, ...], str] = {
    ("git", "credentials"): GIT_CREDENTIALS,
    ("git", "config"): GIT_CONFIG,
    (".git", "config"): GIT_CONFIG,
}
# What may stand in a URL's userinfo without an end of quotes, arguments or markup being taken for a part of it.
_URL = re.compile(r"(?P<scheme>https?)://(?P<userinfo>[\w.~%!$&*+,;=:-]*)@(?P<host>[\w.-]+)", re.IGNORECASE | re.ASCII)
_BASIC = re.compile(r"Basic\s+\Z", re.IGNORECASE)


def format_of(path: str) -> str:
    """The format of a file, as its name says."""
    parts = PurePath(path).parts
    return _NAMES.get(parts[-1]) or _PATHS.get(parts[-2:], OTHER) if parts else OTHER


def entries(text: str, kind: str) -> list[CredentialEntry]:
    """Every secret in ``text``, in order.

    :param kind: the format.
    """
    read = _READERS.get(kind)
    known = list(read(text)) if read else []
    # Comments, macros and whatever else no format tells of.
    urls = [login for login in _entries.logins(text, _URL) if _entries.is_shaped(login.secret)]
    known += [_in_url(login) for login in urls if _is_new(login.start, login.end, known)]
    known += [_loose(text, seen) for seen in sightings(text) if _is_new(seen.start, seen.end, known)]
    return sorted(known, key=lambda entry: (entry.start, entry.end))


def _is_new(start: int, end: int, known: list[CredentialEntry]) -> bool:
    return not any(entry.start < end and start < entry.end for entry in known)


def _in_url(login: UrlLogin) -> CredentialEntry:
    """A URL stays one without its userinfo, whatever the file's format is."""
    return CredentialEntry(
        login.start,
        login.end,
        login.host,
        login.user,
        login.secret,
        (Edit(login.start, login.end + 1),),
        lambda user, secret: (Edit(login.start, login.end, _entries.userinfo(user, secret)),),
        login.plain,
    )


def _loose(text: str, seen: Sighting) -> CredentialEntry:
    user = None
    # Long enough for the word and its blanks; a slice of the whole text would be copied for each secret.
    if _BASIC.search(text[max(0, seen.start - 20) : seen.start]):
        # A token may stand there as it is, though no server takes it so.
        with contextlib.suppress(ValueError):
            login = base64.b64decode(text[seen.start : seen.end], validate=True).decode(errors="replace")
            user = login.partition(":")[0] if ":" in login else None
    return CredentialEntry(seen.start, seen.end, None, user, seen.secret)
