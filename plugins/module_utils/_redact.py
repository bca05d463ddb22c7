# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Takes secrets out of what others say: servers and proxies repeat what they were sent, and rarely as it was."""

from __future__ import annotations

import base64
import html
import json
import re
import typing as t
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from ansible_collections.tokensmith.bitbucket.plugins.module_utils._shapes import sightings

CREDENTIAL = "[credential]"
SECRET = "[secret]"
WITHHELD = "[withheld, since it repeats the credential]"

_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))")
_USERINFO = re.compile(r"//.*@")
# Encodings inside encodings: a page that holds JSON that holds a URL.
_DEPTH = 3
# Far more than is ever shown of it; undoing the escapes of a whole body would take its time.
_LONGEST = 64 * 1024


def redacted(text: str, credentials: t.Iterable[str]) -> str:
    """``text`` without the credentials in any usual spelling, and without whatever has the shape of a secret."""
    spellings = [spelling for credential in credentials if credential for spelling in _spellings(credential)]
    # The longest first, so that none leaves a part of another.
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, CREDENTIAL)
    text = text[:_LONGEST]
    if any(spelling in decoded for decoded in _decodings(text, _DEPTH) for spelling in spellings):
        return WITHHELD
    return without_shapes(text)


def without_shapes(text: str) -> str:
    """``text`` without what has the shape of one of Bitbucket's secrets."""
    for sighting in reversed(sightings(text)):
        text = text[: sighting.start] + SECRET + text[sighting.end :]
    return text


def url_of(params: t.MutableMapping[str, t.Any], option: str) -> str:
    """The URL that an option names. A credential in it is taken out of ``params``, which Ansible shows of a module that
    failed; whoever uses the URL refuses it.
    """
    url = str(params[option] or "")
    params[option] = without_userinfo(url)
    return url


def without_userinfo(url: str) -> str:
    """``url`` with a mark in place of a user's name and password."""
    return _USERINFO.sub(f"//{CREDENTIAL}@", url)


def _spellings(credential: str) -> set[str]:
    """How it is usually written."""
    data = credential.encode("utf-8", "surrogateescape")
    return {
        credential,
        quote(data, safe=""),
        quote(data),
        quote_plus(data),
        json.dumps(credential)[1:-1],
        html.escape(credential),
        base64.b64encode(data).decode("ascii").rstrip("="),
    }


def _decodings(text: str, depth: int) -> t.Iterator[str]:
    """What it says to somebody who undoes its escapes."""
    for decode in (unquote, unquote_plus, html.unescape, _unescaped):
        decoded = decode(text)
        if decoded != text:
            yield decoded
            if depth > 1:
                yield from _decodings(decoded, depth - 1)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)) if match[1] else match[2], text)
