# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of ``git credential-store``: one URL a line, its user and password percent-encoded."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _entries
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._entries import Edit, Edits, Entry, Login

# Git knows no comments here and ignores such a line; whoever disabled it left the secret readable.
_LINE = re.compile(
    r"^[ \t#]*(?P<scheme>https?)://(?P<userinfo>[^/?#\r\n]*)@(?P<host>[^/?#@:\s]+)[^\n]*(?:\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)


def entries(text: str) -> t.Iterator[Entry]:
    """Every line with a secret; removing one removes its line."""
    for login in _entries.logins(text, _LINE):
        start = text.rfind("\n", 0, login.start) + 1
        end = text.find("\n", login.end) + 1 or len(text)
        yield Entry(
            login.start,
            login.end,
            login.host,
            login.user,
            login.secret,
            (Edit(start, end),),
            _replacement(login),
            login.plain,
        )


def _replacement(login: Login) -> t.Callable[[str, str], Edits]:
    return lambda user, secret: (Edit(login.start, login.end, _entries.userinfo(user, secret)),)
