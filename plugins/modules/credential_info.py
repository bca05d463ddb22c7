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
  - With O(verify=true) the server is asked. A credential that it refuses is not tried again, since failed logins lock
    accounts.
  - Nothing of the result is secret.
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.datacenter
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
    type: str
  verify:
    description:
      - Whether to ask the server. Takes O(url).
    type: bool
    default: false
  url:
    description:
      - Bitbucket's base URL, with the context path where the instance has one.
      - If not set, the environment variable E(BITBUCKET_URL) is used.
    type: str
seealso:
  - module: tokensmith.bitbucket.access_token_info
"""

EXAMPLES = r"""
- name: Which token is in this file?
  tokensmith.bitbucket.credential_info:
    secret: "{{ lookup('ansible.builtin.file', '/etc/ci/bitbucket.token') }}"
  register: offline

- name: Does it still work?
  tokensmith.bitbucket.credential_info:
    url: https://bitbucket.example.com
    secret: "{{ lookup('ansible.builtin.file', '/etc/ci/bitbucket.token') }}"
    verify: true
  register: credential
  failed_when: credential.works is not true
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
      description: The id of the HTTP access token. V(null) if it cannot be read.
      type: str
    fingerprint:
      description: The first twelve hex digits of its SHA-256, to recognise it by.
      type: str
works:
  description: Whether the server accepts it. V(null) if it was not asked, or gave no clear answer.
  returned: success
  type: bool
user:
  description: Who it is to the server, with C(name) and C(slug). V(null) if unknown.
  returned: success
  type: dict
problem:
  description: Why it does not work, or why that is not known. V(null) if there is no problem.
  returned: success
  type: str
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec, _probe, _secret
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._client import Client
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._connection import client_from
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._datacenter import DataCenter
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._errors import BitbucketError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._redact import url_of


def run(params: dict[str, t.Any], client: Client | None, check_mode: bool) -> dict[str, t.Any]:
    """Look at the credential; reads only, in check mode as well.

    :param client: signed in with that credential, where the server shall be asked.
    """
    secret = params["secret"].strip()
    if not secret:
        raise InputError("`secret` is empty.")
    credential = {
        "kind": _secret.kind(secret),
        "token_id": _secret.token_id(secret),
        "fingerprint": _secret.fingerprint(secret),
    }
    result = {"changed": False, "credential": credential, "works": None, "user": None, "problem": None}
    return result if client is None else {**result, **_ask(DataCenter(client))}


def connection(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """Connection options that sign in with the credential itself: a token as bearer, anything else as a password."""
    secret, url = params["secret"].strip(), url_of(params, "url")
    kind = _secret.kind(secret)
    if kind in _secret.CLOUD_KINDS:
        raise InputError("This is a credential of Bitbucket Cloud, which no Data Center accepts: not sent there.")
    if not url:
        raise InputError("`verify` takes `url`, the server to ask.")
    if kind == _secret.HTTP_ACCESS_TOKEN or not params["username"]:
        return {**params, "url": url, "token": secret, "username": None, "password": None}
    return {**params, "url": url, "password": secret, "token": None}


def _ask(api: DataCenter) -> dict[str, t.Any]:
    """One login. Only after it succeeded is the user's slug looked up."""
    verdict = _probe.ask(api)
    user = {"name": verdict.name, "slug": _slug(api, verdict.name)} if verdict.name else None
    return {"works": verdict.works, "problem": verdict.problem, "user": user}


def _slug(api: DataCenter, name: str) -> str | None:
    try:
        return api.user_slug(name)
    except BitbucketError:
        return None


def main() -> None:
    module = AnsibleModule(argument_spec=_argspec.CREDENTIAL, supports_check_mode=True)
    try:
        client = client_from(connection(module.params)) if module.params["verify"] else None
        result = run(module.params, client, module.check_mode)
    except BitbucketError as error:
        module.fail_json(msg=str(error), reason=error.reason)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
