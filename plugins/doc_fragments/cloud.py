# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  email:
    description:
      - The e-mail address of the Atlassian account that O(api_token) belongs to. The Bitbucket user name is for git.
      - Each option that signs in falls back to its own environment variable, read where the module runs, which are
        E(BITBUCKET_EMAIL), E(BITBUCKET_API_TOKEN), E(BITBUCKET_ACCESS_TOKEN), E(BITBUCKET_CLIENT_ID) and
        E(BITBUCKET_CLIENT_SECRET). A task that sets an option of one kind of credential takes nothing of another kind.
    type: str
  api_token:
    description:
      - An API token with Bitbucket scopes. Takes O(email).
      - App passwords were removed on 2026-07-28. One is refused before anything is sent.
    type: str
  access_token:
    description:
      - An access token of a repository, project or workspace to sign in with instead, or one of OAuth 2.0.
    type: str
  client_id:
    description:
      - The key of an OAuth consumer to sign in as instead. It gets an access token for each run of the module.
    type: str
  client_secret:
    description:
      - The secret of O(client_id).
    type: str
  organization:
    description:
      - The id of the Atlassian organization. Only modules about API tokens use this.
    type: str
  admin_api_key:
    description:
      - An API key of the organization, which one of its administrators makes. Modules about API tokens sign in with
        this alone; other modules do not use it.
      - If not set, the environment variable E(ATLASSIAN_ADMIN_API_KEY) is used, read where the module runs.
    type: str
  api_url:
    description:
      - The base URL of Bitbucket Cloud's REST API.
    type: str
    default: https://api.bitbucket.org
  oauth_url:
    description:
      - Where O(client_id) gets its access token.
    type: str
    default: https://bitbucket.org/site/oauth2/access_token
  admin_url:
    description:
      - The base URL of Atlassian's administration API.
    type: str
    default: https://api.atlassian.com
notes:
  - Requests are repeated after 429, 502 to 504 and lost connections, never after 401 or 403, and a request that creates
    something never blindly.
  - The request that revokes the API tokens of a whole organization is never sent. The client refuses to.
"""
