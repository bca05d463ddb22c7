# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From connection options to a client. Loads requests, and so only modules and the inventory import it."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import missing_required_lib

from ..core._errors import InputError
from ..core._redact import url_of
from . import _addresses, _transport
from ._client import Client, Credential
from ._transport import Settings, Transport

_URL, _CA_PATH = "BITBUCKET_URL", "BITBUCKET_CA_PATH"
_ENVIRONMENT = {"username": "BITBUCKET_USERNAME", "password": "BITBUCKET_PASSWORD", "token": "BITBUCKET_TOKEN"}
#: The kinds of credential: the options of each, the secret last.
_KINDS = (("username", "password"), ("token",))


def client_from(params: t.MutableMapping[str, t.Any]) -> Client:
    """The client that a module's connection options describe.

    :raises InputError: if they cannot be right, or the library is missing where the module runs.
    """
    params["url"] = params["url"] or os.environ.get(_URL)
    if not params["url"]:
        raise InputError(f"`url` is missing: set it or {_URL} to Bitbucket's base URL.")
    client = Client(url_of(params, "url"), credential_from(params, os.environ), transport_from(params))
    require_private(client.url, "url", params)
    return client


def transport_from(params: t.Mapping[str, t.Any]) -> Transport:
    """The way to the server that the options describe.

    :raises InputError: if they cannot be right, or the library is missing where the module runs.
    """
    if not _transport.HAS_REQUESTS:
        raise InputError(str(missing_required_lib("requests")))
    if params["timeout"] < 1:
        raise InputError("`timeout` must be at least 1 second.")
    if params["client_key"] and not params["client_cert"]:
        raise InputError("`client_key` needs `client_cert`, the certificate that it belongs to.")
    settings = Settings(
        params["validate_certs"],
        params["ca_path"] or os.environ.get(_CA_PATH),
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
            "was sent. Use https://, or set `allow_insecure: true` if nobody else can read the network."
        )


def credential_from(params: t.Mapping[str, t.Any], environment: t.Mapping[str, str]) -> Credential:
    """Who signs in. An option that the task does not set comes from its own variable of the environment.

    :raises InputError: if there is no credential, half of one, or two.
    """
    given = signing_in(params, environment, _ENVIRONMENT, _KINDS)
    if given["token"]:
        return Credential(token=sendable(given["token"], "token"))
    if given["username"] and given["password"]:
        return Credential(given["username"], given["password"])
    if given["username"] or given["password"]:
        missing = "password" if given["username"] else "username"
        raise InputError(f"`{missing}` is missing: set it or {_ENVIRONMENT[missing]}.")
    raise InputError(
        "No credential: set `username` and `password`, or `token`, or in the environment BITBUCKET_USERNAME and "
        "BITBUCKET_PASSWORD, or BITBUCKET_TOKEN."
    )


def signing_in(
    params: t.Mapping[str, t.Any],
    environment: t.Mapping[str, str],
    variables: t.Mapping[str, str],
    kinds: t.Sequence[tuple[str, ...]],
) -> dict[str, str]:
    """The options that sign in, by their names; empty if neither the task nor the environment sets one.

    A task that sets an option of one kind takes the rest of that kind from the environment, and nothing of another.

    :param variables: the variable of the environment for each option.
    :param kinds: the options of each kind of credential, the secret last.
    :raises InputError: if two kinds are given.
    """
    given = {name: _value(name, params.get(name)) for name in variables}
    chosen = [kind for kind in kinds if given[kind[-1]]] or [kind for kind in kinds if any(map(given.get, kind))]
    for kind in chosen or kinds:
        given.update({name: given[name] or _value(name, environment.get(variables[name])) for name in kind})
    secrets = [kind[-1] for kind in kinds if given[kind[-1]]]
    if len(secrets) > 1 and chosen:
        raise InputError(f"Both `{secrets[0]}` and `{secrets[1]}` are set. Keep the one to sign in with.")
    if len(secrets) > 1:
        names = [variables[name] for name in secrets]
        raise InputError(
            f"The environment has two credentials, {names[0]} and {names[1]}: unset one of them, or set "
            f"`{secrets[0]}` or `{secrets[1]}`."
        )
    return given


def _value(name: str, text: t.Any) -> str:
    """The value of an option. Spaces at the ends are removed, except from a password."""
    value = str(text or "")
    return value if name == "password" else value.strip()


def sendable(token: str, option: str) -> str:
    """``token`` where it can stand in a header.

    :raises InputError: if it cannot, naming the option.
    """
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise InputError(f"`{option}` has characters that no token has (such as spaces or line breaks from a file).")
    return token
