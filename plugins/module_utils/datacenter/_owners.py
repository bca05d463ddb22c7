# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Owners as a person writes them: project keys, repositories, users, and globs."""

from __future__ import annotations

import fnmatch
import re
import typing as t

from ..core._errors import InputError
from ..core._model import Owner, is_part

_GLOB = re.compile(r"[*?\[]")
# What a user's slug looks like; anything else is a name, whose slug only the server knows.
_SLUG = re.compile(r"[a-z0-9_.-]+")


class DeclaredOwners(t.NamedTuple):
    """Owners as written: project keys, ``KEY/slug``, user slugs or names. ``me``: the caller itself."""

    projects: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    me: bool = False


def declared_owners(
    params: t.Mapping[str, t.Any], required: bool = True, globs_for_users: bool = False
) -> DeclaredOwners:
    """The owners that ``projects``, ``repositories`` and ``users`` declare; by default the caller, unless ``required``.

    :raises InputError: if there is none, or one cannot be an owner.
    """
    projects, repositories, users = (tuple(params.get(key) or ()) for key in ("projects", "repositories", "users"))
    found = DeclaredOwners(projects, repositories, users, me=not (projects or repositories or users))
    if found.me and required:
        raise InputError("No owner is declared: name some with `projects`, `repositories` or `users`.")
    for name in found.projects:
        _check(name, "a project's key", globs=True)
    for name in found.users:
        _check(name, "a user", globs=globs_for_users)
    for name in found.repositories:
        key, slash, slug = name.partition("/")
        if not slash or "/" in slug or {key, slug} & {"", ".", ".."}:
            raise InputError(f"The repository {name!r} must be written as KEY/slug, such as PAY/ledger.")
    return found


def declared_owner(params: t.Mapping[str, t.Any]) -> DeclaredOwners:
    """The one owner that ``project``, ``repository`` and ``user`` declare; by default the caller itself."""
    project, repository, user = (params.get(key) for key in ("project", "repository", "user"))
    if repository and not project:
        raise InputError("`repository` needs `project`, the key of the project that it belongs to.")
    if user and project:
        raise InputError("A token belongs to a user or to a project, not to both: `user` and `project` are given.")
    for name, what in ((project, "a project's key"), (repository, "a repository's slug"), (user, "a user")):
        if name is not None:
            _check(name, what, globs=False)
    if repository:
        return DeclaredOwners(repositories=(f"{project}/{repository}",))
    if project:
        return DeclaredOwners(projects=(project,))
    return DeclaredOwners(users=(user,)) if user else DeclaredOwners(me=True)


def written(declared: DeclaredOwners) -> dict[str, list[str]]:
    """Paths of exact owners as they are written, if that is not Bitbucket's spelling, by the path that is."""
    owners = [
        *(Owner(project=key) for key in declared.projects),
        *(Owner(*repository.split("/")) for repository in declared.repositories),
    ]
    found: dict[str, list[str]] = {}
    for owner in owners:
        if owner != owner.canonical and not is_glob(owner.project + owner.repository):
            found.setdefault(owner.canonical.path, []).append(owner.path)
    return found


def matches(pattern: str, name: str) -> bool:
    """Whether a glob matches a key, slug or name, or is the same in another case.

    A personal project matches only if the glob begins with ``~``.
    """
    same_kind = name.startswith("~") == pattern.startswith("~")
    return same_kind and fnmatch.fnmatchcase(name.casefold(), pattern.casefold())


def is_glob(text: str) -> bool:
    """Whether a name is a pattern."""
    return _GLOB.search(text) is not None


def is_slug(text: str) -> bool:
    """Whether a text looks like a user's slug; otherwise it is a name."""
    return _SLUG.fullmatch(text) is not None


def _check(name: str, what: str, globs: bool) -> None:
    if not is_part(name.strip()):
        raise InputError(f"{name!r} is not {what}.")
    if not globs and is_glob(name):
        raise InputError(f"{name!r} is a glob: this option takes one exact name.")
