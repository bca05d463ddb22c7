# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Bitbucket's secrets in any text, found by their shape. Nothing in here may put a secret into a message."""

from __future__ import annotations

import base64
import html
import itertools
import re
import string
import typing as t

from . import _secret


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
# With the prefix it is one whatever it decodes to; 40 to 50 characters is what secret scanners look for.
_OPAQUE = re.compile(
    f"{_secret.DATA_CENTER_PREFIX[:-1]}(?:{_HYPHEN})(?:[A-Za-z0-9+/_=-]|{_PLUS_SLASH}"
    f"|{_escaped('=', 'equals')}){{40,50}}"
)
_LONGEST_BEFORE = 32
# Bitbucket Cloud: a prefix, a body, and for API and access tokens an equals sign and a checksum, where it was not cut.
# A body ends where the next secret begins, so that what looks like one does not hide another, and a search goes
# through a text once.
_CLOUD = re.compile(
    r"AT(?:BB[A-Za-z0-9]{12,4096}"
    rf"|(?:AT|CT)(?:(?!(?:_|{_HYPHEN})AT(?:AT|CT|BB))(?:[A-Za-z0-9_]|{_HYPHEN})){{16,4096}}"
    rf"(?:(?:{_EQUALS})[0-9A-Fa-f]{{8}})?)"
)
_DIGIT = re.compile("[0-9]")
# What every API token known today goes on with.
_API_TOKEN_START = "T3xFf"
# Characters of a secret that are judged: a real one may be followed by words. In words the class of character (upper
# case, lower case, digit) hardly changes, in secrets at least at every fifth pair.
_JUDGED, _RARELY = 32, 5
# Characters behind the prefix of an app password, of which one in 250 has no digit.
_APP_PASSWORD = 32
# API tokens and access tokens end in a checksum, unless they were cut. The shortest have over a hundred characters.
_CHECKSUM = re.compile("=[0-9A-Fa-f]{8}\\Z")
_SHORTEST_TOKEN = 64
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


def _encoded(marker: t.Sequence[str], offset: int) -> str:
    """The characters of base64 that stand for a marker which begins at byte ``offset`` of three.

    :param marker: the characters that each of its bytes may be.
    :returns: a pattern for those characters of base64 that depend on the marker alone.
    """
    known = dict(enumerate(marker, offset))
    sets = []
    for position in range((offset + len(marker)) * 8 // 6):
        first, last = position * 6 // 8, (position * 6 + 5) // 8
        if first not in known or last not in known:
            continue
        pairs = (
            itertools.product(known[first], known[last]) if last > first else ((sign, sign) for sign in known[first])
        )
        shift = 8 * (last + 1) - 6 * (position + 1)
        values = {((ord(one) << 8 | ord(two)) if last > first else ord(one)) >> shift & 63 for one, two in pairs}
        sets.append("".join(sorted(_ALPHABET[value] for value in values)))
    return "".join(f"[{re.escape(signs)}]" for signs in sets)


_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
_FIRST_DIGITS = ("MNO", "DTjz", "AEIMQUYcgk", "012345wxyz")
#: What a secret begins with. Its first bytes are never written as escapes.
_MARKERS = (("A", "T", "BAC", "BT"), tuple(_secret.DATA_CENTER_PREFIX[:-1]), _FIRST_DIGITS * 4)
_ENCODED = [re.compile(_encoded(marker, offset)) for marker in _MARKERS for offset in range(3)]
# The same in UTF-16, as programs of Windows encode their arguments.
_ENCODED_WIDE = [
    re.compile(_encoded([sign for one in marker for sign in (one, "\0")][:-1], offset))
    for marker in _MARKERS
    for offset in range(3)
]


class Sighting(t.NamedTuple):
    """A secret, and the part of the text that holds it (``text[start:end]``), in whatever encoding."""

    start: int
    end: int
    secret: str


def sightings(text: str) -> list[Sighting]:
    """The secrets of Bitbucket in ``text``, in order of their beginnings, also escaped and inside base64, as in the
    header of a Basic login. Some may overlap: what looks like one does not hide the next.

    A Data Center token is known by what it decodes to or by its prefix, one of Cloud by its prefix and by a mixture of
    characters that words do not have. A password has no shape.
    """
    return _found(text, strict=True)


def _found(text: str, strict: bool) -> list[Sighting]:
    """The same; unless ``strict``, with words that only begin as a secret of Cloud does."""
    return sorted([*_plain(text, strict), *_in_base64(text, strict)], key=lambda sighting: sighting.start)


def _is_likely(secret: str) -> bool:
    """Whether a secret of Cloud has the characters of a real one: ``ATBBOXWIDTHHEIGHT`` and DNA do not."""
    body = secret[4:]
    if body.startswith(_API_TOKEN_START):
        return True
    classes = [_class_of(sign) for sign in body[:_JUDGED]]
    changes = sum(one != other for one, other in zip(classes, classes[1:]))
    lower, upper, digit = ("a" in classes, "A" in classes, any(sign.isdigit() for sign in body))
    app_password = secret.startswith("ATBB")
    if not app_password and len(body) < _SHORTEST_TOKEN and not _CHECKSUM.search(body):
        return False
    if app_password and len(body) == _APP_PASSWORD and lower and upper:
        return True
    return digit and lower and (upper or app_password) and changes * _RARELY >= len(classes) - 1


def _class_of(sign: str) -> str:
    return "0" if sign.isdigit() else "a" if sign.islower() else "A" if sign.isupper() else "-"


def without(text: str, word: t.Callable[[str], str]) -> str:
    """``text`` with a word in place of each secret, and one for each of those that overlap.

    :param word: what stands for a secret.
    """
    told, end = "", 0
    for found in _found(text, strict=False):
        told += text[end : found.start] + word(found.secret)
        end = max(end, found.end)
    return told + text[end:]


def _plain(text: str, strict: bool) -> t.Iterator[Sighting]:
    told: set[int] = set()
    for match in _each(_HTTP_ACCESS_TOKEN, text):
        prefix = _PREFIX.search(_before(text, match.start()))
        start = match.start() - (len(prefix.group()) if prefix else 0)
        secret = _read(text[start : match.end()])
        if _secret.token_id(secret) is not None:
            told.add(start)
            yield Sighting(start, match.end(), secret)
    for match in _OPAQUE.finditer(text):
        if match.start() not in told and not _WORD.search(_before(text, match.start())):
            yield Sighting(match.start(), match.end(), _read(match.group()))
    for match in _CLOUD.finditer(text):
        # Most words are ruled out here, before anything slow.
        if strict and not _DIGIT.search(match.group()) and len(match.group()) != 4 + _APP_PASSWORD:
            continue
        before = _before(text, match.start())
        if not _WORD.search(before) or _ESCAPE.search(before):
            secret = _read(match.group())
            if not strict or _is_likely(secret):
                yield Sighting(match.start(), match.end(), secret)


def _before(text: str, position: int) -> str:
    return text[max(0, position - _LONGEST_BEFORE) : position]


def _in_base64(text: str, strict: bool) -> t.Iterator[Sighting]:
    for match in _BASE64.finditer(text):
        run = match.group(1)
        # Decoding every run of letters takes most of a search.
        if any(marker.search(run) for marker in _ENCODED_WIDE):
            for shift in range(4):
                narrow = _decoded(run[shift:]).replace("\0", "")
                yield from (Sighting(match.start(), match.end(), inner.secret) for inner in _plain(narrow, strict))
        if not any(marker.search(run) for marker in _ENCODED):
            continue
        for shift in range(4):
            decoded = _decoded(run[shift:])
            for inner in _plain(decoded, strict):
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
