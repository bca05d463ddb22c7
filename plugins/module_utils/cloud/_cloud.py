# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Resources of Bitbucket Cloud, and the check of a credential."""

from __future__ import annotations

import re
import typing as t

from ..core import _secret
from ..core._errors import AnswerError, BitbucketError, LockoutError, RejectedError, RemovedError, ScopeError
from ..core._model import writable
from ..http import _cloud_answers, _pages
from ..http._answers import Answer
from ..http._client import Client

_API = "/2.0"
_ACCOUNT = ("uuid", "account_id", "display_name", "nickname")
# Bitbucket's scopes as API tokens have them, and as all other credentials do.
_SCOPE = re.compile(
    r".+:bitbucket"
    r"|(?:email|account|team|project|repository|pullrequest|issue|wiki|snippet|webhook|pipeline|runner)"
    r"(?::(?:write|admin|delete|variable))?"
)

_NO_VERDICT = "This is not Bitbucket's word for a credential that is wrong, so it is not known whether it works."
_FOREIGN = (
    "It is an API token without any Bitbucket scope ({}): made without scopes, or for Jira or Confluence. Bitbucket "
    "has no use for it; its owner makes one for Bitbucket at " + _cloud_answers.API_TOKENS_PAGE + "."
)


class Verdict(t.NamedTuple):
    """What Bitbucket Cloud says about a credential; ``None`` stands for what it does not say.

    ``works`` is whether it is accepted, ``None`` if there was no clear answer. ``account`` is whose it is, for one
    that belongs to a user. ``problem`` is one sentence. ``refused`` is whether one more try could lock an account.
    """

    works: bool | None
    credential_type: str | None = None
    token_id: str | None = None
    scopes: tuple[str, ...] | None = None
    accepted_scopes: tuple[str, ...] | None = None
    account: dict[str, str | None] | None = None
    problem: str | None = None
    refused: bool = False


class Cloud:
    """The calls that the collection makes, and no others."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def whoami(self) -> Answer:
        """The caller's own account: the most informative request that needs no name."""
        return self.client.get(f"{_API}/user")

    def workspaces(self) -> list[str]:
        """The slugs of the caller's workspaces."""
        path = f"{_API}/user/workspaces"
        found: dict[str, None] = {}
        for value, _answer in _pages.by_link(self.client, path):
            if value is None:
                continue
            # A membership holds the workspace, but it may also be listed itself.
            inner = value.get("workspace")
            slug = (inner if isinstance(inner, dict) else value).get("slug")
            if not isinstance(slug, str) or not slug:
                raise AnswerError(f"GET {path}: an entry of the listing has no slug.")
            found[slug] = None
        return list(found)


def probe(client: Client) -> Verdict:
    """What the server says about the client's credential, by one request; none for an app password, which is dead."""
    credential = client.credential
    if _secret.kind(credential.token or credential.password) == _secret.APP_PASSWORD:
        return Verdict(False, problem=f"{_cloud_answers.APP_PASSWORDS_REMOVED}.")
    try:
        answer = Cloud(client).whoami()
    except ScopeError as error:
        return _known(client, error)
    except RejectedError as error:
        return Verdict(False, problem=str(error), refused=True)
    except LockoutError as error:
        return Verdict(None, problem=f"{error} {_NO_VERDICT}", refused=True)
    except RemovedError as error:
        return Verdict(False if error.app_password else None, problem=str(error), refused=error.app_password)
    except BitbucketError as error:
        return Verdict(None, problem=str(error))
    account = _account(answer.data)
    if account is None:
        return Verdict(None, problem="The server's answer names no user. Check `api_url`.")
    return _with_headers(client, Verdict(True, account=account), answer.headers)


def _known(client: Client, error: ScopeError) -> Verdict:
    """403 for somebody whom the server knows, or else from whatever stands before it."""
    verdict = _with_headers(client, Verdict(None), error.headers)
    named = error.granted is not None or error.required is not None
    if not named and verdict.credential_type is None:
        return verdict._replace(problem=str(error))
    scopes = verdict.scopes if error.granted is None else tuple(error.granted)
    accepted = verdict.accepted_scopes if error.required is None else tuple(error.required)
    verdict = verdict._replace(works=True, scopes=scopes, accepted_scopes=accepted)
    of_user = _secret.kind(client.credential.password) == _secret.API_TOKEN
    if of_user and scopes is not None and not any(map(_SCOPE.fullmatch, scopes)):
        return verdict._replace(works=False, problem=_FOREIGN.format(", ".join(scopes) or "it has none"))
    return verdict


def _with_headers(client: Client, verdict: Verdict, headers: t.Mapping[str, str]) -> Verdict:
    """With what the headers say, none of which is certain to be there (C7)."""
    clean = client.clean
    return verdict._replace(
        credential_type=clean(headers.get("x-credential-type", "")) or None,
        token_id=clean(headers.get("x-token-id", "")) or None,
        scopes=_cloud_answers.scopes(headers.get("x-oauth-scopes"), clean),
        accepted_scopes=_cloud_answers.scopes(headers.get("x-accepted-oauth-scopes"), clean),
    )


def _account(data: t.Any) -> dict[str, str | None] | None:
    fields = data if isinstance(data, dict) else {}
    account = {name: writable(fields[name]) if isinstance(fields.get(name), str) else None for name in _ACCOUNT}
    return account if any(account.values()) else None
