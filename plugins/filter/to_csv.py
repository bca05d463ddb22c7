# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: to_csv
short_description: Write rows as CSV that is safe to open
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Writes a header and one line for each row, as RFC 4180 has it.
  - A text that a spreadsheet would run as a formula gets an apostrophe before it.
  - Control characters, direction marks and other characters that cannot be seen are written as marks such as
    C(⟨U+202E⟩).
positional: columns
options:
  _input:
    description: The rows.
    type: list
    elements: dict
    required: true
  columns:
    description: The keys to write, in this order. A row that lacks one gets an empty cell.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Write a list of tokens
  ansible.builtin.copy:
    content: "{{ tokens.access_tokens | tokensmith.bitbucket.to_csv(['reference', 'expires']) }}"
    dest: tokens.csv
    mode: "0600"
"""

RETURN = r"""
_value:
  description: The text of the file.
  type: str
"""

import collections.abc as c
import typing as t

from ansible.errors import AnsibleFilterError

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _text


def to_csv(rows: t.Any, columns: t.Any) -> str:
    """CSV of some rows.

    :raises AnsibleFilterError: for what is not a list of mappings.
    """
    if not isinstance(columns, c.Sequence) or isinstance(columns, str):
        raise AnsibleFilterError("`columns` must be a list of keys.")
    if not isinstance(rows, c.Sequence) or not all(isinstance(row, c.Mapping) for row in rows):
        raise AnsibleFilterError("`to_csv` takes a list of mappings.")
    return _text.csv_of(columns, rows)


class FilterModule:
    """The filter, as ansible finds it."""

    def filters(self) -> dict[str, c.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"to_csv": to_csv}
