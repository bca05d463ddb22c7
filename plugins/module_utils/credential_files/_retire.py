# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Remove selected secrets from files, or replace them with an API token."""

from __future__ import annotations

import re
import typing as t

from ..core import _secret
from ..core._errors import InputError
from ..core._files import FileError
from ..core._text import visible
from ..http._cloud_answers import API_TOKENS_PAGE
from . import _entries, _findings, _safe_files
from ._credential_files import GIT_CREDENTIALS, NETRC
from ._entries import Edits
from ._findings import FileSecret
from ._places import File, shown

# Valid in a URL, a netrc file and a header. No @: git never accepts an e-mail address.
_USER = re.compile(r"[A-Za-z0-9_.{}+-]+")
_EMAIL = re.compile(r"[A-Za-z0-9_.+'-]+@[A-Za-z0-9.-]+")


class Successor(t.NamedTuple):
    """The API token to replace secrets with, and its user names.

    :param email: for entries of the REST API's host; empty if it is not known.
    """

    token: str
    git_user: str
    email: str


class Selection(t.NamedTuple):
    """The secrets to remove or replace.

    :param successor: the replacement; ``None`` to remove them.
    """

    kinds: frozenset[str]
    fingerprints: frozenset[str]
    exclude: frozenset[str]
    successor: Successor | None

    def covers(self, finding: FileSecret) -> bool:
        if finding.fingerprint in self.exclude:
            return False
        if self.fingerprints:
            return finding.fingerprint in self.fingerprints
        return finding.kind in self.kinds


class Change(t.NamedTuple):
    """The new text of a file, the secrets that it removes, and the user name of each replacement."""

    file: File
    findings: list[FileSecret]
    users: list[str]
    text: str


class RetireFailure(t.NamedTuple):
    """A secret that could not be removed or replaced, or a file that could not be written."""

    file: str
    line: int | None
    fingerprint: str | None
    reason: str
    msg: str

    def describe(self) -> dict[str, t.Any]:
        return {**self._asdict(), "file": shown(self.file), "msg": visible(shown(self.msg))}


def selection_of(params: t.Mapping[str, t.Any]) -> Selection:
    """The selection that a task's options describe.

    :raises InputError: if they are invalid.
    """
    chosen = {name: frozenset(text.strip().lower() for text in params[name]) for name in _LISTS}
    for name, values in chosen.items():
        if not all(map(_secret.is_fingerprint, values)):
            raise InputError(f"`{name}` must be fingerprints of twelve hex digits, as app_password_info returns them.")
    successor = _successor(params) if params["state"] == "replaced" else None
    kinds = frozenset(params["kinds"] or [_secret.APP_PASSWORD])
    if successor and _secret.HTTP_ACCESS_TOKEN in kinds:
        raise InputError("`kinds`: an API token of Bitbucket Cloud cannot replace an HTTP access token of Data Center.")
    return Selection(kinds, chosen["fingerprints"], chosen["exclude_fingerprints"], successor)


_LISTS = ("fingerprints", "exclude_fingerprints")


def plan(findings: t.Iterable[FileSecret], selection: Selection) -> tuple[list[Change], list[RetireFailure]]:
    """The changes, one for each file to write, and the selected secrets that need manual attention."""
    findings = list(findings)
    failures: list[RetireFailure] = []
    by_file: dict[str, list[tuple[FileSecret, str, Edits]]] = {}
    for finding in filter(selection.covers, findings):
        user = _user(finding, selection.successor, findings) if selection.successor else ""
        obstacle = _obstacle(finding, selection.successor) or _clash(finding, user, selection, findings)
        if obstacle:
            failures.append(RetireFailure(finding.file.path, finding.line, finding.fingerprint, "manual", obstacle))
            continue
        edits = _edits(finding, selection.successor, user)
        if edits:
            by_file.setdefault(finding.file.path, []).append((finding, user, edits))
    return [_change(found, selection.successor is None) for found in by_file.values()], failures


def _change(found: list[tuple[FileSecret, str, Edits]], removing: bool) -> Change:
    """The change of one file."""
    findings = [finding for finding, _user_of_it, _edits_of_it in found]
    edits = [edit for _finding, _user_of_it, edits in found for edit in edits]
    if removing:
        edits = _entries.removals(finding.entry for finding in findings)
    file = findings[0].file
    text = _entries.apply(file.snapshot.text, edits)
    return Change(file, findings, [user for _finding, user, _edits_of_it in found], text)


def carry_out(change: Change, backup: bool, check_mode: bool) -> str | None:
    """Write the file; in check mode only check whether that would be possible.

    :returns: the name of the backup, if any.
    :raises FileError: if it cannot be written. The file is not changed then.
    """
    if check_mode:
        _safe_files.require_replaceable(change.file.snapshot)
        return None
    return _safe_files.replace(change.file.snapshot, _safe_files.bytes_of(change.text), backup)


