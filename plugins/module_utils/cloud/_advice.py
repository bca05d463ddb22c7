# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Checks of a credential of Bitbucket Cloud without a request. No message quotes a secret."""

from __future__ import annotations

from ..core import _secret
from ..http import _cloud_answers


def advice(secret: str, username: str, email: str) -> list[str]:
    """One sentence for each problem of a credential or its user name."""
    kind = _secret.kind(secret)
    said = [
        (kind == _secret.APP_PASSWORD, f"{_cloud_answers.APP_PASSWORDS_REMOVED}."),
        (
            kind == _secret.API_TOKEN and not _secret.has_checksum(secret),
            "The last eight characters are not the checksum in which API tokens end, so the token may be incomplete. "
            "Compare it with the original.",
        ),
        (
            kind in _secret.GIT_USERS and "@" in username,
            f"git does not accept an e-mail address as the user name: {_git_user(kind)}.",
        ),
        (
            kind == _secret.API_TOKEN and bool(email) and "@" not in email,
            "With an API token, REST needs the e-mail address of the Atlassian account, not the Bitbucket user name.",
        ),
    ]
    return [sentence for applies, sentence in said if applies]


def _git_user(kind: str) -> str:
    if kind == _secret.API_TOKEN:
        return f"with an API token it is {_secret.GIT_USERS[kind]}, or the Bitbucket user name"
    return f"with an access token it is {_secret.GIT_USERS.get(kind)}"
