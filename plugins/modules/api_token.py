#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: api_token
short_description: Revoke one API token of an Atlassian account, or assert that it lives long enough
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Revokes exactly one API token of an account that the organization of O(admin_api_key) manages, or asserts that one
    exists and does not expire too soon.
  - No API makes, renews or changes an API token. Its owner makes a new one in a browser, at
    U(https://id.atlassian.com/manage-profile/security/api-tokens). The failed assertion says so.
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.cloud
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.cloud_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  account_id:
    description:
      - The id of the Atlassian account that the token belongs to. M(tokensmith.bitbucket.api_token_info) tells it.
    type: str
    required: true
  id:
    description:
      - The id of the token that is meant.
      - With O(organization) set, an id that the account does not list is looked for among the organization's tokens
        too, since it is not documented whether both listings use the same ids. If it is there, the task fails rather
        than call the token absent.
    type: str
  label:
    description:
      - The label of the token that is meant. Labels need not be unique.
    type: str
  min_days_left:
    description:
      - How many whole days the token must have left at least. If not set, it is enough that it has not expired.
    type: int
  state:
    description:
      - V(present) fails unless the token exists. Of several tokens with O(label), the one that lives longest counts.
      - V(absent) revokes the token. Where several have O(label), nothing is revoked, and the task fails and lists them.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: tokensmith.bitbucket.api_token_info
"""

EXAMPLES = r"""
- name: Revoke the token of a stolen laptop
  tokensmith.bitbucket.api_token:
    admin_api_key: "{{ atlassian_admin_api_key }}"
    account_id: 712020:00000000-0000-0000-0000-000000000000
    label: laptop
    state: absent

- name: Fail a month before the token of CI expires
  tokensmith.bitbucket.api_token:
    admin_api_key: "{{ atlassian_admin_api_key }}"
    account_id: 712020:00000000-0000-0000-0000-000000000000
    label: ci
    min_days_left: 30
"""

RETURN = r"""
reason:
  description: Why the task failed, such as C(absent), C(expired), C(expiring) or C(ambiguous).
  returned: failure
  type: str
api_token:
  description: The token as it is, or in a failed assertion the one that comes closest. V(null) if there is none.
  returned: when the tokens could be listed
  type: dict
  contains:
    id:
      description: The id.
      type: str
    label:
      description: The label.
      type: str
    user:
      description: Whose it is, with C(account_id). This listing tells neither C(name) nor C(email).
      type: dict
    status:
      description: V(null), since this listing does not tell it.
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
revoked:
  description: The id of the token that was revoked, or in check mode would be. V(null) if none.
  returned: when the tokens could be listed
  type: str
candidates:
  description: The tokens that O(label) could mean, if that is why the task failed.
  returned: when the tokens could be listed
  type: list
  elements: dict
page:
  description: Where the owner of the account makes API tokens.
  returned: when the tokens could be listed
  type: str
"""

import typing as t

from ..module_utils import _argspec
from ..module_utils._module import run_module
from ..module_utils._names import NAME
from ..module_utils.cloud._organization import ApiToken, ApiTokenListing, Organization
from ..module_utils.core._errors import AnswerError, InputError
from ..module_utils.core._times import iso
from ..module_utils.http._answers import shown
from ..module_utils.http._client import Client
from ..module_utils.http._cloud_answers import API_TOKENS_PAGE
from ..module_utils.http._cloud_connection import organization_client_from

SPEC: _argspec.Spec = {
    **_argspec.CLOUD,
    "account_id": {"type": NAME, "required": True},
    "id": {"type": NAME},
    "label": {"type": NAME},
    "min_days_left": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

CONSTRAINTS: dict[str, t.Any] = {
    "required_one_of": [("id", "label")],
    "mutually_exclusive": [("id", "label")],
}

_MAKE = f"No API makes one; its owner does, at {API_TOKENS_PAGE}."


def run(params: dict[str, t.Any], client: Client, check_mode: bool) -> dict[str, t.Any]:
    """Assert or revoke.

    :raises BitbucketError: where the tokens cannot be listed, or the one that is meant not revoked.
    """
    if params["min_days_left"] is not None and params["min_days_left"] < 0:
        raise InputError("`min_days_left` cannot be negative.")
    if not (params["id"] or params["label"]):
        raise InputError("`id` or `label` is empty: say which token is meant.")
    api = Organization(client)
    listing = api.account_tokens(params["account_id"])
    meant = [token for token in listing.tokens if _is_meant(token, params)]
    if params["id"] and not meant:
        _require_unknown(api, params)
    if params["state"] == "absent":
        return _absent(params, api, listing, meant, check_mode)
    return _present(params, listing, meant)


def _is_meant(token: ApiToken, params: dict[str, t.Any]) -> bool:
    return bool(token.id == params["id"] if params["id"] else token.label == params["label"])


def _require_unknown(api: Organization, params: dict[str, t.Any]) -> None:
    """Not listed for the account can also mean that the id is the organization's own for the token."""
    if not params["organization"]:
        return
    for token in api.tokens(params["organization"]).tokens:
        if token.id == params["id"] and token.user.id == params["account_id"]:
            raise AnswerError(
                f"Atlassian lists API token {shown(token.id)} for the organization but not for its account, which has "
                f"other ids: name it by `label`, which is {_quoted(token.label)}."
            )


def _absent(
    params: dict[str, t.Any], api: Organization, listing: ApiTokenListing, meant: list[ApiToken], check_mode: bool
) -> dict[str, t.Any]:
    if len(meant) > 1:
        which = "; ".join(_told(token) for token in meant)
        message = f"{len(meant)} API tokens are labelled {_quoted(params['label'])}: {which}. Say which by `id`."
        candidates = [token.describe(listing.now) for token in meant]
        return {**_result(None), "candidates": candidates, "failed": True, "reason": "ambiguous", "msg": message}
    if not meant:
        return _result(None)
    (token,) = meant
    result = _result(None)
    accepted = check_mode or api.revoke(params["account_id"], token.id)
    listed = not check_mode and _still_listed(api, params["account_id"], token.id)
    # Where it was said to be gone, it still was there a moment ago: the answer to the first try may have been lost.
    if accepted or not listed:
        before = {"api_token": token.describe_lasting()}
        result.update(changed=True, revoked=token.id, diff={"before": before, "after": {"api_token": None}})
    if listed:
        # A listing may well lag behind: no failure, but nothing to rely on either.
        result["warned"] = [f"Atlassian says that API token {shown(token.id)} is revoked, and still lists it."]
    return result


def _still_listed(api: Organization, account_id: str, token_id: str) -> bool:
    return token_id in [token.id for token in api.account_tokens(account_id).tokens]


def _present(params: dict[str, t.Any], listing: ApiTokenListing, meant: list[ApiToken]) -> dict[str, t.Any]:
    name = f"API token {shown(params['id'])}" if params["id"] else f"API token {_quoted(params['label'])}"
    if not meant:
        return _failed(None, listing, "absent", f"The account has no {name}. {_MAKE}")
    # One whose expiry is not told comes last: nothing can be said of it.
    token = max(meant, key=lambda each: (each.expires is not None, each.expires or 0))
    minimum = params["min_days_left"]
    if token.expired(listing.now):
        sentence = f"{name} expired at {iso(token.expires)}, and cannot be renewed. {_MAKE}"
        return _failed(token, listing, "expired", sentence)
    if minimum is None:
        return _result(token.describe(listing.now))
    left = token.days_left(listing.now)
    if left is None:
        why = "the server tells no time" if listing.now is None else "Atlassian does not tell when it expires"
        return _failed(token, listing, "unknown", f"Whether {name} has {minimum} days left is not known: {why}.")
    if left < minimum:
        sentence = f"{name} has {left} days left, not {minimum}, and cannot be renewed. {_MAKE}"
        return _failed(token, listing, "expiring", sentence)
    return _result(token.describe(listing.now))


def _result(token: dict[str, t.Any] | None) -> dict[str, t.Any]:
    nothing: dict[str, t.Any] = {"api_token": token}
    return {
        "changed": False,
        "api_token": token,
        "revoked": None,
        "candidates": [],
        "page": API_TOKENS_PAGE,
        "diff": {"before": nothing, "after": nothing},
    }


def _failed(token: ApiToken | None, listing: ApiTokenListing, reason: str, message: str) -> dict[str, t.Any]:
    described = token.describe(listing.now) if token else None
    return {**_result(described), "failed": True, "reason": reason, "msg": message}


def _told(token: ApiToken) -> str:
    used = f"last used {iso(token.last_active)}" if token.last_active is not None else "never used"
    return f"{shown(token.id)} (created {iso(token.created) or 'at no known time'}, {used})"


def _quoted(label: str) -> str:
    return f'"{shown(label)}"'


def main() -> None:
    run_module(SPEC, run, organization_client_from, **CONSTRAINTS)


if __name__ == "__main__":
    main()
