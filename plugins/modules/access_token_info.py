#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: access_token_info
short_description: List and filter HTTP access tokens of Bitbucket Data Center
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Lists the access tokens of any number of projects, repositories and users, several owners at a time.
  - Bitbucket never shows a secret again, so the result contains no secret.
  - With O(output_file), the list is also written to a file, as CSV or JSON.
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.connection.credential
  - tokensmith.bitbucket.owners
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.datacenter
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows the difference of O(output_file).
  idempotent:
    support: full
options:
  name:
    description:
      - Only tokens whose name matches this pattern, such as V(ci-*).
    type: str
  permission:
    description:
      - Only tokens that have this permission, such as V(REPO_WRITE), or a permission that includes it.
    type: str
  expiring_within_days:
    description:
      - Only tokens that expire within this number of days and have not expired yet.
    type: int
  unused_for_days:
    description:
      - Only tokens that were not used for this number of days. For a token that was never used, its creation counts.
    type: int
  never_used:
    description:
      - Only tokens that were never used, or with V(false) only those that were.
    type: bool
  expired:
    description:
      - Only tokens that have expired, or with V(false) only those that have not.
    type: bool
  limit:
    description:
      - The maximum number of tokens, from the beginning of the sorted list. RV(total) counts all that match.
    type: int
  output_file:
    description:
      - Write the list to this file, on the host where the module runs. Its directory must exist.
      - The file is replaced as a whole if its content or its permissions differ. If an owner could not be listed, it
        is not changed.
    type: path
  format:
    description:
      - The format of O(output_file). In V(csv), several permissions are separated by spaces, a string that a
        spreadsheet would run as a formula begins with an apostrophe, and invisible characters are replaced by marks
        such as C(⟨U+202E⟩). V(json) is a list of objects.
    type: str
    choices: [csv, json]
    default: csv
  columns:
    description:
      - The columns or keys of O(output_file), in this order. Possible are V(reference), V(id), V(name), V(permissions),
        V(created), V(expires), V(last_used) and V(days_left).
      - V(days_left) changes every day, and so does a file that has it.
    type: list
    elements: str
    default: [reference, id, name, permissions, created, expires, last_used, days_left]
  mode:
    description:
      - The permissions of O(output_file), as octal digits in quotes.
    type: str
    default: "0600"
notes:
  - If none of O(projects), O(repositories) and O(users) is set, the caller's own tokens are listed.
  - Globs for repositories also match archived ones.
seealso:
  - module: tokensmith.bitbucket.access_token
"""

EXAMPLES = r"""
- name: List the tokens of two projects and their repositories that expire this month
  tokensmith.bitbucket.access_token_info:
    url: https://bitbucket.example.com
    username: automation
    password: "{{ bitbucket_password }}"
    projects: [PAY, SHOP]
    repositories: ["PAY/*", "SHOP/*"]
    expiring_within_days: 30
  register: expiring

- name: Write the tokens of one project that can write to a file for a spreadsheet
  tokensmith.bitbucket.access_token_info:
    url: https://bitbucket.example.com
    username: automation
    password: "{{ bitbucket_password }}"
    projects: PAY
    name: ci-*
    permission: REPO_WRITE
    limit: 100
    output_file: tokens.csv
    columns: [name, permissions, expires]
    mode: "0640"
"""

RETURN = r"""
access_tokens:
  description: The tokens, sorted by reference and creation time.
  returned: always
  type: list
  elements: dict
  contains:
    reference:
      description: The reference, such as C(projects/PAY/tokens/ci).
      type: str
    id:
      description: The id.
      type: str
    name:
      description: The name.
      type: str
    permissions:
      description: The permissions as Bitbucket lists them.
      type: list
      elements: str
    created:
      description: When it was created, ISO 8601 in UTC.
      type: str
    expires:
      description: When it expires, ISO 8601 in UTC. V(null) if never.
      type: str
    last_used:
      description: When it was last used, ISO 8601 in UTC. V(null) if never.
      type: str
    days_left:
      description: Whole days until it expires, by the server's clock. V(null) if it never does.
      type: int
total:
  description: The number of tokens that match, regardless of O(limit).
  returned: always
  type: int
output_file:
  description: The path of the file with the list.
  returned: if O(output_file) is set and every owner was listed
  type: str
