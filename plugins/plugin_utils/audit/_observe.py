# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the tokens of every owner, and reports the progress of a long audit."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ...module_utils.core._model import Token
from ...module_utils.core._progress import Progress
from ...module_utils.core._workers import Workers
from ...module_utils.datacenter import _owners
from ...module_utils.datacenter._api import DataCenter
from ...module_utils.datacenter._discovery import Discovery, list_tokens
from ...module_utils.http._client import Client
from ._model import Observed, ObservedOwner


def observe(client: Client, params: c.Mapping[str, t.Any], progress: Progress) -> Observed:
    """The tokens of all owners that the task asks for.

    :raises BitbucketError: if nothing can be read at all.
    """
    api, concurrency = DataCenter(client), params["concurrency"]
    declared = _owners.declared_owners(params, globs_for_users=True)
    # Each step has workers of its own: owners that were found are of use though not all could be found.
    workers = Workers(concurrency, progress.of("repositories of {} of {} projects"))
    discovery = Discovery(api, workers, administered=False, archived=True, whole=True)
    found = {listed.owner: listed for listed in discovery.find(declared)}
    workers = Workers(concurrency, progress.of("{} of {} owners"))
    listings, unread = list_tokens(list(found), api, workers)
    guessed = {owner.path for owner, listed in found.items() if listed.guessed}
    failures = [failure for failure in unread if not (failure.reason == "not_found" and failure.owner in guessed)]
    owners = (
        ObservedOwner(found[owner], tuple(_without_credential(token, client) for token in listing.tokens), listing.now)
        for owner, listing in listings
    )
    return Observed(client.url, tuple(owners), (*discovery.failures, *failures), tuple(discovery.notes))


def _without_credential(token: Token, client: Client) -> Token:
    """The token as files may show it, whatever the server repeats in its name."""
    return token._replace(name=client.clean(token.name)) if client.credential.repeated_in(token.name) else token
