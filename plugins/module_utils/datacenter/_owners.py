# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From declared keys, slugs, names and globs to owners in Bitbucket's spelling."""

from __future__ import annotations

import fnmatch
import functools
import re
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    FOR_ALL,
    BitbucketError,
    InputError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner, is_part

if t.TYPE_CHECKING:
    from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter

_GLOB = re.compile(r"[*?\[]")
# What a user's slug looks like; anything else is a name, whose slug only the server knows.
_SLUG = re.compile(r"[a-z0-9_.-]+")


class NoMatchError(InputError):
    """Nothing on the server has this name, or matches this glob."""

    reason = "no_match"


class Failure(t.NamedTuple):
    """An owner, a pattern or a whole listing that could not be read."""

    owner: str
    reason: str
    msg: str

    @classmethod
    def of(cls, owner: str, error: BitbucketError) -> Failure:
        """From the error that reading it ended with."""
        return cls(owner, error.reason, str(error))

    @property
    def entry(self) -> dict[str, t.Any]:
        """An entry of `failures` in a result."""
        return {**self._asdict(), "reference": None}


class Resolved(t.NamedTuple):
    """Owners in the server's spelling, each once; and what was declared and could not be found."""

    owners: list[Owner]
    failures: list[Failure]


class DeclaredOwners(t.NamedTuple):
    """Owners as written: project keys, ``KEY/slug``, user slugs or names. ``me``: the caller itself."""

    projects: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    me: bool = False


def declared_owners(params: t.Mapping[str, t.Any], required: bool = True) -> DeclaredOwners:
    """The owners that ``projects``, ``repositories`` and ``users`` declare; the caller itself if none need be.

    :raises InputError: if there is none, or one cannot be an owner at all.
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
    """The one owner that ``project``, ``repository`` and ``user`` declare; by default the caller itself."""
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
    """The owners if no server is needed to know them, else ``None``: for globs, names of users and the caller."""
    if declared.me or not all(_is_slug(user) for user in declared.users):
        return None
    if any(is_glob(name) for name in (*declared.projects, *declared.repositories)):
        return None
    return _distinct(
        [
            *(Owner(project=key) for key in declared.projects),
            *(Owner(project=key, repository=slug) for key, slug in _pairs(declared)),
            *(Owner(user=user) for user in declared.users),
        ]
    )


def written(declared: DeclaredOwners) -> dict[str, list[str]]:
    """Paths of exact owners as they are written, if that is not Bitbucket's spelling, by the path that is."""
    owners = [
        *(Owner(project=key) for key in declared.projects),
        *(Owner(project=key, repository=slug) for key, slug in _pairs(declared)),
    ]
    found: dict[str, list[str]] = {}
    for owner in owners:
        if owner != owner.canonical and not is_glob(owner.project + owner.repository):
            found.setdefault(owner.canonical.path, []).append(owner.path)
    return found


def resolve(declared: DeclaredOwners, api: DataCenter, archived: bool = False) -> Resolved:
    """The owners, asking the server for what only it knows.

    A glob without a match and a user that does not exist are failures of their own: the other owners are returned.

    :param archived: whether globs also match archived repositories.
    :raises BitbucketError: if nothing can be asked at all, or the caller cannot be identified.
    """
    known = offline(declared)
    if known is not None:
        return Resolved(known, [])
    catalogue = _Catalogue(api, archived)
    found, failures = [], []
    for pattern, ask in _questions(declared, catalogue):
        try:
            found.extend(ask())
        except BitbucketError as error:
            if error.reason in FOR_ALL:
                raise
            failures.append(Failure.of(pattern, error))
    if declared.me:
        found.append(Owner(user=catalogue.me()))
    return Resolved(_distinct(found), failures)


def resolve_one(declared: DeclaredOwners, api: DataCenter) -> Owner:
    """The one owner of :func:`declared_owner`.

    :raises BitbucketError: if it does not exist.
    """
    owners, failures = resolve(declared, api)
    if failures:
        raise BitbucketError(failures[0].msg, failures[0].reason)
    return owners[0]


def _questions(declared: DeclaredOwners, catalogue: _Catalogue) -> t.Iterator[tuple[str, t.Callable[[], list[Owner]]]]:
    """Each declared pattern as a path, with the function that finds its owners."""
    for pattern in declared.projects:
        yield f"projects/{pattern}", functools.partial(catalogue.projects, pattern)
    for key, slug in _pairs(declared):
        yield f"projects/{key}/repos/{slug}", functools.partial(catalogue.repositories, key, slug)
    for name in declared.users:
        yield f"users/{name}", functools.partial(catalogue.users, name)


class _Catalogue:
    """What the server lists, each listing read at most once.

    Globs match what the caller administers and, by default, what is not archived.
    """

    def __init__(self, api: DataCenter, archived: bool) -> None:
        self._keys = functools.lru_cache(maxsize=None)(api.projects)
        self._slugs = functools.lru_cache(maxsize=None)(functools.partial(api.repositories, archived=archived))
        self._api = api

    def projects(self, pattern: str) -> list[Owner]:
        return [Owner(project=key) for key in self._matching_keys(pattern)]

    def repositories(self, key_pattern: str, slug_pattern: str) -> list[Owner]:
        found = [
            Owner(project=key, repository=slug)
            for key in self._matching_keys(key_pattern)
            for slug in (matching(slug_pattern, self._slugs(key)) if is_glob(slug_pattern) else [slug_pattern])
        ]
        if not found:
            raise NoMatchError(f"The glob {key_pattern}/{slug_pattern} matches no repository that you can see.")
        return found

    def users(self, name: str) -> list[Owner]:
        slug = name if _is_slug(name) else self._api.user_slug(name)
        if slug is None:
            raise NoMatchError(f"There is no user called {name}.")
        return [Owner(user=slug)]

    def _matching_keys(self, pattern: str) -> list[str]:
        if not is_glob(pattern):
            return [pattern]
        found = matching(pattern, self._keys())
        if not found:
            raise NoMatchError(f"The glob {pattern} matches no project that you administer.")
        return found

    def me(self) -> str:
        given = self._api.client.credential.username
        slug = self._api.user_slug(given) if given else None
        if slug:
            return slug
        name = self._api.identity().name
        if not name:
            raise InputError("The server does not say whose credential this is: name the user with `user`.")
        return self._api.user_slug(name) or self.users(name)[0].user


def matching(pattern: str, names: t.Sequence[str]) -> list[str]:
    """Names that a glob matches, or that are the same in another case. See :func:`matches` for personal projects."""
    return [name for name in sorted(names) if matches(pattern, name)]


def matches(pattern: str, name: str) -> bool:
    """Whether a glob matches this project; a personal one only if the glob begins with ``~``."""
    same_kind = name.startswith("~") == pattern.startswith("~")
    return same_kind and fnmatch.fnmatchcase(name.casefold(), pattern.casefold())


def _distinct(owners: t.Sequence[Owner]) -> list[Owner]:
    """Each owner once, however often and in whatever spelling it is declared."""
    return list(dict.fromkeys(owner.canonical for owner in owners))


def _pairs(declared: DeclaredOwners) -> list[tuple[str, str]]:
    return [(key, slug) for key, _slash, slug in (name.partition("/") for name in declared.repositories)]


def is_glob(text: str) -> bool:
    """Whether a name is a pattern."""
    return _GLOB.search(text) is not None


def _is_slug(text: str) -> bool:
    return _SLUG.fullmatch(text) is not None


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
