#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: access_token_audit
short_description: Audit every HTTP access token of a Bitbucket Data Center instance
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Lists the tokens of every project, repository and user that the caller may see, archived repositories included, and
    judges each by a policy.
  - Writes C(audit.json), C(audit.csv), C(audit.junit.xml) and C(audit.html), which needs no network, into a
    directory on the controller.
  - Bitbucket never shows a secret again, so neither the result nor the files contain a secret. The files show the
    permissions of tokens, though, so they are readable by their owner and group only.
  - The result and every file list the owners that could not be read.
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.connection.credential
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.datacenter
attributes:
  check_mode:
    support: full
    details: Reads and judges the tokens, and writes no file.
  diff_mode:
    support: full
    details: Shows new findings, and findings that are gone, since the previous audit in O(output_dir).
  idempotent:
    support: full
    details:
      - The files contain the time of the audit, so they are written each time. The task is changed if the tokens,
        findings or unreadable owners differ from those of the previous files.
options:
  projects:
    description:
      - Project keys, or globs for projects that the caller may see.
      - A glob matches personal projects only if it begins with V(~).
    type: list
    elements: str
    default: ["*", "~*"]
  repositories:
    description:
      - Repositories as V(KEY/slug). Both parts may be globs, which match archived repositories too.
    type: list
    elements: str
    default: ["*/*", "~*/*"]
  users:
    description:
      - Users by slug, or globs. Only an administrator may see other users' tokens.
    type: list
    elements: str
    default: ["*"]
  concurrency:
    description:
      - The number of owners that are read at the same time.
    type: int
    default: 8
  declared:
    description:
      - The declared tokens, for the findings C(undeclared) and C(wider_than_declared).
      - Each entry has the options of M(tokensmith.bitbucket.access_token_set) for owners and tokens.
      - Only the owners of an entry are compared.
    type: list
    elements: dict
    default: []
    suboptions:
      projects:
        description: Project keys, or globs.
        type: list
        elements: str
        default: []
      repositories:
        description: Repositories as V(KEY/slug). Both parts may be globs, which leave archived repositories out.
        type: list
        elements: str
        default: []
      users:
        description: Users by slug, or globs.
        type: list
        elements: str
        default: []
      set:
        description: The tokens that each of these owners must have.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The name.
            type: str
            required: true
          permissions:
            description: The permissions.
            type: list
            elements: str
            aliases: [permission]
          expires_in_days:
            description: The lifetime. It is not compared.
            type: int
          rotate_before_days:
            description: It is not compared.
            type: int
          grace_days:
            description: It is not compared.
            type: int
          state:
            description: With V(absent), a token of that name counts as undeclared.
            type: str
            choices: [present, absent]
            default: present
      overrides:
        description: By project key, C(KEY/slug) or C(users/slug), lists like O(declared[].set) with the differences.
        type: dict
        default: {}
  policy:
    description:
      - Differences from the default policy. Its keys are C(expiring_days), C(unused_days), C(never_used_days),
        C(severities) (by code, one of V(none), V(info), V(low), V(medium), V(high), V(critical)) and C(ignore).
      - Each entry of C(ignore) has C(reference) (a glob), C(reason), C(until) (a date, the last day on which it holds)
        and optionally C(codes).
    type: dict
    default: {}
  fail_on:
    description:
      - Fail after the files are written if there is a finding of this severity or a higher one.
      - Such findings are also the failed tests in C(audit.junit.xml).
    type: str
    choices: [none, info, low, medium, high, critical]
    default: none
  output_dir:
    description:
      - The directory on the controller to write the files into. It is created if it does not exist.
      - If not set, no file is written.
    type: path
notes:
  - This runs on the controller (in AWX, in the execution environment), which must reach Bitbucket. Neither the host of
    the task nor C(delegate_to) changes that. The Python that runs Ansible needs C(requests).
  - The C(environment) of the task and its play applies, such as C(BITBUCKET_URL) and C(HTTPS_PROXY).
  - Bitbucket has no call that lists all tokens of an instance, so the module makes at least one request for each owner.
  - Without a usable C(Date) from the server no token is reported as expired or unused.
  - An owner that the caller may not read, or that no longer exists, does not fail the task. Any other owner that cannot
    be read does, after the files are written.
seealso:
  - module: tokensmith.bitbucket.access_token_info
"""

EXAMPLES = r"""
- name: Audit every token and write the report to ./audit
  tokensmith.bitbucket.access_token_audit:
    url: https://bitbucket.example.com
    username: automation
    password: "{{ bitbucket_password }}"
    output_dir: audit
    fail_on: high
    policy:
      unused_days: 180
      severities:
        never_expires: high
      ignore:
        - reference: projects/PAY/tokens/legacy-*
          codes: [never_expires]
          reason: Goes with the old build server, CHG-4711
          until: 2027-03-31
"""

RETURN = r"""
counts:
  description:
    - C(owners), C(unread), C(tokens), C(tokens_with_findings), C(ignored), C(findings) by code, and C(severities), the
      number of tokens by the severity of their worst finding.
  returned: always
  type: dict
worst:
  description: The highest severity of the findings, V(none) if there is no finding.
  returned: always
  type: str
findings:
  description: The worst findings, at most 50, with C(severity), C(code), C(reference), C(id) and C(detail).
  returned: always
  type: list
  elements: dict
summary:
  description: The result as lines of text, with at most 20 of the worst findings and 20 of the unread owners.
  returned: always
  type: list
  elements: str
unread:
  description: Owners that could not be read, with C(owner), C(reason) and C(msg).
  returned: always
  type: list
  elements: dict
notes:
  description: Sentences about data that this audit could not read or judge.
  returned: always
  type: list
  elements: str
complete:
  description: Whether every owner was read, except for those that the caller may not read.
  returned: always
  type: bool
server_time:
  description: The server's clock, ISO 8601 in UTC. V(null) if it sends none.
  returned: always
  type: str
files:
  description: The paths of the files by kind, V(json), V(csv), V(junit) and V(html), also in check mode.
  returned: always
  type: dict
since_last:
  description: The number of findings that are C(new) and C(gone) since the previous audit in O(output_dir).
  returned: always
  type: dict
"""

import typing as t

from ..module_utils import _argspec
from ..module_utils._module import controller_only, run_module
from ..module_utils._names import BY_NAME, NAMES

_PATTERNS: dict[str, t.Any] = {"type": NAMES, "elements": "str"}

SPEC: _argspec.Spec = {
    **_argspec.CONNECTION,
    "projects": {**_PATTERNS, "default": ["*", "~*"]},
    "repositories": {**_PATTERNS, "default": ["*/*", "~*/*"]},
    "users": {**_PATTERNS, "default": ["*"]},
    "concurrency": {"type": "int", "default": 8},
    "declared": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "projects": {**_PATTERNS, "default": []},
            "repositories": {**_PATTERNS, "default": []},
            "users": {**_PATTERNS, "default": []},
            "set": {"type": "list", "elements": "dict", "default": [], "options": _argspec.TOKEN_ENTRY},
            "overrides": {"type": BY_NAME, "default": {}},
        },
    },
    "policy": {"type": "dict", "default": {}},
    "fail_on": {
        "type": "str",
        "choices": ["none", "info", "low", "medium", "high", "critical"],
        "default": "none",
    },
    "output_dir": {"type": "path"},
}

CONSTRAINTS: dict[str, t.Any] = {"mutually_exclusive": [("token", "password")]}


def main() -> None:
    run_module(SPEC, controller_only("access_token_audit"), **CONSTRAINTS)


if __name__ == "__main__":
    main()
