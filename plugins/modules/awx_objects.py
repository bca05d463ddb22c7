#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: awx_objects
short_description: Bring objects of AWX or Automation Controller to a declared state
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Creates credential types, credentials, execution environments, projects, inventories and their sources, job
    templates and schedules where they are missing, and changes what differs. It deletes nothing.
  - The playbook C(tokensmith.bitbucket.awx_setup) uses it to have this collection run from AWX.
  - Runs on the controller of Ansible, and speaks to the REST API of AWX.
extends_documentation_fragment:
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.awx
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Of a credential's inputs the names only. Values under names that speak of a secret are hidden everywhere.
  idempotent:
    support: partial
    details: With O(update_secrets=true) credentials with secrets are written each time.
options:
  url:
    description:
      - The base URL of AWX. If not set, E(CONTROLLER_HOST) is used.
    type: str
  token:
    description:
      - An OAuth 2 token. If no credential is set, E(CONTROLLER_OAUTH_TOKEN) is used, or E(CONTROLLER_USERNAME) and
        E(CONTROLLER_PASSWORD).
    type: str
  username:
    description:
      - The user to sign in as.
    type: str
  password:
    description:
      - The user's password.
    type: str
  validate_certs:
    description:
      - Whether the server's TLS certificate must be valid. By default what E(CONTROLLER_VERIFY_SSL) says, else V(true).
    type: bool
  ca_path:
    description:
      - A file with the certificates of the authorities to trust.
    type: path
  api_prefix:
    description:
      - Where the API is. By default V(/api/v2); behind the gateway of Automation Platform it is V(/api/controller/v2).
    type: str
  allow_insecure:
    description:
      - Whether the credential may be sent over plain C(http://) to another host than this one.
    type: bool
    default: false
  timeout:
    description:
      - How many seconds to wait for a connection, and each time for data.
    type: int
    default: 30
  sync_timeout:
    description:
      - How many seconds to wait for a project that is being synced. AWX refuses a job template whose playbook it has
        not seen yet.
    type: int
    default: 300
  update_secrets:
    description:
      - AWX never shows a secret again, so a secret of a credential that is there already cannot be compared, and is
        left as it is. With V(true) it is written anew, each time.
    type: bool
    default: false
  objects:
    description:
      - The objects, in the order in which they are made. An object may name those before it, and what is in AWX
        already.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description:
          - One of V(credential_types), V(credentials), V(execution_environments), V(projects), V(inventories),
            V(inventory_sources), V(job_templates) and V(schedules), as the API calls them.
        type: str
        required: true
      name:
        description:
          - The name. An object is looked up by it, and by C(kind) (credential types), C(organization) (projects,
            inventories, job templates), C(organization) and C(credential_type) (credentials), C(inventory) (inventory
            sources) or C(unified_job_template) (schedules). If there are several, the task fails.
        type: str
        required: true
      fields:
        description:
          - Its fields, as the API calls them. What is not named here is left as it is.
          - Where the API has the id of another object (C(credential), C(credential_type), C(default_environment),
            C(execution_environment), C(inventory), C(organization), C(project), C(source_project),
            C(unified_job_template)), write its name.
          - C(extra_vars), C(source_vars) and C(variables) may be mappings.
        type: dict
        default: {}
      credentials:
        description:
          - The names of the credentials of a job template. Others are detached from it.
        type: list
        elements: str
      survey:
        description:
          - The survey of a job template, with C(name), C(description) and C(spec). Leave out C(default) of questions
            for passwords, which AWX shows encrypted.
        type: dict
notes:
  - AWX refuses to change the inputs of a credential type that credentials have.
  - Every difference is found by what AWX shows. What it fills in by itself, such as C(type) in the inputs of a
    credential type, is best declared.
seealso:
  - module: tokensmith.bitbucket.access_token_set
"""

EXAMPLES = r"""
- name: Run the audit every night
  tokensmith.bitbucket.awx_objects:
    url: https://awx.example.com
    token: "{{ lookup('ansible.builtin.env', 'AWX_TOKEN') }}"
    objects:
      - kind: job_templates
        name: Audit access tokens
        fields:
          organization: Payments
          project: Tokens
          playbook: audit.yml
          inventory: Bitbucket
          execution_environment: Tokens
          extra_vars: {token_audit_output_dir: /tmp/audit}
        credentials: [Bitbucket]
      - kind: schedules
        name: Every night
        fields:
          unified_job_template: Audit access tokens
          rrule: DTSTART;TZID=Europe/Berlin:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1
"""

RETURN = r"""
reason:
  description: Why the task failed, as a short code.
  returned: failure
  type: str
objects:
  description:
    - What became of each object, in the order of O(objects), with C(kind), C(name), C(id) and C(state) (V(created),
      V(changed) or V(unchanged)). In check mode, what would become of it; the C(id) of what is not there is V(null).
    - If the task fails, those that came before.
  returned: always
  type: list
  elements: dict
"""

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._module import controller_only, run_module
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._names import NAME, NAMES

SPEC: _argspec.Spec = {
    "url": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "username": {"type": NAME},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "path"},
    "api_prefix": {"type": "str"},
    "allow_insecure": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 30},
    "sync_timeout": {"type": "int", "default": 300},
    "update_secrets": {"type": "bool", "default": False},
    "objects": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "kind": {"type": "str", "required": True},
            "name": {"type": NAME, "required": True},
            "fields": {"type": "dict", "default": {}},
            "credentials": {"type": NAMES, "elements": "str"},
            "survey": {"type": "dict"},
        },
    },
}


def main() -> None:
    run_module(SPEC, controller_only("awx_objects"))


if __name__ == "__main__":
    main()
