#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: app_password
short_description: Remove app passwords of Bitbucket Cloud from files of credentials, or replace them
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Removes what M(tokensmith.bitbucket.app_password_info) finds, or puts an API token in its place. Every other byte of
    a file stays as it is.
  - A file is replaced at once and for good, with its owner, its permissions and, as far as the system allows, its
    extended attributes. Git's own lock is held meanwhile. A file that changes all the same is left as it is.
  - App passwords themselves cannot be managed. Bitbucket Cloud never had an API that creates, lists or deletes them,
    and disabled them for good on 2026-07-28.
extends_documentation_fragment:
  - tokensmith.bitbucket.credential_files
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.files_group
attributes:
  check_mode:
    support: full
    details: Also says what could not be written.
  diff_mode:
    support: full
    details: Fingerprints in place of secrets, and nothing of the rest of the file.
  idempotent:
    support: full
options:
  state:
    description:
      - V(absent) removes a line of C(.git-credentials), a machine of a netrc file, the user name and secret of a URL,
        and a header that logs in. Where a line or a machine also has a secret that is not meant, or a machine has a
        macro, only the secret itself and its user name go.
      - V(replaced) puts O(api_token) in its place, with the user name that Git takes with it.
      - V(present) always fails, since no app password can be made any more. It returns what an API token needs instead.
    type: str
    choices: [absent, replaced, present]
    required: true
  api_token:
    description:
      - The API token with scopes for Bitbucket to put in place. Only its owner can make one, in a browser.
    type: str
  git_username:
    description:
      - The user name that goes with it, for Git. That of the account works as well. Set it where remote URLs name it,
        since Git then asks for a secret of that very user. The e-mail address never works.
      - If it is not set, and a file of C(git credential-store) or a netrc file has several users for one host, each
        keeps the user name that it has. Git could not tell their tokens apart otherwise. Where there is none to keep,
        and two secrets would get the same name, the second is left as it is, and the task fails.
    type: str
    default: x-bitbucket-api-token-auth
  email:
    description:
      - The account's e-mail address, which is the user name for C(api.bitbucket.org). Without it an entry of that host
        is left as it is, and the task fails.
    type: str
  kinds:
    description:
      - Which kinds of secrets are meant. C(unknown) is any other secret for C(bitbucket.org), such as a password.
      - If neither this nor O(fingerprints) is set, C(app_password) is meant, all of which are dead.
    type: list
    elements: str
    choices: [app_password, api_token, cloud_access_token, http_access_token, unknown]
  fingerprints:
    description:
      - Only these secrets, of whatever kind, by the C(fingerprint) that M(tokensmith.bitbucket.app_password_info)
        returned.
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
      - Whether to keep the file as it was, beside it and readable by its owner only. The backup holds the secret, so
        remove it when it has served.
    type: bool
    default: false
notes:
  - The task fails where something that is meant could not go, and says what only a hand can do; all else is done. In a
    file whose format is not known that is every secret which is not the password of a URL.
  - A token is only put where it is for C(bitbucket.org), and never into a URL that begins with C(http://).
  - Files with several hard links, read-only files, and files in a directory that is not writable are left as they are,
    each with a sentence that says so.
  - Once a machine is removed from a netrc file, its C(default) applies to that host, where there is one.
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
  description: The reason of the first failure.
  returned: failure
  type: str
changes:
  description:
    - What was removed or replaced, or in check mode would be, with the keys of
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
    - What could not be read or was not followed, with C(path), C(reason) and C(msg). The task fails if something is
      there and cannot be read, or is a link that root does not follow.
  returned: with O(state=absent) and O(state=replaced)
  type: list
  elements: dict
failures:
  description: What stays although it is meant, with C(file), C(line), C(fingerprint), C(reason) and C(msg).
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
    - The rows that say so, with C(permission), C(scopes), and C(basis), which is C(derived) or C(inferred). With
      O(state=present) and no O(permissions) the whole table.
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
    f"(CHANGE-3222). Have the account's owner make an API token at {API_TOKENS_PAGE}, with the scopes that are "
    "returned here, and use `state: replaced`."
)
# What is not there holds nothing, and what a configuration only refers to elsewhere is another place's.
_HARMLESS = ("missing", "outside")


def run(params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """Make the files hold what is declared.

    :raises InputError: where the options cannot be right. What cannot be done is in the result.
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
    """A file that is there and could not be read may hold what was meant."""
    unread = [entry.describe() for entry in skipped if entry.reason not in _HARMLESS]
    problems = [*(failure.describe() for failure in failures), *unread]
    return {"failed": True, "msg": failure_message(problems), "reason": problems[0]["reason"]} if problems else {}


def main() -> None:
    run_module(SPEC, run, **CONSTRAINTS)


if __name__ == "__main__":
    main()
