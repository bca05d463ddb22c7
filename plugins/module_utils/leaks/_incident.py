# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The result of a search: leaked secrets with their tokens, and secrets that need manual attention."""

from __future__ import annotations

import typing as t

from ..core import _secret
from ..core._errors import FOR_ALL, GuardError, InputError
from ..datacenter._api import DataCenter
from ..http._client import Client
from ._leaks import Leak
from ._search import OwnedToken, TokenSearch

# Text may contain any number of false secrets with the id of a real token, and each is a failed login.
_MOST_LOGINS = 100
# By kind: whether no action is needed, and the message.
_WITHOUT_ID = {
    _secret.HTTP_ACCESS_TOKEN: (
        False,
        "It begins like a secret of an HTTP access token of Data Center, but does not contain the id of a token. It "
        "may be incomplete, or of another format. Check with credential_info whether it works, and revoke its token.",
    ),
    _secret.APP_PASSWORD: (True, "An app password of Bitbucket Cloud, which accepts none since 28 July 2026."),
    _secret.API_TOKEN: (
        False,
        "An API token of Atlassian Cloud. Its user can revoke it in the settings of the account. An administrator of "
        "the organization can revoke it too.",
    ),
    _secret.CLOUD_ACCESS_TOKEN: (
        False,
        "An access token of Bitbucket Cloud, or an API key of an organization. Revoke it in the settings of its "
        "repository, project, workspace or organization.",
    ),
}

Result = dict[str, t.Any]
Works = t.Mapping[str, t.Optional[bool]]


def fingerprints(values: t.Iterable[str]) -> set[str]:
    """The fingerprints of an option.

    :raises InputError: if one is invalid, such as a value that YAML reads as a number.
    """
    found = {value.strip().lower() for value in values}
    for value in found:
        if not _secret.is_fingerprint(value):
            raise InputError(
                "`ignore` must be fingerprints of twelve hex digits. Quote them, since YAML reads some as numbers."
            )
    return found


def report(leaks: t.Sequence[Leak], search: TokenSearch, client: Client, whole: bool, verify: bool) -> Result:
    """The found tokens and secrets as a result, without any secret.

    :param whole: whether the search included all owners that the caller may see.
    :param verify: whether to sign in once with each secret of the found tokens.
    :raises GuardError: if that would be too many logins.
    """
    ours = [leak for leak in leaks if leak.token_id]
    by_id: dict[str, list[Leak]] = {}
    for leak in ours:
        by_id.setdefault(leak.token_id or "", []).append(leak)
    named = {found.token.id for found in search.found}
    works = _answers([leak for leak in ours if leak.token_id in named], client) if verify and not search.ended else {}
    tokens = [_token(found, by_id[found.token.id], works, client) for found in search.found]
    return {
        "access_tokens": sorted(tokens, key=lambda token: (token["reference"], token["id"])),
        "unresolved": [_unresolved(leak, search, whole) for leak in leaks if leak.token_id not in named],
        "failures": [failure._asdict() for failure in search.failures],
    }


def _answers(leaks: t.Sequence[Leak], client: Client) -> Works:
    """Whether each of these secrets works."""
    if len(leaks) > _MOST_LOGINS:
        raise GuardError(
            f"{len(leaks)} different secrets contain ids of existing tokens. `verify` signs in with at most "
            f"{_MOST_LOGINS}, since each false secret is a failed login. No login was tried. Search fewer files at a "
            "time, or set `verify` to false."
        )
    works: dict[str, bool | None] = {}
    for leak in leaks:
        answer = DataCenter(client.as_bearer(leak.secret)).sign_in()
        works[leak.fingerprint] = answer.works
        # The others would fail in the same way.
        if answer.reason in FOR_ALL:
            break
    return works


def _token(found: OwnedToken, leaks: t.Sequence[Leak], works: Works, client: Client) -> Result:
    owner, token = found.owner, found.token
    answers = [works.get(leak.fingerprint) for leak in leaks]
    reference = owner.reference(token.name)
    return {
        **token.describe(reference, found.now),
        "project": owner.project or None,
        "repository": owner.repository or None,
        "user": owner.user or None,
        "in_use": token.id == client.credential.token_id,
        "fingerprints": [leak.fingerprint for leak in leaks],
        "found_in": [place for leak in leaks for place in leak.found_in],
        # Not False if one answer is not clear.
        "works": True in answers or (None if None in answers else False),
        "msg": f"{reference}, token {token.id}: {'; '.join(map(_seen, leaks))}",
    }


def _unresolved(leak: Leak, search: TokenSearch, whole: bool) -> Result:
    settled, message = _verdict(leak, search, whole)
    return {
        "kind": leak.kind,
        "fingerprint": leak.fingerprint,
        "token_id": leak.token_id,
        "found_in": leak.found_in,
        "times": leak.times,
        "settled": settled,
        "msg": f"{_seen(leak)}. {message}",
    }


def _seen(leak: Leak) -> str:
    more = f", {leak.times} times in all" if leak.times > len(leak.found_in) else ""
    return f"secret {leak.fingerprint} in {', '.join(leak.found_in)}{more}"


def _verdict(leak: Leak, search: TokenSearch, whole: bool) -> tuple[bool, str]:
    """Whether a secret without a token needs no action, and why, or what to do."""
    if leak.token_id is None:
        return _WITHOUT_ID[leak.kind]
    if search.ended:
        return False, (
            f"The search ended before its token was found. Correct the cause, and run it again. {search.ended}"
        )
    if not whole:
        return False, "None of the named owners has its token. Name no owners, so that all are searched."
    if search.failures:
        return False, (
            "No owner that answered has its token. It was revoked already, or belongs to one of the "
            f"{len(search.failures)} that did not answer. Run this as an administrator, or check with credential_info "
            "whether it works."
        )
    return True, "No owner has its token: it was revoked already, or belongs to another Bitbucket."
