#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: app_password_info
short_description: Find app passwords of Bitbucket Cloud, and other secrets of Bitbucket, in credential files
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Finds app passwords on a host, in Git's credential files, netrc files, the URLs and headers of Git's configuration,
    and in further files. Bitbucket Cloud disabled all app passwords on 2026-07-28.
  - Runs on the managed host, which needs only Python, and requests for O(verify=true). The result contains no secret.
extends_documentation_fragment:
  - tokensmith.bitbucket.credential_files
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.files_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  verify:
    description:
      - Whether to check each secret with Bitbucket Cloud, which sends it there, once even if it was found several
        times. App passwords, which no longer work, and tokens of Data Center are not sent.
      - After a password of a user is refused, no other password of that user is tried. A password that was found with
        several user names is tried with the first of them only; for the others it stays unverified.
    type: bool
    default: false
  email:
    description:
      - The e-mail address of the account of the API tokens, to O(verify) those that have none in their entry.
    type: str
  api_url:
    description:
      - The base URL of Bitbucket Cloud's REST API.
    type: str
    default: https://api.bitbucket.org
seealso:
  - module: tokensmith.bitbucket.app_password
"""

EXAMPLES = r"""
# As root, homes: ["/home/*", "~root"] searches the homes of all users.
- name: Find app passwords in a home, and the scopes that an API token needs to replace them
  tokensmith.bitbucket.app_password_info:
    homes: ["~"]
    search_paths: [~/ci]
    permissions: [repository:write, pullrequest]
  become: true
  register: left

- name: Check that no secret is left that no longer works
  ansible.builtin.assert:
    that: left.findings | selectattr('dead') | length == 0
"""

RETURN = r"""
findings:
  description: The secrets, in the order in which the files were searched.
  returned: success
  type: list
  elements: dict
  contains:
    file:
      description: The file.
      type: str
    line:
      description: The line in which the secret begins, counted from 1.
      type: int
    format:
      description: How the file was read, one of C(git_credentials), C(netrc), C(git_config) and C(other).
      type: str
    host:
      description: The host of the entry. V(null) if the file does not say, or if the entry is for every host.
      type: str
    user:
      description: The user name of the entry. V(null) if there is none.
      type: str
    kind:
      description:
        - By its prefix C(app_password), C(api_token) or C(cloud_access_token) for Bitbucket Cloud; by its shape
          C(http_access_token) for Data Center; C(unknown) for anything else, such as a password.
      type: str
    fingerprint:
      description: The first twelve hex digits of its SHA-256, to recognise it by.
      type: str
    dead:
      description:
        - V(true) for an app password, and with O(verify=true) for a secret for C(bitbucket.org) that is refused there;
          V(false) for one that is accepted. V(null) if neither is known.
      type: bool
    git_user:
      description:
        - The user name for Git with this secret, or with the API token that replaces it. V(null) for Data Center.
      type: str
    rest_user:
      description:
        - The user name for the REST API, which for an API token is the account's e-mail address, if the file has it.
          V(null) for an access token, which is sent as a bearer token.
      type: str
    scopes:
      description: The scopes of an API token that replaces it. Given for app passwords, with O(permissions).
      type: list
      elements: str
    problem:
      description: The problem with it, in one sentence. V(null) if no problem is known.
      type: str
    verified:
      description:
        - The result of the check, with C(works), C(credential_type), the granted C(scopes), C(account), and C(problem)
          as one sentence. V(null) means not known.
      returned: with O(verify=true)
      type: dict
scopes:
  description: The scopes that replace O(permissions), each once.
  returned: with O(permissions)
  type: list
  elements: str
scope_table:
  description:
    - The rows of the table for O(permissions), with C(permission), C(scopes), and C(basis), which is C(derived) or
      C(inferred).
  returned: with O(permissions)
  type: list
  elements: dict
searched:
  description: The files that were read.
  returned: success
  type: list
  elements: str
not_searched:
  description: Files and directories that could not be read or were not followed, with C(path), C(reason) and C(msg).
  returned: success
  type: list
  elements: dict
"""

import typing as t

from ..module_utils import _argspec
from ..module_utils._module import run_module
from ..module_utils.cloud import _scopes
from ..module_utils.core import _secret
from ..module_utils.credential_files import _findings, _inquiry
from ..module_utils.credential_files._inquiry import Inquiry
from ..module_utils.credential_files._places import shown
from ..module_utils.http._cloud_connection import clients_from

SPEC: _argspec.Spec = {
    **_argspec.CREDENTIAL_FILES,
    **_argspec.TRANSPORT,
    "verify": {"type": "bool", "default": False},
    "email": {"type": "str"},
    "api_url": _argspec.CLOUD["api_url"],
}


def run(params: dict[str, t.Any], inquiry: Inquiry | None, check_mode: bool) -> dict[str, t.Any]:
    """Search; reads only, in check mode as well.

    :param inquiry: checks the secrets with Bitbucket Cloud, or None.
    :raises InputError: for a path that is not absolute, or an unknown permission.
    """
    rows = _scopes.rows(params["permissions"])
    search = _findings.search(params)
    findings = _findings.findings(search.files)
    found = [finding.describe() for finding in findings]
    result = {
        "changed": False,
        "findings": found,
        "searched": [shown(file.path) for file in search.files],
        "not_searched": [skipped.describe() for skipped in search.skipped],
    }
    if inquiry is not None:
        for finding, entry, verdict in zip(findings, found, inquiry.verdicts(findings)):
            entry.update(dead=_inquiry.is_dead(finding, verdict), verified=_inquiry.describe(verdict))
    if rows:
        scopes = _scopes.scopes(rows)
        result.update(scopes=scopes, scope_table=[row.describe() for row in rows])
        for entry in found:
            entry["scopes"] = scopes if entry["kind"] == _secret.APP_PASSWORD else None
    return result


def inquiry_for(params: dict[str, t.Any]) -> Inquiry | None:
    """The check of secrets with Bitbucket Cloud, or None without `verify`."""
    return Inquiry(clients_from(params), params["email"] or "") if params["verify"] else None


def main() -> None:
    run_module(SPEC, run, inquiry_for)


if __name__ == "__main__":
    main()
