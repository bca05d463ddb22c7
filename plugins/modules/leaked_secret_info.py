#!/usr/bin/python
# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: leaked_secret_info
short_description: Find the HTTP access tokens whose secrets leaked into text or files
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Finds secrets of Bitbucket in text and files by their format, also escaped as in URLs, JSON and HTML, and inside
    base64 such as a header of Basic authentication. The secret of an HTTP access token contains the token's id. The
    tokens of all projects, repositories and users that the caller may see are listed until each id is found.
  - Nothing is revoked; the playbook C(tokensmith.bitbucket.revoke_leaked) does that. Secrets are identified by their
    fingerprints, the first twelve hex digits of their SHA-256. The result contains no secret.
  - Passwords have no format, so they are not found.
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.connection.credential
  - tokensmith.bitbucket.owners
  - tokensmith.bitbucket.attributes
  - tokensmith.bitbucket.attributes.datacenter
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  text:
    description:
      - Text that may contain secrets, or a secret alone.
    type: str
  files:
    description:
      - Files and directories to search, on the host where the module runs. Directories are searched recursively.
      - Files may have any size. Files of gzip, zip, xz, bzip2 and tar are unpacked, also inside each other. UTF-16 and
        UTF-32 are read too. Packs of git are not, so write its history to a file (C(git log -p --all > history.txt)).
    type: list
    elements: path
    default: []
  ignore:
    description:
      - Fingerprints of secrets to ignore, such as those that were revoked manually. Put them in quotes, since some
        look like numbers.
    type: list
    elements: str
    default: []
  verify:
    description:
      - Whether to sign in once with each secret of a found token, to check whether it still works. More than 100 such
        secrets are refused before the first login.
      - An id alone proves nothing. Ids are not secret, so anyone can write a false secret with the id of a token into
        the searched files. With this option, RV(access_tokens[].works) shows which secrets are real.
    type: bool
    default: false
notes:
  - If none of O(projects), O(repositories) and O(users) is set, the module searches all projects that the caller may
    see, including personal projects and archived repositories, and all users. Only administrators may list other users'
    tokens, and only if they sign in with a password or an OAuth 2.0 token.
seealso:
  - module: tokensmith.bitbucket.access_token
  - module: tokensmith.bitbucket.credential_info
"""

EXAMPLES = r"""
- name: Find the tokens whose secrets are in logs
  tokensmith.bitbucket.leaked_secret_info:
    url: https://bitbucket.example.com
    username: automation
    password: "{{ bitbucket_password }}"
    files: [~/ci-logs, ~/.bash_history]
  register: leaked
"""

RETURN = r"""
access_tokens:
  description: The tokens whose secrets were found, sorted by reference.
  returned: success
  type: list
  elements: dict
  contains:
    reference:
      description:
        - The reference, such as C(projects/PAY/tokens/ci). The other keys of a token that
          M(tokensmith.bitbucket.access_token_info) returns are here as well.
      type: str
    id:
      description: The id.
      type: str
    project:
      description: The key of its project, or of the project of its repository. V(null) for a token of a user.
      type: str
    repository:
      description: The slug of its repository. V(null) if it does not belong to a repository.
      type: str
    user:
      description: The slug of its user. V(null) if it does not belong to a user.
      type: str
    in_use:
      description: Whether it is the token that this task signed in with.
      type: bool
    fingerprints:
      description: The fingerprints of the secrets with its id.
      type: list
      elements: str
    found_in:
      description: The places of the secrets, as C(FILE:LINE) or C(text:LINE), at most ten for each secret.
      type: list
      elements: str
    msg:
      description: The same as a sentence.
      type: str
    works:
      description:
        - Whether the server accepts one of the secrets. V(null) if this was not checked, or if the answer was not
          clear.
        - V(false) only if Bitbucket itself says that they are wrong. A CAPTCHA, a missing license, a filter or a proxy
          would refuse a correct one as well.
      type: bool
unresolved:
  description:
    - The secrets without such a token, with C(kind) (as M(tokensmith.bitbucket.credential_info) returns it),
      C(fingerprint), C(token_id), C(found_in) and C(times). C(settled) is V(true) if no action is needed. C(msg) says
      why, or what to do.
  returned: success
  type: list
  elements: dict
files_searched:
  description: The number of files that were searched.
  returned: success
  type: int
