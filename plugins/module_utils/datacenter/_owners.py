# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From what a person wrote (keys, slugs, names, globs) to owners in the server's spelling."""

from __future__ import annotations

import fnmatch
import functools
import re
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner, is_part

if t.TYPE_CHECKING:
    from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter

_GLOB = re.compile(r"[*?\[]")
# How the server itself spells keys and slugs in everything recorded of it; anything else is looked up.
_SERVERS_KEY = re.compile(r"[A-Z0-9_.-]+|~.+")
_SERVERS_SLUG = re.compile(r"[a-z0-9_.-]+")


class DeclaredOwners(t.NamedTuple):
    """Owners as written: project keys, ``KEY/slug``, user slugs or names. ``me``: the caller itself."""

    projects: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    me: bool = False


def declared_owners(params: t.Mapping[str, t.Any], required: bool = True) -> DeclaredOwners:
    """The owners that ``projects``, ``repositories`` and ``users`` declare; the caller itself if none need be.

    :raises InputError: where there is none, or one cannot be an owner at all.
    """
    projects, repositories, users = (tuple(params.get(key) or ()) for key in ("projects", "repositories", "users"))
    found = DeclaredOwners(projects, repositories, users, me=not (projects or repositories or users))
    if found.me and required:
        raise InputError("No owner is declared: name some with `projects`, `repositories` or `users`.")
    for name in (*found.projects, *found.users):
        _check(name, "" if name in found.users else "a project's key")
    for name in found.repositories:
        key, slash, slug = name.partition("/")
        if not slash or "/" in slug or {key, slug} & {"", ".", ".."}:
            raise InputError(f"The repository {name!r} must be written as KEY/slug, such as PAY/ledger.")
    return found


def declared_owner(params: t.Mapping[str, t.Any]) -> DeclaredOwners:
    """The one owner that ``project``, ``repository`` and ``user`` declare; none of them: the caller itself."""
    project, repository, user = (params.get(key) for key in ("project", "repository", "user"))
    if repository and not project:
        raise InputError("`repository` needs `project`, the key of the project that it belongs to.")
    if user and project:
        raise InputError("A token belongs to a user or to a project, not to both: `user` and `project` are given.")
    for name, key in ((project, "a project's key"), (repository, "a repository's slug"), (user, "")):
        if name is not None:
            _check(name, key, patterns=False)
    if repository:
        return DeclaredOwners(repositories=(f"{project}/{repository}",))
    if project:
        return DeclaredOwners(projects=(project,))
    return DeclaredOwners(users=(user,)) if user else DeclaredOwners(me=True)


def offline(declared: DeclaredOwners) -> list[Owner] | None:
    """The owners where no server is needed to know them, else ``None``."""
    exact = (
        not declared.me
        and all(_is_key(key) for key in declared.projects)
        and all(_is_key(key) and _is_slug(slug) for key, slug in _pairs(declared))
        and all(_is_slug(user) for user in declared.users)
    )
    if not exact:
        return None
    return _distinct(
        [
            *(Owner(project=key) for key in declared.projects),
            *(Owner(project=key, repository=slug) for key, slug in _pairs(declared)),
            *(Owner(user=user) for user in declared.users),
        ]
    )


def resolve(declared: DeclaredOwners, api: DataCenter, archived: bool = False) -> list[Owner]:
    """The owners, asking the server for what only it knows.

    :param archived: whether globs also match archived repositories.
    :raises InputError: for a glob that matches nothing and a user that does not exist.
    """
    known = offline(declared)
    if known is not None:
        return known
    catalogue = _Catalogue(api, archived)
    owners = [Owner(project=key) for pattern in declared.projects for key in catalogue.keys(pattern)]
    for key_pattern, slug_pattern in _pairs(declared):
        found = [
            Owner(project=key, repository=slug)
            for key in catalogue.keys(key_pattern)
            for slug in catalogue.slugs(key, slug_pattern)
        ]
        if not found:
            raise InputError(f"{key_pattern}/{slug_pattern} matches no repository that you can see.")
        owners.extend(found)
    owners.extend(Owner(user=catalogue.user(user)) for user in declared.users)
    if declared.me:
        owners.append(Owner(user=catalogue.me()))
    return _distinct(owners)


class _Catalogue:
    """What the server lists, each listing read at most once.

    Globs stand for what the caller administers and, unless told otherwise, what is not archived. An exact name in
    another spelling than the server's is looked for among everything.
    """

    def __init__(self, api: DataCenter, archived: bool) -> None:
        self._archived = archived
        self._projects = functools.lru_cache(maxsize=None)(api.projects)
        self._repositories = functools.lru_cache(maxsize=None)(api.repositories)
        self._api = api

    def keys(self, pattern: str) -> list[str]:
        if _is_key(pattern):
            return [pattern]
        glob = is_glob(pattern)
        found = matching(pattern, self._projects(glob))
        if glob and not found:
            raise InputError(f"{pattern} matches no project that you administer.")
        return found or [pattern]

    def slugs(self, project: str, pattern: str) -> list[str]:
        if _is_slug(pattern):
            return [pattern]
        glob = is_glob(pattern)
        found = matching(pattern, self._repositories(project, self._archived or not glob))
        return found if glob else found or [pattern]

    def user(self, name: str) -> str:
        slug = name if _is_slug(name) else self._api.user_slug(name)
        if slug is None:
            raise InputError(f"There is no user called {name}.")
        return slug

    def me(self) -> str:
        given = self._api.client.credential.username
        slug = self._api.user_slug(given) if given else None
        if slug:
            return slug
        # Logins ignore case, which the exact name does not.
        name = self._api.identity().name
        if not name:
            raise InputError("The server does not say whose credential this is: name the user with `user`.")
        return self._api.user_slug(name) or self.user(name)


def matching(pattern: str, names: t.Sequence[str]) -> list[str]:
    """Names that a glob or another spelling stands for. Personal projects (``~``) only match where written."""
    return [name for name in sorted(names) if matches(pattern, name)]


def matches(pattern: str, name: str) -> bool:
    """Whether a glob stands for this project; for a personal one only if it begins with ``~`` itself."""
    same_kind = name.startswith("~") == pattern.startswith("~")
    return same_kind and fnmatch.fnmatchcase(name.casefold(), pattern.casefold())


def _distinct(owners: t.Sequence[Owner]) -> list[Owner]:
    found: dict[str, Owner] = {}
    for owner in owners:
        first = found.setdefault(owner.path.casefold(), owner)
        if first != owner:
            raise InputError(f"{first.label} and {owner.label} are the same owner, written in two ways.")
    return list(found.values())


def _pairs(declared: DeclaredOwners) -> list[tuple[str, str]]:
    return [(key, slug) for key, _slash, slug in (name.partition("/") for name in declared.repositories)]


def is_glob(text: str) -> bool:
    """Whether a name is a pattern."""
    return _GLOB.search(text) is not None


def _is_key(text: str) -> bool:
    return _SERVERS_KEY.fullmatch(text) is not None and not is_glob(text)


def _is_slug(text: str) -> bool:
    return _SERVERS_SLUG.fullmatch(text) is not None


def require_part(name: str, what: str = "") -> None:
    """Refuse what cannot be one part of a path.

    :raises InputError: saying that it is not ``what``, or else not a user.
    """
    if not is_part(name.strip()):
        raise InputError(f"{name!r} is not {what or 'a user'}.")


def _check(name: str, what: str, patterns: bool = True) -> None:
    require_part(name, what)
    if not (patterns and what) and is_glob(name):
        raise InputError(f"{name!r} is a glob: this option takes one exact name.")
