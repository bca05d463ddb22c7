# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Bitbucket's secrets in any text, found by their shape. Nothing in here may put a secret into a message."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t
from urllib.parse import unquote

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _secret

# A Data Center secret is base64 of twelve digits, a colon and twenty bytes. No boundary is asked for: a slash before it
# in a path would pass for base64 as well, and the digits tell well enough. In a URL its + and / may be percent-encoded.
# Written so that a search of much text is quick: what a match begins with is a plain character, not a choice.
_THREE_DIGITS = "[MNO][DTjz][AEIMQUYcgk][0-5w-z]"
_HTTP_ACCESS_TOKEN = re.compile(f"{_THREE_DIGITS * 4}O[g-v](?:[A-Za-z0-9+/]|%2[BbFf]){{26}}")
# Bitbucket Cloud: a prefix, a body, and for API and access tokens an equals sign and a checksum, where it was not cut.
_CLOUD = re.compile(
    r"AT(?<![A-Za-z0-9]AT)(?:BB[A-Za-z0-9]{12,}|(?:AT|CT)[A-Za-z0-9_-]{16,}(?:(?:=|%3[Dd])[0-9A-Fa-f]{8})?)"
)
_PREFIX = _secret.DATA_CENTER_PREFIX
#: Characters of the shortest of them.
SHORTEST = 16
_BASIC = re.compile(r"asic(?<=\b[Bb]asic)\s+([A-Za-z0-9+/]{8,}={0,2})")


class Sighting(t.NamedTuple):
    """A secret, and the part of the text that holds it (``text[start:end]``), in whatever encoding."""

    start: int
    end: int
    secret: str


def sightings(text: str) -> list[Sighting]:
    """The secrets of Bitbucket in ``text``, in order, also percent-encoded and inside the header of a Basic login.

    A Data Center token is known by what it decodes to, one of Cloud by its prefix. A password has no shape.
    """
    found = [*_http_access_tokens(text), *_cloud_tokens(text), *_basic_logins(text)]
    return sorted(found, key=lambda sighting: sighting.start)


def _http_access_tokens(text: str) -> t.Iterator[Sighting]:
    for match in _HTTP_ACCESS_TOKEN.finditer(text):
        prefix = len(_PREFIX) if text.endswith(_PREFIX, 0, match.start()) else 0
        secret = unquote(text[match.start() - prefix : match.end()])
        if _secret.token_id(secret) is not None:
            yield Sighting(match.start() - prefix, match.end(), secret)


def _cloud_tokens(text: str) -> t.Iterator[Sighting]:
    for match in _CLOUD.finditer(text):
        yield Sighting(match.start(), match.end(), unquote(match.group()))


def _basic_logins(text: str) -> t.Iterator[Sighting]:
    for match in _BASIC.finditer(text):
        try:
            login = base64.b64decode(match.group(1), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
        for inner in (*_http_access_tokens(login), *_cloud_tokens(login)):
            yield Sighting(match.start(1), match.end(1), inner.secret)
