# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  validate_certs:
    description:
      - Whether the server's TLS certificate must be valid.
    type: bool
    default: true
  ca_path:
    description:
      - A file with the certificates of the authorities to trust, in PEM format.
      - If not set, the first of the environment variables E(BITBUCKET_CA_PATH), E(REQUESTS_CA_BUNDLE),
        E(CURL_CA_BUNDLE) and E(SSL_CERT_FILE) is used. E(SSL_CERT_DIR) is not.
    type: path
  client_cert:
    description:
      - A client certificate in PEM format, which may also hold the key.
    type: path
  client_key:
    description:
      - The key of O(client_cert), if that file does not hold it.
    type: path
  timeout:
    description:
      - The number of seconds to wait for a connection, and for each read of data.
      - An answer whose body is incomplete after ten times C(timeout) counts as lost, like after a broken connection.
    type: int
    default: 30
  use_proxy:
    description:
      - Whether the proxies that C(HTTP_PROXY), C(HTTPS_PROXY) and C(ALL_PROXY) name are used, except for the servers in
        C(NO_PROXY). Proxies from the system's configuration and netrc files are never used.
    type: bool
    default: true
  allow_insecure:
    description:
      - Whether the credential may be sent over plain C(http://) to another host than this one. Without it such a URL is
        refused before anything is sent; C(localhost), C(127.0.0.0/8) and C(::1) need no permission.
    type: bool
    default: false
requirements:
  - requests (Python library, on the host where the module runs)
"""

    CREDENTIAL = r"""
options:
  url:
    description:
      - Bitbucket's base URL, with the context path if the instance has one, such as V(https://host/bitbucket).
      - Redirects are refused with a message that names the new location.
      - Required. If not set, the environment variable E(BITBUCKET_URL) is used.
    type: str
  username:
    description:
      - The user to sign in as. Creating tokens requires the password of the user or an OAuth 2.0 token; an access token
        cannot create others.
      - If not set, the environment variable E(BITBUCKET_USERNAME) of the host where the module runs is used, unless the
        task sets O(token).
    type: str
  password:
    description:
      - The password of O(username). Spaces and line breaks at its ends are part of it.
      - If not set, the environment variable E(BITBUCKET_PASSWORD) is used, unless the task sets O(token).
    type: str
  token:
    description:
      - An access token or an OAuth 2.0 token to sign in with instead.
      - If not set, the environment variable E(BITBUCKET_TOKEN) is used, unless the task sets O(username) or
        O(password).
    type: str
notes:
  - Requests are repeated after 429, 502 to 504 and lost connections, never after 401 or 403. A request that creates
    a token is only repeated if it is certain that it created none.
"""
