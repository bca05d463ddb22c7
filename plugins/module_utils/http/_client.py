# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Requests as Bitbucket wants them: signed in, retried where that is safe, held back when asked to."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
import typing as t
from dataclasses import dataclass, field
from urllib.parse import unquote, urlencode, urlsplit

from ..core import _secret
from ..core._errors import (
    BitbucketError,
    CertificateError,
    ConnectError,
    GuardError,
    InputError,
    LockoutError,
    LostAnswerError,
    NotFoundError,
)
from ..core._redact import redacted
from ..core._times import from_iso
from . import _addresses, _answers
from ._answers import Answer, Product

if t.TYPE_CHECKING:
    from ._transport import Exchange, Transport


#: How often a request is sent at most when the server or the network fails.
MAX_ATTEMPTS = 4
#: Seconds that one request waits in all because of 429; a server that asks for more has failed.
MAX_RATE_WAIT = 600

_GATEWAY_FAILURES = (502, 503, 504)
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_API_TOKENS = "api-tokens"
_ONE_API_TOKEN = re.compile(r"(.*)/users/([^/]+)/manage/api-tokens/([^/]+)")

# Passwords below this length may well be in names that servers really have.
_SHORTEST = 12

#: The parameters of a request: names and values, or a query string that the server itself wrote.
Query = t.Union[t.Mapping[str, t.Any], str]
#: What a request carries: something for JSON, an encoded form, or nothing.
Body = t.Union[t.Mapping[str, t.Any], str, None]


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

    def repeated_in(self, name: str) -> bool:
        """Whether a server that echoes what it was sent made this name. One's own name is no echo, though it may be the
        password as well, and a short password is in names that have nothing to do with it.
        """
        # A personal project is called as its user is.
        if name.casefold().removeprefix("~") == self.username.casefold():
            return False
        return any(len(secret) >= _SHORTEST and secret in name for secret in (self._basic, self.password, self.token))

    def clean(self, text: str, *others: str) -> str:
        """``text`` without this credential, in case a server or a proxy echoes it, and without the other secrets."""
        return redacted(text, (self._basic if self.password else "", self.password, self.token, *others))


class RateGate:
    """Holds every worker back together when the server says that its rate limit is exceeded."""

    def __init__(self, sleep: t.Callable[[float], None]) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def wait(self) -> None:
        """Return as soon as requests may be sent. While this waits, another worker may be told of a longer pause."""
        waited_until = 0.0
        while True:
            with self._lock:
                closed_until = self._closed_until
            delay = closed_until - time.monotonic()
            if delay <= 0 or closed_until <= waited_until:
                return
            self._sleep(delay)
            waited_until = closed_until

    def close(self, seconds: float) -> None:
        """Hold all requests back for ``seconds`` from now."""
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + seconds)


