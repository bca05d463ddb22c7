#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: credential_info
short_description: Tell what a Bitbucket credential is, and whether it works
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Tells by its shape what kind of credential O(secret) is. An HTTP access token of Bitbucket Data Center names its own
    id, so this needs no server.
  - With O(verify=true) the server is asked, O(url) about a credential of Bitbucket Data Center and O(api_url) about one
    of Bitbucket Cloud. One that it refuses is not tried again, since failed logins lock accounts.
  - App passwords were removed from Bitbucket Cloud on 2026-07-28. One does not work, and is sent nowhere.
  - Nothing of the result is secret.
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
      - The credential to look at, an access token or a password.
    type: str
    required: true
  username:
    description:
      - The user that it belongs to. A secret that is not an access token is tried as this user's password.
      - For Bitbucket Cloud, the user name that git is given with it. It is looked at, not sent.
    type: str
  email:
    description:
      - The e-mail address of the Atlassian account that an API token of Bitbucket Cloud belongs to.
      - If it is set, a secret whose kind is not known is taken for an API token. With O(url) as well, such a secret is
        sent to neither, and O(verify=true) fails.
    type: str
  verify:
    description:
      - Whether to ask the server. Takes O(url) for a credential of Bitbucket Data Center, O(email) for an API token.
    type: bool
    default: false
  url:
    description:
      - Bitbucket's base URL, with the context path where the instance has one.
      - If not set, the environment variable E(BITBUCKET_URL) is used.
    type: str
    required: false
notes:
  - Nothing but O(secret) signs in. The other options that do so elsewhere, such as O(password) and O(api_token), are
    not used; they are there so that C(module_defaults) can set them for a whole action group.
seealso:
  - module: tokensmith.bitbucket.access_token_info
"""

EXAMPLES = r"""
- name: Say which token a file holds, without a request
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
  description: What the secret says of itself.
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
        - For Bitbucket Cloud the id that the server names, if it does.
      type: str
    fingerprint:
      description: The first twelve hex digits of its SHA-256, to recognise it by.
      type: str
works:
  description:
    - Whether the server accepts it. V(null) if it was not asked, or gave no clear answer. RV(problem) has the answer.
    - Of a credential of Bitbucket Data Center, V(false) only where Bitbucket itself says that it is wrong. A CAPTCHA, a
      missing licence, a filter or a proxy would refuse one that is right as well.
  returned: success
  type: bool
user:
  description: Who it is to Bitbucket Data Center, with C(name) and C(slug). V(null) if unknown.
  returned: success
  type: dict
account:
  description:
    - Whose it is on Bitbucket Cloud, with C(uuid), C(account_id), C(display_name) and C(nickname). V(null) if unknown,
      and for access tokens, which belong to no account.
  returned: success
  type: dict
credential_type:
  description: What Bitbucket Cloud calls this kind of credential, such as V(repo_access_token). V(null) if unknown.
  returned: success
  type: str
scopes:
  description: The scopes that Bitbucket Cloud says it has. V(null) if unknown.
  returned: success
  type: list
  elements: str
accepted_scopes:
  description: The scopes that Bitbucket Cloud says the question took. V(null) if unknown.
  returned: success
  type: list
  elements: str
problem:
  description: Why it does not work, or why that is not known. V(null) if there is no problem.
  returned: success
  type: str
hints:
  description:
    - A sentence for each thing that looks wrong without asking. It is an app password, an API token seems to be
      clipped, or the user name is not one that git or REST takes with it.
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

#: Takes what signs in elsewhere too, and does not use it: its action groups set that for all their modules.
SPEC: _argspec.Spec = {
    **_argspec.CONNECTION,
    **_argspec.CLOUD,
    "secret": {"type": "str", "required": True, "no_log": True},
    "verify": {"type": "bool", "default": False},
}

_URLS = ("url", "api_url", "oauth_url", "admin_url")
_EITHER = (
    "`secret` is of no known kind, and both `url` of Bitbucket Data Center and `email` of Bitbucket Cloud are set, by "
    "the task, by `module_defaults` or by the environment: make one of them empty, so that the secret is sent to the "
    "right server. Nothing was sent."
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
    """Look at the credential; reads only, in check mode as well.

    :param client: signed in with that credential, where the server shall be asked.
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
    """The client that asks about the credential; none where nobody is to be asked, or there is nothing left to ask.

    :raises InputError: where options that it takes are missing or wrong.
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
        raise InputError("`verify` takes `url`, the server to ask.")
    if _secret.kind(secret) == _secret.HTTP_ACCESS_TOKEN or not params["username"]:
        return {**params, "token": secret, "username": None, "password": None}
    return {**params, "password": secret, "token": None}


def cloud_connection(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The same for Bitbucket Cloud: an access token as bearer, an API token with its owner's e-mail address."""
    secret = params["secret"].strip()
    nobody = dict.fromkeys(("email", "api_token", "access_token", "client_id", "client_secret"))
    if _secret.kind(secret) == _secret.CLOUD_ACCESS_TOKEN:
        return {**params, **nobody, "access_token": secret}
    if not params["email"]:
        raise InputError(
            "`verify` takes `email` for an API token of Bitbucket Cloud: the e-mail address of the account that it "
            "belongs to. Nothing was sent."
        )
    return {**params, **nobody, "api_token": secret, "email": params["email"]}


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
