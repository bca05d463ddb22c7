# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whose token has an id? No call of Bitbucket tells, so every owner that the caller may see is asked; reads only."""

from __future__ import annotations

import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    FOR_ALL,
    BitbucketError,
    InputError,
    NotFoundError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner, Token
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Workers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter import _owners
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter, Listing
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import DeclaredOwners

# How often a listing that has changed meanwhile is asked for again.
_MOST_LISTINGS = 4

_Item = t.TypeVar("_Item")
_Result = t.TypeVar("_Result")


class Found(t.NamedTuple):
    """A token with its owner, and the server's clock when it was listed."""

    owner: Owner
    token: Token
    now: int | None


class Walk:
    """Looks for tokens by their ids and ends as soon as it has all: a secret names nothing but an id, so no two tokens
    of a server can share one.
    """

    def __init__(self, api: DataCenter, ids: t.Collection[str], concurrency: int) -> None:
        self.found: list[Found] = []
        #: Owners that did not answer, or refused.
        self.failures: list[dict[str, t.Any]] = []
        #: What ended the walk early, so that ``failures`` does not name everybody who was not asked.
        self.ended: BitbucketError | None = None
        self._begun = False
        self._api = api
        self._ids = frozenset(ids)
        self._missing = set(ids)
        self._workers = Workers(concurrency)

    def among(self, declared: DeclaredOwners) -> None:
        """Ask the declared owners; where none is declared, everyone.

        :raises BitbucketError: if no owner can be asked.
        """
        if declared.me:
            self._everywhere()
        else:
            found = _owners.resolve(declared, self._api, archived=True)
            self.failures.extend(failure._asdict() for failure in found.failures)
            self._ask(found.owners)

    def _everywhere(self) -> None:
        if not self._missing:
            return
        projects = self._api.projects(administered=False)
        users = self._users()
        listed = {key.casefold() for key in projects}
        self._ask([*(Owner(project=key) for key in projects), *(Owner(user=slug) for slug in users)])
        # Whether the listing has personal projects is not known; that their keys are ~slug is.
        personal = [Owner(project=f"~{slug}") for slug in users if f"~{slug}".casefold() not in listed]
        absent = self._ask(personal, if_any=True)
        self._ask_repositories([*projects, *(owner.project for owner in personal if owner not in absent)])

    def _users(self) -> list[str]:
        """The users whose tokens the caller may see: an administrator's are all, anybody else's is the caller."""
        try:
            return self._api.users()
        except BitbucketError as error:
            # Not for 401 without a reason: projects were listed, so it is not the credential that is wrong.
            if error.reason in FOR_ALL and error.reason != "credential":
                raise
            only = "Only an administrator who signs in without an access token can look at everybody's personal tokens"
            self._fail("users", BitbucketError(f"{only}; the caller's own were looked at. {error}", error.reason))
        try:
            return [owner.user for owner in _owners.resolve(DeclaredOwners(me=True), self._api).owners]
        except InputError:
            # The token of a project or repository is no user's.
            return []

    def _ask_repositories(self, projects: t.Sequence[str]) -> None:
        repositories: list[Owner] = []
        for key, slugs in zip(projects, self._each(self._repositories, projects)):
            if isinstance(slugs, BitbucketError):
                self._fail(f"{Owner(project=key).path}/repos", slugs)
            else:
                repositories.extend(Owner(project=key, repository=slug) for slug in slugs)
        self._ask(repositories)

    def _repositories(self, project: str) -> list[str]:
        return self._api.repositories(project, archived=True) if self._missing else []

    def _ask(self, owners: t.Sequence[Owner], if_any: bool = False) -> set[Owner]:
        """Look at the tokens of ``owners``.

        :param if_any: whether it is fine that an owner does not exist; those are returned.
        """
        absent = set()
        for owner, listing in zip(owners, self._each(self._tokens, owners)):
            if isinstance(listing, Listing):
                self.found.extend(Found(owner, token, listing.now) for token in listing.tokens)
            elif if_any and isinstance(listing, NotFoundError):
                absent.add(owner)
            else:
                self._fail(owner.path, listing)
        return absent

    def _each(self, function: t.Callable[[_Item], _Result], items: t.Sequence[_Item]) -> list[_Result | BitbucketError]:
        """What ``function`` says of each. Tokens that were found can be revoked, whatever ends the walk afterwards.

        :raises BitbucketError: if the first one fails for a reason that holds for all.
        """
        results: list[_Result | BitbucketError]
        try:
            results = self._workers.each(function, items)
        except BitbucketError as error:
            if not self._begun:
                raise
            # The workers try nothing more, and say so of each of the others.
            results = [error, *self._workers.each(function, items[1:])]
        self._begun = self._begun or bool(items)
        errors = (result for result in results if isinstance(result, BitbucketError))
        self.ended = self.ended or next((error for error in errors if error.reason in FOR_ALL), None)
        return results

    def _tokens(self, owner: Owner) -> Listing:
        """Of the owner's tokens those that are looked for."""
        if not self._missing:
            return Listing((), None)
        listing = self._api.tokens(owner)
        if listing.paged and not self._missing <= {token.id for token in listing.tokens}:
            listing = self._steady(owner, listing)
        wanted = tuple(token for token in listing.tokens if token.id in self._ids)
        self._missing.difference_update(token.id for token in wanted)
        return Listing(wanted, listing.now)

    def _steady(self, owner: Owner, listing: Listing) -> Listing:
        """The listing once it says the same twice, so that no token can have moved past what was read.

        :raises BitbucketError: where it goes on changing.
        """
        for _again in range(_MOST_LISTINGS):
            before, listing = listing, self._api.tokens(owner)
            if {token.id for token in before.tokens} == {token.id for token in listing.tokens}:
                return listing
        raise BitbucketError(
            f"The tokens of {owner.label} changed each time they were listed, so one may have been missed: run again "
            "while they do not change."
        )

    def _fail(self, path: str, error: BitbucketError) -> None:
        self.failures.append({"owner": path, "reason": error.reason, "msg": str(error)})
