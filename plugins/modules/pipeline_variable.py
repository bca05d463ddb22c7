#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: pipeline_variable
short_description: Manage a variable of Bitbucket Pipelines
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Creates, updates or deletes one variable of Bitbucket Pipelines, for a workspace, a repository, or a deployment
    environment of a repository. Its value can be a secret.
  - An API token needs the scopes C(read:pipeline:bitbucket) and C(admin:pipeline:bitbucket).
  - Bitbucket never returns a secured value, so it cannot be compared. O(update_secret) decides whether it is written.
extends_documentation_fragment:
  - tokensmith.bitbucket.cloud
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.cloud_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Never shows the value.
  idempotent:
    support: partial
    details: With O(update_secret=always) a secured value is written each time, which counts as a change.
options:
  workspace:
    description:
      - The workspace, by its slug or its UUID in braces.
    type: str
    required: true
  repository:
    description:
      - The slug of the repository. Without it, the variable belongs to the workspace.
    type: str
  environment:
    description:
      - The deployment environment of O(repository), by its name or its UUID in braces.
    type: str
  key:
    description:
      - The name of the variable.
    type: str
    required: true
  value:
    description:
      - The value. Required for O(state=present).
      - Ansible masks it in all output, so a value of few characters can mask parts of other text, even if it is not
        secured.
    type: str
  secured:
    description:
      - Whether Bitbucket hides the value, in its pages, logs and API.
      - If the variable differs in this, it is written again.
    type: bool
    default: true
  update_secret:
    description:
      - Whether to write a secured value if the variable exists already. V(always) writes it; use this for a secret that
        is rotated. V(on_create) does not write it, even if O(value) is different, and warns.
    type: str
    choices: [on_create, always]
    default: on_create
  state:
    description:
      - Whether the variable must exist.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: tokensmith.bitbucket.access_token
  - plugin: tokensmith.bitbucket.secret
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Set a deployment token from the store that only Production can read
  tokensmith.bitbucket.pipeline_variable:
    email: automation@example.com
    api_token: "{{ bitbucket_api_token }}"
    workspace: acme
    repository: shop
    environment: Production
    key: DEPLOY_TOKEN
    value: "{{ lookup('tokensmith.bitbucket.secret', 'projects/SHOP/tokens/deploy', store=tokens) }}"
    # The token is rotated, so its secret is written each time.
    update_secret: always
  vars:
    tokens: hashi_vault:secret/bitbucket

- name: Set a password that never changes
  tokensmith.bitbucket.pipeline_variable:
    access_token: "{{ workspace_access_token }}"
    workspace: acme
    key: REGISTRY_PASSWORD
    value: "{{ registry_password }}"
"""

RETURN = r"""
variable:
  description: The variable, without its value. V(null) if it is absent.
  returned: success
  type: dict
  contains:
    uuid:
      description: The UUID, in braces. V(null) in check mode for one that would be created.
      type: str
    key:
      description: The name.
      type: str
    secured:
      description: Whether the value is hidden.
      type: bool
reason:
  description:
    - The reason of the change, also in check mode, one of C(absent), C(secured), C(value), C(always) and C(removed).
      V(null) if nothing changed.
  returned: success
  type: str
"""

import typing as t

from ..module_utils import _argspec
from ..module_utils._module import run_module
from ..module_utils._names import NAME, TEXT
from ..module_utils.cloud._pipelines import PipelineVariables, Place, TakenError, Variable
from ..module_utils.core import _secret
from ..module_utils.core._errors import InputError
from ..module_utils.http._client import Client
from ..module_utils.http._cloud_connection import client_from

SPEC: _argspec.Spec = {
    **_argspec.CLOUD,
    "workspace": {"type": NAME, "required": True},
    "repository": {"type": NAME},
    "environment": {"type": NAME},
    "key": {"type": NAME, "required": True, "no_log": False},
    "value": {"type": TEXT, "no_log": True},
    "secured": {"type": "bool", "default": True},
    "update_secret": {"type": "str", "choices": ["on_create", "always"], "default": "on_create", "no_log": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

CONSTRAINTS: dict[str, t.Any] = {
    "required_by": {"environment": "repository"},
    "required_if": [("state", "present", ("value",))],
}


def run(params: dict[str, t.Any], client: Client, check_mode: bool) -> dict[str, t.Any]:
    """Bring the variable into the declared state.

    :raises InputError: if the value is invalid, or the environment does not exist.
    """
    params = {**params, "key": params["key"].strip()}
    _require_sensible(params["key"], params["value"] if params["state"] == "present" else None)
    variables = PipelineVariables(client, _place(params))
    if params["state"] == "absent":
        return _absent(variables, params, check_mode)
    try:
        return _present(variables, params, check_mode)
    except TakenError:
        # Somebody was faster: decide again, by what is there now.
        return _present(variables, params, check_mode)


def _absent(variables: PipelineVariables, params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    existing = variables.find(params["key"])
    if existing is not None and not check_mode:
        variables.delete(existing)
    return _result(existing, None, "removed" if existing else None, variables.place)


def _present(variables: PipelineVariables, params: dict[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    key, value, secured = params["key"], params["value"], params["secured"]
    existing = variables.find(key)
    reason = _reason(existing, value, secured, params["update_secret"] == "always")
    if reason is None:
        unwritten = [_unwritten(key, variables.place)] if secured else []
        return {**_result(existing, existing, None, variables.place), "warned": unwritten}
    if check_mode:
        wanted = Variable(existing.uuid if existing else "", key, secured)
    elif existing is None:
        wanted = variables.create(key, value, secured)
    else:
        wanted = variables.update(existing, value, secured)
    return _result(existing, wanted, reason, variables.place)


def _place(params: dict[str, t.Any]) -> Place:
    return Place(*((params[name] or "").strip() for name in ("workspace", "repository", "environment")))


def _require_sensible(key: str, value: str | None) -> None:
    if not key:
        raise InputError("`key` is empty.")
    if value is not None and _secret.is_redaction_marker(value):
        raise InputError("`value` is what Ansible shows in place of a secret, not the secret: nothing was written.")


def _unwritten(key: str, place: Place) -> str:
    return (
        f"The variable {key} of the {place.label} exists, so `value` was not written, and Bitbucket does not show "
        "whether it is the value that the variable has. Set `update_secret: always` for a secret that is rotated."
    )


def _reason(existing: Variable | None, value: str, secured: bool, always: bool) -> str | None:
    """Why the variable has to be written; ``None`` if it is as declared, as far as can be seen."""
    if existing is None:
        return "absent"
    if existing.secured != secured:
        return "secured"
    if not secured:
        return None if existing.value == value else "value"
    return "always" if always else None


def _result(before: Variable | None, after: Variable | None, reason: str | None, place: Place) -> dict[str, t.Any]:
    value_before, value_after = ("as it was", "as declared") if reason not in (None, "removed") else ("", "")
    shown = after and {"uuid": after.uuid or None, "key": after.key, "secured": after.secured}
    return {
        "changed": reason is not None,
        "diff": {
            "before": _shown(before, value_before),
            "after": _shown(after, value_after),
            "before_header": place.label,
            "after_header": place.label,
        },
        "variable": shown,
        "reason": reason,
    }


def _shown(variable: Variable | None, value: str) -> dict[str, t.Any]:
    """For the diff, where words stand for the value."""
    if variable is None:
        return {}
    shown = {"key": variable.key, "secured": variable.secured}
    return {**shown, "value": f"({value})"} if value else shown


def main() -> None:
    run_module(SPEC, run, client_from, **CONSTRAINTS)


if __name__ == "__main__":
    main()
