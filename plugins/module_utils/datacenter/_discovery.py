# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which owners there are: what a server lists, and what declared names and globs mean among them. Reads only."""

from __future__ import annotations

import contextlib
import typing as t

from ..core._errors import FOR_ALL, BitbucketError, Failure, ForbiddenError, InputError, LockoutError, NotFoundError
from ..core._model import ListedOwner, Owner
from ..core._workers import Interruption, Workers
from ._api import DataCenter, Listing
from ._owners import DeclaredOwners, is_glob, is_slug, matches

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

        return dict(zip(keys, self._workers.each(ask, keys, keep_errors=keep_errors)))

    def personal(self, users: t.Sequence[ListedOwner]) -> list[ListedOwner]:
        """Personal projects of ``users`` that are not listed. They may not exist.

        Whether Bitbucket lists personal projects is not known; that their keys are ``~slug`` is.
        """
        listed = {project.key.casefold() for project in self.projects()}
        guesses = (ListedOwner(Owner(project=f"~{user.key}"), user.name, guessed=True) for user in users)
        return [guess for guess in guesses if guess.key.casefold() not in listed]

    def users(self) -> list[ListedOwner]:
        """Users from both listings, by slug: the one for everyone may not show deactivated users."""
        if self._users is None:
            found: dict[str, ListedOwner] = {}
            for administration in (False, True):
                with self._failing("users"):
                    try:
                        found.update((user.key, user) for user in self._api.users(administration))
                    except (ForbiddenError, LockoutError, NotFoundError):
                        if not administration:
                            raise
                        # Administration refuses tokens and callers that are no administrators.
                        self.notes.append(_NO_ADMINISTRATION)
            self._users = sorted(found.values(), key=lambda user: user.key)
        return self._users

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
            self._list_projects(declared)
        projects: list[ListedOwner] = []
        users: list[ListedOwner] = []
        for pattern in declared.projects:
            with self._failing(f"projects/{pattern}"):
                projects.extend(self._projects_like(pattern))
        for name in declared.users:
            with self._failing(f"users/{name}"):
                users.extend(self._users_like(name))
        if declared.me:
            users.append(ListedOwner(self.me()))
        keep_errors = self._whole and bool(projects or users)
        repositories = self._repositories_like(declared.repositories, keep_errors)
        return list({listed.owner.canonical: listed for listed in (*projects, *repositories, *users)}.values())

    def _list_projects(self, declared: DeclaredOwners) -> None:
        """List the projects; also personal ones that are not listed, if a glob asks for them."""
        keys = [*declared.projects, *(pattern.partition("/")[0] for pattern in declared.repositories)]
        if not keys or any(project.key.startswith("~") for project in self.projects()):
            return
        if any(key.startswith("~") and is_glob(key) for key in keys):
            self._projects = [*self.projects(), *self.personal(self.users())]

    @contextlib.contextmanager
    def _failing(self, path: str) -> t.Iterator[None]:
        """Make an error the failure of ``path``, unless it holds for all."""
        try:
            yield
        except BitbucketError as error:
            if error.reason in FOR_ALL:
                raise
            self.failures.append(Failure.of(path, error))

    def _projects_like(self, pattern: str) -> list[ListedOwner]:
        listed = self.projects() if self._whole or is_glob(pattern) else []
        what = f"{pattern} matches no project that you {'administer' if self._administered else 'can see'}"
        return self._some(_like(pattern, listed, Owner(project=pattern)), pattern, what)

    def _users_like(self, name: str) -> list[ListedOwner]:
        if not self._whole:
            return [ListedOwner(Owner(user=self._slug(name)))]
        found = _like(name, self.users(), Owner(user=name))
        # Users that could not be listed are a failure already.
        unlisted = any(failure.owner == "users" for failure in self.failures)
        return self._some(found, name, f"{name} matches no user that you can see", certain=not unlisted)

    def _slug(self, name: str) -> str:
        slug = name if is_slug(name) else self._api.user_slug(name)
        if slug is None:
            raise NoMatchError(f"There is no user called {name}.")
        return slug

    def _repositories_like(self, patterns: t.Sequence[str], keep_errors: bool) -> list[ListedOwner]:
        """The repositories that patterns match. A project is asked once, unless only exact names need it."""
        projects: dict[tuple[str, str], list[ListedOwner]] = {}
        for key, _slash, slug in (pattern.partition("/") for pattern in patterns):
            with self._failing(f"projects/{key}/repos/{slug}"):
                projects[key, slug] = self._projects_like(key)
        asked = {
            project.key: project
            for (_key, slug), among in projects.items()
            for project in among
            if self._whole or is_glob(slug)
        }
        listed = self._listed_repositories(asked, keep_errors)
        unlisted = asked.keys() - listed.keys()
        found: list[ListedOwner] = []
        for (key, slug), among in projects.items():
            keys = [project.key for project in among if project.key not in unlisted]
            some = [entry for name in keys for entry in _like(slug, listed.get(name, []), Owner(name, repository=slug))]
            with self._failing(f"projects/{key}/repos/{slug}"):
                what = f"{key}/{slug} matches no repository that you can see"
                found.extend(self._some(some, slug, what, certain=0 < len(keys) == len(among)))
        return found

    def _listed_repositories(
        self, projects: t.Mapping[str, ListedOwner], keep_errors: bool
    ) -> dict[str, list[ListedOwner]]:
        """The repositories of the projects that listed theirs."""
        listed = {}
        for key, answer in self.repositories(list(projects), keep_errors).items():
            if not isinstance(answer, BitbucketError):
                listed[key] = answer
            # Asking once more could lock the account.
            elif answer.reason == "credential" or (answer.reason in FOR_ALL and not self._whole):
                raise answer
            elif not (projects[key].guessed and isinstance(answer, NotFoundError)):
                self.failures.append(Failure.of(f"{projects[key].owner.path}/repos", answer))
        return listed

    def _some(self, found: list[ListedOwner], pattern: str, what: str, certain: bool = True) -> list[ListedOwner]:
        """:raises NoMatchError: if ``found`` is empty, unless owners may be missing or need not exist."""
        if found or not certain or (self._whole and pattern in _EVERYTHING):
            return found
        raise NoMatchError(f"The glob {what}.")


def _like(pattern: str, listed: t.Sequence[ListedOwner], exact: Owner) -> list[ListedOwner]:
    """Listed owners that a pattern matches. An exact name need not be listed."""
    found = [entry for entry in listed if matches(pattern, entry.key)]
    return found if found or is_glob(pattern) else [ListedOwner(exact.canonical)]


def resolve(
    declared: DeclaredOwners,
    api: DataCenter,
    archived: bool = False,
    concurrency: int = 1,
    interruption: Interruption | None = None,
) -> tuple[list[Owner], list[Failure]]:
    """The owners that a task declares in Bitbucket's spelling, each once, and what could not be found.

    The server is asked only for globs, names of users and the caller.

    :param archived: whether globs also match archived repositories.
    :raises BitbucketError: if nothing can be asked at all, or the caller cannot be identified.
    """
    discovery = Discovery(api, Workers(concurrency, interruption=interruption), archived=archived)
    return [listed.owner.canonical for listed in discovery.find(declared)], discovery.failures


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
