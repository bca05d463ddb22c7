# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  projects:
    description:
      - Project keys, or globs such as V(TEAM*) among the projects that the caller administers.
      - A string such as V(PAY, SHOP) is a list too. Quote a key that YAML reads as a boolean or number, such as
        V("NO"); without quotes it is refused, as in every option for a name.
      - A glob matches personal projects only if it begins with V(~).
      - Keys and slugs may be written in any case. References have Bitbucket's spelling, such as C(projects/PAY) and
        C(projects/~pat).
      - A glob that matches nothing is a failure of its own, with the reason C(no_match). The other owners are
        processed, and the task fails at the end.
    type: list
    elements: str
    default: []
  repositories:
    description:
      - Repositories as V(KEY/slug). Both parts may be globs.
    type: list
    elements: str
    default: []
  users:
    description:
      - Users by slug or name. Names match in any case. If several users differ only in case, write the exact name.
    type: list
    elements: str
    default: []
  concurrency:
    description:
      - The number of owners that are processed at the same time.
    type: int
    default: 8
"""
