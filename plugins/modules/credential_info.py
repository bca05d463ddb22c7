#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: credential_info
short_description: Identify a Bitbucket credential, and check whether it works
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Identifies the kind of O(secret) by its format. An HTTP access token of Bitbucket Data Center contains its own id,
    so this makes no request.
  - With O(verify=true), the module signs in with it, at O(url) for a credential of Bitbucket Data Center and at
    O(api_url) for one of Bitbucket Cloud. A refused login is not repeated, since failed logins lock accounts.
  - Bitbucket Cloud removed app passwords on 2026-07-28. They do not work, and are never sent.
  - The result contains no secret.
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.connection.credential
  - tokensmith.bitbucket.cloud
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.both
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  secret:
    description:
      - The credential to identify, such as an access token or a password.
    type: str
    required: true
  username:
    description:
      - The user of the credential. A secret that is not an access token is tried as this user's password.
      - For Bitbucket Cloud, the user name that git uses with it. It is checked for mistakes (RV(hints)) and not sent.
    type: str
  email:
    description:
      - The e-mail address of the Atlassian account, for an API token of Bitbucket Cloud.
      - If it is set, a secret of an unknown kind counts as an API token. If O(url) is set as well, such a secret is
        not sent, and O(verify=true) fails.
    type: str
  verify:
    description:
      - Whether to check the credential by signing in. Requires O(url) for a credential of Bitbucket Data Center, and
        O(email) for an API token.
    type: bool
    default: false
  url:
    description:
      - Bitbucket's base URL, with the context path if the instance has one.
      - If not set, the environment variable E(BITBUCKET_URL) is used.
    type: str
    required: false
notes:
  - The module signs in with O(secret) only. Other credentials, such as O(password) and O(api_token), are accepted so
    that C(module_defaults) can set them for a whole action group, and are not used.
seealso:
  - module: tokensmith.bitbucket.access_token_info
"""

EXAMPLES = r"""
- name: Identify the token in a file, without a request
  tokensmith.bitbucket.credential_info:
    secret: "{{ lookup('ansible.builtin.file', 'ci.token') }}"
  register: offline

- name: Check that the token still works
  tokensmith.bitbucket.credential_info:
    url: https://bitbucket.example.com
    secret: "{{ lookup('ansible.builtin.file', 'ci.token') }}"
    verify: true
  register: credential
  failed_when: credential.works is not true

- name: Check that an API token of Bitbucket Cloud may read repositories
  tokensmith.bitbucket.credential_info:
    email: automation@example.com
    secret: "{{ bitbucket_api_token }}"
    verify: true
  register: credential
  failed_when: "'read:repository:bitbucket' not in credential.scopes | default([], true)"
"""

RETURN = r"""
credential:
  description: The properties that the secret itself shows.
  returned: success
  type: dict
  contains:
    kind:
      description:
        - C(http_access_token) for Bitbucket Data Center; C(app_password), C(api_token) and C(cloud_access_token) for
          Bitbucket Cloud; C(unknown) for anything else, such as a password.
      type: str
    token_id:
      description:
        - The id of the HTTP access token. V(null) if it cannot be read.
        - For Bitbucket Cloud, the id that the server returns, if any.
      type: str
    fingerprint:
      description: The first twelve hex digits of its SHA-256, to recognise it by.
      type: str
works:
  description:
    - Whether the server accepts it. V(null) if it was not checked, or if the answer was not clear; see RV(problem).
    - For a credential of Bitbucket Data Center, V(false) only if Bitbucket itself says that it is wrong. A CAPTCHA, a
      missing license, a filter or a proxy would refuse a correct one as well.
  returned: success
  type: bool
user:
  description: The user on Bitbucket Data Center, with C(name) and C(slug). V(null) if unknown.
  returned: success
  type: dict
account:
  description:
    - The account on Bitbucket Cloud, with C(uuid), C(account_id), C(display_name) and C(nickname). V(null) if unknown,
      and for access tokens, which belong to no account.
  returned: success
  type: dict
credential_type:
  description: The kind of credential as Bitbucket Cloud names it, such as V(repo_access_token). V(null) if unknown.
  returned: success
  type: str
scopes:
  description: The scopes that Bitbucket Cloud reports for it. V(null) if unknown.
  returned: success
  type: list
  elements: str
accepted_scopes:
  description: The scopes that Bitbucket Cloud reports as accepted for the request. V(null) if unknown.
  returned: success
  type: list
  elements: str
problem:
  description: The reason why it does not work, or why that is not known. V(null) if there is no problem.
  returned: success
  type: str
hints:
  description:
    - Problems that are found without a request, one sentence each, such as an app password, an API token that seems to
      be incomplete, or a user name that does not work with it for git or REST.
  returned: success
  type: list
  elements: str
