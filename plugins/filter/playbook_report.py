# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: playbook_report
short_description: The reports of the playbooks retire_app_passwords and revoke_leaked
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Puts together what the tasks of a playbook of this collection registered on all hosts.
positional: playbook, hosts, check_mode
options:
  _input:
    description: The variables of hosts by the name of the host, such as C(hostvars).
    type: dict
    required: true
  playbook:
    description: The playbook.
    type: str
    choices: [retire_app_passwords, revoke_leaked]
    required: true
  hosts:
    description: The hosts of the play.
    type: list
    elements: str
    required: true
  check_mode:
    description: Whether nothing was changed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Report from all hosts
  ansible.builtin.debug:
    msg: "{{ report.summary }}"
  vars:
    report: "{{ hostvars | tokensmith.bitbucket.playbook_report('retire_app_passwords', ansible_play_hosts_all) }}"
"""

RETURN = r"""
_value:
  description:
    - Of C(retire_app_passwords) the C(report), its findings as C(csv), the C(summary) in one sentence, and the failures
      in one C(message).
    - Of C(revoke_leaked) the C(outcome) of all hosts, and by C(hosts) the C(lines) to show, the C(failures), and these
      in one C(message).
  type: dict
"""

import collections.abc as c
import typing as t

from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var

from ..plugin_utils._plain import plain
from ..plugin_utils.reports import _app_passwords, _leaks

_REPORTS = {"retire_app_passwords": _app_passwords.report_of, "revoke_leaked": _leaks.report_of}


def playbook_report(
    hostvars: c.Mapping[str, t.Any], playbook: str, hosts: c.Sequence[str], check_mode: bool = False
) -> t.Any:
    """The report. Nothing in it is evaluated as a template.

    :raises AnsibleFilterError: for another playbook.
    """
    if playbook not in _REPORTS:
        raise AnsibleFilterError(f"`playbook` must be one of {', '.join(_REPORTS)}.")
    return wrap_var(plain(_REPORTS[playbook](hostvars, hosts, check_mode)))


class FilterModule:
    """The filter, as Ansible finds it."""

    def filters(self) -> dict[str, c.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"playbook_report": playbook_report}
