# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Bitbucket's secrets in any text, found by their shape. Nothing in here may put a secret into a message."""

from __future__ import annotations

import base64
import html
import re
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _secret


def _escaped(sign: str, entity: str = "#") -> str:
    """A pattern for a sign as it is written inside of something else: in a URL, also encoded again (%2B, %252B), in a
    string of JSON or of a program (\\u002b, \\x2b; backslashes grow in number where JSON holds JSON), in HTML.
    """
    code = "".join(f"[{digit.upper()}{digit.lower()}]" if digit.isalpha() else digit for digit in f"{ord(sign):x}")
    in_html = f"#[xX]0{{0,4}}{code}|#0{{0,4}}{ord(sign)}|{entity}"
    return rf"%(?:25){{0,4}}{code}|\\{{1,8}}(?:u00|x){code}|&(?:amp;){{0,2}}(?:{in_html});"


_PLUS_SLASH = rf"{_escaped('+', 'plus')}|{_escaped('/', 'sol')}|\\{{1,8}}/"
# Quoted-printable writes =3D.
_EQUALS = rf"=3[Dd](?=[0-9A-Fa-f]{{8}})|=|{_escaped('=', 'equals')}"
_HYPHEN = rf"-|{_escaped('-')}"
_WRITTEN = re.compile(
    r"(?:%(?:25){0,4}|\\{1,8}(?:u00|x)|&(?:amp;){0,2}#[xX]0{0,4}|=(?=3[Dd][0-9A-Fa-f]{8}\Z))(?P<code>[0-9A-Fa-f]{2});?"
    r"|&(?:amp;){0,2}(?P<entity>[a-z#0-9]+;)|\\{1,8}/"
)
# A Data Center secret is base64 of twelve digits, a colon and twenty bytes. No boundary is asked for: a slash before it
# in a path would pass for base64 as well, and the digits tell well enough.
# Written so that a search of much text is quick: what a match begins with is a plain character, not a choice.
_THREE_DIGITS = "[MNO][DTjz][AEIMQUYcgk][0-5w-z]"
_HTTP_ACCESS_TOKEN = re.compile(f"{_THREE_DIGITS * 4}O[g-v](?:[A-Za-z0-9+/]|{_PLUS_SLASH}){{26}}")
_PREFIX = re.compile(f"{_secret.DATA_CENTER_PREFIX[:-1]}(?:{_HYPHEN})\\Z")
_LONGEST_BEFORE = 32
# Bitbucket Cloud: a prefix, a body, and for API and access tokens an equals sign and a checksum, where it was not cut.
# A body ends where the next secret begins, so that what looks like one does not hide another, and a search goes
# through a text once.
_CLOUD = re.compile(
    r"AT(?:BB[A-Za-z0-9]{12,4096}"
    rf"|(?:AT|CT)(?:(?!(?:_|{_HYPHEN})AT(?:AT|CT|BB))(?:[A-Za-z0-9_]|{_HYPHEN})){{16,4096}}"
    rf"(?:(?:{_EQUALS})[0-9A-Fa-f]{{8}})?)"
)
# What begins in the middle of a word is none, unless what is before it is the end of an escape, or of a colour.
_WORD = re.compile(r"[A-Za-z0-9]\Z")
_ESCAPE = re.compile(
    r"(?:%(?:25){0,4}[0-9A-Fa-f]{2}|\\(?:[abefnrtv]|x[0-9A-Fa-f]{2}|u00[0-9A-Fa-f]{2}|[0-7]{1,3})|=[0-9A-F]{2}"
    r"|\[[0-9;:]{0,24}[A-Za-z]|\(B)\Z"
)
#: Characters of the shortest of them.
SHORTEST = 16
# What is base64 of that, or more. Where in it a byte begins is not known, since a path may stand before it.
_BASE64 = re.compile(r"([A-Za-z0-9+/]{22,})={0,2}")
#: Characters of base64 that are taken for a login as a whole; of more, the part with the secret is told.
LONGEST_LOGIN = 1024


class Sighting(t.NamedTuple):
    """A secret, and the part of the text that holds it (``text[start:end]``), in whatever encoding."""

    start: int
    end: int
    secret: str


def sightings(text: str) -> list[Sighting]:
    """The secrets of Bitbucket in ``text``, in order of their beginnings, also escaped and inside base64, as in the
    header of a Basic login. Some may overlap: what looks like one does not hide the next.

    A Data Center token is known by what it decodes to, one of Cloud by its prefix. A password has no shape.
    """
    return sorted([*_plain(text), *_in_base64(text)], key=lambda sighting: sighting.start)


def without(text: str, word: t.Callable[[str], str]) -> str:
    """``text`` with a word in place of each secret, and one for each of those that overlap.

    :param word: what stands for a secret.
    """
    told, end = "", 0
    for found in sightings(text):
        told += text[end : found.start] + word(found.secret)
        end = max(end, found.end)
    return told + text[end:]


def _plain(text: str) -> t.Iterator[Sighting]:
    for match in _each(_HTTP_ACCESS_TOKEN, text):
        prefix = _PREFIX.search(_before(text, match.start()))
        start = match.start() - (len(prefix.group()) if prefix else 0)
        secret = _read(text[start : match.end()])
        if _secret.token_id(secret) is not None:
            yield Sighting(start, match.end(), secret)
    for match in _CLOUD.finditer(text):
        before = _before(text, match.start())
        if not _WORD.search(before) or _ESCAPE.search(before):
            yield Sighting(match.start(), match.end(), _read(match.group()))


def _before(text: str, position: int) -> str:
    return text[max(0, position - _LONGEST_BEFORE) : position]


def _in_base64(text: str) -> t.Iterator[Sighting]:
    for match in _BASE64.finditer(text):
        run = match.group(1)
        for shift in range(4):
            decoded = _decoded(run[shift:])
            for inner in _plain(decoded):
                if shift == 0 and len(run) <= LONGEST_LOGIN and _is_text(decoded):
                    yield Sighting(match.start(), match.end(), inner.secret)
                    continue
                begin = match.start() + shift
                start, end = begin + inner.start // 3 * 4, begin + -(-inner.end // 3) * 4
                yield Sighting(start, min(end, match.end(1)), inner.secret)


def _decoded(encoded: str) -> str:
    """As text, byte by byte; a character that is left over stands for nothing."""
    whole = encoded[: len(encoded) - (len(encoded) % 4 == 1)]
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("latin-1")


def _is_text(decoded: str) -> bool:
    """Whether it is a login, or a secret by itself, rather than something that happens to hold one."""
    try:
        return decoded.encode("latin-1").decode().strip().isprintable()
    except UnicodeDecodeError:
        return False


def _each(pattern: re.Pattern[str], text: str) -> t.Iterator[re.Match[str]]:
    """Every match, also one that begins inside another."""
    match = pattern.search(text)
    while match:
        yield match
        match = pattern.search(text, match.start() + 1)


def _read(written: str) -> str:
    """Without escapes."""
    return _WRITTEN.sub(_sign, written)


def _sign(written: re.Match[str]) -> str:
    code, entity = written.group("code", "entity")
    return chr(int(code, 16)) if code else html.unescape(f"&{entity}") if entity else "/"
