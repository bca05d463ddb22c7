# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Search credential files in home directories, in repositories, and in further places.

Files that cannot be read, and links that are not followed, are listed: without that, the search would look complete.
"""

from __future__ import annotations

import os
import pwd
import typing as t
from pathlib import Path

from ..core._errors import InputError
from ..core._files import FileError, MissingError
from ..core._redact import without_shapes
from ..core._text import visible
from . import _git_config, _safe_files
from ._credential_files import GIT_CONFIG, GIT_CREDENTIALS, format_of
from ._references import CONFIG, HOME, WORK_TREE, Reference
from ._safe_files import Root, Snapshot

_IN_A_HOME = (".git-credentials", ".config/git/credentials", ".netrc", ".gitconfig", ".config/git/config")
# File systems without files of users.
_NOT_ON_DISK = frozenset(map(Path, ("/proc", "/sys", "/dev", "/run")))
# The limit of git for nested includes.
_LONGEST_CHAIN = 10


class File(t.NamedTuple):
    """A file as it was found and read.

    :param path: as it was named, links included.
    :param kind: its format.
    """

    path: str
    kind: str
    snapshot: Snapshot


class Skipped(t.NamedTuple):
    """A path that was not searched, and the reason."""

    path: str
    reason: str
    msg: str

    def describe(self) -> dict[str, str]:
        return {"path": shown(self.path), "reason": self.reason, "msg": visible(shown(self.msg))}


def shown(text: str) -> str:
    """``text`` for a result: bytes that are not UTF-8 are replaced, and secrets masked."""
    return without_shapes(text.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


class Search:
    """Finds files and reads each once, even if it has several names."""

    def __init__(self) -> None:
        self.files: list[File] = []
        self.skipped: list[Skipped] = []
        self._seen: set[Path] = set()
        self._homes: dict[Path, int] = {}

    def home(self, path: str) -> None:
        """Search a home directory, or all that a pattern such as ``/home/*`` matches."""
        for home in self._matches(path):
            root = self._root(home)
            if root is not None:
                self._homes[root.path] = root.owner
                for name in _IN_A_HOME:
                    self._add(str(Path(home, name)), root)

    def below(self, path: str, depth: int) -> None:
        """Search the configuration of every repository up to ``depth`` directories below ``path``."""
        _require_absolute(path, "search_paths")
        root = self._root(path)
        if root is not None:
            self._walk(root.path, root, depth, depth)

    def file(self, path: str) -> None:
        """Search this file, in any format."""
        _require_absolute(path, "paths")
        root = self._root(str(Path(path).parent))
        if root is not None:
            self._add(path, root, named=True)

    def _matches(self, path: str) -> list[str]:
        if path.startswith("~"):
            self._skip(path, "missing", f"{path} is not a home directory: there is no such user.")
            return []
        _require_absolute(path, "homes")
        if not any(sign in path for sign in "*?["):
            return [path]
        found = sorted(str(match) for match in Path("/").glob(path.lstrip("/")) if match.is_dir())
        if not found:
            self._skip(path, "missing", f"{path} matches no directory.")
        return found

    def _root(self, path: str) -> Root | None:
        try:
            found = _safe_files.root(path)
        except FileError as error:
            self._skip(path, error.reason, str(error))
            return None
        if not os.access(found.path, os.X_OK):
            self._skip(path, "file", f"{path} cannot be searched: the user that runs the module may not enter it.")
            return None
        return found

    def _add(
        self, path: str, root: Root, kind: str | None = None, named: bool = False, chain: int = 0, referrer: int = 0
    ) -> None:
        """Read a file if it exists. If ``named``, a missing one is listed. ``referrer`` owns the file that names it."""
        try:
            snapshot = _safe_files.read(path, root, referrer)
        except FileError as error:
            if named or not isinstance(error, MissingError):
                self._skip(path, error.reason, str(error))
            return
        if snapshot.path in self._seen:
            return
        self._seen.add(snapshot.path)
        file = File(path, kind or format_of(path), snapshot)
        self.files.append(file)
        if file.kind == GIT_CONFIG and chain < _LONGEST_CHAIN:
            for target in _git_config.includes(snapshot.text):
                self._follow(file, target, root, GIT_CONFIG, chain + 1)
            for target in _git_config.stores(snapshot.text):
                self._follow(file, target, root, GIT_CREDENTIALS, chain + 1)

    def _follow(self, file: File, target: Reference, root: Root, kind: str, chain: int) -> None:
        """Read a file that a configuration names, if it is in the same home or below the same path."""
        start = self._start(file, target, root)
        path = str(start / target.path) if start else ""
        if not start or not _is_within(path, root):
            where = f"which is outside of {root.path}" if start else "which depends on the directory and options of git"
            msg = f"{file.path} refers to {target.written}, {where}. To search it too, add it to `paths`."
            self._skip(target.written, "outside", msg)
        else:
            self._add(path, root, kind, chain=chain, referrer=file.snapshot.status.st_uid)

    def _start(self, file: File, target: Reference, root: Root) -> Path | None:
        """The directory in which the path of a reference starts; ``None`` if it is not known.

        Git looks next to the configuration as it was named, not next to the target of a link.
        """
        here = Path(file.path).parent
        if target.start == CONFIG or target.path.startswith("/"):
            return here
        if target.start == HOME:
            return root.path if root.path in self._homes else self._home_of(file.snapshot.status.st_uid)
        in_repository = target.start == WORK_TREE and here.name == ".git"
        return here.parent if in_repository else None

    def _home_of(self, user: int) -> Path | None:
        """The home of a user: one that was searched, or that of the system; ``None`` for an unknown user."""
        known = [home for home, owner in self._homes.items() if owner == user]
        try:
            return known[0] if known else Path(pwd.getpwuid(user).pw_dir)
        except KeyError:
            return None

    def _walk(self, directory: Path, root: Root, depth: int, whole: int) -> None:
        if directory in _NOT_ON_DISK:
            return
        try:
            with os.scandir(directory) as scan:
                children = sorted(scan, key=lambda child: child.name)
            plain = [child for child in children if child.is_dir(follow_symlinks=False)]
        except OSError as error:
            self._skip(str(directory), "file", f"{directory} cannot be searched: {error.strerror}.")
            return
        names = {child.name for child in children}
        if {"HEAD", "config", "objects"} <= names:
            self._repository(directory, root, whole)
            return
        if ".git" in names and ".git" not in {child.name for child in plain}:
            self._elsewhere(directory / ".git", root)
        for child in plain:
            if depth:
                self._walk(directory / child.name, root, depth - 1, whole)

    def _repository(self, directory: Path, root: Root, depth: int) -> None:
        """Search git's directory of a repository: a bare one, ``.git``, or that of a submodule."""
        self._add(str(directory / "config"), root, GIT_CONFIG)
        for path in (directory / "config.worktree", *sorted(directory.glob("worktrees/*/config.worktree"))):
            self._add(str(path), root, GIT_CONFIG)
        if (directory / "modules").is_dir() and not (directory / "modules").is_symlink():
            self._walk(directory / "modules", root, depth, depth)

    def _elsewhere(self, link: Path, root: Root) -> None:
        """Follow the ``.git`` file of a worktree or submodule, which names the directory."""
        directory, common_path, owner = link, "", 0
        try:
            if link.is_file():
                pointer = _safe_files.read(str(link), root)
                directory = link.parent / pointer.text.partition("gitdir:")[2].strip()
                owner = pointer.status.st_uid
            common = directory / "commondir"
            if common.is_file():
                pointer = _safe_files.read(str(common), root, owner)
                common_path, owner = pointer.text.strip(), pointer.status.st_uid
            directory, shared = (_safe_files.resolved(str(directory / name)) for name in ("", common_path))
        except OSError as error:
            self._skip(str(link), "file", f"{link} cannot be followed: {error.strerror}.")
            return
        except FileError as error:
            self._skip(str(link), error.reason, str(error))
            return
        for path in dict.fromkeys([shared / "config", directory / "config.worktree"]):
            if _is_within(str(path), root):
                self._add(str(path), root, GIT_CONFIG, referrer=owner)
            elif path.name == "config":
                msg = f"{link} leads to {path}, which is outside of {root.path}. To search it too, add it to `paths`."
                self._skip(str(path), "outside", msg)

    def _skip(self, path: str, reason: str, msg: str) -> None:
        self.skipped.append(Skipped(path, reason, msg))


def _require_absolute(path: str, option: str) -> None:
    if not path.startswith("/"):
        raise InputError(f"`{option}` must be absolute paths, and {shown(path) or 'an empty string'} is not one.")


def _is_within(path: str, root: Root) -> bool:
    try:
        return _safe_files.resolved(path).is_relative_to(root.path)
    except FileError:
        return False
