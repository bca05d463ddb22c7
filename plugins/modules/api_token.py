#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: api_token
short_description: Revoke one API token of an Atlassian account, or assert that it does not expire too soon
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Revokes exactly one API token of an account that the organization of O(admin_api_key) manages, or asserts that one
    exists and does not expire too soon.
  - No API creates, renews or changes an API token. Only its owner can create one, in a browser, at
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
      - The id of the Atlassian account of the token, as M(tokensmith.bitbucket.api_token_info) returns it.
    type: str
    required: true
  id:
    description:
      - The id of the token.
      - With O(organization) set, an id that the account does not list is also searched in the organization's, since
        Atlassian does not document whether both listings use the same ids. If it is there, the task fails instead of
        reporting the token as absent.
    type: str
  label:
    description:
      - The label of the token. Labels need not be unique.
    type: str
  min_days_left:
    description:
      - The minimum number of whole days until the token expires. If not set, it only must not have expired.
    type: int
  state:
    description:
      - V(present) fails unless the token exists. If several have O(label), the last to expire counts.
      - V(absent) revokes the token. If several have O(label), nothing is revoked, and the task fails and lists them.
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
  description: The token, also in a failed assertion. V(null) if there is none, or if it was revoked.
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
      description: The owner, with C(account_id). C(name) and C(email) are V(null) in this listing.
      type: dict
    status:
      description: V(null), since this listing does not have it.
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
  description: The tokens that have O(label), if the task failed because there are several.
  returned: when the tokens could be listed
  type: list
  elements: dict
page:
  description: The page on which the owner of the account creates API tokens.
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

_HOW_TO_CREATE = f"No API creates API tokens: ask the owner of the account to create one at {API_TOKENS_PAGE}."


def run(params: dict[str, t.Any], client: Client, check_mode: bool) -> dict[str, t.Any]:
    """Assert or revoke.

    :raises BitbucketError: if the tokens cannot be listed, or the token cannot be revoked.
    """
    if params["min_days_left"] is not None and params["min_days_left"] < 0:
        raise InputError("`min_days_left` cannot be negative.")
    if not (params["id"] or params["label"]):
        raise InputError("`id` or `label` is empty. Set one of them to select the token.")
    api = Organization(client)
    listing = api.account_tokens(params["account_id"])
    selected = [token for token in listing.tokens if _is_selected(token, params)]
    if params["id"] and not selected:
        _require_unknown(api, params)
    if params["state"] == "absent":
        return _absent(params, api, listing, selected, check_mode)
    return _present(params, listing, selected)


def _is_selected(token: ApiToken, params: dict[str, t.Any]) -> bool:
    return bool(token.id == params["id"] if params["id"] else token.label == params["label"])


def _require_unknown(api: Organization, params: dict[str, t.Any]) -> None:
    """The account does not list the id. Require that it is not an id of the organization's listing either."""
    if not params["organization"]:
        return
    for token in api.tokens(params["organization"]).tokens:
        if token.id == params["id"] and token.user.id == params["account_id"]:
            raise AnswerError(
                f"Atlassian lists API token {shown(token.id)} for the organization, but the account has other ids. "
                f"Set `label` instead of `id`. The label is {_quoted(token.label)}."
            )


def _absent(
    params: dict[str, t.Any], api: Organization, listing: ApiTokenListing, selected: list[ApiToken], check_mode: bool
) -> dict[str, t.Any]:
    if len(selected) > 1:
        which = "; ".join(_described(token) for token in selected)
        message = f"{len(selected)} API tokens are labeled {_quoted(params['label'])}: {which}. Set `id` instead."
        candidates = [token.describe(listing.now) for token in selected]
        return {**_result(None), "candidates": candidates, "failed": True, "reason": "ambiguous", "msg": message}
    if not selected:
        return _result(None)
    (token,) = selected
    result = _result(None)
    accepted = check_mode or api.revoke(params["account_id"], token.id)
    listed = not check_mode and _still_listed(api, params["account_id"], token.id)
    # "Not found" counts as revoked: the token was listed just before, so the answer to the first try may be lost.
    if accepted or not listed:
        before = {"api_token": token.describe_lasting()}
        result.update(changed=True, revoked=token.id, diff={"before": before, "after": {"api_token": None}})
    if listed:
        # The listing may lag behind, so this is no failure.
        result["warned"] = [f"Atlassian says that API token {shown(token.id)} is revoked, but still lists it."]
    return result


def _still_listed(api: Organization, account_id: str, token_id: str) -> bool:
    return token_id in [token.id for token in api.account_tokens(account_id).tokens]


def _present(params: dict[str, t.Any], listing: ApiTokenListing, selected: list[ApiToken]) -> dict[str, t.Any]:
    name = f"API token {shown(params['id'])}" if params["id"] else f"API token {_quoted(params['label'])}"
    if not selected:
        return _failed(None, listing, "absent", f"The account has no {name}. {_HOW_TO_CREATE}")
    # A token without a known expiry comes last.
    token = max(selected, key=lambda each: (each.expires is not None, each.expires or 0))
    minimum = params["min_days_left"]
    if token.expired(listing.now):
        sentence = f"{name} expired at {iso(token.expires)}. It cannot be renewed. {_HOW_TO_CREATE}"
        return _failed(token, listing, "expired", sentence)
    if minimum is None:
        return _result(token.describe(listing.now))
    left = token.days_left(listing.now)
    if left is None:
        why = "the server sends no time" if listing.now is None else "Atlassian does not say when it expires"
        return _failed(token, listing, "unknown", f"It is not known whether {name} has {minimum} days left: {why}.")
    if left < minimum:
        days = f"{name} has {left} days left, but `min_days_left` is {minimum}."
        sentence = f"{days} It cannot be renewed. {_HOW_TO_CREATE}"
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


def _described(token: ApiToken) -> str:
    used = f"last used {iso(token.last_active)}" if token.last_active is not None else "never used"
    return f"{shown(token.id)} (created {iso(token.created) or 'at an unknown time'}, {used})"


def _quoted(label: str) -> str:
    return f'"{shown(label)}"'


def main() -> None:
    run_module(SPEC, run, organization_client_from, **CONSTRAINTS)


if __name__ == "__main__":
    main()
