# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The sentences that error statuses of Bitbucket Cloud and of Atlassian's administration API become."""

from __future__ import annotations

import functools
import re
import typing as t

from ..core._errors import (
    BitbucketError,
    LockoutError,
    NotFoundError,
    RateLimitError,
    RejectedError,
    RemovedError,
    ScopeError,
    StatusError,
)
from ._answers import Product, loaded, other, shown

if t.TYPE_CHECKING:
    from ._transport import Exchange

#: Where an account makes its API tokens; nothing but a browser can.
API_TOKENS_PAGE = "https://id.atlassian.com/manage-profile/security/api-tokens"
APP_PASSWORDS_REMOVED = (
    "Bitbucket Cloud has removed app passwords (CHANGE-3222), and none works any more. Use an API token with Bitbucket "
    f"scopes instead; its owner can create it at {API_TOKENS_PAGE}"
)

# The only server to which the collection could send app passwords.
_REST = "api_url"
_APP_PASSWORDS = "CHANGE-3222"
_CHANGE = re.compile(r"CHANGE-\d+")

_BASIC = (
    "Bitbucket does not accept this e-mail and API token. Either one is wrong, or the token has expired, was revoked, "
    "or has no Bitbucket scopes (a token for Jira, for example)"
)
_BEARER = "Bitbucket does not accept this token: it is wrong, has expired or was revoked"
_ADMIN = (
    "Atlassian does not accept this key: it is wrong, has expired or was revoked. `admin_api_key` must be an API key "
    "that an administrator of the organization created"
)
# It is not documented whether Bitbucket Cloud locks accounts like Data Center. If so, the credential may be right.
_LOCK = re.compile(r"captcha|\block", re.IGNORECASE)
_LOCKED = "the account is locked or requires a CAPTCHA. Sign in once with a browser before the next run"
_CONSUMER = "Bitbucket does not accept this `client_id` and `client_secret`"


class Said(t.NamedTuple):
    """What an error answer says, with the caller's credentials taken out; ``None`` if it says nothing.

    ``own`` is whether it is in the form of Bitbucket's errors, as an answer of a proxy is not.
    """

    words: str
    granted: tuple[str, ...] | None = None
    required: tuple[str, ...] | None = None
    own: bool = False


def error_for(
    exchange: Exchange, what: str, bearer: bool, clean: t.Callable[[str], str], option: str, rejected: tuple[str, str]
) -> BitbucketError:
    """The error that an unsuccessful answer stands for.

    :param option: the option with the URL that was asked.
    :param rejected: why a password and why a bearer is rejected.
    """
    status = exchange.status
    said = _read(exchange, clean)
    quoted = f' The server said: "{said.words}"' if said.words else ""
    if option == _REST and _APP_PASSWORDS in _CHANGE.findall(said.words):
        return RemovedError(f"{what}: {APP_PASSWORDS_REMOVED}.{quoted}", status, app_password=True)
    if status == 410:
        return _removed(what, said.words, quoted, option)
    if status == 401:
        if _LOCK.search(said.words):
            return LockoutError(f"{what}: {_LOCKED}.{quoted}", status)
        reason = rejected[1] if bearer else rejected[0]
        kind = RejectedError if said.own else LockoutError
        return kind(f"{what}: {reason}. It is not tried again.{quoted}", status)
    if status == 403:
        return ScopeError(
            f"{what}: {_lacking(said)}.{quoted}", status, said.granted, said.required, dict(exchange.headers)
        )
    if status == 404:
        return NotFoundError(
            f"{what}: it does not exist, or the caller may not see it, or `{option}` is wrong.{quoted}", status
        )
    failure = RateLimitError if status == 429 else StatusError
    return failure(f"{what}: {other(status)}{quoted}", status)


def scopes(value: t.Any, clean: t.Callable[[str], str]) -> tuple[str, ...] | None:
    """Scopes as a list, or as a string with commas or spaces between them; ``None`` for anything else."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list):
        return None
    return tuple(dict.fromkeys(shown(clean(item)) for item in value if isinstance(item, str) and item.strip()))


def _removed(what: str, words: str, quoted: str, option: str) -> RemovedError:
    """410 says nothing of the credential by itself: a proxy may answer so, or another server."""
    changes = _CHANGE.findall(words)
    by = f" ({changes[0]})" if changes else ""
    if option == _REST:
        reason = f"Bitbucket Cloud has removed this function{by}" + ("" if by else ", or `api_url` is wrong")
    else:
        reason = f"the server says that this is no longer there{by}: look at `{option}`, or for a newer collection"
    return RemovedError(f"{what}: {reason}.{quoted}", 410, app_password=False)


def _lacking(said: Said) -> str:
    if said.required is None:
        return "the caller is known but not permitted to do this"
    granted = said.granted or ()
    missing = ", ".join(scope for scope in said.required if scope not in granted) or ", ".join(said.required)
    return (
        f"the credential lacks scopes. Needed: {missing}; granted: {', '.join(granted) or 'none'}. The scopes of a "
        "token are fixed when it is made, and none implies another: make a new one with all of them"
    )


def _read(exchange: Exchange, clean: t.Callable[[str], str]) -> Said:
    """What the body says, in any of the shapes that errors come in; a page of HTML says nothing worth reading."""
    try:
        data = loaded(exchange.body)
    except (ValueError, RecursionError):
        return Said(_plain(exchange, clean))
    if not isinstance(data, dict):
        return Said("")
    error = data.get("error")
    fields = error if isinstance(error, dict) else data
    detail = fields.get("detail")
    scoped = detail if isinstance(detail, dict) else {}
    texts = [fields.get("message"), detail, data.get("error_description"), error]
    texts += [entry.get(name) for entry in _errors(data) for name in ("title", "message", "detail")]
    found = dict.fromkeys(shown(clean(text)) for text in texts if isinstance(text, str) and text.strip())
    own = data.get("type") == "error" and isinstance(error, dict)
    return Said("; ".join(found), scopes(scoped.get("granted"), clean), scopes(scoped.get("required"), clean), own)


def _plain(exchange: Exchange, clean: t.Callable[[str], str]) -> str:
    # Plain text is what git is answered with; a login page would only be in the way.
    if not exchange.headers.get("content-type", "").startswith("text/plain"):
        return ""
    return shown(clean(exchange.body.decode("utf-8", "replace")))


def _errors(data: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    errors = data.get("errors")
    return [entry for entry in errors if isinstance(entry, dict)] if isinstance(errors, list) else []


def _product(option: str, basic: str, bearer: str) -> Product:
    return Product(option, functools.partial(error_for, option=option, rejected=(basic, bearer)))


CLOUD = _product(_REST, _BASIC, _BEARER)
ORGANIZATION = _product("admin_url", _ADMIN, _ADMIN)
OAUTH = _product("oauth_url", _CONSUMER, _CONSUMER)
