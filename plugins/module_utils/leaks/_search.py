# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Finds tokens by their ids. No call of Bitbucket does that, so every owner that the caller may see is asked."""

from __future__ import annotations

import typing as t

from ..core._errors import FOR_ALL, BitbucketError, Failure, InputError, NotFoundError
from ..core._model import ListedOwner, Owner, Token
from ..core._workers import Workers
from ..datacenter._api import DataCenter, Listing
from ..datacenter._discovery import Discovery
from ..datacenter._owners import DeclaredOwners

# How often a listing that has changed meanwhile is asked for again.
_MOST_LISTINGS = 4
_ADMINISTRATOR = "Only an administrator who signs in without an access token can see the personal tokens of others"


class OwnedToken(t.NamedTuple):
    """A token with its owner, and the server's clock when it was listed."""

    owner: Owner
    token: Token
    now: int | None


class TokenSearch:
    """Searches tokens by their ids and ends as soon as it has all: a secret names nothing but an id, so no two tokens
    of a server can share one.
    """

    def __init__(self, api: DataCenter, ids: t.Collection[str], concurrency: int) -> None:
        self.found: list[OwnedToken] = []
        #: Owners that did not answer, or refused.
        self.failures: list[Failure] = []
        #: What ended the search early, so that ``failures`` does not name all that were not asked.
        self.ended: BitbucketError | None = None
        self._begun = False
        self._api = api
        self._ids = frozenset(ids)
        self._missing = set(ids)
        self._workers = Workers(concurrency)

    def among(self, declared: DeclaredOwners) -> None:
        """Ask the declared owners; if none is declared, everyone.

        :raises BitbucketError: if no owner can be asked.
        """
        discovery = Discovery(self._api, self._workers, administered=not declared.me, archived=True)
        if not declared.me:
            owners = discovery.find(declared)
            self.failures.extend(discovery.failures)
            self._ask(owners)
        elif self._missing:
            self._everywhere(discovery)

    def _everywhere(self, discovery: Discovery) -> None:
        projects = discovery.projects()
        users = self._users(discovery)
        self._ask([*projects, *users])
        absent = self._ask(discovery.personal(users))
        keys = [owner.key for owner in (*projects, *discovery.personal(users)) if owner not in absent]
        repositories: list[ListedOwner] = []
        if self._missing:
            listed = discovery.repositories(keys, keep_errors=self._begun)
            self._note(list(listed.values()))
            for key, answer in listed.items():
                if isinstance(answer, BitbucketError):
                    self.failures.append(Failure.of(f"{Owner(project=key).path}/repos", answer))
                else:
                    repositories.extend(answer)
        self._ask(repositories)

    def _users(self, discovery: Discovery) -> list[ListedOwner]:
        """The users whose tokens the caller may see: for an administrator all, for others the caller."""
        try:
            return self._api.users()
        except BitbucketError as error:
            # Not for 401 without a reason: projects were listed, so it is not the credential that is wrong.
            if error.reason in FOR_ALL and error.reason != "credential":
                raise
            message = f"{_ADMINISTRATOR}; the caller's own were looked at. {error}"
            self.failures.append(Failure.of("users", BitbucketError(message, error.reason)))
        try:
            return [ListedOwner(discovery.me())]
        except InputError:
            # The token of a project or repository belongs to no user.
            return []

    def _ask(self, owners: t.Sequence[ListedOwner]) -> set[ListedOwner]:
        """Look at the tokens of ``owners``, and return those that were guessed and do not exist.

        Tokens that were found can be revoked, whatever ends the search afterwards.

        :raises BitbucketError: if the very first one fails for a reason that holds for all.
        """
        absent = set()
        answers = self._workers.each(self._tokens, owners, keep_errors=self._begun)
        self._note(answers)
        for entry, answer in zip(owners, answers):
            if isinstance(answer, Listing):
                self.found.extend(OwnedToken(entry.owner, token, answer.now) for token in answer.tokens)
            elif entry.guessed and isinstance(answer, NotFoundError):
                absent.add(entry)
            else:
                self.failures.append(Failure.of(entry.owner.path, answer))
        return absent

    def _note(self, answers: t.Sequence[object]) -> None:
        self._begun = self._begun or bool(answers)
        errors = (answer for answer in answers if isinstance(answer, BitbucketError))
        self.ended = self.ended or next((error for error in errors if error.reason in FOR_ALL), None)

    def _tokens(self, entry: ListedOwner) -> Listing:
        """Of the owner's tokens those that are searched."""
        if not self._missing:
            return Listing((), None)
        listing = self._api.tokens(entry.owner)
        if listing.paged and not self._missing <= {token.id for token in listing.tokens}:
            listing = self._steady(entry.owner, listing)
        wanted = tuple(token for token in listing.tokens if token.id in self._ids)
        self._missing.difference_update(token.id for token in wanted)
        return Listing(wanted, listing.now)

    def _steady(self, owner: Owner, listing: Listing) -> Listing:
        """The listing once it says the same twice, so that no token can have moved past what was read.

        :raises BitbucketError: if it goes on changing.
        """
        for _again in range(_MOST_LISTINGS):
            before, listing = listing, self._api.tokens(owner)
            if {token.id for token in before.tokens} == {token.id for token in listing.tokens}:
                return listing
        raise BitbucketError(
            f"The tokens of {owner.label} changed each time they were listed, so one may have been missed: run again "
            "while they do not change."
        )