def failed(change: Change, error: FileError) -> RetireFailure:
    return RetireFailure(change.file.path, None, None, error.reason, str(error))


def difference(changes: t.Iterable[Change], successor: Successor | None) -> dict[str, dict[str, list[str]]]:
    """By file and line, with fingerprints in place of secrets."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for change in changes:
        name = shown(change.file.path)
        before[name], after[name] = [], []
        for finding, user in zip(change.findings, change.users):
            old = finding.describe()
            entry = f"line {old['line']}: {old['host'] or 'any host'}, "
            before[name].append(f"{entry}{old['user'] or 'no user'}, {old['kind']} {old['fingerprint']}")
            if successor:
                fingerprint = _secret.fingerprint(successor.token)
                after[name].append(f"{entry}{user}, {_secret.API_TOKEN} {fingerprint}")
    return {"before": before, "after": after}


def _successor(params: t.Mapping[str, t.Any]) -> Successor:
    token, user, email = ((params[name] or "").strip() for name in ("api_token", "git_username", "email"))
    kind = _secret.kind(token)
    if kind == _secret.APP_PASSWORD:
        raise InputError(
            "`api_token` is an app password, which Bitbucket no longer accepts. Create an API token instead."
        )
    if not _secret.is_plausible(token) or kind != _secret.API_TOKEN:
        raise InputError(
            "`api_token` does not look like an API token, which begins with ATAT and has no spaces. Its owner can "
            f"create one, with scopes for Bitbucket, at {API_TOKENS_PAGE}."
        )
    if "@" in user:
        raise InputError("`git_username` is an e-mail address, which git does not accept with an API token. Omit it.")
    if not _USER.fullmatch(user):
        raise InputError("`git_username` is not a valid Bitbucket user name. Omit it to use the one for API tokens.")
    if email and not _EMAIL.fullmatch(email):
        raise InputError("`email` is not an e-mail address.")
    return Successor(token, user, email)


def _edits(finding: FileSecret, successor: Successor | None, user: str) -> Edits:
    """The edits for one secret; none if the replacement is already there, in any encoding."""
    entry = finding.entry
    if successor is None:
        return entry.removal or ()
    if entry.replacement is None or (entry.user, entry.secret) == (user, successor.token):
        return ()
    return entry.replacement(user, successor.token)


def _user(finding: FileSecret, successor: Successor, findings: list[FileSecret]) -> str:
    """The user name of the replacement. Several users of one file keep theirs: git selects entries by user name."""
    if finding.entry.host == _findings.REST:
        return successor.email
    user = finding.entry.user or ""
    known = _USER.fullmatch(user) and not _entries.is_shaped(user) and user not in _secret.GIT_USERS.values()
    if successor.git_user == _findings.GIT_USER and known and len(_users(finding, findings)) > 1:
        return user
    return successor.git_user


def _users(finding: FileSecret, findings: list[FileSecret]) -> set[str]:
    return {other.entry.user for other in _namesakes(finding, findings) if other.entry.user}


def _namesakes(finding: FileSecret, findings: list[FileSecret]) -> list[FileSecret]:
    """The entries among which git selects by user name only, including this one."""
    if finding.file.kind not in (GIT_CREDENTIALS, NETRC):
        return [finding]
    return [other for other in findings if other.file is finding.file and other.entry.host == finding.entry.host]


def _clash(finding: FileSecret, user: str, selection: Selection, findings: list[FileSecret]) -> str | None:
    """The failure if another secret would keep the same user name: git would use the first one for both."""
    if selection.successor is None or finding.entry.host == _findings.REST:
        return None
    for other in _namesakes(finding, findings):
        stays = not selection.covers(other) and other.entry.secret != selection.successor.token
        if stays and other.entry.user == user:
            return (
                f"{finding.where}: line {other.line} already has another secret for {user} at {other.entry.host}, and "
                "Git would use the first one for both. Set `git_username` to the user name on Bitbucket, or replace it "
                "manually."
            )
    return None


def _obstacle(finding: FileSecret, successor: Successor | None) -> str | None:
    """Why this secret needs manual attention, and what to do; ``None`` if it does not."""
    entry, where = finding.entry, finding.where
    if successor is None:
        known = entry.removal is not None
        return None if known else f"{where}: the format around this secret is not known. Remove it manually."
    if entry.replacement is None:
        return f"{where}: the format around this secret is not known. Replace it manually."
    if not _findings.is_cloud(entry.host):
        host = entry.host or "any host that git connects to"
        return f"{where}: the API token would be sent to {host}. Remove this secret manually, or with `state: absent`."
    if entry.plain:
        return f"{where}: the API token would be sent in clear text, since this is a http:// URL. Use https://."
    if entry.host == _findings.REST and not successor.email:
        return f"{where}: this is for the REST API, which needs the account's e-mail address. Set `email`."
    return None
