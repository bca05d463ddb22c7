# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Search text and files for secrets. Results contain the fingerprint of a secret, never the secret."""

from __future__ import annotations

import itertools
import os
import re
import stat
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ..core import _secret
from ..core._errors import GuardError
from ..core._shapes import LONGEST_LOGIN, Sighting, sightings, without
from ..core._text import visible
from . import _packed

# Characters that are in memory at a time. A secret, in whatever encoding, is not longer than an overlap; those before a
# block tell whether what it begins with is the rest of something else.
_BLOCK, _OVERLAP, _BEFORE = 1 << 20, 8192, 2 * LONGEST_LOGIN
#: More are no leak: a text can hold any number of made-up ones, and each would be in memory and in the result.
MOST_SECRETS = 10_000
# A secret may stand on each line of a log.
_PLACES = 10
# ASCII in UTF-32 and UTF-16, with either byte first and wherever it stands; a mark at its beginning is not needed.
_WIDE = re.compile(r"(?:[\x01-\x7f]\0\0\0){8,}|(?:\0\0\0[\x01-\x7f]){8,}|(?:[\x01-\x7f]\0){8,}|(?:\0[\x01-\x7f]){8,}")
#: Reasons of ``unread`` for which the path cannot contain a secret.
HARMLESS = ("link", "special")


@dataclass
class Leak:
    """One secret, how often it was seen, and the first places where."""

    secret: str = field(repr=False)
    found_in: list[str] = field(default_factory=list)
    times: int = 0

    @property
    def token_id(self) -> str | None:
        """The id of the Data Center token that it says it belongs to."""
        return _secret.token_id(self.secret)

    @property
    def kind(self) -> str:
        """The kind of the credential."""
        return _secret.kind(self.secret)

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the secret."""
        return _secret.fingerprint(self.secret)


class Leaks:
    """Collects the secrets of all searched text. ``unread`` lists the files that could not be searched."""

    def __init__(self) -> None:
        self.files = 0
        self.unread: list[dict[str, str]] = []
        self._leaks: dict[str, Leak] = {}

    @property
    def all(self) -> list[Leak]:
        """Each secret once, in the order in which they were found."""
        return list(self._leaks.values())

    def search_text(self, text: str) -> None:
        """Search a text that the caller has."""
        self._search([text], "text")

    def search_path(self, path: str) -> None:
        """Search a file, or all files below a directory. One that does not exist is in ``unread`` as ``missing``."""
        try:
            mode = Path(path).stat().st_mode
        except FileNotFoundError:
            self._skip(path, "missing", "it does not exist")
        except (OSError, ValueError) as error:
            self._skip(path, "unreadable", f"it could not be read: {_why(error)}")
        else:
            if stat.S_ISDIR(mode):
                self._folder(path)
            elif stat.S_ISREG(mode):
                self._file(Path(path))
            else:
                self._skip(path, "unreadable", "it is neither a file nor a directory")

    @property
    def doubtful(self) -> list[dict[str, str]]:
        """The entries of ``unread`` that may contain secrets."""
        return [item for item in self.unread if item["reason"] not in HARMLESS]

    def _folder(self, path: str) -> None:
        for folder, folders, names in os.walk(path, onerror=self._refused):
            folders.sort()
            for name in sorted(names):
                self._entry(Path(folder, name))
            for link in (Path(folder, name) for name in folders):
                if link.is_symlink():
                    self._skip(str(link), "link", "it is a link to a directory, which is not followed")

    def _entry(self, path: Path) -> None:
        try:
            mode = path.stat().st_mode
        except OSError as error:
            self._refused(error, str(path))
            return
        if stat.S_ISREG(mode):
            self._file(path)
        else:
            self._skip(str(path), "special", "it is no file but a socket, a pipe or a device")

    def _file(self, path: Path) -> None:
        self.files += 1
        place = shown(str(path))
        for found in sightings(str(path)):
            self._add(found.secret, f"{place} (its name)")
        try:
            with path.open("rb") as stream:
                packed = self._unpacker(path).unpack(stream, place)
                stream.seek(0)
                # A packed file may hold a secret as it is too; what its members gave is not counted once more.
                self._search(_blocks(stream), place, only_new=packed)
        except OSError as error:
            self._refused(error, str(path))

    def _unpacker(self, path: Path) -> _packed.Unpacker:
        def skip(item: _packed.Unsearched) -> None:
            self._skip(item.place, item.reason, item.why)

        def search(place: str, chunks: t.Iterator[bytes]) -> None:
            self._search((chunk.decode("latin-1") for chunk in chunks), place)

        return _packed.Unpacker(path.stat().st_size, search, skip, self._member)

    def _member(self, place: str, name: str) -> str:
        """The place of a member of an archive. Its name may be a secret too."""
        inside = f"{place}!{shown(name)}"
        for found in sightings(name):
            self._add(found.secret, f"{inside} (its name)")
        return inside

    def _search(self, blocks: t.Iterable[str], place: str, only_new: bool = False) -> None:
        known = set(self._leaks) if only_new else set()
        held, begin, line = "", 0, 1
        for block in itertools.chain(filter(None, blocks), [""]):
            held += block
            end = max(begin, len(held) - _OVERLAP) if block else len(held)
            counted = begin
            for found in _seen(held):
                if begin <= found.start < end and found.secret not in known:
                    line += held.count("\n", counted, found.start)
                    counted = found.start
                    self._add(found.secret, f"{place}:{line}")
            line += held.count("\n", counted, end)
            cut = max(0, end - _BEFORE)
            held, begin = held[cut:], end - cut

    def _add(self, secret: str, place: str) -> None:
        if secret not in self._leaks and len(self._leaks) >= MOST_SECRETS:
            raise GuardError(
                f"There are more than {MOST_SECRETS:,} different secrets. Either they are false, or too much is "
                "searched at a time. Nothing was looked up or revoked: search less."
            )
        leak = self._leaks.setdefault(secret, Leak(secret))
        leak.times += 1
        if place not in leak.found_in and len(leak.found_in) < _PLACES:
            leak.found_in.append(place)

    def _refused(self, error: OSError, path: str = "") -> None:
        self._skip(path or str(error.filename), "unreadable", f"it could not be read: {_why(error)}")

    def _skip(self, path: str, reason: str, why: str) -> None:
        self.unread.append({"path": shown(path), "reason": reason, "msg": f"{shown(path)}: not searched, {why}."})


def _seen(text: str) -> list[Sighting]:
    """The secrets in a text, also in the parts of it that are UTF-16 or UTF-32."""
    found = sightings(text)
    if "\0" not in text:
        return found
    for wide in _WIDE.finditer(text):
        narrow = wide.group().replace("\0", "")
        width = len(wide.group()) // len(narrow)
        found += [
            Sighting(wide.start() + item.start * width, wide.start() + item.end * width, item.secret)
            for item in sightings(narrow)
        ]
    return sorted(found, key=lambda item: item.start)


def shown(path: str) -> str:
    """``path`` for a message: a secret in the name of a file is replaced by its fingerprint."""
    masked = without(path, lambda secret: f"[{_secret.fingerprint(secret)}]")
    return visible(masked.encode("utf-8", "backslashreplace").decode("utf-8"))


def _blocks(stream: t.BinaryIO) -> t.Iterator[str]:
    """A file as text, block by block. Secrets are ASCII, so any encoding that keeps ASCII may be read as Latin-1."""
    while block := stream.read(_BLOCK):
        yield block.decode("latin-1")


def _why(error: Exception) -> str:
    """The system's words without the path, which it quotes as it is."""
    return (error.strerror if isinstance(error, OSError) else None) or "it is not a path"
