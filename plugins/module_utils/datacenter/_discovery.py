# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which owners there are: what a server lists, and what declared names and globs mean among them. Reads only."""

from __future__ import annotations

import itertools
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
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import ListedOwner, Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Workers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter, Listing
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import (
    DeclaredOwners,
    Failure,
    Resolved,
    distinct,
    is_glob,
    is_slug,
    matches,
    offline,
)

#: Globs that stand for everything. If ``whole``, it is no failure that they match nothing.
_EVERYTHING = ("*", "~*")

_NO_ADMINISTRATION = (
    "The administrators' list of users was refused to the caller: users that only it shows (deactivated ones, "
    "possibly) are missing here."
)


class NoMatchError(InputError):
    """Nothing on the server has this name, or matches this glob."""

    reason = "no_match"


class Discovery:
    """The owners of one server, as it lists them for the caller.

    :param administered: whether the projects are those that the caller administers, or all that it may see.
    :param archived: whether archived repositories are listed too.
    :param whole: whether to look at all there is: also exact owners come with what is listed about them, globs match
        users and personal projects that may not be listed, and a glob for everything may match nothing.
    """

    def __init__(
        self, api: DataCenter, workers: Workers, administered: bool = True, archived: bool = False, whole: bool = False
    ) -> None:
        self.failures: list[Failure] = []
        #: Remarks about what the server does not show to the caller.
        self.notes: list[str] = []
        self._api = api
        self._workers = workers
        self._administered = administered
        self._archived = archived
        self._whole = whole
        self._projects: list[ListedOwner] | None = None
        self._users: list[ListedOwner] | None = None

    def projects(self) -> list[ListedOwner]:
        """Every project, by key; the listing is read once."""
        if self._projects is None:
            self._projects = sorted(self._api.projects(self._administered), key=lambda project: project.key)
        return self._projects

    def repositories(
        self, keys: t.Sequence[str], keep_errors: bool = False
    ) -> dict[str, list[ListedOwner] | BitbucketError]:
        """The repositories of some projects by the project's key, or why a project did not list them.

        :raises BitbucketError: as :meth:`Workers.each`.
        """

        def ask(key: str) -> list[ListedOwner]:
            return sorted(self._api.repositories(key, self._archived), key=lambda repository: repository.key)

        return dict(zip(keys, self._workers.each(ask, keys, keep_errors)))

    def personal(self, users: t.Sequence[ListedOwner]) -> list[ListedOwner]:
        """Personal projects of ``users`` that are not listed. They may not exist.

        Whether Bitbucket lists personal projects is not known; that their keys are ``~slug`` is.
        """
        listed = {project.key.casefold() for project in self.projects()}
        guesses = (ListedOwner(Owner(project=f"~{user.key}"), user.name, guessed=True) for user in users)
        return [guess for guess in guesses if guess.key.casefold() not in listed]

    def users(self) -> list[ListedOwner]:
        """Users from both listings, by slug: the one for everyone may not show deactivated users.

        A listing that is refused or broken is one of ``failures`` or ``notes``.
        """
        if self._users is None:
            found: dict[str, ListedOwner] = {}
            for administration in (False, True):
                try:
                    found.update((user.key, user) for user in self._api.users(administration))
                except StatusError as error:
                    self._unlisted(error, administration)
            self._users = sorted(found.values(), key=lambda user: user.key)
        return self._users

    def _unlisted(self, error: StatusError, administration: bool) -> None:
        if administration and isinstance(error, (ForbiddenError, LockoutError, NotFoundError)):
            # Administration refuses tokens and callers that are no administrators: the credential may be valid.
            self.notes.append(_NO_ADMINISTRATION)
        elif error.reason in FOR_ALL:
            raise error
        else:
            self.failures.append(Failure.of("users", error))

    def me(self) -> Owner:
        """The user that signs in.

        :raises InputError: if the server does not say who that is.
        """
        given = self._api.client.credential.username
        slug = self._api.user_slug(given) if given else None
        if not slug:
            name = self._api.identity().name
            if not name:
                raise InputError("The server does not say whose credential this is: name the user with `user`.")
            slug = self._api.user_slug(name) or self._slug(name)
        return Owner(user=slug)

    def find(self, declared: DeclaredOwners) -> list[ListedOwner]:
        """The owners that ``declared`` names, each once. What cannot be found or listed is one of ``failures``.

        :raises BitbucketError: if nothing can be asked at all; if ``whole``, also if projects cannot be listed.
        """
        if self._whole:
            self._prepare(declared)
        found = [
            *(self._tried(f"projects/{pattern}", self._projects_like, pattern) for pattern in declared.projects),
            *(self._tried(f"users/{pattern}", self._users_like, pattern) for pattern in declared.users),
        ]
        if declared.me:
            found.append([ListedOwner(self.me())])
        found.extend(self._repositories_like(declared.repositories, keep_errors=self._whole and any(found)))
        return list({entry.owner.canonical: entry for entry in itertools.chain(*found)}.values())

    def _prepare(self, declared: DeclaredOwners) -> None:
        """List all projects, and personal ones that are not listed if a glob asks for them."""
        if not (declared.projects or declared.repositories):
            return
        keys = [*declared.projects, *(pattern.partition("/")[0] for pattern in declared.repositories)]
        wanted = any(key.startswith("~") and is_glob(key) for key in keys)
        projects = self.projects()
        if wanted and not any(project.key.startswith("~") for project in projects):
            self._projects = [*projects, *self.personal(self.users())]

    def _tried(self, path: str, find: t.Callable[..., list[ListedOwner]], *arguments: t.Any) -> list[ListedOwner]:
        """What ``find`` finds; its error is the failure of ``path`` only, unless it holds for all.

        :raises BitbucketError: for an error that holds for all.
        """
        try:
            return find(*arguments)
        except BitbucketError as error:
            if error.reason in FOR_ALL:
                raise
            self.failures.append(Failure.of(path, error))
            return []

    def _projects_like(self, pattern: str) -> list[ListedOwner]:
        where = "administer" if self._administered else "can see"
        return self._like(pattern, Owner(project=pattern), self.projects, f"project that you {where}")

    def _users_like(self, pattern: str) -> list[ListedOwner]:
        if self._whole:
            return self._like(pattern, Owner(user=pattern), self.users, "user that you can see")
        return [ListedOwner(Owner(user=pattern if is_slug(pattern) else self._slug(pattern)))]

    def _slug(self, name: str) -> str:
        slug = name if is_slug(name) else self._api.user_slug(name)
        if slug is None:
            raise NoMatchError(f"There is no user called {name}.")
        return slug

    def _like(
        self, pattern: str, exact: Owner, listed: t.Callable[[], list[ListedOwner]], what: str
    ) -> list[ListedOwner]:
        """Listed owners that a pattern matches. An exact name needs no listing.

        :raises NoMatchError: if a glob matches nothing.
        """
        glob = is_glob(pattern)
        found = [entry for entry in listed() if matches(pattern, entry.key)] if glob or self._whole else []
        if found:
            return found
        if not glob:
            return [ListedOwner(exact.canonical)]
        # Users that could not be listed are a failure already.
        unlisted = bool(exact.user) and any(failure.owner == "users" for failure in self.failures)
        if self._whole and (pattern in _EVERYTHING or unlisted):
            return []
        raise NoMatchError(f"The glob {pattern} matches no {what}.")

    def _repositories_like(self, patterns: t.Sequence[str], keep_errors: bool) -> t.Iterator[list[ListedOwner]]:
        """For each pattern its repositories; each project is asked once."""
        projects = {pattern: self._projects_of(pattern) for pattern in patterns}
        asked = [
            project
            for pattern, found in projects.items()
            for project in found
            if self._whole or is_glob(pattern.partition("/")[2])
        ]
        guessed = {project.key: project.guessed for project in asked}
        listed = self.repositories(list(guessed), keep_errors)
        for key, answer in listed.items():
            if isinstance(answer, BitbucketError):
                # Asking once more could lock the account.
                if answer.reason == "credential" or (answer.reason in FOR_ALL and not self._whole):
                    raise answer
                if not (guessed[key] and isinstance(answer, NotFoundError)):
                    self.failures.append(Failure.of(f"{Owner(project=key).path}/repos", answer))
        for pattern, found in projects.items():
            key, _slash, slug = pattern.partition("/")
            yield self._tried(
                f"projects/{key}/repos/{slug}",
                self._repositories_in,
                pattern,
                [project.key for project in found],
                listed,
            )

    def _projects_of(self, pattern: str) -> list[ListedOwner]:
        key, _slash, slug = pattern.partition("/")
        return self._tried(f"projects/{key}/repos/{slug}", self._projects_like, key)

    def _repositories_in(
        self, pattern: str, keys: t.Sequence[str], listed: t.Mapping[str, list[ListedOwner] | BitbucketError]
    ) -> list[ListedOwner]:
        slug = pattern.partition("/")[2]
        found: list[ListedOwner] = []
        for key in keys:
            answer = listed.get(key, [])
            if isinstance(answer, BitbucketError):
                continue
            matching = [entry for entry in answer if matches(slug, entry.key)]
            exact = [] if is_glob(slug) else [ListedOwner(Owner(project=key, repository=slug).canonical)]
            found.extend(matching or exact)
        unlisted = any(isinstance(listed.get(key), BitbucketError) for key in keys)
        if found or unlisted or not keys or (self._whole and slug == "*"):
            return found
        raise NoMatchError(f"The glob {pattern} matches no repository that you can see.")


