# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Check with Bitbucket Cloud whether found secrets work: one request for each, none if it is known."""

from __future__ import annotations

import re
import typing as t

from ..cloud import _cloud
from ..cloud._cloud import Verdict
from ..core import _secret
from ..http._client import Client, Credential
from . import _findings
from ._findings import FileSecret

# A user name that can be sent. A colon would begin the password.
_USER = re.compile(r"[\x21-\x39\x3b-\x7e]+")

_NO_EMAIL = "Not verified: with an API token, the REST API needs the account's e-mail address. Set `email`."
_NO_USER = "Not verified: it is a password, and the file has no user name for it."
_NOT_OURS = "Not verified: it is a token of Bitbucket Data Center. Use the module credential_info."
_NOT_SENDABLE = "Not verified: the secret or its user name has characters that cannot be sent."
_ENOUGH = "Not verified: another password of this user was refused, and failed logins can lock an account."
_OTHERS = "Not verified: the same password was found with another user name, and was only tried with that one."
_WHOSE = " Or `email` is not the address of its account."


class Inquiry:
    """Checks each secret once, even if several files contain it.

    :param client_of: creates a client of Bitbucket Cloud that signs in with a credential.
    :param email: the user name of API tokens if the file does not have it.
    """

    def __init__(self, client_of: t.Callable[[Credential], Client], email: str) -> None:
        self._client_of = client_of
        self._email = email
        self._refused: set[str] = set()

    def verdicts(self, findings: t.Sequence[FileSecret]) -> list[Verdict]:
        """The verdict of each finding. A password counts only together with its user."""
        places: dict[str, list[FileSecret]] = {}
        for finding in findings:
            places.setdefault(finding.fingerprint, []).append(finding)
        asked = {fingerprint: self._verdict(found) for fingerprint, found in places.items()}
        first = {fingerprint: _first_user(found) for fingerprint, found in places.items()}
        return [
            Verdict(None, problem=_OTHERS if finding.entry.user else _NO_USER)
            if finding.kind == _secret.UNKNOWN_KIND and finding.entry.user != first[finding.fingerprint]
            else asked[finding.fingerprint]
            for finding in findings
        ]

    def _verdict(self, places: list[FileSecret]) -> Verdict:
        """The verdict of one secret.

        :param places: all findings of it.
        """
        kind, secret = places[0].kind, places[0].entry.secret.strip()
        if kind == _secret.APP_PASSWORD:
            return Verdict(False)
        if kind == _secret.HTTP_ACCESS_TOKEN:
            return Verdict(None, problem=_NOT_OURS)
        if not _secret.is_plausible(secret):
            return Verdict(None, problem=_NOT_SENDABLE)
        if kind == _secret.CLOUD_ACCESS_TOKEN:
            return _cloud.probe(self._client_of(Credential(token=secret)))
        users = [finding.entry.user for finding in places if finding.entry.user]
        return self._of_api_token(users, secret) if kind == _secret.API_TOKEN else self._of_password(users, secret)

    def _of_api_token(self, users: list[str], secret: str) -> Verdict:
        email = next((user for user in users if "@" in user), self._email)
        if not email:
            return Verdict(None, problem=_NO_EMAIL)
        if not _USER.fullmatch(email):
            return Verdict(None, problem=_NOT_SENDABLE)
        verdict = _cloud.probe(self._client_of(Credential(email, secret)))
        if verdict.works is False and email not in users and verdict.scopes is None:
            # The token may belong to another account.
            return verdict._replace(works=None, problem=f"{verdict.problem}{_WHOSE}")
        return verdict

    def _of_password(self, users: list[str], secret: str) -> Verdict:
        if not users:
            return Verdict(None, problem=_NO_USER)
        if not _USER.fullmatch(users[0]):
            return Verdict(None, problem=_NOT_SENDABLE)
        if users[0] in self._refused:
            return Verdict(None, problem=_ENOUGH)
        verdict = _cloud.probe(self._client_of(Credential(users[0], secret)))
        if verdict.refused:
            self._refused.add(users[0])
        return verdict


def _first_user(places: list[FileSecret]) -> str | None:
    return next((finding.entry.user for finding in places if finding.entry.user), None)


def describe(verdict: Verdict) -> dict[str, t.Any]:
    return {
        "works": verdict.works,
        "credential_type": verdict.credential_type,
        "scopes": None if verdict.scopes is None else list(verdict.scopes),
        "account": verdict.account,
        "problem": verdict.problem,
    }


def is_dead(finding: FileSecret, verdict: Verdict) -> bool | None:
    """Whether the secret is dead; not known if it is for another or an unknown host."""
    if finding.dead or verdict.works is None:
        return finding.dead
    if verdict.works:
        return False
    return True if _findings.is_cloud(finding.entry.host) else None
