# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  store:
    description:
      - The store for secrets, on the controller, as V(KIND:PLACE).
      - V(file:PATH) keeps one secret per file, readable by its owner only. With M(tokensmith.bitbucket.access_token)
        PATH is the file itself, for this token only, or a directory that exists or whose name ends in a
        slash. With other modules it is a directory. A missing directory is created with mode V('0700') if its parent
        exists.
      - V(ansible_vault:FILE) keeps two variables, C(bitbucket_tokens) and C(bitbucket_token_ids), in a file encrypted
        with the play's own vault secret.
      - V(hashi_vault:MOUNT/PREFIX) keeps one secret per reference in the KV engine, version 2, of HashiCorp Vault or
        OpenBao, below the prefix, with the fields C(secret) and C(id). It needs the Python package C(hvac).
      - V(awx_credential:NAME-TEMPLATE) keeps one credential per token in AWX or Automation Controller, of the built-in
        type for Bitbucket Data Center. The template must contain C({reference}). These secrets cannot be read back.
      - V(helper:COMMAND) passes them to your own program, as JSON lines on standard input and output.
      - The store is read and tested for writing before any token is issued. Each issued secret is written immediately,
        and an older token is revoked only after the store was read again.
      - With a store, the task runs on the controller (in AWX, in the execution environment) and talks to Bitbucket from
        there. Neither the host of the task nor C(delegate_to) changes that, and C(become) has no effect. The Python
        that runs Ansible needs C(requests).
      - If not set, the environment variable E(BITBUCKET_TOKEN_STORE) of the controller is used. If that is not set
        either, the task's result contains the issued secrets, and you must store them.
    type: str
  store_options:
    description:
      - Options of the store.
      - "For V(file): C(mode), the files' permissions, by default unchanged, and V('0600') for a new one.
        World-readable ones are refused."
      - "For V(file) and V(ansible_vault): C(lock_timeout), how many seconds to wait while another run writes, V(60) by
        default."
      - "For V(hashi_vault): C(url), C(token), C(namespace), C(ca_path), which default to E(VAULT_ADDR), E(VAULT_TOKEN),
        E(VAULT_NAMESPACE) and E(VAULT_CACERT); C(auth_method), V(token) by default, or V(approle) with C(role_id) and
        C(secret_id), which default to E(VAULT_ROLE_ID) and E(VAULT_SECRET_ID), or V(jwt) with C(role) and C(jwt);
        C(auth_mount) if that is not its default; C(mount) if the engine's mount has a slash in its name;
        C(timeout) of each wait of a request in seconds, V(30) by default; C(allow_insecure) to send secrets over plain
        http."
      - "For V(awx_credential): C(organization), the required name of the credentials' organization; C(url), C(token)
        or C(username) and C(password), C(validate_certs), which default to E(CONTROLLER_HOST),
        E(CONTROLLER_OAUTH_TOKEN), E(CONTROLLER_USERNAME), E(CONTROLLER_PASSWORD) and E(CONTROLLER_VERIFY_SSL);
        C(ca_path); C(api_prefix), V(/api/v2) by default; C(timeout) and C(allow_insecure) as for V(hashi_vault)."
      - "For V(helper): C(timeout), how many seconds each run of the program may take, V(60) by default."
    type: dict
  missing_secret:
    description:
      - What to do if a token of that name exists but the store has no secret of it.
      - V(auto) issues a new one if no unexpired token of that name was ever used, and fails otherwise.
      - V(reissue) issues a new one in any case. V(fail) fails in any case.
    type: str
    choices: [auto, reissue, fail]
    default: auto
"""
