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

from ._shapes import without

CREDENTIAL = "[credential]"
SECRET = "[secret]"
WITHHELD = "[withheld, since it repeats the credential]"

_ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))")
# Whatever is before the last @ may be a password: not everybody writes one where a URL has it.
_USERINFO = re.compile(r"\A(\s*[A-Za-z][A-Za-z0-9+.-]*://)?.*@", re.DOTALL)
_QUERY = re.compile(r"[?#].+\Z", re.DOTALL)
# Encodings inside encodings: a page that holds JSON that holds a URL.
_DEPTH = 3
# Far more than is ever shown of it; undoing the escapes of a whole body would take its time.
_LONGEST = 64 * 1024
# So many characters from either end of a credential are one that somebody has cut.
_CUT = 8
# Stands for what was taken out until all is, so that no credential is found in the words that say so.
_GAP = "\ue000"


def redacted(text: str, credentials: t.Iterable[str]) -> str:
    """``text`` without the credentials in any usual spelling, whole or cut, and without whatever has the shape of a
    secret.
    """
    spellings = [spelling for credential in credentials if credential for spelling in _spellings(credential)]
    text = text.replace(CREDENTIAL, _GAP)
    # The longest first, so that none leaves a part of another.
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, _GAP)
    text = text[:_LONGEST]
    ends = {end for spelling in spellings for end in (spelling[:_CUT], spelling[-_CUT:])}
    if any(end in decoded for decoded in _decodings(text, _DEPTH) for end in ends):
        return WITHHELD
    text = re.sub(f"{_GAP}+", CREDENTIAL, _without_cut(text, spellings))
    return without_shapes(text)[:_LONGEST]


def without_shapes(text: str) -> str:
    """``text`` without what has the shape of one of Bitbucket's secrets."""
    return without(text, lambda _found: SECRET)


def url_of(params: t.MutableMapping[str, t.Any], option: str) -> str:
    """The URL that an option names. A credential in it is taken out of ``params``, which Ansible shows of a module that
    failed; whoever uses the URL refuses it.
    """
    url = str(params[option] or "")
    params[option] = without_userinfo(url)
    return url


def without_userinfo(url: str) -> str:
    """A base ``url`` with a mark in place of a user's name and password, and of a query, which none has."""
    shown = _USERINFO.sub(lambda found: f"{found[1] or ''}{CREDENTIAL}@", url)
    return _QUERY.sub(f"?{CREDENTIAL}", shown)


def _without_cut(text: str, spellings: t.Iterable[str]) -> str:
    """``text`` without what begins or ends as a spelling does, as where a server shows a part of what it was sent."""
    backwards = text[::-1]
    hidden = list(text)
    for spelling in spellings:
        for start, end in _beginnings(text, spelling):
            hidden[start:end] = _GAP * (end - start)
        for start, end in _beginnings(backwards, spelling[::-1]):
            hidden[len(text) - end : len(text) - start] = _GAP * (end - start)
    return "".join(hidden)


def _beginnings(text: str, spelling: str) -> t.Iterator[tuple[int, int]]:
    """Where in ``text`` at least the first characters of the spelling are, and how far it goes on."""
    start = text.find(spelling[:_CUT]) if len(spelling) >= _CUT else -1
    while start >= 0:
        least, most = _CUT, len(spelling)
        while least < most:
            middle = (least + most + 1) // 2
            if text.startswith(spelling[:middle], start):
                least = middle
            else:
                most = middle - 1
        yield start, start + least
        start = text.find(spelling[:_CUT], start + 1)


def _spellings(credential: str) -> set[str]:
    """How it is usually written."""
    data = credential.encode("utf-8", "surrogateescape")
    usual = {
        credential,
        quote(data, safe=""),
        quote(data),
        quote_plus(data),
        json.dumps(credential)[1:-1],
        html.escape(credential),
        base64.b64encode(data).decode("ascii").rstrip("="),
    }
    # Of a short one they would be found in text that has nothing to do with it.
    return usual | set(_rarer(data)) if len(data) >= _CUT else usual


def _rarer(data: bytes) -> t.Iterator[str]:
    """In hexadecimal, and in base64 together with what was before it."""
    yield data.hex()
    yield data.hex().upper()
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(shift) + data).decode("ascii")
            rest = text.rstrip("=")
            # Only what does not depend on the bytes before and after.
            yield text[(shift * 8 + 5) // 6 : len(rest) - (rest != text)]


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
