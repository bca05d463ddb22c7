# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Leaked secrets and the tokens they name, put together: what is to be revoked, and what somebody has to look at."""

from __future__ import annotations

import typing as t

from ..core import _secret
from ..core._errors import FOR_ALL, GuardError, InputError
from ..datacenter._api import DataCenter
from ..http._client import Client
from ._leaks import Leak
from ._search import OwnedToken, TokenSearch

# A text can hold any number of made-up secrets with the id of a real token, and each is a failed login.
_MOST_LOGINS = 100
# By kind: whether nothing is left to be done, and what is to be said.
_WITHOUT_ID = {
    _secret.HTTP_ACCESS_TOKEN: (
        False,
        "It begins as secrets of HTTP access tokens of Data Center do, and does not name its token: it may be cut, or "
        "of another format. Ask with credential_info whether it works, and revoke the token that it belongs to.",
    ),
    _secret.APP_PASSWORD: (True, "An app password of Bitbucket Cloud, which has accepted none since 28 July 2026."),
    _secret.API_TOKEN: (
        False,
        "An API token of Atlassian Cloud: its user revokes it in the settings of the account, or an administrator of "
        "the organization does.",
    ),
    _secret.CLOUD_ACCESS_TOKEN: (
        False,
        "An access token of Bitbucket Cloud, or an organization's API key: revoke it in the settings of the "
        "repository, project, workspace or organization that it belongs to.",
    ),
}

Result = dict[str, t.Any]
Works = t.Mapping[str, t.Optional[bool]]


def fingerprints(values: t.Iterable[str]) -> set[str]:
    """The fingerprints that a task names.

    :raises InputError: for what cannot be one, such as what YAML takes for a number.
    """
    found = {value.strip().lower() for value in values}
    for value in found:
        if not _secret.is_fingerprint(value):
            raise InputError("`ignore` takes fingerprints, which are twelve hex digits each: put them in quotes.")
    return found


def report(leaks: t.Sequence[Leak], search: TokenSearch, client: Client, whole: bool, verify: bool) -> Result:
    """What was found, nothing of it secret.

    :param whole: whether everybody was asked whom the caller may see, and not just some owners.
    :param verify: whether to sign in with each secret of those tokens, once.
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
    """What the server says to each of these secrets."""
    if len(leaks) > _MOST_LOGINS:
        raise GuardError(
            f"{len(leaks)} different secrets name tokens that exist. `verify` signs in with at most {_MOST_LOGINS}, "
            "since each that was made up is a failed login; it signed in with none. Search less at a time, or do not "
            "verify."
        )
    works: dict[str, bool | None] = {}
    for leak in leaks:
        answer = DataCenter(client.as_bearer(leak.secret)).sign_in()
        works[leak.fingerprint] = answer.works
        # The others would be waited for as long, and in vain.
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
        # One that works is proof; where one gave no clear answer, that none does is not known.
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
    """Whether nothing is left to do about a secret without a token, and why, or what to do."""
    if leak.token_id is None:
        return _WITHOUT_ID[leak.kind]
    if search.ended:
        return False, (
            f"The search ended early and did not find its token: correct the cause and run this again. {search.ended}"
        )
    if not whole:
        return False, "None of the named owners has its token: name no owner, so that all are asked."
    if search.failures:
        return False, (
            "No owner that answered has its token. It was revoked already, or belongs to one of the "
            f"{len(search.failures)} that did not answer: run this as an administrator, or ask with credential_info "
            "whether it works."
        )
    return True, "No owner has its token: it was revoked already, or belongs to another Bitbucket."
