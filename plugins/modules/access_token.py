#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: access_token
short_description: Keep one HTTP access token of Bitbucket Data Center in its declared state
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Creates, updates, rotates and revokes one access token of a project, a repository or a user.
  - Bitbucket shows a token's secret once. With O(store) the secret is delivered there before an older token is revoked.
    Without it, the secret is in the task's result, so in an ad-hoc run it is printed.
  - Names need not be unique in Bitbucket. The module selects the token whose secret is stored, since a secret carries
    the id of its token. If none is stored, it selects the newest unexpired token of the name.
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.connection.credential
  - tokensmith.bitbucket.store
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.datacenter
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details: O(rotate=always) issues a token on each call.
options:
  project:
    description:
      - The key of the project that the token belongs to, or that O(repository) is in. Upper and lower case do not
        matter.
      - If none of O(project), O(repository) and O(user) is set, the token is a personal one of the caller.
    type: str
  repository:
    description:
      - The slug of the repository that the token belongs to.
    type: str
  user:
    description:
      - The user that the token belongs to, by slug or by name. A name is found in any case.
      - Administrators can update and revoke tokens of other users; only the user can create one.
    type: str
  name:
    description:
      - The token's name, at most 255 characters. Required unless a token is revoked by O(id) or O(secret).
    type: str
  permissions:
    description:
      - What the token may do, C(PROJECT_READ), C(PROJECT_WRITE), C(PROJECT_ADMIN), C(REPO_READ), C(REPO_WRITE) and
        C(REPO_ADMIN). The token of a repository takes C(REPO_*) only.
      - A project permission includes the same level for the project's repositories. Required for O(state=present).
    type: list
    elements: str
    aliases: [permission]
  expires_in_days:
    description:
      - The lifetime in days, at least V(3). If not set, a new token never expires, and the lifetime is not compared.
      - A token that lives over two days longer than this is replaced.
    type: int
  rotate_before_days:
    description:
      - How many days before it expires a token is replaced.
      - By default the lesser of V(14) and a third of O(expires_in_days). At most O(expires_in_days) less
        O(grace_days) less two.
    type: int
  grace_days:
    description:
      - How many days the old token stays valid after its successor was created.
      - By default V(7), or less if the lifetime leaves no room. At most O(rotate_before_days).
    type: int
  rotate:
    description:
      - V(auto) replaces a token that is due. V(never) does not, and warns. V(always) issues a token on each call.
    type: str
    choices: [auto, never, always]
    default: auto
  id:
    description:
      - The id of the token, as a quoted string, since leading zeros are part of it.
    type: raw
  secret:
    description:
      - The secret that you have stored. It selects its token. An empty string means that you have none.
      - Not compared with anything but the ids that Bitbucket lists.
    type: str
  state:
    description:
      - V(absent) revokes the token with O(id), or else every token of O(name) and the one that O(secret) belongs to,
        whatever its name is now. With O(store), the entry is then removed from the store.
      - If V(absent) finds no such token, the task is not changed and does not fail. It warns about an O(id) or
        O(secret) that names no token of this owner; for a name, RV(msg) says so.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: tokensmith.bitbucket.access_token_set
  - module: tokensmith.bitbucket.access_token_info
"""

EXAMPLES = r"""
- name: Keep a token for CI in a file, and replace it before it expires
  tokensmith.bitbucket.access_token:
    url: https://bitbucket.example.com
    username: automation
    password: "{{ bitbucket_password }}"
    project: PAY
    name: ci
    permissions: REPO_READ
    expires_in_days: 90
    store: file:ci.token

- name: Keep a token without a store; the secret is in the result
  tokensmith.bitbucket.access_token:
    url: https://bitbucket.example.com
    username: automation
    password: "{{ bitbucket_password }}"
    project: PAY
    repository: ledger
    name: deploy
    permissions: [REPO_WRITE]
    expires_in_days: 30
    secret: "{{ deploy_secret | default('') }}"
  register: deploy
  no_log: true

