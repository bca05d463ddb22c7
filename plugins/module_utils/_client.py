# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Requests as Bitbucket wants them: signed in, retried where that is safe, held back when asked to, page by page."""

from __future__ import annotations

import base64
import email.utils
import ipaddress
import json
import threading
import time
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _answers, _secret
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._answers import Answer
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._errors import (
    AnswerError,
    BitbucketError,
    ConnectError,
    InputError,
    LostAnswerError,
)

if t.TYPE_CHECKING:
    from ansible_collections.tokensmith.bitbucket.plugins.module_utils._transport import Exchange, Transport


#: How often a request is sent at most when the server or the network fails.
MAX_ATTEMPTS = 4
#: Seconds that one request waits in all because of 429; a server that asks for more has failed.
MAX_RATE_WAIT = 600
#: What is asked for; a server that allows less sends less.
PAGE_SIZE = 1000

_GATEWAY_FAILURES = (502, 503, 504)
# A listing longer than this is a loop, not a Bitbucket.
_MAX_PAGES = 10_000


@dataclass(frozen=True)
class Credential:
    """Who signs in: a user with a password, or the bearer of a token."""

    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @property
    def bearer(self) -> bool:
        """Whether a token signs in by itself."""
        return bool(self.token)

    @property
    def header(self) -> str:
        """The Authorization header."""
        if self.token:
            return f"Bearer {self.token}"
        return f"Basic {self._basic}"

    @property
    def token_id(self) -> str | None:
        """The id of the access token that signs in, also where it stands in for the password."""
        return _secret.token_id(self.token or self.password)

    @property
    def _basic(self) -> str:
        # An environment that is not UTF-8 gives its bytes as surrogates: they go out as they came in.
        return base64.b64encode(f"{self.username}:{self.password}".encode("utf-8", "surrogateescape")).decode("ascii")

    def clean(self, text: str) -> str:
        """``text`` without this credential, in case a server or a proxy echoes it."""
        for value in filter(None, (self.token, self.password, self._basic if self.password else "")):
            text = text.replace(value, "[credential]")
        return text


class RateGate:
    """Holds every worker back together when the server says that its rate limit is exceeded."""

    def __init__(self, sleep: t.Callable[[float], None]) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def wait(self) -> None:
        """Return as soon as requests may be sent."""
        with self._lock:
            delay = self._closed_until - time.monotonic()
        if delay > 0:
            self._sleep(delay)

    def close(self, seconds: float) -> None:
        """Hold all requests back for ``seconds`` from now."""
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)