def resolve(declared: DeclaredOwners, api: DataCenter, archived: bool = False, concurrency: int = 1) -> Resolved:
    """The owners that a task declares, asking the server for what only it knows.

    A glob without a match, and a user that does not exist, are failures: the other owners are returned.

    :param archived: whether globs also match archived repositories.
    :raises BitbucketError: if nothing can be asked at all, or the caller cannot be identified.
    """
    known = offline(declared)
    if known is not None:
        return Resolved(known, [])
    discovery = Discovery(api, Workers(concurrency), archived=archived)
    return Resolved(distinct([entry.owner for entry in discovery.find(declared)]), discovery.failures)


def resolve_one(declared: DeclaredOwners, api: DataCenter) -> Owner:
    """The one owner of :func:`declared_owner`.

    :raises BitbucketError: if it does not exist.
    """
    owners, failures = resolve(declared, api)
    if failures:
        raise BitbucketError(failures[0].msg, failures[0].reason)
    return owners[0]


def list_tokens(
    owners: t.Sequence[Owner], api: DataCenter, workers: Workers
) -> tuple[list[tuple[Owner, Listing]], list[Failure]]:
    """The tokens of each owner, and the owners that did not list theirs.

    :raises BitbucketError: as :meth:`Workers.each`.
    """
    listings: list[tuple[Owner, Listing]] = []
    failures: list[Failure] = []
    for owner, answer in zip(owners, workers.each(api.tokens, owners)):
        if isinstance(answer, BitbucketError):
            failures.append(Failure.of(owner.path, answer))
        else:
            listings.append((owner, answer))
    return listings, failures
