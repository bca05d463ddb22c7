# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From connection options to a client. Loads requests, and so only modules and the inventory import it."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._redact import url_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _addresses, _transport
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport

_ENVIRONMENT = {"username": "BITBUCKET_USERNAME", "password": "BITBUCKET_PASSWORD", "token": "BITBUCKET_TOKEN"}


def client_from(params: t.MutableMapping[str, t.Any]) -> Client:
    """The client that a module's connection options describe.

    :raises InputError: where they cannot be right, or the library is missing where the module runs.
    """
    client = Client(url_of(params, "url"), credential_from(params, os.environ), transport_from(params))
    require_private(client.url, "url", params)
    return client


def transport_from(params: t.Mapping[str, t.Any]) -> Transport:
    """The way to the server that the options describe.

    :raises InputError: where they cannot be right, or the library is missing where the module runs.
    """
    if not _transport.HAS_REQUESTS:
        raise InputError(str(missing_required_lib("requests")))
    if params["timeout"] < 1:
        raise InputError("`timeout` must be at least 1 second.")
    if params["client_key"] and not params["client_cert"]:
        raise InputError("`client_key` needs `client_cert`, the certificate that it belongs to.")
    settings = Settings(
        params["validate_certs"],
        params["ca_path"],
        params["client_cert"],
        params["client_key"],
        params["timeout"],
        params["use_proxy"],
    )
    return Transport(settings)


def require_private(url: str, option: str, params: t.Mapping[str, t.Any]) -> None:
    """Refuse a URL where others can read what is sent, unless ``allow_insecure`` permits it.

    :raises InputError: naming the option that the URL came from.
    """
    if not params["allow_insecure"] and not _addresses.is_private(url):
        raise InputError(
            f"`{option}` begins with http://, so the password or token would cross the network unencrypted: nothing "
            "was sent. Use https://, or set `allow_insecure: true` where nobody else can listen."
        )


def credential_from(params: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> Credential:
    """Who signs in. The environment supplies a credential only where the task sets none of it.

    :raises InputError: where there is none, half of one, or two.
    """
    given = given_or(environment, params, _ENVIRONMENT)
    if given["token"] and given["password"]:
        raise InputError("Both `token` and `password` are given: keep the one to sign in with.")
    if given["token"]:
        return Credential(token=sendable(given["token"], "token"))
    if given["username"] and given["password"]:
        return Credential(given["username"], given["password"])
    if given["username"] or given["password"]:
        missing = "password" if given["username"] else "username"
        raise InputError(f"`{missing}` is missing: Basic authentication takes `username` and `password`.")
    raise InputError(
        "No credential: set `username` and `password`, or `token`, or one of them in the environment "
        "(BITBUCKET_USERNAME, BITBUCKET_PASSWORD, BITBUCKET_TOKEN)."
    )


def given_or(
    environment: t.Mapping[str, str], params: t.Mapping[str, t.Any], variables: t.Mapping[str, str]
) -> dict[str, str]:
    """The options that sign in, by their names, as the task sets them; where it sets none, as ``environment`` does.

    :param variables: the variable of the environment for each option.
    """
    given = {name: (params.get(name) or "").strip() for name in variables}
    if any(given.values()):
        return given
    return {name: environment.get(variable, "").strip() for name, variable in variables.items()}


def sendable(token: str, option: str) -> str:
    """``token`` where it can stand in a header.

    :raises InputError: where it cannot, naming the option that it came from.
    """
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise InputError(f"`{option}` holds characters that no token has (blanks or line breaks, perhaps from a file).")
    return token
