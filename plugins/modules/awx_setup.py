#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: awx_setup
short_description: Register in AWX or Automation Controller the objects that run this collection
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Registers credential types and credentials, an execution environment, a project, an inventory with its source, job
    templates and daily schedules. It deletes nothing.
  - The playbook C(tokensmith.bitbucket.awx_setup) runs it. The variables of the playbook are these options with
    C(awx_setup_) in front, such as C(awx_setup_organization).
  - The variables of the play that begin with C(project_tokens_), C(token_audit_) or C(revoke_leaked_), and those of the
    task files that notify, become extra variables of the jobs. Credentials, paths on this machine, and settings of a
    single run are not passed on (RV(withheld)).
  - Runs on the controller of Ansible, and uses the REST API of AWX.
extends_documentation_fragment:
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.awx
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows every object with the fields of AWX's API. Values whose names suggest a secret are omitted.
  idempotent:
    support: partial
    details: With O(update_secrets=true) credentials with secrets are written each time.
options:
  url:
    description: The base URL of AWX. If not set, E(CONTROLLER_HOST) is used.
    type: str
  token:
    description:
      - An OAuth 2 token. If no credential is set, E(CONTROLLER_OAUTH_TOKEN) is used, or E(CONTROLLER_USERNAME) and
        E(CONTROLLER_PASSWORD).
    type: str
  username:
    description: The user to sign in as.
    type: str
  password:
    description: The user's password.
    type: str
  validate_certs:
    description:
      - Whether the server's TLS certificate must be valid. By default the value of
        E(CONTROLLER_VERIFY_SSL), or V(true).
    type: bool
  ca_path:
    description: A file with the certificates of the authorities to trust.
    type: path
  api_prefix:
    description:
      - The path of the API. By default V(/api/v2). With the gateway of Automation Platform, set V(/api/controller/v2).
    type: str
  allow_insecure:
    description: Whether the credential may be sent over plain C(http://) to another host than this one.
    type: bool
    default: false
  timeout:
    description: The number of seconds to wait for a connection, and for each read of data.
    type: int
    default: 30
  sync_timeout:
    description: The number of seconds to wait for the first update of the project, which job templates require.
    type: int
    default: 300
  update_secrets:
    description:
      - AWX never returns a secret, so the secrets of an existing credential are not compared and not changed. With
        V(true), they are written each time.
    type: bool
    default: false
  organization:
    description: The organization of all objects. It must exist.
    type: str
    required: true
  name:
    description: The prefix of the names of all objects.
    type: str
    default: Bitbucket tokens
  project_url:
    description: The Git repository with the playbooks. A copy of C(playbooks/files/awx_project) is enough.
    type: str
    required: true
  project_branch:
    description: The branch. By default the default branch of the repository.
    type: str
    default: ""
  project_credential:
    description: The name of a credential for the repository.
    type: str
  image:
    description: The image of the execution environment. It must contain this collection.
    type: str
    required: true
  image_credential:
    description: The name of a credential for the registry of the image.
    type: str
  inventory_file:
    description: The file of the inventory in the repository.
    type: str
    default: bitbucket.yml
  bitbucket_url:
    description: Bitbucket's base URL, for the credential. If not set, E(BITBUCKET_URL) is used.
    type: str
  bitbucket_username:
    description: The user that jobs sign in as. If not set, E(BITBUCKET_USERNAME) is used.
    type: str
  bitbucket_password:
    description: The user's password. If not set, E(BITBUCKET_PASSWORD) is used.
    type: str
  bitbucket_token:
    description: A token to sign in with instead. If no login is set, E(BITBUCKET_TOKEN) is used.
    type: str
  bitbucket_ca:
    description: Certificates of the authorities to trust, as text in PEM format.
    type: str
  vault:
    description:
      - The inputs of a credential for the store C(hashi_vault), with C(url), C(vault_namespace), C(ca), and C(token),
        or C(role_id) and C(secret_id) of an AppRole.
    type: dict
    default: {}
  notify:
    description:
      - The inputs of a credential for the task files that notify, with C(slack_url), C(jira_token) and
        C(mail_password).
    type: dict
    default: {}
  credentials:
    description: The names of existing credentials to add to the job templates.
    type: list
    elements: str
    default: []
  projects:
    description:
      - The projects of the inventory, as keys or globs. Jobs on localhost do not see the inventory, so the audit
        compares tokens with the declaration, and leaked tokens are reissued in the same job, only if this is set.
    type: list
    elements: str
    default: []
  repositories:
    description: Whether the repositories of each project get declared tokens as well.
    type: bool
    default: false
  slices:
    description: The number of slices of the job templates that provision and rotate.
    type: int
    default: 1
  forks:
    description: The number of forks of these job templates.
    type: int
    default: 5
  provision_rrule:
    description: The schedule for provisioning, as a recurrence rule of AWX.
    type: str
    default: DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1
  audit_rrule:
    description: The schedule of the audit, as a recurrence rule of AWX.
    type: str
    default: DTSTART:20260101T040000Z RRULE:FREQ=DAILY;INTERVAL=1
  extra_vars:
    description:
      - Further extra variables of all job templates. They take precedence over the variables of the play, and are not
        filtered. Everybody who may see a job template can read them, so do not put a secret here.
    type: dict
    default: {}
notes:
  - AWX refuses to change the inputs of a credential type that credentials use.
seealso:
  - module: tokensmith.bitbucket.access_token_set
"""

EXAMPLES = r"""
- name: Provision and audit the tokens with AWX every day
  tokensmith.bitbucket.awx_setup:
    organization: Payments
    project_url: https://git.example.com/tokens.git
    image: registry.example.com/tokens:1
    vault:
      url: https://vault.example.com:8200
      role_id: 3ba1e8e8-7f2c-4f0c-a7a1-f7a2d3b8c6f4
      secret_id: "{{ lookup('ansible.builtin.env', 'VAULT_SECRET_ID') }}"
  vars:
    project_tokens_set:
      - {name: ci-read, permissions: PROJECT_READ, expires_in_days: 90}
    project_tokens_store: hashi_vault:secret/bitbucket
    project_tokens_store_options: {auth_method: approle}
"""

RETURN = r"""
reason:
  description: Why the task failed, as a short code.
  returned: failure
  type: str
objects:
  description:
    - The registered objects, with C(kind), C(name), C(id) and C(state) (V(created), V(changed) or V(unchanged)).
  returned: always
  type: list
  elements: dict
summary:
  description: Lines of text about the objects that were created or changed, or in check mode would be.
  returned: always
  type: list
  elements: str
withheld:
  description: The variables of the play, and the options of the store, that are not passed on to jobs.
  returned: success
  type: list
  elements: str
"""

from ..module_utils import _argspec
from ..module_utils._module import controller_only, run_module
from ..module_utils._names import NAME, NAMES

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
    "organization": {"type": NAME, "required": True},
    "name": {"type": NAME, "default": "Bitbucket tokens"},
    "project_url": {"type": "str", "required": True},
    "project_branch": {"type": NAME, "default": ""},
    "project_credential": {"type": NAME},
    "image": {"type": "str", "required": True},
    "image_credential": {"type": NAME},
    "inventory_file": {"type": "str", "default": "bitbucket.yml"},
    "bitbucket_url": {"type": "str"},
    "bitbucket_username": {"type": NAME},
    "bitbucket_password": {"type": "str", "no_log": True},
    "bitbucket_token": {"type": "str", "no_log": True},
    "bitbucket_ca": {"type": "str"},
    "vault": {"type": "dict", "default": {}, "no_log": True},
    "notify": {"type": "dict", "default": {}, "no_log": True},
    "credentials": {"type": NAMES, "elements": "str", "default": []},
    "projects": {"type": NAMES, "elements": "str", "default": []},
    "repositories": {"type": "bool", "default": False},
    "slices": {"type": "int", "default": 1},
    "forks": {"type": "int", "default": 5},
    "provision_rrule": {"type": "str", "default": "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1"},
    "audit_rrule": {"type": "str", "default": "DTSTART:20260101T040000Z RRULE:FREQ=DAILY;INTERVAL=1"},
    "extra_vars": {"type": "dict", "default": {}},
}


def main() -> None:
    run_module(SPEC, controller_only("awx_setup"))


if __name__ == "__main__":
    main()
