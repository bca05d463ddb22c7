# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: secret
short_description: Read the secret of an access token from the store
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Reads one secret for each reference. It makes no request to Bitbucket, and changes nothing.
options:
  _terms:
    description:
      - References, such as V(projects/PAY/tokens/ci-read), V(projects/PAY/repos/ledger/tokens/deploy) and
        V(users/svc-ci/tokens/automation). Project keys and slugs match in any case.
    type: list
    elements: str
    required: true
  store:
    description:
      - The store, written as in M(tokensmith.bitbucket.access_token_set). For V(file), PATH is the directory.
    type: str
    required: true
    env:
      - name: BITBUCKET_TOKEN_STORE
  store_options:
    description:
      - Options of the store.
    type: dict
    default: {}
seealso:
  - module: tokensmith.bitbucket.access_token_set
"""

EXAMPLES = r"""
- name: Use the REST API with the token of a project
  ansible.builtin.uri:
    url: https://bitbucket.example.com/rest/api/latest/projects/PAY/repos
    headers:
      Authorization: "Bearer {{ secret }}"
  no_log: true
  vars:
    secret: >-
      {{ lookup('tokensmith.bitbucket.secret', 'projects/PAY/tokens/ci-read',
                store='ansible_vault:bitbucket_tokens.yml') }}

# The header is neither in a URL nor in .git/config. But Ansible starts the task with these variables on a command line,
# so other users of the host can see them while it runs.
- name: Clone with the token of a project
  ansible.builtin.git:
    repo: https://bitbucket.example.com/scm/pay/ledger.git
    dest: ~/ledger
  environment:
    GIT_CONFIG_COUNT: "1"
    GIT_CONFIG_KEY_0: http.https://bitbucket.example.com/.extraHeader
    GIT_CONFIG_VALUE_0: "Authorization: Bearer {{ secret }}"
  no_log: true
  vars:
    secret: >-
      {{ lookup('tokensmith.bitbucket.secret', 'projects/PAY/tokens/ci-read',
                store='ansible_vault:bitbucket_tokens.yml') }}
"""

RETURN = r"""
_raw:
  description: The secrets, in the order of the references.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils.core import _secret
from ..module_utils.core._errors import BitbucketError
from ..plugin_utils.stores._catalogue import open_store
from ..plugin_utils.stores._spelling import AnySpelling


class LookupModule(LookupBase):
    """Reads secrets; writes nothing."""

    def run(self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[str]:
        """The secret of each reference.

        :raises AnsibleLookupError: if the store has none, or does not answer.
        """
        self.set_options(var_options=variables, direct=kwargs)
        try:
            options = self.get_option("store_options")
            store = AnySpelling(open_store(self.get_option("store"), options, self._loader._vault, single=False))
            secrets = [store.secret(str.__str__(term)) for term in terms]
        except BitbucketError as error:
            raise AnsibleLookupError(str(error)) from None
        for secret in secrets:
            _secret.register_secret(secret)
        return secrets
