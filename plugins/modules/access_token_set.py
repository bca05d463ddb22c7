#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: access_token_set
short_description: Keep a declared set of HTTP access tokens over many owners of Bitbucket Data Center
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Creates, updates, rotates and revokes the declared tokens of any number of projects, repositories and users in one
    run, several owners at a time. An owner without changes costs one request.
  - One owner's failure stops no other. Issued tokens are delivered first; then the task fails and lists all failures.
  - With O(store) the secrets are delivered there, two hundred at a time, before older tokens are revoked. Without it,
    they are in the task's result.
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.connection.credential
  - tokensmith.bitbucket.store
  - tokensmith.bitbucket.owners
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.datacenter
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  set:
    description:
      - The tokens that each owner must have.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The token's name, at most 255 characters.
        type: str
        required: true
      permissions:
        description:
          - What the token may do, as in M(tokensmith.bitbucket.access_token). The tokens of repositories take
            C(REPO_*) only.
        type: list
        elements: str
        aliases: [permission]
      expires_in_days:
        description: The lifetime in days, at least V(3). If not set, a new token never expires.
        type: int
      rotate_before_days:
        description:
          - How many days before it expires a token is replaced. By default the lesser of V(14) and a third of the
            lifetime.
        type: int
      grace_days:
        description: How many days the old token stays valid after its successor was created. By default V(7) or less.
        type: int
      state:
        description: V(absent) revokes every token of that name, and then removes the entry from the O(store).
        type: str
        choices: [present, absent]
        default: present
  overrides:
    description:
      - What is different for some owners. The keys are project keys, C(KEY/slug) for repositories and C(users/slug) for
        users; a key that matches no owner is an error. The values are lists like O(set), matched with it by
        C(name); what an entry leaves out comes from there, and further names are added.
    type: dict
    default: {}
  stored:
    description:
      - What you have stored, in place of O(store). Maps each declared token's reference, such as
        C(projects/PAY/tokens/ci), to its id as a quoted string, to V(null) for nothing, or to V(unknown).
    type: dict
  rotate_created_before:
    description:
      - Replace every token created before this date or time, in ISO 8601. UTC unless it names a zone. A date means the
        beginning of the day.
    type: str
  prune:
    description:
      - Name patterns, such as V(old-*), of tokens to revoke where no declaration has to do with them.
    type: list
    elements: str
    default: []
  max_revocations:
    description:
      - Above so many revocations as undeclared or absent, the run stops before it writes anything.
    type: int
    default: 10
  max_reissues:
    description:
      - Above so many new tokens for ones that are in use but not in the store, the run stops before it writes anything.
    type: int
    default: 10
  issue:
    description:
      - Whether tokens may be issued. V(false) still updates and revokes what is due.
    type: bool
    default: true
  assume_revoked:
    description:
      - Ids of tokens that count as revoked in check mode, where what would have revoked them before has not either.
        Otherwise this has no effect.
    type: list
    elements: str
    default: []
seealso:
  - module: tokensmith.bitbucket.access_token
  - module: tokensmith.bitbucket.access_token_info
"""

EXAMPLES = r"""
- name: Keep two tokens on every project of a team; one of them has a shorter lifetime in PAY
  tokensmith.bitbucket.access_token_set:
    url: https://bitbucket.example.com
    username: automation
    password: "{{ bitbucket_password }}"
    projects: [PAY, "TEAM*"]
    set:
      - name: ci-read
        permissions: PROJECT_READ
        expires_in_days: 90
      - name: ci-write
        permissions: PROJECT_WRITE
        expires_in_days: 90
    overrides:
      PAY:
        - name: ci-write
          expires_in_days: 30
    store: ansible_vault:bitbucket_tokens.yml
"""

RETURN = r"""
changes:
  description: The steps of the run. In check mode, the steps that would be taken.
  returned: always
  type: list
  elements: dict
  contains:
    reference:
      description: The reference of the token.
      type: str
    step:
      description: One of C(issue), C(update) and C(revoke).
      type: str
    reason:
      description: Why, such as C(absent), C(expiring) or C(superseded).
      type: str
    id:
      description: The id of the token. V(null) for a token that check mode would issue.
      type: str
    replaces:
      description: The id that the store held. For C(issue) only.
      type: str
notes:
  description: Tokens that were not changed although their state suggests it.
  returned: always
  type: list
  elements: dict
  contains:
    reference:
      description: The reference of the token.
      type: str
    id:
      description: The id of the token.
      type: str
    reason:
      description: Why, such as C(namesake) or C(in_use).
      type: str
counts:
  description: Figures of the run.
  returned: always
  type: dict
  contains:
    owners:
      description: Owners that were looked at.
      type: int
    owners_failed:
      description: Owners for which something failed.
      type: int
    tokens:
      description: Declared tokens.
      type: int
    issued:
      description: Tokens that were issued, or in check mode would be.
      type: int
    updated:
      description: Tokens that were renamed or got other permissions, or in check mode would be.
      type: int
    revoked:
      description: Tokens that were revoked, or in check mode would be.
      type: int
summary:
  description:
    - The figures, the changes (in check mode, those that would be made) and the failures as lines of text, of both at
      most 40. Tokens that need manual attention are all named.
  returned: always
  type: list
  elements: str
