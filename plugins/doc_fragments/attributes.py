# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can predict what it would do without doing it.
  diff_mode:
    description: Returns the difference that it makes, or would make, without anything secret.
  idempotent:
    description: Running it again with the same options and the same state changes nothing.
"""

    DATACENTER = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/tokensmith.bitbucket.datacenter) in C(module_defaults) to set options for these modules.
    support: full
    membership:
      - tokensmith.bitbucket.datacenter
"""

    CLOUD_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/tokensmith.bitbucket.cloud) in C(module_defaults) to set options for these modules.
    support: full
    membership:
      - tokensmith.bitbucket.cloud
"""

    BOTH = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/tokensmith.bitbucket.datacenter) or C(group/tokensmith.bitbucket.cloud) in C(module_defaults) to set
        options for these modules.
    support: full
    membership:
      - tokensmith.bitbucket.datacenter
      - tokensmith.bitbucket.cloud
"""

    FILES_GROUP = r"""
options: {}
attributes:
  action_group:
    description:
      - Use C(group/tokensmith.bitbucket.credential_files) in C(module_defaults) to set options for these modules, such
        as where to search.
    support: full
    membership:
      - tokensmith.bitbucket.credential_files
"""

    STORES = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/tokensmith.bitbucket.stores) in C(module_defaults) to set options for these modules.
    support: full
    membership:
      - tokensmith.bitbucket.stores
"""

    AWX = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/tokensmith.bitbucket.awx) in C(module_defaults) to set options for these modules.
    support: full
    membership:
      - tokensmith.bitbucket.awx
"""
