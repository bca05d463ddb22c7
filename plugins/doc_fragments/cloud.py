# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  email:
    description:
      - The e-mail address of the Atlassian account of O(api_token). The Bitbucket user name is for git only.
      - Each login option falls back to its own environment variable on the host where the module runs. These are
        E(BITBUCKET_EMAIL), E(BITBUCKET_API_TOKEN), E(BITBUCKET_ACCESS_TOKEN), E(BITBUCKET_CLIENT_ID) and
        E(BITBUCKET_CLIENT_SECRET). If a task sets an option of one kind of credential, the variables of other kinds are
        not used.
    type: str
  api_token:
    description:
      - An API token with Bitbucket scopes. Requires O(email).
      - App passwords were removed on 2026-07-28. They are refused before anything is sent.
    type: str
  access_token:
    description:
      - An access token of a repository, project or workspace to sign in with instead, or one of OAuth 2.0.
    type: str
  client_id:
    description:
      - The key of an OAuth consumer to sign in as instead. The module gets one access token for each run.
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
      - An API key of the organization, which only its administrators can create. Modules about API tokens sign in with
        this only; other modules do not use it.
      - If not set, the environment variable E(ATLASSIAN_ADMIN_API_KEY) of the host where the module runs is used.
    type: str
  api_url:
    description:
      - The base URL of Bitbucket Cloud's REST API.
    type: str
    default: https://api.bitbucket.org
  oauth_url:
    description:
      - The URL that issues the access token for O(client_id).
    type: str
    default: https://bitbucket.org/site/oauth2/access_token
  admin_url:
    description:
      - The base URL of Atlassian's administration API.
    type: str
    default: https://api.atlassian.com
notes:
  - Requests are repeated after 429, 502 to 504 and lost connections, never after 401 or 403. A request that creates
    something is only repeated if it is certain that it created nothing.
  - The request that revokes the API tokens of a whole organization is never sent.
"""