failures:
  description: What failed. One owner's failure stops no other owner.
  returned: always
  type: list
  elements: dict
  contains:
    owner:
      description:
        - The owner, such as C(projects/PAY), or a glob that matches nothing, such as C(projects/TEAM*). V(null) if the
          whole run failed.
      type: str
    reference:
      description: The reference of the token. V(null) if its owner failed.
      type: str
    reason:
      description: A short code, such as C(no_match), C(forbidden) or C(secret_missing).
      type: str
    msg:
      description: What failed, why, and what to do next.
      type: str
    id:
      description: The id of a token that still exists and needs manual attention. Otherwise not there.
      type: str
issued:
  description: The tokens that were issued, without their secrets. Empty in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    reference:
      description: Its reference, such as C(projects/PAY/tokens/ci).
      type: str
    id:
      description: Its id.
      type: str
    name:
      description: Its name.
      type: str
    permissions:
      description: Its permissions as Bitbucket lists them.
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
    reason:
      description: Why it was issued, such as C(absent) or C(expiring).
      type: str
    replaces:
      description: The id that the store held. V(null) if it held none.
      type: str
    verified:
      description: Whether its secret was used once to sign in. V(false) if the server gave no clear answer.
      type: bool
reason:
  description: The reason of the first failure.
  returned: failure
  type: str
secrets:
  description: The secrets that were issued, by reference. They are shown this once.
  returned: when no O(store) is set
  type: dict
store:
  description: The store that has the secrets.
  returned: when O(store) is set
  type: str
removed:
  description: References whose entries were removed from the store since their tokens are revoked, or in check mode
    would be.
  returned: when O(store) is set and the run was not stopped
  type: list
  elements: str
undeclared:
  description: References of the declared owners that the store holds and the task does not declare. They are neither
    rotated nor revoked. The stores C(hashi_vault) and C(helper) cannot tell.
  returned: when O(store) is set and the run was not stopped
  type: list
  elements: str
"""

import typing as t

from ..module_utils import _argspec
from ..module_utils._module import run_module
from ..module_utils._names import BY_NAME, NAMES
from ..module_utils.core._errors import InputError
from ..module_utils.datacenter import _discovery, _owners
from ..module_utils.datacenter._api import DataCenter
from ..module_utils.http._client import Client
from ..module_utils.http._connection import client_from
from ..module_utils.tokens import _summary
from ..module_utils.tokens._declaration import declarations
from ..module_utils.tokens._delivery import Delivery
from ..module_utils.tokens._outcome import result_of
from ..module_utils.tokens._reconcile import Runtime, reconcile
from ..module_utils.tokens._types import Options

SPEC: _argspec.Spec = {
    **_argspec.CONNECTION,
    **_argspec.STORE,
    **_argspec.OWNERS,
    "set": {"type": "list", "elements": "dict", "default": [], "options": _argspec.TOKEN_ENTRY},
    "overrides": {"type": BY_NAME, "default": {}},
    "stored": {"type": "dict"},
    "rotate_created_before": {"type": "str"},
    "prune": {"type": NAMES, "elements": "str", "default": []},
    "max_revocations": {"type": "int", "default": 10},
    "max_reissues": {"type": "int", "default": 10},
    "issue": {"type": "bool", "default": True},
    "assume_revoked": {"type": NAMES, "elements": "str", "default": []},
}

CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("token", "password"), ("stored", "store")],
}


def run(
    params: dict[str, t.Any],
    client: Client,
    check_mode: bool,
    delivery: Delivery | None = None,
    runtime: Runtime | None = None,
) -> dict[str, t.Any]:
    """Bring every declared token of every owner to its declared state.

    :param delivery: where issued secrets go; without one they are in the result.
    :raises BitbucketError: with one sentence, if nothing was written at all.
    """
    if params["store"] and delivery is None:
        raise InputError("`store` is for the action plugin: call this module by its full name from a task.")
    for option, least in (("concurrency", 1), ("max_revocations", 0), ("max_reissues", 0)):
        if params[option] < least:
            raise InputError(f"`{option}` must be at least {least}.")
    options = _options(params, check_mode)
    overrides = _argspec.overrides(params["overrides"])
    api = DataCenter(client)
    owners, unresolved = _discovery.resolve(
        _owners.declared_owners(params),
        api,
        concurrency=params["concurrency"],
        interruption=runtime.interruption if runtime else None,
    )
    declared = declarations(owners, params["set"], overrides, params["prune"], unresolved)
    outcome = reconcile(api, declared, options, delivery, runtime)
    outcome.add_unresolved([failure.entry for failure in unresolved])
    result = result_of(outcome)
    return {**result, "summary": _summary.lines_of(result, check_mode)}


def _options(params: dict[str, t.Any], check_mode: bool) -> Options:
    return Options(
        stored=_argspec.stored_ids(params["stored"], "stored"),
        missing_secret=params["missing_secret"],
        rotate_created_before=_argspec.moment(params["rotate_created_before"], "rotate_created_before"),
        prune=tuple(params["prune"]),
        issue=params["issue"],
        max_revocations=params["max_revocations"],
        max_reissues=params["max_reissues"],
        concurrency=params["concurrency"],
        check_mode=check_mode,
        assume_revoked=frozenset(params["assume_revoked"]),
        whole=True,
    )


def main() -> None:
    run_module(SPEC, run, client_from, **CONSTRAINTS)


if __name__ == "__main__":
    main()
