#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: app_password
short_description: Remove app passwords of Bitbucket Cloud from credential files, or replace them
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Removes the secrets that M(tokensmith.bitbucket.app_password_info) finds, or replaces them with an API token. Every
    other byte of a file stays the same.
  - A file is replaced atomically, with its owner, its permissions and, as far as the system allows, its extended
    attributes. Git's own lock is held meanwhile. If another program changes the file nevertheless, it is not written.
  - App passwords themselves cannot be managed. Bitbucket Cloud never had an API that creates, lists or deletes them,
    and disabled all of them on 2026-07-28.
extends_documentation_fragment:
  - tokensmith.bitbucket.credential_files
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.files_group
attributes:
  check_mode:
    support: full
    details: Also reports files that could not be written.
  diff_mode:
    support: full
    details: Shows fingerprints in place of secrets, and nothing else of the file.
  idempotent:
    support: full
options:
  state:
    description:
      - V(absent) removes a line of C(.git-credentials), a machine of a netrc file, the user name and secret of a URL,
        and an authorization header. If a line or a machine also has a secret that is not selected, or a machine has
        a macro, only the secret itself and its user name are removed.
      - V(replaced) puts O(api_token) in its place, with the user name that Git needs with it.
      - V(present) always fails, since app passwords cannot be created any more. It returns the scopes that an API token
        needs instead.
    type: str
    choices: [absent, replaced, present]
    required: true
  api_token:
    description:
      - The API token, with scopes for Bitbucket. Only its owner can create one, in a browser.
    type: str
  git_username:
    description:
      - The user name for Git with this token. The user name of the account works as well. Set it if remote URLs
        contain it, since Git then asks for a secret of exactly that user. The e-mail address never works.
      - If it is not set, and a file of C(git credential-store) or a netrc file has several users for one host, each
        entry keeps its user name, since Git could not distinguish their tokens otherwise. If entries have no user name,
        and two secrets would get the same name, the second is not changed, and the task fails.
    type: str
    default: x-bitbucket-api-token-auth
  email:
    description:
      - The account's e-mail address, which is the user name for C(api.bitbucket.org). Without it, an entry of that host
        is not changed, and the task fails.
    type: str
  kinds:
    description:
      - The kinds of secrets to select. C(unknown) is any other secret for C(bitbucket.org), such as a password.
      - If neither this nor O(fingerprints) is set, all of the kind C(app_password) are selected, since none works.
    type: list
    elements: str
    choices: [app_password, api_token, cloud_access_token, http_access_token, unknown]
  fingerprints:
    description:
      - Only these secrets, of any kind, by the C(fingerprint) that M(tokensmith.bitbucket.app_password_info) returned.
    type: list
    elements: str
    default: []
  exclude_fingerprints:
    description:
      - Never these secrets.
    type: list
    elements: str
    default: []
  backup:
    description:
      - Whether to keep a copy of the old file next to it, readable by its owner only. The copy contains the secret, so
        remove it when you no longer need it.
    type: bool
    default: false