unread:
  description:
    - The files that were not searched, with C(path), C(reason) and C(msg). A member of an archive is C(FILE!MEMBER).
    - C(reason) is C(missing), C(unreadable), C(link) for a link to a directory, C(special) for a socket, a pipe or a
      device, C(unsupported) for a compression that Python cannot read (Zstandard, 7z, RAR), C(encrypted), C(damaged),
      or C(too_large) for a content beyond the limit. The task warns of all but C(link) and C(special).
  returned: success
  type: list
  elements: dict
failures:
  description:
    - The owners whose tokens could not be listed, with C(owner), C(reason) and C(msg). The task does not fail for them.
    - If the rate limit, a refused credential or a lost server ends the search, the tokens found until then are
      returned. The owners that were not asked have the C(reason) C(stopped). A secret whose token was not found is not
      C(settled) then.
  returned: success
  type: list
  elements: dict
summary:
  description: Lines of text about secrets that need no action, files not searched, and owners not asked.
  returned: success
  type: list
  elements: str
left_to_do:
  description:
    - Messages about the work that remains after the tokens in RV(access_tokens) are revoked. If it is empty, no leaked
      secret works any more.
  returned: success
  type: list
  elements: str
"""

import typing as t

from ..module_utils import _argspec
from ..module_utils._module import run_module
from ..module_utils._names import NAMES
from ..module_utils.core._errors import InputError
from ..module_utils.core._shapes import SHORTEST
from ..module_utils.datacenter import _owners
from ..module_utils.datacenter._api import DataCenter
from ..module_utils.http._client import Client
from ..module_utils.http._connection import client_from
from ..module_utils.leaks import _incident, _summary
from ..module_utils.leaks._leaks import Leaks
from ..module_utils.leaks._search import TokenSearch

SPEC: _argspec.Spec = {
    **_argspec.CONNECTION,
    **_argspec.OWNERS,
    "text": {"type": "str", "no_log": True},
    "files": {"type": "list", "elements": "path", "default": []},
    "ignore": {"type": NAMES, "elements": "str", "default": []},
    "verify": {"type": "bool", "default": False},
}

_MOST_NAMED = 3

CONSTRAINTS: dict[str, t.Any] = {"mutually_exclusive": [("token", "password")]}


def run(params: dict[str, t.Any], client: Client, check_mode: bool) -> dict[str, t.Any]:
    """Find secrets and their tokens; reads only, in check mode as well.

    :raises BitbucketError: if there is nothing to search, or no owner can be asked.
    """
    if not params["text"] and not params["files"]:
        raise InputError("There is nothing to search. Set `text` or `files`.")
    if params["text"] and len(params["text"]) < SHORTEST:
        # Ansible masks the value of `text` everywhere in the result, so a short one would mask parts of ids.
        raise InputError("`text` is shorter than any secret.")
    declared = _owners.declared_owners(params, required=False)
    ignored = _incident.fingerprints(params["ignore"])
    leaks = Leaks()
    leaks.search_text(params["text"] or "")
    for path in params["files"]:
        leaks.search_path(path)
    if not params["text"] and not leaks.files and leaks.doubtful:
        raise InputError(leaks.doubtful[0]["msg"])
    wanted = [leak for leak in leaks.all if leak.fingerprint not in ignored]
    search = TokenSearch(DataCenter(client), {leak.token_id for leak in wanted if leak.token_id}, params["concurrency"])
    search.among(declared)
    result = {
        "changed": False,
        **_incident.report(wanted, search, client, whole=declared.me, verify=params["verify"]),
        "files_searched": leaks.files,
        "unread": leaks.unread,
        "warned": _unread_warning(leaks.doubtful),
    }
    return {**result, "summary": _summary.lines_of(result), "left_to_do": _summary.left_to_do(result)}


def _unread_warning(unread: list[dict[str, str]]) -> list[str]:
    """One warning about the files that were not read: they may contain secrets."""
    if not unread:
        return []
    shown = " ".join(item["msg"] for item in unread[:_MOST_NAMED])
    more = f" And {len(unread) - _MOST_NAMED:,} more, all in `unread`." if len(unread) > _MOST_NAMED else ""
    return [f"Not everything was searched. The rest may contain secrets. {shown}{more}"]


def main() -> None:
    run_module(SPEC, run, client_from, **CONSTRAINTS)


if __name__ == "__main__":
    main()
