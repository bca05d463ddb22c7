#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: api_token_info
short_description: List and filter the API tokens of an Atlassian organization, or of one account
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Lists the API tokens of all accounts that an organization manages, or with O(account_id) those of one of them.
  - API tokens are for all Atlassian products. The listing does not have their scopes, so it does not show which of them
    are for Bitbucket.
  - Atlassian never shows a secret again, so the result contains no secret.
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.cloud
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.cloud_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  account_id:
    description:
      - The id of the Atlassian account whose tokens are listed, as in C(user.account_id) of this module's result.
      - If not set, the tokens of the whole O(organization) are listed.
    type: str
  label:
    description:
      - Only tokens whose label matches this pattern, such as V(ci-*).
    type: str
  user:
    description:
      - Only tokens of the account with this id, or whose name matches this pattern, such as V(* Smith).
    type: str
  user_email:
    description:
      - Only tokens of accounts whose e-mail address matches this pattern, such as V(*@example.com), in any case.
    type: str
  status:
    description:
      - Only tokens with this status, such as V(ALLOWED), in any case.
    type: str
  expiring_within_days:
    description:
      - Only tokens that expire within this number of days and have not expired yet.
    type: int
  unused_for_days:
    description:
      - Only tokens that were not used for this number of days. For a token that was never used, its creation counts.
    type: int
  expired:
    description:
      - Only tokens that have expired, or with V(false) only those that have not.
    type: bool
notes:
  - The account must be one that the organization of O(admin_api_key) manages. Others are not listed.
  - The listing of one account has neither names nor a status, so O(user), O(user_email) and O(status) cannot be
    combined with O(account_id).
seealso:
  - module: tokensmith.bitbucket.api_token
"""

EXAMPLES = r"""
- name: List the tokens that expire this month
  tokensmith.bitbucket.api_token_info:
    organization: 1f5b2e64-0c1e-4f6e-9d0a-000000000000
    admin_api_key: "{{ atlassian_admin_api_key }}"
    expiring_within_days: 30
  register: expiring

- name: List the tokens that were not used for half a year
  tokensmith.bitbucket.api_token_info:
    organization: 1f5b2e64-0c1e-4f6e-9d0a-000000000000
    admin_api_key: "{{ atlassian_admin_api_key }}"
    unused_for_days: 180
  register: unused
"""

RETURN = r"""
api_tokens:
  description: The tokens, sorted by the user's e-mail address, label and creation time.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      type: str
    label:
      description: The label that its owner gave it.
      type: str
    user:
      description: The owner, with C(account_id), C(name) and C(email). V(null) if the listing does not say.
      type: dict
    status:
      description: The status, such as V(ALLOWED). V(null) in the listing of one account.
      type: str
    created:
      description: When it was created, ISO 8601 in UTC.
      type: str
    expires:
      description: When it expires, ISO 8601 in UTC. V(null) if Atlassian does not say.
      type: str
    last_active:
      description: When it was last used, ISO 8601 in UTC. V(null) if Atlassian knows of no use.
      type: str
    days_left:
      description: Whole days until it expires, by the server's clock. V(null) if that is not known.
      type: int
    unused_days:
      description: Whole days since its last use, or since its creation if there was none.
      type: int
"""

import fnmatch
import typing as t

from ..module_utils import _argspec
from ..module_utils._module import run_module
from ..module_utils._names import NAME
from ..module_utils.cloud._organization import ApiToken, Organization
from ..module_utils.core._errors import InputError
from ..module_utils.core._model import expires_within
from ..module_utils.http._client import Client
from ..module_utils.http._cloud_connection import organization_client_from

SPEC: _argspec.Spec = {
    **_argspec.CLOUD,
    "account_id": {"type": NAME},
    "label": {"type": NAME},
    "user": {"type": NAME},
    "user_email": {"type": "str"},
    "status": {"type": "str"},
    "expiring_within_days": {"type": "int"},
    "unused_for_days": {"type": "int"},
    "expired": {"type": "bool"},
}

_Filter = t.Callable[[ApiToken, t.Optional[int]], bool]


def run(params: dict[str, t.Any], client: Client, check_mode: bool) -> dict[str, t.Any]:
    """List tokens; reads only, in check mode as well.

    :raises BitbucketError: if they cannot be listed.
    """
    filters = _filters(params)
    api = Organization(client)
    if params["account_id"]:
        listing = api.account_tokens(params["account_id"])
    else:
        listing = api.tokens(params["organization"])
    tokens = [token for token in listing.tokens if all(keep(token, listing.now) for keep in filters)]
    tokens.sort(key=lambda token: (token.user.email or "", token.label, token.created or 0, token.id))
    return {"changed": False, "api_tokens": [token.describe(listing.now) for token in tokens]}


def _filters(params: dict[str, t.Any]) -> list[_Filter]:
    """One predicate for each filter that is set. A filter by time matches nothing if the server sends no time."""
    _check(params)
    label, user, email, status = params["label"], params["user"], params["user_email"], params["status"]
    within, unused, expired = params["expiring_within_days"], params["unused_for_days"], params["expired"]
    candidates: list[tuple[t.Any, _Filter]] = [
        (label, lambda token, now: fnmatch.fnmatchcase(token.label, label)),
        (user, lambda token, now: token.user.id == user or fnmatch.fnmatchcase(token.user.name or "", user)),
        (email, lambda token, now: fnmatch.fnmatchcase((token.user.email or "").lower(), email.lower())),
        (status, lambda token, now: (token.status or "").lower() == status.lower()),
        (within, lambda token, now: expires_within(token.expires, now, within)),
        (unused, lambda token, now: (token.unused_days(now) or 0) >= unused and now is not None),
        (expired, lambda token, now: now is not None and token.expired(now) == expired),
    ]
    return [predicate for value, predicate in candidates if value is not None]


def _check(params: dict[str, t.Any]) -> None:
    if not params["account_id"] and not params["organization"]:
        raise InputError(
            "Set `organization` to list the API tokens of an organization, or `account_id` to list those of an account."
        )
    for option in ("expiring_within_days", "unused_for_days"):
        if params[option] is not None and params[option] < 0:
            raise InputError(f"`{option}` cannot be negative.")
    for option in ("user", "user_email", "status"):
        if params["account_id"] and params[option] is not None:
            raise InputError(f"`{option}` cannot be set with `account_id`: the listing of an account does not have it.")


def main() -> None:
    run_module(SPEC, run, organization_client_from)


if __name__ == "__main__":
    main()