- name: Revoke the token that a secret belongs to
  tokensmith.bitbucket.access_token:
    url: https://bitbucket.example.com
    username: automation
    password: "{{ bitbucket_password }}"
    project: PAY
    secret: "{{ old_secret }}"
    state: absent
"""

RETURN = r"""
access_token:
  description: The token after the run, without its secret. V(null) if there is none.
  returned: success
  type: dict
  contains:
    reference:
      description: Its reference, such as C(projects/PAY/tokens/ci).
      type: str
    id:
      description: Its id. V(null) for one that check mode predicts.
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
  description:
    - Why a token was issued or updated, such as V(absent), V(expiring) or V(permissions). V(null) if none was.
    - If the task failed, why, as a short code such as V(input), V(forbidden) or V(store).
  returned: always
  type: str
revoked:
  description: The tokens that were revoked, or in check mode would be.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the token.
      type: str
    reason:
      description: Why, such as C(absent) or C(superseded).
      type: str
msg:
  description: That no token has this name, for O(state=absent). For O(id) and O(secret) that is a warning.
  returned: when a token to revoke does not exist
  type: str
changes:
  description: The steps of the run. In check mode, the steps that would be taken.
  returned: success
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
  returned: success
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
secret:
  description: The secret. It is shown this once.
  returned: when a token was issued and no O(store) is set
  type: str
store:
  description: The store that has the secret.
  returned: when O(store) is set
  type: str
removed:
  description: References whose entries were removed from the store since their tokens are revoked, or in check mode
    would be.
  returned: when O(store) is set and the run was not stopped
  type: list
  elements: str