class Client:
    """Bitbucket's HTTP interface for one caller. Safe to share between threads.

    :param url: the base URL, with a context path where the instance has one.
    :raises InputError: where ``url`` is not one.
    """

    def __init__(
        self, url: str, credential: Credential, transport: Transport, sleep: t.Callable[[float], None] = time.sleep
    ) -> None:
        self.url = _base(url)
        self.credential = credential
        self._transport = transport
        self._sleep = sleep
        self._gate = RateGate(sleep)

    def get(self, path: str, query: t.Mapping[str, t.Any] | None = None) -> Answer:
        """Read; repeated after failures."""
        return self._request("GET", path, query, None, repeatable=True)

    def post(self, path: str, body: t.Mapping[str, t.Any]) -> Answer:
        """Update an item; repeated after failures, since it says the same each time."""
        return self._request("POST", path, None, body, repeatable=True)

    def delete(self, path: str) -> Answer:
        """Delete an item; repeated after failures."""
        return self._request("DELETE", path, None, None, repeatable=True)

    def create(self, path: str, body: t.Mapping[str, t.Any]) -> Answer:
        """PUT, which makes something new each time: repeated only where the server certainly did not do it.

        :raises LostAnswerError: where it may have been done.
        """
        return self._request("PUT", path, None, body, repeatable=False)

    def pages(self, path: str, query: t.Mapping[str, t.Any] | None = None) -> t.Iterator[tuple[t.Any, Answer]]:
        """Every value of a paged listing with the answer it came in; an empty listing yields one ``None``.

        :raises AnswerError: where an answer is not a page, or the pages do not come to an end.
        """
        start: int | None = 0
        for _page in range(_MAX_PAGES):
            if start is None:
                return
            answer = self.get(path, {**(query or {}), "start": start, "limit": PAGE_SIZE})
            values, following = _page_of(answer.data, f"GET {path}", start)
            if start == 0 and not values:
                yield None, answer
            for value in values:
                yield value, answer
            start = following
        raise AnswerError(f"GET {path}: the listing does not come to an end.")

    def as_bearer(self, token: str) -> Client:
        """The same server for the bearer of ``token``."""
        return Client(self.url, Credential(token=token), self._transport, self._sleep)

    def _request(
        self,
        method: str,
        path: str,
        query: t.Mapping[str, t.Any] | None,
        body: t.Mapping[str, t.Any] | None,
        repeatable: bool,
    ) -> Answer:
        what = f"{method} {path}"
        url = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        exchange = self._repeat(method, url, body, what, repeatable)
        clean = self.credential.clean
        if 200 <= exchange.status < 300:
            return _answers.parsed(exchange, what)
        error = _answers.error_for(exchange, what, self.credential.bearer, clean)
        if exchange.status >= 500 and not repeatable:
            raise LostAnswerError(str(error))
        raise error

    def _repeat(
        self, method: str, url: str, body: t.Mapping[str, t.Any] | None, what: str, repeatable: bool
    ) -> Exchange:
        """Send until there is an answer that more sending would not better."""
        attempt, limited, waited = 1, 0, 0.0
        while True:
            self._gate.wait()
            try:
                exchange = self._transport.exchange(method, url, self._headers(), _encoded(body))
            except BitbucketError as error:
                again = isinstance(error, ConnectError) or (repeatable and isinstance(error, LostAnswerError))
                if not again or attempt == MAX_ATTEMPTS:
                    raise _about(what, error) from None
            else:
                limited += exchange.status == 429
                pause = _rate_pause(exchange, limited)
                if exchange.status == 429 and waited + pause <= MAX_RATE_WAIT:
                    waited += pause
                    self._gate.close(pause)
                    continue
                if not (repeatable and exchange.status in _GATEWAY_FAILURES) or attempt == MAX_ATTEMPTS:
                    return exchange
            self._sleep(0.5 * 2 ** (attempt - 1))
            attempt += 1

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": self.credential.header,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "X-Atlassian-Token": "no-check",
            "Cache-Control": "no-cache",
            "User-Agent": "tokensmith.bitbucket",
        }


def _base(url: str) -> str:
    if not _is_web_address(url):
        raise InputError("`url` must be Bitbucket's base URL, such as https://bitbucket.example.com or .../bitbucket.")
    parts = urlsplit(url.strip())
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InputError("`url` must be a plain base URL: no user, password, query or fragment in it.")
    return url.strip().rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether what is sent to ``host`` stays on this machine; any other name is what some resolver makes of it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").encode("idna")
        return parts.scheme in ("http", "https") and bool(host) and parts.port != 0
    except ValueError:
        return False


def _encoded(body: t.Mapping[str, t.Any] | None) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _about(what: str, error: BitbucketError) -> BitbucketError:
    """The same error with method and path before it."""
    if isinstance(error, LostAnswerError):
        return LostAnswerError(f"{what}: {error}", error.token_id)
    return type(error)(f"{what}: {error}")


def _rate_pause(exchange: Exchange, times: int) -> float:
    """Seconds to wait after a 429: what ``Retry-After`` says as a number or a date, else a growing pause."""
    text = exchange.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return max(1.0, float(text))
    try:
        until = email.utils.parsedate_to_datetime(text).timestamp()
        now = email.utils.parsedate_to_datetime(exchange.headers.get("date", "")).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return min(60.0, 2.0 * times)
    return max(1.0, until - now)


def _page_of(data: t.Any, what: str, start: int) -> tuple[list[t.Any], int | None]:
    """The values of one page and where the next begins (``None`` after the last)."""
    values = data.get("values") if isinstance(data, dict) else None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise AnswerError(f"{what}: the answer is not a page of a listing.")
    if not isinstance(data.get("isLastPage"), bool):
        raise AnswerError(f"{what}: the answer does not say whether more pages follow.")
    if data["isLastPage"]:
        return values, None
    following = data.get("nextPageStart")
    if not isinstance(following, int) or isinstance(following, bool) or following <= start:
        raise AnswerError(f"{what}: the answer promises another page but not where it begins.")
    return values, following
