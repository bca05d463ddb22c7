# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who there is: projects, repositories and users, with what Bitbucket says of each beside its tokens."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _pages
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._client import Client
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._datacenter import path_part
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._errors import AnswerError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._model import Owner

_API = "/rest/api/latest"
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
        return self._places(f"{_API}/projects", {}, "key", _project)

    def repositories(self, project: str) -> list[Place]:
        """Every repository of a project, archived ones too, which Bitbucket hides by default."""
        query = {"projectkey": project, "archived": "ALL"}
        return self._places(f"{_API}/repos", query, "slug", lambda data, slug: _repository(data, project, slug))

    def users(self, administration: bool) -> list[Place]:
        """Every user that the caller may see, or everyone that administration lists."""
        return self._places(f"{_API}/admin/users" if administration else f"{_API}/users", {}, "slug", _user)

    def _places(
        self, path: str, query: t.Mapping[str, t.Any], key: str, make: t.Callable[[dict[str, t.Any], str], Place]
    ) -> list[Place]:
        """Each entry once, even where pages shift while they are read."""
        found: dict[str, Place] = {}
        for value, _answer in _pages.by_start(self._client, path, query):
            if value is None:
                continue
            name = path_part(value.get(key))
            if name is None:
                raise AnswerError(f"GET {path}: an entry of the listing has no usable {key}.")
            found[name] = make(value, name)
        return list(found.values())


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
    """A text without lone surrogates, which JSON may hold and no file could be written with; else nothing."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""
