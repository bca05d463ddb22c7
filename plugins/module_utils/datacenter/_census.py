# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Every owner that patterns match, and what could not be listed: no owner is left out without a failure."""

from __future__ import annotations

import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    FOR_ALL,
    BitbucketError,
    ForbiddenError,
    InputError,
    LockoutError,
    NotFoundError,
    StatusError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Workers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter import _owners
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter, Listing
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._directory import Directory, Place
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import Failure, NoMatchError

#: Patterns that stand for everything, which may be nothing.
EVERYTHING = ("*", "~*")

_NO_ADMINISTRATION = (
    "The administrators' list of users was refused to the caller: users that only it shows (deactivated ones, "
    "possibly) are missing here."
)


class Found(t.NamedTuple):
    """The owners to look at, what hid others, and remarks about what the server does not show.

    ``guessed``: keys of personal projects that may not exist, which is no failure then.
    ``wanted``: for :func:`repositories`, by project the patterns of those that are looked at.
    """

    places: list[Place]
    failures: list[Failure]
    notes: list[str]
    guessed: frozenset[str] = frozenset()
    wanted: t.Mapping[str, t.Sequence[str]] = {}


def declared_patterns(params: t.Mapping[str, t.Any]) -> _owners.DeclaredOwners:
    """The patterns of a task; unlike elsewhere those for users may be globs.

    :raises InputError: where one cannot be right.
    """
    checked = _owners.declared_owners({**params, "users": []}, required=False)
    users = tuple(params.get("users") or ())
    for name in users:
        _owners.require_part(name)
    if checked.me and not users:
        raise InputError("Nothing to look at: `projects`, `repositories` and `users` are all empty.")
    return checked._replace(users=users, me=False)


def places(declared: _owners.DeclaredOwners, directory: Directory) -> Found:
    """The projects and users that ``declared`` stands for, of all that the caller may see, in a stable order.

    A pattern that matches nothing, unless it stands for everything, is a failure of its own.

    :raises BitbucketError: where the projects cannot be listed.
    """
    found = Found([], [], [])
    projects = directory.projects() if declared.projects or declared.repositories else []
    by_key = {place.owner.project: place for place in projects}
    guessing = _wants_personal(declared) and not any(key.startswith("~") for key in by_key)
    by_slug = _everyone(directory, found) if declared.users or guessing else {}
    if guessing:
        # Whether that listing shows personal projects is not known; that their keys are ~slug is.
        found = found._replace(guessed=frozenset(f"~{slug}" for slug in by_slug))
        by_key.update((f"~{slug}", Place(Owner(project=f"~{slug}"), who.title)) for slug, who in by_slug.items())
    for pattern in declared.projects:
        keys = _chosen(f"projects/{pattern}", pattern, list(by_key), found)
        found.places.extend(by_key.get(key) or Place(Owner(project=key).canonical) for key in keys)
    for pattern in declared.users:
        slugs = _chosen(f"users/{pattern}", pattern, list(by_slug), found)
        found.places.extend(by_slug.get(slug) or Place(Owner(user=slug).canonical) for slug in slugs)
    distinct = {place.owner.path: place for place in found.places}
    return found._replace(places=list(distinct.values()), wanted=_wanted(declared.repositories, list(by_key), found))


def _wants_personal(declared: _owners.DeclaredOwners) -> bool:
    keys = [*declared.projects, *(pattern.partition("/")[0] for pattern in declared.repositories)]
    return any(key.startswith("~") and _owners.is_glob(key) for key in keys)


def _wanted(patterns: t.Sequence[str], keys: list[str], found: Found) -> dict[str, list[str]]:
    wanted: dict[str, list[str]] = {}
    for pattern in patterns:
        key_pattern, _slash, slug_pattern = pattern.partition("/")
        for key in _chosen(f"projects/{key_pattern}/repos/{slug_pattern}", key_pattern, keys, found):
            wanted.setdefault(key, []).append(slug_pattern)
    return wanted


def repositories(wanted: t.Mapping[str, t.Sequence[str]], directory: Directory, workers: Workers) -> Found:
    """The repositories that patterns stand for in each project, which is asked once, however many they are.

    :raises BitbucketError: if the first project fails for a reason that holds for all.
    """
    found = Found([], [], [])
    listings = workers.each(directory.repositories, list(wanted))
    for (key, slugs), listing in zip(wanted.items(), listings):
        if isinstance(listing, BitbucketError):
            found.failures.append(Failure.of(f"{Owner(project=key).path}/repos", listing))
            continue
        by_slug = {place.owner.repository: place for place in listing}
        for pattern in slugs:
            # What a glob does not find in one project, it may in another.
            names = _matching(pattern, list(by_slug))
            found.places.extend(
                by_slug.get(slug) or Place(Owner(project=key, repository=slug).canonical) for slug in names
            )
    return found


def _everyone(directory: Directory, found: Found) -> dict[str, Place]:
    """Users from both listings: the one that everyone may read need not show who was deactivated."""
    by_slug: dict[str, Place] = {}
    for administration in (False, True):
        try:
            by_slug.update((place.owner.user, place) for place in directory.users(administration))
        except StatusError as error:
            if administration and isinstance(error, (ForbiddenError, LockoutError, NotFoundError)):
                # Administration refuses tokens and callers that are no administrators: the credential may be valid.
                found.notes.append(_NO_ADMINISTRATION)
            elif error.reason in FOR_ALL:
                raise
            else:
                found.failures.append(Failure.of("users", error))
    return by_slug


def _chosen(path: str, pattern: str, names: list[str], found: Found) -> list[str]:
    """The same; a glob that matches nothing is added to the failures, unless it stands for everything."""
    chosen = _matching(pattern, names)
    # A listing of users that failed is a failure already.
    unread = path.startswith("users/") and any(failure.owner == "users" for failure in found.failures)
    if not chosen and pattern not in EVERYTHING and not unread:
        found.failures.append(Failure.of(path, NoMatchError(f"The glob {pattern} matches nothing that you can see.")))
    return chosen


def _matching(pattern: str, names: list[str]) -> list[str]:
    """Names that a pattern stands for; an exact one that is not listed is asked for nevertheless."""
    found = _owners.matching(pattern, names)
    return found if found or _owners.is_glob(pattern) else [pattern]


def listed(
    owners: t.Sequence[Owner], api: DataCenter, workers: Workers
) -> tuple[list[tuple[Owner, Listing]], list[Failure]]:
    """The tokens of each owner, and the owners that did not show theirs.

    :raises BitbucketError: if the first one fails for a reason that holds for all.
    """
    listings: list[tuple[Owner, Listing]] = []
    failures: list[Failure] = []
    for owner, listing in zip(owners, workers.each(api.tokens, owners)):
        if isinstance(listing, BitbucketError):
            failures.append(Failure.of(owner.path, listing))
        else:
            listings.append((owner, listing))
    return listings, failures
