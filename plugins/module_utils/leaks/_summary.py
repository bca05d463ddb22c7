# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The result of a search for leaked secrets as lines of text. No line contains a secret."""

from __future__ import annotations

import typing as t

from ..core._text import shortened

#: More files or owners than this are counted only; the result has all of them.
SHOWN = 20

Result = t.Mapping[str, t.Any]


def lines_of(result: Result) -> list[str]:
    """Lines about secrets that need no action, files not searched, and owners not asked."""
    dead = [token["msg"] for token in result["access_tokens"] if token["works"] is False]
    settled = [secret["msg"] for secret in result["unresolved"] if secret["settled"]]
    return [
        *(f"left alone, since the secret is refused: {message}" for message in dead),
        *(f"nothing to do: {message}" for message in settled),
        *shortened([entry["msg"] for entry in result["unread"]], SHOWN, "more files that were not searched"),
        *shortened([f"not asked: {entry['msg']}" for entry in result["failures"]], SHOWN, "more owners not asked"),
    ]


def left_to_do(result: Result) -> list[str]:
    """Messages about the work that remains after the found tokens are revoked."""
    live = (token for token in result["access_tokens"] if token["works"] is not False)
    own = [
        f"revoke it with another credential, since this run signs in with it: {token['msg']}"
        for token in live
        if token["in_use"]
    ]
    secrets = [secret["msg"] for secret in result["unresolved"] if not secret["settled"]]
    # Links to directories are searched at their targets, and sockets and devices hold no secrets.
    unread = [entry["msg"] for entry in result["unread"] if entry["reason"] not in ("link", "special")]
    return [
        *(f"Left to do: {message}" for message in (*own, *secrets)),
        *shortened(unread, SHOWN, "more files that were not searched"),
    ]
