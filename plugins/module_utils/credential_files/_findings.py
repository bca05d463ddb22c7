# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Secrets of Bitbucket in files, as results describe them. Nothing in here may put a secret into a message."""

from __future__ import annotations

import typing as t

from ..core import _secret
from . import _credential_files, _entries
from ._entries import CredentialEntry
from ._places import File, Search, shown

CLOUD = "bitbucket.org"
#: On this host only, the user name of an API token is the account's e-mail address.
REST = f"api.{CLOUD}"

#: The user name for git with an API token.
GIT_USER = _secret.GIT_USERS[_secret.API_TOKEN]
_SOMEBODYS_EMAIL = "the account's e-mail address"


class FileSecret(t.NamedTuple):
    """A secret of Bitbucket in a file."""

    file: File
    entry: CredentialEntry
    line: int
    kind: str

    @property
    def fingerprint(self) -> str:
        return _secret.fingerprint(self.entry.secret)

    @property
    def dead(self) -> bool | None:
        """True for app passwords, all of which Bitbucket disabled. Others are not known without a request."""
        return True if self.kind == _secret.APP_PASSWORD else None

    @property
    def where(self) -> str:
        return shown(f"{self.file.path}, line {self.line}")

    def describe(self) -> dict[str, t.Any]:
        git, rest = self._users()
        return {
            "file": shown(self.file.path),
            "line": self.line,
            "format": self.file.kind,
            "host": None if self.entry.host is None else shown(self.entry.host),
            "user": None if self.entry.user is None else self._user(self.entry.user),
            "kind": self.kind,
            "fingerprint": self.fingerprint,
            "dead": self.dead,
            "git_user": git,
            "rest_user": rest,
            "problem": self._problem(),
        }

    def _user(self, user: str) -> str | None:
        """The user name, if it is not a secret in the wrong place."""
        return None if _entries.is_shaped(user) else shown(user)

    def _users(self) -> tuple[str | None, str | None]:
        """The user names for this secret or its replacement: for git, and for the REST API."""
        if self.kind == _secret.CLOUD_ACCESS_TOKEN:
            return _secret.GIT_USERS[self.kind], None
        if self.kind in (_secret.APP_PASSWORD, _secret.API_TOKEN) or is_cloud(self.entry.host):
            user = self.entry.user or ""
            return GIT_USER, shown(user) if "@" in user else _SOMEBODYS_EMAIL
        return None, None

    def _problem(self) -> str | None:
        if self.kind == _secret.APP_PASSWORD:
            return "Bitbucket disabled all app passwords on 2026-07-28 (CHANGE-3222). Replace it with an API token."
        user, host = self.entry.user or "", self.entry.host
        if self.kind == _secret.API_TOKEN and host == REST and user and "@" not in user:
            return "With an API token, the user name for the REST API must be the account's e-mail address."
        if self.kind == _secret.API_TOKEN and is_cloud(host) and host != REST and "@" in user:
            return f"With an API token, git does not accept the e-mail address as the user name. Use {GIT_USER}."
        return None


def is_cloud(host: str | None) -> bool:
    return host is not None and (host == CLOUD or host.endswith(f".{CLOUD}"))


def search(params: t.Mapping[str, t.Any]) -> Search:
    """The files that a module's options name.

    :raises InputError: if a path is not absolute.
    """
    found = Search()
    for home in params["homes"]:
        found.home(home)
    for path in params["search_paths"]:
        found.below(path, params["search_depth"])
    for path in params["paths"]:
        found.file(path)
    return found


def findings(files: t.Iterable[File]) -> list[FileSecret]:
    """Secrets for hosts of Bitbucket Cloud, and all others with the format of a Bitbucket secret."""
    found: list[FileSecret] = []
    for file in files:
        text = file.snapshot.text
        found_here = [entry for entry in _credential_files.entries(text, file.kind) if _is_of_bitbucket(entry)]
        if found_here:
            line_of = _entries.line_numbers(text)
            found += [FileSecret(file, entry, line_of(entry.start), _secret.kind(entry.secret)) for entry in found_here]
    return found


def _is_of_bitbucket(entry: CredentialEntry) -> bool:
    return is_cloud(entry.host) or _entries.is_shaped(entry.secret)
