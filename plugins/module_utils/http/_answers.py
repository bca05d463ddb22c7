# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reading an answer: its JSON, its clock, and the sentence that an error status of Data Center becomes."""

from __future__ import annotations

import datetime
import email.utils
import html
import json
import re
import typing as t
from urllib.parse import SplitResult, urlsplit

from ..core._errors import (
    AnswerError,
    BitbucketError,
    ForbiddenError,
    LockoutError,
    NotFoundError,
    RateLimitError,
    StatusError,
    one_line,
)
from ..core._model import writable

if t.TYPE_CHECKING:
    from ._transport import Exchange


_LONGEST_MESSAGE = 300
_MOST_MESSAGES = 3
# Bitbucket did not exist before, and no clock that says otherwise is right.
_EARLIEST = 1262304000000  # 2010-01-01
_LATEST = 4102444800000  # 2100-01-01

# A created token's answer that was cut short, or broken, after its id. Only the first field is trusted: further on,
# an "id" may be that of the user.
_NAMED_TOKEN = re.compile(rb'\s*\{\s*"id"\s*:\s*"([0-9]{1,20})"')

#: An answer has no more objects, arrays and values than this: a page of 1,000 repositories has some 100,000, and each
#: takes a hundred bytes of memory or two, however small it is.
MAX_PARTS = 500_000
_TOO_MANY = f"the answer has more than {MAX_PARTS:,} parts, far more than Bitbucket sends at once, and was not read."

# Also half of a good pair, which does no harm.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

_NOT_PERMITTED = "AuthorisationException"
_LOCKED = "CaptchaRequiredAuthenticationException"

# What people copy from a browser or from the documentation behind the base URL.
_PAGE = re.compile(r"/(?:rest|projects|users|scm|plugins|dashboard|login|admin|repos)(?:/.*)?$")
_LOGIN = re.compile(
    r"/(?:[a-z0-9]+[._-])?(?:login|signin|sign-in|saml2?|sso|oauth2?|openid|authorize)(?:[._-][a-z0-9]+)?(?=/|$)",
    re.IGNORECASE,
)
_OWNER = re.compile(r"/(?:projects/[^/?]+(?:/repos/[^/?]+)?|users/[^/?]+)")

_BASIC_OFF = (
    "this instance refuses Basic authentication, as Bitbucket 10 does by default. An administrator can allow this "
    "user under Administration > Authentication methods; otherwise use an OAuth 2.0 token (`token`)"
)
_BEARER_HINT = (
    " An access token cannot act for its user where Bitbucket forbids it (creating tokens, administration): "
    "sign in with `username` and `password`, or with an OAuth 2.0 token."
)


class Answer(t.NamedTuple):
    """A successful answer. ``data`` is its JSON (``None`` if it had no body), ``size`` the length of that."""

    status: int
    data: t.Any
    headers: t.Mapping[str, str]
    size: int = 0

    @property
    def now(self) -> int | None:
        """The server's clock in milliseconds, or ``None`` if ``Date`` is missing or cannot be right."""
        return clock(self.headers)

    @property
    def user(self) -> str | None:
        """The name of the user that the server took the caller for; ``None`` for anonymous."""
        return self.headers.get("x-ausername") or None


def clock(headers: t.Mapping[str, str]) -> int | None:
    """The moment that ``Date`` says, where it can be right."""
    value = http_date(headers.get("date", ""))
    return value if value is not None and _EARLIEST <= value <= _LATEST else None


def http_date(text: str) -> int | None:
    """Milliseconds since the epoch for a date as HTTP writes it; ``None`` for other text, and for two of them."""
    if text.count(",") > 1:
        return None
    try:
        moment = email.utils.parsedate_to_datetime(text)
        # In HTTP a date is in GMT also where it does not say so; the machine's own zone has no part in it.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
        return int(moment.timestamp() * 1000)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


class TooManyPartsError(ValueError):
    """An answer of more values than memory should have to hold."""


class Product(t.NamedTuple):
    """What differs between the products that a client speaks to: how they say no, and which option has their URL.

    ``error_for`` takes what :func:`error_for` takes.
    """

    option: str
    error_for: t.Callable[[Exchange, str, bool, t.Callable[[str], str]], BitbucketError]


