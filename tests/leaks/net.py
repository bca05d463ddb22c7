"""The net: every form in which a secret may show, and the search for it in everything that a run left behind."""

from __future__ import annotations

import base64
import html
import json
import re
import typing as t
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus
from xml.sax import saxutils

#: So many characters from either end of a secret are a leak as well: messages get cut.
ENOUGH = 16
#: A secret of any token, known or not, as this Bitbucket makes them.
_SHAPE = re.compile(rb"BBDC-[A-Za-z0-9+/]{20}")
#: The documented return keys: ``secret``, and in ``secrets`` the references.
_QUOTE = rb"""(?:\\*["']|&quot;)"""
_RETURNED = _QUOTE + rb"(?:secret|(?:projects|users)/[^\"'&\s\\]*)" + _QUOTE + b": ?" + _QUOTE + b"%s" + _QUOTE


class Catch(t.NamedTuple):
    """Where a secret was found and in which form; never the secret."""

    path: str
    offset: int
    name: str
    form: str

    def __str__(self) -> str:
        return f"{self.path}, byte {self.offset}: {self.name}, {self.form}"


def forms(secret: str) -> Iterator[tuple[str, str]]:
    """How programs write a text, with what to call that."""
    yield "as it is", secret
    yield "percent-encoded", quote(secret, safe="")
    yield "percent-encoded but for slashes", quote(secret)
    yield "as in a form", quote_plus(secret)
    yield "in JSON", json.dumps(secret)[1:-1]
    yield "in JSON in JSON", json.dumps(json.dumps(secret))[3:-3]
    yield "in JSON that may stand in a page", _json_for_pages(secret)
    yield "as Python writes it", repr(secret)[1:-1]
    yield "in HTML", html.escape(secret)
    yield "in XML", saxutils.escape(secret, {'"': "&quot;"})
    yield "in JSON in XML", saxutils.escape(json.dumps(secret)[1:-1], {'"': "&quot;"})
    for shift in range(3):
        for kind in (base64.b64encode, base64.urlsafe_b64encode):
            yield f"in base64, shifted by {shift}", _inner(kind(bytes(shift) + secret.encode()).decode(), shift)
    yield "in hexadecimal", secret.encode().hex()


def _json_for_pages(secret: str) -> str:
    """With ``\\u003d`` for ``=`` and the like."""
    return re.sub(r"[=<>&'+]", lambda match: f"\\u{ord(match.group()):04x}", json.dumps(secret)[1:-1])


def _inner(text: str, shift: int) -> str:
    """Of base64 what does not depend on the bytes before and after."""
    rest = text.rstrip("=")
    return text[(shift * 8 + 5) // 6 : len(rest) - (rest != text)]


class Net:
    """Looks for secrets in files.

    :param secrets: what to look for, by the name to report it by.
    :param shape: whether to look for whatever has the shape of an issued secret as well.
    """

    def __init__(self, secrets: t.Mapping[str, str], shape: bool = True) -> None:
        self.files = 0
        self._shape = shape
        self._needles: dict[bytes, tuple[str, str]] = {}
        for name, secret in secrets.items():
            if len(secret) < ENOUGH:
                raise ValueError(f"{name} is too short to be told from chance")
            for form, text in forms(secret):
                for end, part in (("its beginning", text[:ENOUGH]), ("its end", text[-ENOUGH:])):
                    self._needles.setdefault(part.encode(), (name, f"{form}, {end}"))

    def search(self, *places: Path, returned: Iterable[str] = ()) -> list[Catch]:
        """Every secret in the files at or below the places, and in their names.

        :param returned: secrets that may stand where a task without a store returns them, and nowhere else.
        """
        secrets = b"|".join(re.escape(secret.encode()) for secret in returned)
        allowed = re.compile(_RETURNED % (b"(?:" + secrets + b")")) if secrets else None
        caught = []
        for path in sorted(path for place in places for path in (place, *place.rglob("*"))):
            caught += self._caught(f"the name of {path.parent}/…", path.name.encode())
            if path.is_file() and not path.is_symlink():
                self.files += 1
                data = path.read_bytes()
                caught += self._caught(str(path), allowed.sub(b"", data) if allowed else data)
        return caught

    def _caught(self, where: str, data: bytes) -> list[Catch]:
        found: dict[str, Catch] = {}
        for needle, (name, form) in self._needles.items():
            offset = data.find(needle)
            if offset >= 0:
                found.setdefault(name, Catch(where, offset, name, form))
        if self._shape and not found and (match := _SHAPE.search(data)):
            found["shape"] = Catch(where, match.start(), "a secret that nobody knows", "by its shape")
        return list(found.values())
