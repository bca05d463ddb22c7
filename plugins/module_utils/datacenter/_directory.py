# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who there is: projects, repositories and users, with what Bitbucket says of each beside its tokens."""

from __future__ import annotations

import typing as t
from urllib.parse import unquote, urlsplit

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner, writable
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import API, entries
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client

ARCHIVED, DEACTIVATED = "archived", "deactivated"


class Place(t.NamedTuple):
    """An owner of tokens. ``title`` is its name for people, ``link`` its page in the browser, both empty if unknown.

    ``inactive`` is empty, :data:`ARCHIVED` or :data:`DEACTIVATED`; what the server does not say counts as active.
    """

    owner: Owner
    title: str = ""
    link: str = ""
    inactive: str = ""


class Directory:
    """What the server lists for its caller; reads only."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def projects(self) -> list[Place]:
        """Every project that the caller may see, personal ones too."""
        return self._places(f"{API}/projects", {}, "key", _project)

    def repositories(self, project: str) -> list[Place]:
        """Every repository of a project, archived ones too, which Bitbucket hides by default."""
        query = {"projectkey": project, "archived": "ALL"}
        return self._places(f"{API}/repos", query, "slug", lambda data, slug: _repository(data, project, slug))

    def users(self, administration: bool) -> list[Place]:
        """Every user that the caller may see, or everyone that administration lists."""
        path = f"{API}/admin/users" if administration else f"{API}/users"
        return self._places(path, {}, "slug", _user)

    def _places(
        self, path: str, query: t.Mapping[str, str], key: str, make: t.Callable[[dict[str, t.Any], str], Place]
    ) -> list[Place]:
        repeated = self._client.credential.repeated_in
        found = entries(self._client, path, query, key, make)
        return [place._replace(link="") if repeated(unquote(place.link)) else place for place in found]


def _project(data: dict[str, t.Any], key: str) -> Place:
    return Place(Owner(project=key), text_of(data.get("name")), link_of(data))


def _repository(data: dict[str, t.Any], project: str, slug: str) -> Place:
    inactive = ARCHIVED if data.get("archived") is True else ""
    return Place(Owner(project=project, repository=slug), text_of(data.get("name")), link_of(data), inactive)


def _user(data: dict[str, t.Any], slug: str) -> Place:
    inactive = DEACTIVATED if data.get("active") is False else ""
    title = text_of(data.get("displayName")) or text_of(data.get("name"))
    return Place(Owner(user=slug), title, link_of(data), inactive)


def link_of(data: t.Mapping[str, t.Any]) -> str:
    """The page that an answer names as its own; nothing but a web address without a credential is one."""
    links = data.get("links")
    own = links.get("self") if isinstance(links, dict) else None
    first = own[0] if isinstance(own, list) and own else None
    href = text_of(first.get("href")) if isinstance(first, dict) else ""
    try:
        parts = urlsplit(href)
    except ValueError:
        return ""
    sound = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    return href if sound and href.isprintable() and " " not in href else ""


def text_of(value: t.Any) -> str:
    """A text as it can be written; nothing for anything else."""
    return writable(value) if isinstance(value, str) else ""
