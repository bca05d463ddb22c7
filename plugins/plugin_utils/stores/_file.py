# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store ``file:PATH``: one secret per file, and nothing else in it."""

from __future__ import annotations

import collections.abc as c
import contextlib
import errno
import os
import stat
import typing as t
from pathlib import Path

from ansible.parsing.vault import VaultLib

from ...module_utils.core import _files, _locks
from ...module_utils.core._model import canonical_reference, is_reference, owner_path
from ...module_utils.tokens._delivery import Entry
from ._base import BaseStore, Change, StoredEntry, StoreError, id_of, known_ids
from ._files import ensure_directory, real, require_replaceable, store_errors, target
from ._options import Option, StoreOptions

_WORLD = 0o007
#: Bytes; no secret comes near.
_LONGEST = 4096


class FileStore(BaseStore):
    """Secrets in files.

    :param path: the file of the one reference there is, or the directory of ``<reference>.token`` files.
    :param single: which of the two.
    :param mode: the files' permissions; by default those a file has, less what everybody may, or private for a new one.
    :param lock_timeout: seconds to wait for another run's write.
    """

    OPTIONS: t.ClassVar = {"mode": Option(), "lock_timeout": Option("seconds", 60)}
    survives_job = False

    @classmethod
    @store_errors()
    def opened(cls, place: str, options: StoreOptions, vault: VaultLib, single: bool) -> FileStore:
        path = _files.absolute(place)
        # A directory also serves a single token, so that one BITBUCKET_TOKEN_STORE fits every task. One that is yet to
        # be created is named with a slash at its end. Path.is_dir raises if a folder above may not be searched.
        one = single and not (place.endswith("/") or os.path.isdir(path))  # noqa: PTH112
        return cls(path, one, _mode(options.raw("mode")), options.seconds("lock_timeout"))

    def __init__(self, path: Path, single: bool, mode: int | None = None, lock_timeout: float = 60) -> None:
        if mode is not None and mode & _WORLD:
            raise StoreError("`store_options.mode` would make the secrets readable for every user of the machine.")
        super().__init__()
        self.name = f"file:{path}"
        # The lock and the temporary file are next to the target of links.
        path = real(path)
        self._path = path
        self._single = single
        self._mode = mode
        self._timeout = lock_timeout
        self._directory = path.parent if single else path
        stem = path.name if single else "token"
        self._lock = self._directory / f".{stem}.lock"

    @store_errors()
    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        ensure_directory(self._directory, check_mode)
        paths = [target(self._file(reference)) for reference in references]
        for path in paths:
            require_replaceable(path)
        if self._single:
            self._require_ours(references[0])
        if not check_mode:
            with _locks.locked(self._lock, self._timeout):
                for path in paths:
                    _files.remove_leftover(path)

    @store_errors()
    def _look(self, references: c.Sequence[str]) -> dict[str, StoredEntry]:
        return {reference: self._held(reference) for reference in references}

    @store_errors()
    def others(self, references: c.Collection[str]) -> dict[str, str]:
        if self._single:
            return {}
        declared = set(references)
        owners = self._spelled(dict.fromkeys(map(owner_path, references)))
        there = (f"{owner}/tokens/{name}" for owner in owners for name in self._names(owner))
        return known_ids(
            {other: self._named(other) for other in there if other not in declared and is_reference(other)}
        )

    def _named(self, reference: str) -> str | None:
        """The id in a file that is not declared; ``None`` for anything but a short plain file."""
        path = self._file(reference)
        try:
            return id_of(_short_text(path))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(
                f"{path} cannot be read: {error.strerror}. It may contain the secret of a renamed token. Make it "
                "readable for the user that runs Ansible, or move it."
            ) from None

    def _held(self, reference: str) -> StoredEntry:
        text = _files.read_text(self._file(reference))
        return StoredEntry(id_of(text), (text or "").strip())

    def _spelled(self, owners: c.Iterable[str]) -> list[str]:
        """Directories of these owners, in whatever case they are written."""
        by_folded: dict[str, dict[str, list[str]]] = {}

        def inside(above: str, name: str) -> list[str]:
            if above not in by_folded:
                by_folded[above] = {}
                for entry in self._entries(above):
                    by_folded[above].setdefault(entry.casefold(), []).append(entry)
            return by_folded[above].get(name.casefold(), [])

        found: list[str] = []
        for owner in owners:
            paths = [""]
            for name in owner.split("/"):
                paths = [f"{above}{entry}/" for above in paths for entry in inside(above, name)]
            found.extend(path.rstrip("/") for path in paths)
        return found

    def _names(self, owner: str) -> list[str]:
        """What has a file below an owner, percent-encoded as in references."""
        found = self._entries(f"{owner}/tokens")
        return sorted(name.removesuffix(".token") for name in found if name.endswith(".token"))

    def _entries(self, directory: str) -> list[str]:
        try:
            return os.listdir(self._path / directory)  # noqa: PTH208  paths of 10,000 owners cost seconds
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(f"{self._path / directory} cannot be read: {error.strerror}.") from None

    @contextlib.contextmanager
    def _exclusive(self) -> c.Iterator[None]:
        with store_errors(), _locks.locked(self._lock, self._timeout):
            yield

    @store_errors()
    def _put(self, changes: c.Sequence[Change], held: c.Mapping[str, StoredEntry]) -> c.Collection[str]:
        for change in changes:
            path = target(self._file(change.reference))
            if isinstance(change, Entry):
                self._save(path, change)
            else:
                _files.remove(path)
                self._label("")
        return ()

    def _save(self, path: Path, entry: Entry) -> None:
        _files.make_directories(path.parent)
        self._label(entry.reference)
        _files.replace(path, f"{entry.secret}\n".encode(), self._mode_of(path))

    def _label(self, reference: str) -> None:
        """Note in the lock file whose secret a store for one token keeps."""
        # Not twice, since a crash in between would leave a lock that names no reference.
        if self._single and _locks.label(self._lock) != reference:
            _locks.write_label(self._lock, reference)

    def _require_ours(self, reference: str) -> None:
        """A file that keeps another token's secret would hand that token over to this reference, name, rights and all.

        :raises StoreError: if the lock file names another reference.
        """
        kept = _locks.label(self._lock)
        if kept and canonical_reference(kept) != canonical_reference(reference):
            raise StoreError(
                f"{self._path} has the secret of {kept}. Use another file for {reference}. If only the declared name "
                f"of that token has changed, remove {self._lock} first."
            )

    def _mode_of(self, path: Path) -> int:
        if self._mode is not None:
            return self._mode
        status = _files.status_of(path)
        return stat.S_IMODE(status.st_mode) & ~_WORLD if status else _files.PRIVATE

    def _file(self, reference: str) -> Path:
        if self._single:
            return self._path
        if not is_reference(reference):
            raise StoreError(f"{reference} is not a reference, such as projects/PAY/tokens/ci.")
        return self._path / f"{reference}.token"


def _short_text(path: Path) -> str | None:
    """The text of a short plain file. Other files are not read, and a FIFO is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        # What opening a socket is answered with, and a link that leads round in circles.
        if error.errno in (errno.ENXIO, errno.ELOOP):
            return None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = os.read(descriptor, _LONGEST + 1)
    finally:
        os.close(descriptor)
    return data.decode("utf-8", errors="replace") if len(data) <= _LONGEST else None


def _mode(value: t.Any) -> int | None:
    """File permissions as an octal string; a number has already been read as something else by YAML."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.isdigit() or set(value) - set("01234567"):
        raise StoreError("`store_options.mode` must be an octal number in quotes, such as '0640'.")
    return int(value, 8)


STORE = FileStore
