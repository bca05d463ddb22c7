# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which secrets a text and files hold, and where. What is told of a secret is its fingerprint, never itself."""

from __future__ import annotations

import codecs
import itertools
import os
import stat
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _secret
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import GuardError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._shapes import LONGEST_LOGIN, sightings, without
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._text import visible

# Characters that are in memory at a time. A secret, in whatever encoding, is not longer than an overlap; those before a
# block tell whether what it begins with is the rest of something else.
_BLOCK, _OVERLAP, _BEFORE = 1 << 20, 8192, 2 * LONGEST_LOGIN
#: More are no leak: a text can hold any number of made-up ones, and each would be in memory and in the result.
MOST_SECRETS = 10_000
# A secret may stand on each line of a log.
_PLACES = 10
_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


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
        """What kind of credential it is."""
        return _secret.kind(self.secret)

    @property
    def fingerprint(self) -> str:
        """What it is recognised by."""
        return _secret.fingerprint(self.secret)


class Leaks:
    """Collects secrets from everything that is searched. ``unread`` is what could not be."""

    def __init__(self) -> None:
        self.files = 0
        self.unread: list[dict[str, str]] = []
        self._leaks: dict[str, Leak] = {}

    @property
    def all(self) -> list[Leak]:
        """Each secret once, in the order of sight."""
        return list(self._leaks.values())

    def search_text(self, text: str) -> None:
        """Search a text that the caller has."""
        self._search([text], "text")

    def search_path(self, path: str) -> None:
        """Search a file, or all files below a directory.

        :raises InputError: where there is none, since a name with a mistake in it must not look like a clean file.
        """
        try:
            mode = Path(path).stat().st_mode
        except (OSError, ValueError) as error:
            raise InputError(f"{shown(path)} cannot be searched: {_why(error)}.") from None
        if stat.S_ISDIR(mode):
            self._folder(path)
        elif stat.S_ISREG(mode):
            self._file(Path(path))
        else:
            raise InputError(f"{shown(path)} cannot be searched: it is neither a file nor a directory.")

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
                self._search(_blocks(stream), place)
        except OSError as error:
            self._refused(error, str(path))

    def _search(self, blocks: t.Iterable[str], place: str) -> None:
        held, begin, line = "", 0, 1
        for block in itertools.chain(filter(None, blocks), [""]):
            held += block
            end = max(begin, len(held) - _OVERLAP) if block else len(held)
            counted = begin
            for found in sightings(held):
                if begin <= found.start < end:
                    line += held.count("\n", counted, found.start)
                    counted = found.start
                    self._add(found.secret, f"{place}:{line}")
            line += held.count("\n", counted, end)
            cut = max(0, end - _BEFORE)
            held, begin = held[cut:], end - cut

    def _add(self, secret: str, place: str) -> None:
        if secret not in self._leaks and len(self._leaks) >= MOST_SECRETS:
            raise GuardError(
                f"There are more than {MOST_SECRETS:,} different secrets: somebody made them up, or too much is "
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


def shown(path: str) -> str:
    """A path fit for a message: whoever names a file after a secret shows it to everyone who lists files."""
    told = without(path, lambda secret: f"[{_secret.fingerprint(secret)}]")
    return visible(told.encode("utf-8", "backslashreplace").decode("utf-8"))


def _blocks(stream: t.BinaryIO) -> t.Iterator[str]:
    """A file as text, block by block. Secrets are ASCII, so any encoding that keeps ASCII may be read as Latin-1."""
    block = stream.read(_BLOCK)
    decoder = codecs.getincrementaldecoder(_WIDE.get(block[:2], "latin-1"))(errors="replace")
    while block:
        yield decoder.decode(block)
        block = stream.read(_BLOCK)


def _why(error: Exception) -> str:
    """The system's words without the path, which it quotes as it is."""
    return (error.strerror if isinstance(error, OSError) else None) or "it is not a path"
