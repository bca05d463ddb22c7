#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: store_copy
short_description: Copy secrets of access tokens from one store to another
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Copies secrets between stores, on the controller. It shows no secret, and issues and revokes no token.
  - Secrets that the destination already has are not changed. Copied secrets are read back, and stay in the source.
  - The playbook C(tokensmith.bitbucket.migrate_store) does this for all tokens of some owners.
extends_documentation_fragment:
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.stores
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows references and token ids only.
  idempotent:
    support: full
options:
  source:
    description:
      - The store to read from, written as O(tokensmith.bitbucket.access_token_set#module:store). For V(file), PATH is
        the directory.
    type: str
    required: true
  source_options:
    description:
      - Options of the source, as O(tokensmith.bitbucket.access_token_set#module:store_options).
    type: dict
    default: {}
  destination:
    description:
      - The store to write to.
    type: str
    required: true
  destination_options:
    description:
      - Options of the destination.
    type: dict
    default: {}
  references:
    description:
      - References of the tokens, such as V(projects/PAY/tokens/ci-read). RV(missing) lists those that the source does
        not have.
    type: list
    elements: str
    required: true
  overwrite:
    description:
      - Whether to replace a secret if the destination has the secret of another token for the same reference. Without
        this, such a reference is a failure, since the secret in the destination may be newer.
    type: bool
    default: false
notes:
  - A store that never shows a secret again, such as V(awx_credential), can only be a destination.
  - Secrets without a readable token id, such as secrets that were added manually, are not copied.
seealso:
  - module: tokensmith.bitbucket.access_token_set
  - plugin: tokensmith.bitbucket.secret
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Copy two secrets from a vault file to HashiCorp Vault
  tokensmith.bitbucket.store_copy:
    source: ansible_vault:bitbucket_tokens.yml
    destination: hashi_vault:secret/bitbucket
    references:
      - projects/PAY/tokens/ci-read
      - projects/PAY/repos/ledger/tokens/deploy
"""

RETURN = r"""
reason:
  description: The reason of the first failure.
  returned: failure
  type: str
copied:
  description: The secrets that were copied, or in check mode would be, with C(reference) and C(id).
  returned: success
  type: list
  elements: dict
unchanged:
  description: References whose secret the destination already has.
  returned: success
  type: list
  elements: str
missing:
  description: References of which the source has no secret.
  returned: success
  type: list
  elements: str
failures:
  description: The secrets that could not be copied, with C(reference), C(reason) and C(msg). The task fails then.
  returned: always
  type: list
  elements: dict
source:
  description: The store that was read.
  returned: success
  type: str
destination:
  description: The store that was written.
  returned: success
  type: str
"""

from ..module_utils import _argspec
from ..module_utils._module import controller_only, run_module
from ..module_utils._names import NAMES

SPEC: _argspec.Spec = {
    "source": {"type": "str", "required": True},
    "source_options": {"type": "dict", "default": {}, "no_log": True},
    "destination": {"type": "str", "required": True},
    "destination_options": {"type": "dict", "default": {}, "no_log": True},
    "references": {"type": NAMES, "elements": "str", "required": True},
    "overwrite": {"type": "bool", "default": False},
}


def main() -> None:
    run_module(SPEC, controller_only("store_copy"))


if __name__ == "__main__":
    main()