failures:
  description:
    - The owners that could not be listed, with C(owner), C(reason) and C(msg), and the globs that match nothing, with
      the reason C(no_match). The other owners are listed, and the task fails.
  returned: always
  type: list
  elements: dict
reason:
  description: The reason of the first failure.
  returned: failure
  type: str
"""

import fnmatch
import typing as t

from ..module_utils import _argspec, _export
from ..module_utils._module import run_module
from ..module_utils._names import NAME
from ..module_utils.core import _permissions
from ..module_utils.core._errors import InputError, failure_message
from ..module_utils.core._model import DAY, Token, expires_within
from ..module_utils.core._workers import Workers
from ..module_utils.datacenter import _discovery, _owners
from ..module_utils.datacenter._api import DataCenter
from ..module_utils.http._client import Client
from ..module_utils.http._connection import client_from

COLUMNS = ("reference", "id", "name", "permissions", "created", "expires", "last_used", "days_left")

SPEC: _argspec.Spec = {
    **_argspec.CONNECTION,
    **_argspec.OWNERS,
    "name": {"type": NAME},
    "permission": {"type": "str"},
    "expiring_within_days": {"type": "int"},
    "unused_for_days": {"type": "int"},
    "never_used": {"type": "bool"},
    "expired": {"type": "bool"},
    "limit": {"type": "int"},
    **_export.options(COLUMNS),
}

CONSTRAINTS: dict[str, t.Any] = {"mutually_exclusive": [("token", "password")]}

_Filter = t.Callable[[Token, t.Optional[int]], bool]


def run(params: dict[str, t.Any], client: Client, check_mode: bool) -> dict[str, t.Any]:
    """List tokens, and write them to a file if one is named.

    :raises BitbucketError: if no owner can be looked at, or the file cannot be written.
    """
    filters = _filters(params)
    export = _export.Export(params, COLUMNS) if params["output_file"] else None
    api = DataCenter(client)
    declared, concurrency = _owners.declared_owners(params, required=False), params["concurrency"]
    owners, unresolved = _discovery.resolve(declared, api, archived=True, concurrency=concurrency)
    listings, unread = _discovery.list_tokens(owners, api, Workers(concurrency))
    failures = [failure._asdict() for failure in (*unresolved, *unread)]
    tokens = [
        token.describe(owner.reference(token.name), listing.now)
        for owner, listing in listings
        for token in listing.tokens
        if all(keep(token, listing.now) for keep in filters)
    ]
    tokens.sort(key=lambda token: (token["reference"], token["created"], token["id"]))
    shown = tokens[: params["limit"]]
    result = {"changed": False, "access_tokens": shown, "total": len(tokens), "failures": failures}
    if failures:
        unwritten = " `output_file` was left as it was." if export else ""
        result.update(failed=True, msg=failure_message(failures) + unwritten, reason=failures[0]["reason"])
    elif export:
        result.update(export.write(shown, check_mode))
    return result


def _filters(params: dict[str, t.Any]) -> list[_Filter]:
    """One predicate for each filter that is set. A filter by time matches nothing where there is no clock."""
    for option in ("expiring_within_days", "unused_for_days"):
        if params[option] is not None and params[option] < 0:
            raise InputError(f"`{option}` cannot be negative.")
    if params["limit"] is not None and params["limit"] < 1:
        raise InputError("`limit` must be at least 1.")
    name, permission = params["name"], params["permission"]
    wanted = _permissions.declared([permission]) if permission is not None else None
    within, unused = params["expiring_within_days"], params["unused_for_days"]
    never, expired = params["never_used"], params["expired"]
    candidates: list[tuple[bool, _Filter]] = [
        (name is not None, lambda token, now: fnmatch.fnmatchcase(token.name, name)),
        (wanted is not None, lambda token, now: wanted is not None and not wanted.exceeds(token.permissions)),
        (within is not None, lambda token, now: expires_within(token.expires, now, within)),
        (unused is not None, lambda token, now: _unused_for(token, now, unused)),
        (never is not None, lambda token, now: (token.last_used is None) == never),
        (expired is not None, lambda token, now: now is not None and token.expired(now) == expired),
    ]
    return [predicate for active, predicate in candidates if active]


def _unused_for(token: Token, now: int | None, days: int) -> bool:
    since = token.created if token.last_used is None else token.last_used
    return now is not None and since <= now - days * DAY


def main() -> None:
    run_module(SPEC, run, client_from, **CONSTRAINTS)


if __name__ == "__main__":
    main()