notes:
  - If a selected secret cannot be removed or replaced, all others are processed, and the task fails at the end. Secrets
    that must be removed manually have the reason C(manual) in RV(failures). In a file whose format is not known, that
    is every secret which is not the password of a URL.
  - A token is only put into entries for C(bitbucket.org), and never into a URL that begins with C(http://).
  - Files with several hard links, read-only files, and files in a directory that is not writable are not changed. Each
    is a failure.
  - If a machine is removed from a netrc file that has a C(default), the latter applies to that host.
seealso:
  - module: tokensmith.bitbucket.app_password_info
"""

EXAMPLES = r"""
- name: Replace app passwords with an API token
  tokensmith.bitbucket.app_password:
    state: replaced
    homes: ["~"]
    search_paths: [~/ci]
    api_token: "{{ vaulted_api_token }}"
  become: true

# As root, homes: ["/home/*"] searches the homes of all users.
- name: Remove them from the repositories of another directory
  tokensmith.bitbucket.app_password:
    state: absent
    search_paths: [~/src]
"""

RETURN = r"""
reason:
  description: The reason of the first failure, such as C(manual).
  returned: failure
  type: str
changes:
  description:
    - The secrets that were removed or replaced, or in check mode would be, with the keys of
      RV(tokensmith.bitbucket.app_password_info#module:findings).
  returned: with O(state=absent) and O(state=replaced)
  type: list
  elements: dict
files:
  description: The files that were rewritten, or in check mode would be.
  returned: with O(state=absent) and O(state=replaced)
  type: list
  elements: str
backup_files:
  description: The backups.
  returned: with O(state=absent) and O(state=replaced)
  type: list
  elements: str
not_searched:
  description:
    - Files and directories that could not be read or were not followed, with C(path), C(reason) and C(msg). The task
      fails if one exists and cannot be read, or is a link that root does not follow.
  returned: with O(state=absent) and O(state=replaced)
  type: list
  elements: dict
failures:
  description:
    - The selected secrets that could not be removed or replaced, with C(file), C(line), C(fingerprint), C(reason) and
      C(msg). The reason C(manual) means that the secret must be removed manually.
  returned: with O(state=absent) and O(state=replaced)
  type: list
  elements: dict
scopes:
  description: The scopes that replace O(permissions), each once.
  returned: with O(permissions)
  type: list
  elements: str
scope_table:
  description:
    - The rows of the table for O(permissions), with C(permission), C(scopes), and C(basis), which is C(derived) or
      C(inferred). With O(state=present) and no O(permissions), all rows.
  returned: with O(permissions), or O(state=present)
  type: list
  elements: dict
"""

import typing as t

from ..module_utils import _argspec
from ..module_utils._module import run_module
from ..module_utils._names import NAMES
from ..module_utils.cloud import _scopes
from ..module_utils.core._errors import failure_message
from ..module_utils.core._files import FileError
from ..module_utils.credential_files import _findings, _retire
from ..module_utils.credential_files._places import Skipped, shown
from ..module_utils.http._cloud_answers import API_TOKENS_PAGE

SPEC: _argspec.Spec = {
    **_argspec.CREDENTIAL_FILES,
    "state": {"type": "str", "choices": ["absent", "replaced", "present"], "required": True},
    "api_token": {"type": "str", "no_log": True},
    "git_username": {"type": "str", "default": "x-bitbucket-api-token-auth"},
    "email": {"type": "str"},
    "kinds": {
        "type": "list",
        "elements": "str",
        "choices": ["app_password", "api_token", "cloud_access_token", "http_access_token", "unknown"],
    },
    "fingerprints": {"type": NAMES, "elements": "str", "default": []},
    "exclude_fingerprints": {"type": NAMES, "elements": "str", "default": []},
    "backup": {"type": "bool", "default": False},
}

CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("kinds", "fingerprints")],
    "required_if": [("state", "replaced", ("api_token",))],
}

_IMPOSSIBLE = (
    "App passwords cannot be created: Bitbucket Cloud never had an API for that and disabled them all on 2026-07-28 "
    f"(CHANGE-3222). Ask the owner of the account to create an API token at {API_TOKENS_PAGE}, with the "
    "scopes in the result, and use `state: replaced`."
)
# A missing file has no secrets, and a file outside of the searched directories was not selected.
_HARMLESS = ("missing", "outside")


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Remove or replace the selected secrets.

    :raises InputError: if options are invalid. Other failures are in the result.
    """
    table = _table(params)
    if params["state"] == "present":
        return {"changed": False, "failed": True, "reason": "unsupported", "msg": _IMPOSSIBLE, **table}
    selection = _retire.selection_of(params)
    search = _findings.search(params)
    planned, failures = _retire.plan(_findings.findings(search.files), selection)
    changes: list[_retire.Change] = []
    backups: list[str | None] = []
    for change in planned:
        try:
            backups.append(_retire.carry_out(change, params["backup"], check_mode))
            changes.append(change)
        except FileError as error:
            failures.append(_retire.failed(change, error))
    result = {
        "changed": bool(changes),
        "changes": [finding.describe() for change in changes for finding in change.findings],
        "files": [shown(change.file.path) for change in changes],
        "backup_files": [shown(backup) for backup in backups if backup],
        "not_searched": [skipped.describe() for skipped in search.skipped],
        "failures": [failure.describe() for failure in failures],
        "diff": _retire.difference(changes, selection.successor),
        **table,
    }
    return {**result, **_verdict(search.skipped, failures)}


def _table(params: dict[str, t.Any]) -> dict[str, t.Any]:
    rows = _scopes.rows(params["permissions"])
    if rows:
        return {"scopes": _scopes.scopes(rows), "scope_table": [row.describe() for row in rows]}
    if params["state"] == "present":
        return {"scope_table": [row.describe() for row in _scopes.TABLE.values()]}
    return {}


def _verdict(skipped: list[Skipped], failures: list[_retire.RetireFailure]) -> dict[str, t.Any]:
    """A file that exists and could not be read is a failure: it may have selected secrets."""
    unread = [entry.describe() for entry in skipped if entry.reason not in _HARMLESS]
    problems = [*(failure.describe() for failure in failures), *unread]
    return {"failed": True, "msg": failure_message(problems), "reason": problems[0]["reason"]} if problems else {}


def main() -> None:
    run_module(SPEC, run, **CONSTRAINTS)


if __name__ == "__main__":
    main()
