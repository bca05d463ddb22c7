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
#: Where the user name of an API token is the account's e-mail address; everywhere else it must not be.
REST = f"api.{CLOUD}"

#: Who signs in to git with an API token.
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
        """Known offline of app passwords alone: Bitbucket disabled them all."""
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
        """A secret may stand where the user name belongs, also beside another one."""
        return None if _entries.is_shaped(user) else shown(user)

    def _users(self) -> tuple[str | None, str | None]:
        """Who shall sign in with this secret, or with what replaces it: to git, and to the REST API."""
        if self.kind == _secret.CLOUD_ACCESS_TOKEN:
            return _secret.GIT_USERS[self.kind], None
        if self.kind in (_secret.APP_PASSWORD, _secret.API_TOKEN) or is_cloud(self.entry.host):
            user = self.entry.user or ""
            return GIT_USER, shown(user) if "@" in user else _SOMEBODYS_EMAIL
        return None, None

    def _problem(self) -> str | None:
        if self.kind == _secret.APP_PASSWORD:
            return "App passwords were disabled for good on 2026-07-28 (CHANGE-3222): replace it by an API token."
        user, host = self.entry.user or "", self.entry.host
        if self.kind == _secret.API_TOKEN and host == REST and user and "@" not in user:
            return "With an API token the REST API takes the account's e-mail address as the user name."
        if self.kind == _secret.API_TOKEN and is_cloud(host) and host != REST and "@" in user:
            return f"With an API token git never takes the e-mail address as the user name: it takes {GIT_USER}."
        return None


def is_cloud(host: str | None) -> bool:
    return host is not None and (host == CLOUD or host.endswith(f".{CLOUD}"))


def search(params: t.Mapping[str, t.Any]) -> Search:
    """The files that a module's options name.

    :raises InputError: where a path is not absolute.
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
    """What is for Bitbucket Cloud's hosts, and whatever has the shape of a secret of Bitbucket."""
    found: list[FileSecret] = []
    for file in files:
        text = file.snapshot.text
        meant = [entry for entry in _credential_files.entries(text, file.kind) if _is_meant(entry)]
        if meant:
            line_of = _entries.line_numbers(text)
            found += [FileSecret(file, entry, line_of(entry.start), _secret.kind(entry.secret)) for entry in meant]
    return found


def _is_meant(entry: CredentialEntry) -> bool:
    return is_cloud(entry.host) or _entries.is_shaped(entry.secret)