"""

import sys
import typing as t

from ..module_utils import _argspec
from ..module_utils._module import run_module
from ..module_utils._names import NAME
from ..module_utils.core import _secret
from ..module_utils.core._errors import BitbucketError, InputError
from ..module_utils.core._model import DAY, Owner, Token
from ..module_utils.datacenter import _discovery, _owners
from ..module_utils.datacenter._api import DataCenter
from ..module_utils.http._client import Client
from ..module_utils.http._connection import client_from
from ..module_utils.tokens._declaration import Declaration
from ..module_utils.tokens._delivery import Delivery
from ..module_utils.tokens._observe import Observation
from ..module_utils.tokens._outcome import Outcome, of_one, result_of
from ..module_utils.tokens._reconcile import Runtime, reconcile
from ..module_utils.tokens._spec import TokenSpec, spec_of
from ..module_utils.tokens._types import UNKNOWN, Options, Update

SPEC: _argspec.Spec = {
    **_argspec.CONNECTION,
    **_argspec.TOKEN,
    **_argspec.STORE,
    "project": {"type": NAME},
    "repository": {"type": NAME},
    "user": {"type": NAME},
    "id": {"type": "raw"},
    "secret": {"type": "str", "no_log": True},
    "rotate": {"type": "str", "choices": ["auto", "never", "always"], "default": "auto"},
}

CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("token", "password"), ("id", "secret", "store")],
    "required_if": [("state", "present", ("name", "permissions")), ("state", "absent", ("name", "id", "secret"), True)],
}


def run(
    params: dict[str, t.Any],
    client: Client,
    check_mode: bool,
    delivery: Delivery | None = None,
    runtime: Runtime | None = None,
) -> dict[str, t.Any]:
    """Bring the token to its declared state.

    :param delivery: where an issued secret goes; without one it is in the result.
    :raises BitbucketError: with one sentence, if that is not possible.
    """
    if params["store"] and delivery is None:
        raise InputError("`store` is for the action plugin: call this module by its full name from a task.")
    if delivery and not params["name"]:
        raise InputError("With `store`, a token is named by `name`; `id` and `secret` are for runs without one.")
    api = DataCenter(client)
    owner = _discovery.resolve_one(_owners.declared_owner(params), api)
    spec = declared_spec(params, owner, api)
    outcome = reconcile(
        api, [Declaration(owner, (spec,))], _options(params, owner.reference(spec.name), check_mode), delivery, runtime
    )
    result = _shaped(outcome, check_mode)
    if not result.get("failed"):
        found = _nothing_found(params, outcome.observations[0])
        result["warned"] += found.pop("warned", [])
        result.update(found)
    return result


def _options(params: dict[str, t.Any], reference: str, check_mode: bool) -> Options:
    """The limits protect many owners from one mistake; this task names its one token."""
    return Options(
        stored=_stored(params, reference),
        missing_secret=params["missing_secret"],
        max_revocations=sys.maxsize,
        max_reissues=sys.maxsize,
        concurrency=1,
        check_mode=check_mode,
    )


def declared_spec(params: dict[str, t.Any], owner: Owner, api: DataCenter) -> TokenSpec:
    """The declared token; one that is to be absent may be named by an id alone."""
    token_id = _named_id(params)
    if params["state"] == "present" or (params["name"] and params["id"] is None):
        return spec_of(params, owner)
    if token_id is None:
        raise InputError("The id of the token cannot be read from `secret`: name it with `id` or `name`.")
    token = api.token(owner, token_id)
    return TokenSpec(token.name if token else "", None, absent=True, only_id=token_id)


def _named_id(params: dict[str, t.Any]) -> str | None:
    given = _argspec.token_id(params["id"], "id")
    return given or (_secret.token_id(params["secret"]) if params["secret"] else None)


def _stored(params: dict[str, t.Any], reference: str) -> dict[str, str | None] | None:
    if params["id"] is None and params["secret"] is None:
        return None
    unreadable = UNKNOWN if params["secret"] else None
    return {reference: _named_id(params) or unreadable}


def _shaped(outcome: Outcome, check_mode: bool) -> dict[str, t.Any]:
    result = result_of(outcome)
    if not outcome.observations:
        raise BitbucketError(result["msg"], outcome.failures[0]["reason"])
    reference = outcome.observations[0].plans[0].reference
    secret = result.get("secrets", {}).get(reference)
    return {
        **of_one(result),
        "access_token": _after(outcome, reference, check_mode),
        **({"secret": secret} if secret else {}),
    }


def _nothing_found(params: dict[str, t.Any], observation: Observation) -> dict[str, t.Any]:
    """What the result says if a token to revoke does not exist: a warning for an id or secret, `msg` for a name."""
    label, token_id = observation.view.owner.label, _named_id(params)
    if params["state"] != "absent":
        return {}
    if token_id is not None and token_id not in {token.id for token in observation.view.tokens}:
        what = "`id`" if params["id"] is not None else "`secret`"
        text = f"{label} has no token {token_id}, which {what} names: it was revoked already, or has another owner."
        return {"warned": [f"No such token: {text}"]}
    plan = observation.plans[0]
    if params["name"] and not plan.steps and not plan.warnings:
        return {"msg": f"No such token: {label} has no token called {plan.spec.name}. Nothing is revoked."}
    return {}


def _after(outcome: Outcome, reference: str, check_mode: bool) -> dict[str, t.Any] | None:
    """The token as it is after what was done, or in check mode would be."""
    (observation,) = outcome.latest.values()
    plan, now = observation.plans[0], observation.view.now
    for delivery in outcome.deliveries:
        return delivery.issued.token.describe(reference, delivery.issued.now or now)
    if plan.spec.absent:
        return None
    if check_mode and plan.issue and not plan.failure:
        days = plan.spec.expires_in_days
        created = now or 0
        new = Token("", plan.spec.name, plan.spec.wanted, created, None if days is None else created + days * DAY)
        return {**new.describe(reference, now), "id": None}
    current = plan.current
    for step in plan.steps:
        if isinstance(step, Update) and current and step.token.id == current.id:
            name, permissions = step.name or current.name, step.permissions or current.permissions
            current = current._replace(name=name, permissions=permissions)
    return current.describe(reference, now) if current else None


def main() -> None:
    run_module(SPEC, run, client_from, **CONSTRAINTS)


if __name__ == "__main__":
    main()