class Client:
    """Bitbucket's HTTP interface for one caller. Safe to share between threads.

    :param url: the base URL, with a context path where the instance has one.
    :param product: whose errors to expect.
    :raises InputError: if ``url`` is not one.
    """

    def __init__(
        self,
        url: str,
        credential: Credential,
        transport: Transport,
        sleep: t.Callable[[float], None] = time.sleep,
        product: Product = _answers.DATA_CENTER,
    ) -> None:
        self.url = base_url(url, product.option)
        self.credential = credential
        self.product = product
        self._transport = transport
        self._sleep = sleep
        self._gate = RateGate(sleep)
        self._redacted: set[str] = set()

    def redact_also(self, secret: str) -> None:
        """Never show ``secret``, which is part of what will be sent."""
        self._redacted.add(secret)

    def clean(self, text: str) -> str:
        """``text`` without anything secret that this client sends."""
        return self.credential.clean(text, *self._redacted)

    def get(self, path: str, query: Query | None = None) -> Answer:
        """Read; repeated after failures."""
        return self._request("GET", path, query, None, repeatable=True)

    def post(self, path: str, body: t.Mapping[str, t.Any]) -> Answer:
        """Update an item of Data Center; repeated after failures, since it says the same each time."""
        return self._request("POST", path, None, body, repeatable=True)

    def put(self, path: str, body: t.Mapping[str, t.Any]) -> Answer:
        """Update an item of Cloud; repeated after failures, since it says the same each time."""
        return self._request("PUT", path, None, body, repeatable=True)

    def delete(self, path: str) -> Answer:
        """Delete an item; repeated after failures.

        :raises GuardError: if it could delete more than one API token.
        """
        return self._request("DELETE", path, None, None, repeatable=True)

    def create(self, path: str, body: t.Mapping[str, t.Any], method: str = "PUT") -> Answer:
        """Make something new each time: repeated only where the server certainly did not do it.

        :param method: Data Center creates with PUT, Cloud with POST.
        :raises LostAnswerError: if it may have been done.
        """
        return self._request(method, path, None, body, repeatable=False)

    def post_form(self, path: str, fields: t.Mapping[str, str]) -> Answer:
        """Send a form, as OAuth 2.0 wants it; repeated after failures."""
        return self._request("POST", path, None, urlencode(fields), repeatable=True)

    def as_bearer(self, token: str) -> Client:
        """The same server for the bearer of ``token``, behind the same gate."""
        client = Client(self.url, Credential(token=token), self._transport, self._sleep, self.product)
        client._gate = self._gate
        return client

    def _request(
        self,
        method: str,
        path: str,
        query: Query | None,
        body: Body,
        repeatable: bool,
    ) -> Answer:
        what = f"{method} {path}"
        text = query if isinstance(query, str) else urlencode(query or {})
        url = f"{self.url}{path}" + (f"?{text}" if text else "")
        if method == "DELETE" and _may_revoke_many(url):
            raise GuardError(f"{what}: refused before it was sent, since it could revoke more than one API token.")
        exchange = self._repeat(method, url, body, what, repeatable)
        clean = self.clean
        if 200 <= exchange.status < 300:
            return _answers.parsed(exchange, what, clean, self.product.option)
        if 300 <= exchange.status < 400:
            raise _answers.redirected(exchange, what, clean, self.product.option, self.url)
        error = self.product.error_for(exchange, what, self.credential.bearer, clean)
        if self.product is _answers.DATA_CENTER:
            error.add(self._advice(error))
        if exchange.status >= 500 and not repeatable:
            raise LostAnswerError(str(error))
        raise error

    def _advice(self, error: BitbucketError) -> str:
        """What most often causes an error of Data Center, if the options show it."""
        if isinstance(error, NotFoundError):
            return _answers.url_advice(self.url) if error.foreign or _answers.is_page(self.url) else ""
        if not isinstance(error, LockoutError) or self.credential.bearer:
            return ""
        if _secret.kind(self.credential.password) == _secret.HTTP_ACCESS_TOKEN:
            return (
                "`password` holds an access token. One of a project or repository signs in as `token`; a personal one "
                "also as the password of its own user."
            )
        if "@" in self.credential.username:
            return "`username` is an e-mail address: Bitbucket Data Center expects the user name."
        return ""

    def _repeat(self, method: str, url: str, body: Body, what: str, repeatable: bool) -> Exchange:
        """Send until there is an answer that more sending would not better."""
        attempt, limited, waited = 1, 0, 0.0
        while True:
            self._gate.wait()
            try:
                exchange = self._transport.exchange(method, url, self._headers(body), _encoded(body))
            except BitbucketError as error:
                again = isinstance(error, ConnectError) or (repeatable and isinstance(error, LostAnswerError))
                again = again and not isinstance(error, CertificateError)
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

    def _headers(self, body: Body) -> dict[str, str]:
        return {
            "Authorization": self.credential.header,
            "Accept": _JSON,
            "Accept-Encoding": "identity",
            "Content-Type": _FORM if isinstance(body, str) else _JSON,
            "X-Atlassian-Token": "no-check",
            "Cache-Control": "no-cache",
            "User-Agent": "tokensmith.bitbucket",
        }


def _may_revoke_many(url: str) -> bool:
    """Whether a DELETE of ``url`` is anything but the one request that revokes one API token of one account.

    The organization has a resource of the same name, and deleting that revokes the tokens of everyone (C12). So what
    is allowed is listed rather than what is not: no encoding or dot segment can make the one look like the other.
    """
    path = urlsplit(url).path
    if _API_TOKENS not in _plain(path).lower():
        return False
    one = _ONE_API_TOKEN.fullmatch(path)
    if one is None or _API_TOKENS in _plain(one.group(1)).lower():
        return True
    return any(part in (".", "..") or "/" in part or "\\" in part for part in map(_plain, one.groups()[1:]))


def _plain(path: str) -> str:
    """``path`` without percent-encoding, however often it was applied."""
    while path != unquote(path):
        path = unquote(path)
    return path


def base_url(url: str, option: str) -> str:
    """``url`` without what a base URL has no use for.

    :raises InputError: if it is not valid, naming the option.
    """
    text = url.strip()
    if not _addresses.is_web_address(text):
        raise InputError(
            f"`{option}` must be Bitbucket's base URL, such as https://bitbucket.example.com or .../bitbucket."
        )
    if not _addresses.is_bare(text):
        raise InputError(f"`{option}` must be a plain base URL: no user, password, query or fragment in it.")
    return text.rstrip("/")


def _encoded(body: Body) -> bytes | None:
    if body is None:
        return None
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def _about(what: str, error: BitbucketError) -> BitbucketError:
    """The same error with method and path before it."""
    if isinstance(error, LostAnswerError):
        return LostAnswerError(f"{what}: {error}", error.token_id)
    return type(error)(f"{what}: {error}")


def _rate_pause(exchange: Exchange, times: int) -> float:
    """Seconds to wait after a 429, by ``Retry-After`` (a number or a date) or ``X-RateLimit-Reset``, else growing."""
    text = exchange.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return max(1.0, float(text))
    now = _answers.clock(exchange.headers)
    until = _answers.http_date(text)
    if until is None:
        until = from_iso(exchange.headers.get("x-ratelimit-reset", ""))
    if now is None or until is None:
        return min(60.0, 2.0 * times)
    return max(1.0, (until - now) / 1000)
