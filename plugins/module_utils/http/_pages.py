# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Listings page by page, in the three ways that Bitbucket and Atlassian number them.

Each yields every value with the answer it came in; an empty listing yields one ``None``, so that its answer, and the
clock in it, is not lost.
"""

from __future__ import annotations

import typing as t
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from ..core._errors import AnswerError
from ._answers import Answer
from ._client import Client

#: What is asked for; a server that allows less sends less.
PAGE_SIZE = 1000
#: The most that Bitbucket Cloud gives at a time (C17).
CLOUD_PAGE_SIZE = 100

# A listing longer than this is a loop, not a Bitbucket: so many entries, so many pages of 25 (the least that servers
# put on one), so many bytes. What a run holds of a listing in memory stays below a few times the latter.
_MAX_ENTRIES = 100_000
_MAX_PAGES = _MAX_ENTRIES // 25
_MAX_LISTING = 64 * 1024 * 1024

Values = t.Iterator[tuple[t.Any, Answer]]


class _Measure:
    """How much of a listing has come."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pages = self._entries = self._bytes = 0

    def add(self, values: t.Sequence[t.Any], answer: Answer, last: bool) -> None:
        """Count one page.

        :raises AnswerError: if that is more than any listing has.
        """
        self._pages += 1
        self._entries += len(values)
        self._bytes += answer.size
        endless = self._pages >= _MAX_PAGES and not last
        if endless or self._entries > _MAX_ENTRIES or self._bytes > _MAX_LISTING:
            raise _endless(self._path)


def by_start(client: Client, path: str, query: t.Mapping[str, t.Any] | None = None) -> Values:
    """A listing of Data Center, whose pages say where the next begins.

    :raises AnswerError: if an answer is not a page, or the pages do not come to an end.
    """
    start: int | None = 0
    measure = _Measure(path)
    while start is not None:
        answer = client.get(path, {**(query or {}), "start": start, "limit": PAGE_SIZE})
        values, following = _numbered(answer.data, path, start)
        measure.add(values, answer, following is None)
        if start == 0 and not values:
            yield None, answer
        for value in values:
            yield value, answer
        start = following


def by_link(client: Client, path: str, query: t.Mapping[str, t.Any] | None = None) -> Values:
    """A listing of Bitbucket Cloud, whose pages link to the next.

    :raises AnswerError: if an answer is not a page, a link leads elsewhere, or the pages do not come to an end.
    """

    def following(data: dict[str, t.Any]) -> str | None:
        link = data.get("next")
        return None if link is None else _query_of(client, path, link)

    yield from _linked(client, path, {**(query or {}), "pagelen": CLOUD_PAGE_SIZE}, "values", following)


def by_cursor(client: Client, path: str, query: t.Mapping[str, t.Any] | None = None) -> Values:
    """A listing of Atlassian's administration API, whose pages link to the next or name a cursor.

    :raises AnswerError: if an answer is not a page, a link leads elsewhere, or the pages do not come to an end.
    """
    asked = {**(query or {}), "pageSize": CLOUD_PAGE_SIZE}

    def following(data: dict[str, t.Any]) -> str | None:
        links = data.get("links")
        known = isinstance(links, dict) and "next" in links
        link = links["next"] if isinstance(links, dict) and known else data.get("cursor")
        if not link:
            return None
        # It is not documented whether what is there is a link or a cursor only.
        if isinstance(link, str) and (not known or not link.startswith(("http://", "https://", "/", "?"))):
            return urlencode({**asked, "cursor": link})
        return _query_of(client, path, link)

    yield from _linked(client, path, asked, "data", following)


def _linked(
    client: Client,
    path: str,
    query: t.Mapping[str, t.Any],
    field: str,
    following: t.Callable[[dict[str, t.Any]], str | None],
) -> Values:
    asked = urlencode(query)
    seen: set[str] = set()
    empty = True
    measure = _Measure(path)
    while asked not in seen:
        seen.add(asked)
        answer = client.get(path, asked)
        values = _values(answer.data, field, path)
        another = following(answer.data)
        measure.add(values, answer, another is None)
        empty = empty and not values
        if empty and another is None:
            yield None, answer
        for value in values:
            yield value, answer
        if another is None:
            return
        asked = another
    raise _endless(path)


def _query_of(client: Client, path: str, link: t.Any) -> str:
    """What the link to another page asks for; the path stays that of the listing.

    The credential is sent there, so a link to another server is an error and not followed.
    """
    here = f"{client.url}{path}"
    try:
        target = urlsplit(urljoin(here, link)) if isinstance(link, str) else None
        same = target is not None and _origin(target) == _origin(urlsplit(here))
    except ValueError:
        target, same = None, False
    if target is None or not same or not target.query:
        raise AnswerError(f"GET {path}: the answer's link to the next page does not lead to the same listing.")
    return target.query


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or usual


def _endless(path: str) -> AnswerError:
    return AnswerError(f"GET {path}: the listing does not come to an end.")


def _values(data: t.Any, field: str, path: str) -> list[t.Any]:
    """The entries of one page.

    :raises AnswerError: if the answer is none.
    """
    values = data.get(field) if isinstance(data, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise AnswerError(f"GET {path}: the answer is not a page of a listing.")
    return values


def _numbered(data: t.Any, path: str, start: int) -> tuple[list[t.Any], int | None]:
    """The values of one page and where the next begins (``None`` after the last)."""
    values = _values(data, "values", path)
    if not isinstance(data.get("isLastPage"), bool):
        raise AnswerError(f"GET {path}: the answer does not say whether more pages follow.")
    if data["isLastPage"]:
        return values, None
    following = data.get("nextPageStart")
    if not isinstance(following, int) or isinstance(following, bool) or following <= start:
        raise AnswerError(f"GET {path}: the answer promises another page but not where it begins.")
    return values, following