def parsed(exchange: Exchange, what: str, clean: t.Callable[[str], str], option: str = "url") -> Answer:
    """The answer to a request that succeeded.

    :param clean: takes the caller's own credentials out of the server's words.
    :param option: the option with the product's URL, for the message.
    :raises AnswerError: if the body is not JSON (a login page or a proxy's own, usually), or too much of it.
    """
    if not exchange.body.strip():
        return Answer(exchange.status, None, exchange.headers, len(exchange.body))
    try:
        data = loaded(exchange.body)
    except (ValueError, RecursionError) as error:
        named = _NAMED_TOKEN.match(exchange.body)
        many = isinstance(error, TooManyPartsError)
        why = _TOO_MANY if many else _not_json(exchange, clean, option)
        raise AnswerError(f"{what}: {why}", named.group(1).decode() if named else None) from None
    return Answer(exchange.status, data, exchange.headers, len(exchange.body))


def loaded(body: bytes) -> t.Any:
    """What the JSON says, in text that can be written: half a surrogate pair fits into no path, result or file.

    :raises TooManyPartsError: for more of it than memory should have to hold.
    :raises ValueError: for what is no JSON.
    :raises RecursionError: for what is nested without end.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_PARTS:
        raise TooManyPartsError
    text = body.decode("utf-8-sig")
    data = json.loads(text)
    return _mended(data) if _SURROGATE.search(text) else data


def _mended(data: t.Any) -> t.Any:
    if isinstance(data, str):
        return writable(data)
    if isinstance(data, list):
        return [_mended(value) for value in data]
    return {writable(key): _mended(value) for key, value in data.items()} if isinstance(data, dict) else data


def error_for(exchange: Exchange, what: str, bearer: bool, clean: t.Callable[[str], str]) -> BitbucketError:
    """The error that an unsuccessful answer stands for.

    :param what: method and path, as the message's beginning.
    :param bearer: whether the caller signed in with a token rather than a password.
    :param clean: takes the caller's own credentials out of the server's words.
    """
    status = exchange.status
    words, exception = _server_words(exchange, clean)
    said = f' The server said: "{words}"' if words else ""
    if status in (401, 403):
        return _denied(what, status, exception, words, said, bearer)
    if status == 404:
        missing = words if is_bitbuckets(exchange) and words else _not_found(exchange, clean)
        error = NotFoundError(f"{what}: {missing}", status, exception)
        error.foreign = not is_bitbuckets(exchange)
        error.empty = not exchange.body.strip()
        return error
    kind = RateLimitError if status == 429 else StatusError
    return kind(f"{what}: {other(status)}{said}", status, exception)


def is_bitbuckets(exchange: Exchange) -> bool:
    """Whether the body of an error is in Bitbucket's own form: a JSON object with a list of ``errors``."""
    if "html" in exchange.headers.get("content-type", ""):
        return False
    try:
        data = loaded(exchange.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and isinstance(data.get("errors"), list)


def is_page(url: str) -> bool:
    """Whether a base URL ends in what is behind it in a browser or in the documentation of REST."""
    return _PAGE.search(urlsplit(url).path) is not None


def url_advice(url: str) -> str:
    """What `url` should look like, for an answer that does not come from Bitbucket's REST API."""
    page = _PAGE.search(urlsplit(url).path)
    extra = f": remove {page[0]} from it" if page else ""
    return (
        "`url` must be Bitbucket's base URL, such as https://bitbucket.example.com, or https://host/bitbucket if it "
        f"has a context path{extra}."
    )


def redirected(exchange: Exchange, what: str, clean: t.Callable[[str], str], option: str, url: str) -> StatusError:
    """The error for a redirect, which no credential follows.

    :param option: the option with the base URL.
    :param url: that base URL.
    """
    location = clean(exchange.headers.get("location", "")).split("?")[0]
    why = _why_redirected(what, location, option, url)
    return StatusError(f"{what}: the server redirects to {shown(location) or 'nowhere'}{why}", exchange.status)


def _parts(location: str) -> SplitResult:
    try:
        return urlsplit(location)
    except ValueError:
        # Not a URL, as with half an IPv6 address.
        return urlsplit("")


def _why_redirected(what: str, location: str, option: str, url: str) -> str:
    if is_page(url):
        return f". {url_advice(url)}"
    here, there = urlsplit(url), _parts(location)
    asked, moved = _OWNER.search(what), _OWNER.search(there.path)
    same_host = there.hostname in (None, here.hostname)
    if asked and moved and asked[0] != moved[0] and same_host:
        return f": it was renamed or moved. Declare it as {shown(moved[0].lstrip('/'))}."
    # An owner may be called like a login page.
    if not (asked and moved and same_host) and _LOGIN.search(there.path):
        return (
            ", a login page: single sign-on or a proxy protects the REST API too. Have an administrator exclude /rest "
            "from it, or use an address of Bitbucket without it."
        )
    if there.hostname and there.hostname != here.hostname:
        return (
            f", another host. Credentials never follow a redirect. If Bitbucket has moved there, correct `{option}`; "
            "otherwise single sign-on protects the REST API too, and an administrator must exclude /rest from it."
        )
    return (
        f", and credentials never follow a redirect. Correct `{option}`: a missing context path, or http in place of "
        "https, is the usual cause."
    )


def _denied(what: str, status: int, exception: str, words: str, said: str, bearer: bool) -> BitbucketError:
    """401 also means "known, but not permitted"; only the exception's name tells (403 comes from filters)."""
    if exception == _LOCKED or "captcha" in words.lower():
        return LockoutError(
            f"{what}: Bitbucket has locked this account behind a CAPTCHA after failed logins. Log in once with a "
            "browser to unlock it, and correct the password before the next run.",
            status,
            _LOCKED,
        )
    if status == 403 and "basic auth" in words.lower():
        return LockoutError(f"{what}: {_BASIC_OFF}.", status, exception)
    if status == 403 and "xsrf" in words.lower():
        return ForbiddenError(
            f"{what}: the server's XSRF check refused the request: does a proxy in between drop or rewrite the "
            "headers X-Atlassian-Token or Content-Type?",
            status,
            exception,
        )
    if exception == _NOT_PERMITTED or status == 403:
        hint = _BEARER_HINT if bearer else ""
        return ForbiddenError(
            f"{what}: the caller is known but not permitted to do this.{said}{hint}", status, exception
        )
    if exception == "NoAccessAuthenticationException":
        return LockoutError(f"{what}: the account has no Bitbucket licence.{said}", status, exception)
    if exception == "AuthenticationRequiredException":
        return LockoutError(f"{what}: the server saw no credential it accepts.{said}", status, exception)
    which = "token" if bearer else "user name or password"
    reason = f"the {which} is wrong, expired or revoked" if bearer else f"the {which} is wrong"
    return LockoutError(
        f"{what}: {reason}. It is not tried again, since repeated failures lock accounts.{said}", status, exception
    )


def _not_found(exchange: Exchange, clean: t.Callable[[str], str]) -> str:
    if is_bitbuckets(exchange):
        return "it does not exist."
    kind = clean(exchange.headers.get("content-type", "")).partition(";")[0] or "no content type"
    return f"the answer (status 404, {shown(kind)}) does not come from Bitbucket's REST API."


def other(status: int) -> str:
    """The words for a status that has no sentence of its own."""
    if status == 429:
        return "the rate limit is still exceeded after waiting as the server asked."
    if status >= 500:
        return f"the server failed with status {status}."
    return f"refused with status {status}."


def _server_words(exchange: Exchange, clean: t.Callable[[str], str]) -> tuple[str, str]:
    """The server's own message and the last part of the exception's class name; Bitbucket has two shapes for them.

    Credentials are taken out first: whatever shortens or reshapes a text leaves parts of them.
    """
    if "html" in exchange.headers.get("content-type", ""):
        # Once with what stands for other characters replaced, since a credential may hold such characters.
        text = clean(html.unescape(clean(exchange.body.decode("utf-8", "replace"))))[:4096]
        return shown(re.sub(r"<[^>]*>", " ", text)), ""
    try:
        data = loaded(exchange.body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(data, dict):
        return "", ""
    errors = data.get("errors")
    entries = [entry for entry in errors if isinstance(entry, dict)] if isinstance(errors, list) else []
    words = "; ".join(shown(clean(message)) for message in _texts(entries, "message")[:_MOST_MESSAGES])
    exceptions = _texts(entries, "exceptionName")
    exception = exceptions[0].rpartition(".")[2] if exceptions else ""
    return words or "".join(shown(clean(message)) for message in _texts([data], "message")), exception


def _texts(entries: t.Iterable[t.Mapping[str, t.Any]], key: str) -> list[str]:
    values = [entry.get(key) for entry in entries]
    return [value for value in values if isinstance(value, str) and value]


def shown(text: str) -> str:
    """Fit for one line of a terminal."""
    return one_line(text, _LONGEST_MESSAGE)


def _not_json(exchange: Exchange, clean: t.Callable[[str], str], option: str) -> str:
    kind = clean(exchange.headers.get("content-type", "")).partition(";")[0] or "no content type"
    return (
        f"the answer (status {exchange.status}, {shown(kind)}) is not the JSON that Bitbucket sends: is `{option}` "
        "Bitbucket's base URL, and is nothing else (a proxy, a login page) answering there?"
    )


DATA_CENTER = Product("url", error_for)
