# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From a module's options to its client of Bitbucket Cloud, or of Atlassian's administration API."""

from __future__ import annotations

import os
import typing as t
from urllib.parse import urlsplit, urlunsplit

from ..core import _secret
from ..core._errors import AnswerError, InputError
from ..core._redact import url_of
from . import _cloud_answers
from ._client import Client, Credential, base_url
from ._connection import require_private, sendable, signing_in, transport_from

_ENVIRONMENT = {
    "email": "BITBUCKET_EMAIL",
    "api_token": "BITBUCKET_API_TOKEN",
    "access_token": "BITBUCKET_ACCESS_TOKEN",
    "client_id": "BITBUCKET_CLIENT_ID",
    "client_secret": "BITBUCKET_CLIENT_SECRET",
}
_ADMIN_API_KEY = "ATLASSIAN_ADMIN_API_KEY"
#: The kinds of credential: the options of each, the secret last.
_KINDS = (("email", "api_token"), ("access_token",), ("client_id", "client_secret"))


def client_from(params: t.MutableMapping[str, t.Any]) -> Client:
    """The client of Bitbucket Cloud that a module's options describe; an OAuth consumer gets its token here, once.

    :raises InputError: if they cannot be right, or the library is missing where the module runs.
    :raises BitbucketError: if an OAuth consumer gets no token.
    """
    url = _private(params, "api_url")
    credential = credential_from(params, os.environ, lambda consumer: _fetched(params, consumer))
    return Client(url, credential, transport_from(params), product=_cloud_answers.CLOUD)


def clients_from(params: t.MutableMapping[str, t.Any]) -> t.Callable[[Credential], Client]:
    """A function that creates a client of Bitbucket Cloud for a credential.

    :raises InputError: if the options cannot be right, or the library is missing where the module runs.
    """
    url = _private(params, "api_url")
    transport = transport_from(params)
    return lambda credential: Client(url, credential, transport, product=_cloud_answers.CLOUD)


def organization_client_from(params: t.MutableMapping[str, t.Any]) -> Client:
    """The client of the administration API that a module's options describe.

    :raises InputError: if they cannot be right, or the library is missing where the module runs.
    """
    url = url_of(params, "admin_url")
    key = (params["admin_api_key"] or os.environ.get(_ADMIN_API_KEY, "")).strip()
    if not key:
        raise InputError(
            f"No credential: set `admin_api_key`, or {_ADMIN_API_KEY} in the environment, to an API key that an "
            "administrator of the organization created. API tokens and access tokens are not accepted for this."
        )
    credential = Credential(token=_checked("admin_api_key", key))
    client = Client(url, credential, transport_from(params), product=_cloud_answers.ORGANIZATION)
    require_private(client.url, "admin_url", params)
    return client


def credential_from(
    params: t.Mapping[str, t.Any],
    environment: t.Mapping[str, str],
    fetch: t.Callable[[Credential], str],
) -> Credential:
    """Who signs in. An option that the task does not set comes from its own variable of the environment.

    :param fetch: gets the token of an OAuth consumer, who is given as user and password.
    :raises InputError: if there is no credential, half of one, two, or one that does not belong into its option.
    """
    given = signing_in(params, environment, _ENVIRONMENT, _KINDS)
    chosen = next((kind for kind in _KINDS if any(map(given.get, kind))), None)
    if chosen is None:
        raise InputError(
            "No credential: set `email` and `api_token`, or `access_token`, or `client_id` and `client_secret`, or one "
            f"of them in the environment ({', '.join(_ENVIRONMENT.values())})."
        )
    chosen = next((kind for kind in _KINDS if given[kind[-1]]), chosen)
    missing = next((name for name in chosen if not given[name]), None)
    if missing:
        raise InputError(f"`{missing}` is missing: set it or {_ENVIRONMENT[missing]}.")
    option = chosen[-1]
    secret = _checked(option, given[option])
    if option == "access_token":
        return Credential(token=secret)
    if option == "client_secret":
        return Credential(token=fetch(Credential(given["client_id"], secret)))
    return Credential(_address(given["email"]), secret)


def refuse_app_password(option: str, secret: str) -> None:
    """Refuse a secret that Bitbucket Cloud accepts nowhere any more, before it is sent anywhere.

    :raises InputError: naming the option that it came from.
    """
    if _secret.kind(secret) == _secret.APP_PASSWORD:
        raise InputError(
            f"`{option}` is an app password, so nothing was sent. {_cloud_answers.APP_PASSWORDS_REMOVED}. Set it "
            "as `api_token` together with `email`."
        )


def _private(params: t.MutableMapping[str, t.Any], option: str) -> str:
    """The URL of an option, if nobody else can read the requests to it."""
    url = base_url(url_of(params, option), option)
    require_private(url, option, params)
    return url


def _checked(option: str, secret: str) -> str:
    refuse_app_password(option, secret)
    kind = _secret.kind(secret)
    if option == "api_token" and kind == _secret.CLOUD_ACCESS_TOKEN:
        raise InputError(
            "`api_token` is an access token of a repository, project or workspace. Set it as `access_token`."
        )
    if option in ("access_token", "admin_api_key") and kind == _secret.API_TOKEN:
        raise InputError(f"`{option}` is an API token. Set it as `api_token` together with `email`.")
    return sendable(secret, option)


def _address(email: str) -> str:
    if "@" not in email:
        raise InputError(
            "`email` is not an e-mail address. REST needs the address of the Atlassian account; the Bitbucket user "
            "name is for git."
        )
    return email


def _fetched(params: t.MutableMapping[str, t.Any], consumer: Credential) -> str:
    """The token that an OAuth consumer gets for its own credentials."""
    parts = urlsplit(_private(params, "oauth_url"))
    # A way of its own: which proxy to use is decided by the first request that goes it.
    server = Client(urlunsplit(parts._replace(path="")), consumer, transport_from(params), product=_cloud_answers.OAUTH)
    answer = server.post_form(parts.path, {"grant_type": "client_credentials"})
    token = answer.data.get("access_token") if isinstance(answer.data, dict) else None
    if not isinstance(token, str) or not _secret.is_plausible(token):
        raise AnswerError(f"POST {parts.path}: the answer has no access token. Check `oauth_url`.")
    _secret.register_secret(token)
    return token