"""

import typing as t

from ..module_utils import _argspec
from ..module_utils._module import run_module
from ..module_utils.cloud import _advice, _cloud
from ..module_utils.core import _secret
from ..module_utils.core._errors import BitbucketError, InputError
from ..module_utils.core._redact import url_of
from ..module_utils.datacenter._api import DataCenter
from ..module_utils.http._client import Client
from ..module_utils.http._cloud_connection import client_from as cloud_client
from ..module_utils.http._connection import client_from

#: Has all login options, although most are not used: action groups set them for all their modules.
SPEC: _argspec.Spec = {
    **_argspec.CONNECTION,
    **_argspec.CLOUD,
    "secret": {"type": "str", "required": True, "no_log": True},
    "verify": {"type": "bool", "default": False},
}

_URLS = ("url", "api_url", "oauth_url", "admin_url")
_EITHER = (
    "The kind of `secret` is not known, and both `url` (Bitbucket Data Center) and `email` (Bitbucket Cloud) are set, "
    "by the task, by `module_defaults` or by the environment. Set one of them to an empty string to select the server. "
    "Nothing was sent."
)
_NOTHING = {
    "works": None,
    "user": None,
    "account": None,
    "credential_type": None,
    "scopes": None,
    "accepted_scopes": None,
    "problem": None,
}


def run(params: dict[str, t.Any], client: Client | None, check_mode: bool) -> dict[str, t.Any]:
    """Identify the credential; reads only, in check mode as well.

    :param client: signs in with that credential; None if no request is needed.
    """
    secret = params["secret"].strip()
    if not secret:
        raise InputError("`secret` is empty.")
    kind = _secret.kind(secret)
    credential = {
        "kind": kind,
        "token_id": _secret.token_id(secret),
        "fingerprint": _secret.fingerprint(secret),
    }
    hints = _advice.advice(secret, params["username"] or "", params["email"] or "")
    result: dict[str, t.Any] = {"changed": False, "credential": credential, **_NOTHING, "hints": hints}
    if kind == _secret.APP_PASSWORD:
        return {**result, "works": False, "problem": hints[0]}
    if client is None:
        return result
    if not _of_cloud(params):
        return {**result, **_ask(DataCenter(client))}
    verdict = _cloud.probe(client)._asdict()
    credential["token_id"] = verdict.pop("token_id")
    del verdict["refused"]
    return {**result, **verdict}


def client_for(params: dict[str, t.Any]) -> Client | None:
    """The client that signs in with the credential; None without `verify` and for app passwords.

    :raises InputError: if options for the login are missing or wrong.
    """
    asked = {**params, **{option: url_of(params, option) for option in _URLS}}
    if not params["verify"] or _secret.kind(params["secret"]) == _secret.APP_PASSWORD:
        return None
    if _secret.kind(params["secret"]) == _secret.UNKNOWN_KIND and params["url"] and params["email"]:
        raise InputError(_EITHER)
    return cloud_client(cloud_connection(asked)) if _of_cloud(asked) else client_from(connection(asked))


def connection(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Connection options that sign in with the credential itself: a token as bearer, anything else as a password."""
    secret = params["secret"].strip()
    if not params["url"]:
        raise InputError("`verify` needs `url`, or BITBUCKET_URL in the environment.")
    if _secret.kind(secret) == _secret.HTTP_ACCESS_TOKEN or not params["username"]:
        return {**params, "token": secret, "username": None, "password": None}
    return {**params, "password": secret, "token": None}


def cloud_connection(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The same for Bitbucket Cloud: an access token as bearer, an API token with its owner's e-mail address."""
    secret = params["secret"].strip()
    no_login = dict.fromkeys(("email", "api_token", "access_token", "client_id", "client_secret"))
    if _secret.kind(secret) == _secret.CLOUD_ACCESS_TOKEN:
        return {**params, **no_login, "access_token": secret}
    if not params["email"]:
        raise InputError(
            "`verify` needs `email` for an API token of Bitbucket Cloud: the e-mail address of its account. "
            "Nothing was sent."
        )
    return {**params, **no_login, "api_token": secret, "email": params["email"]}


def _of_cloud(params: dict[str, t.Any]) -> bool:
    kind = _secret.kind(params["secret"])
    return kind in _secret.CLOUD_KINDS or (kind == _secret.UNKNOWN_KIND and bool(params["email"]))


def _ask(api: DataCenter) -> dict[str, t.Any]:
    """One login. Only after it succeeded is the user's slug looked up."""
    answer = api.sign_in()
    user = {"name": answer.name, "slug": _slug(api, answer.name)} if answer.name else None
    return {"works": answer.works, "problem": answer.problem, "user": user}


def _slug(api: DataCenter, name: str) -> str | None:
    try:
        return api.user_slug(name)
    except BitbucketError:
        return None


def main() -> None:
    run_module(SPEC, run, client_for)


if __name__ == "__main__":
    main()
