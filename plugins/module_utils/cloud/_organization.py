# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Atlassian's administration API: the API tokens of an organization's accounts. Nothing there creates one."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ..core._errors import AnswerError, InputError, NotFoundError, StatusError
from ..core._model import DAY, days_left, is_past, writable
from ..core._times import from_server, iso
from ..http import _pages
from ..http._client import Client

# Up to here a number of seconds would be in this millennium, and one of milliseconds in 1973.
_SECONDS_UNTIL = 10**11


class Account(t.NamedTuple):
    """Whose token it is; ``None`` stands for what the answer does not say."""

    id: str | None
    name: str | None = None
    email: str | None = None


class ApiToken(t.NamedTuple):
    """An API token as Atlassian lists it, never with its secret. Times are milliseconds since the epoch."""

    id: str
    label: str
    user: Account
    status: str | None = None
    created: int | None = None
    expires: int | None = None
    last_active: int | None = None

    def days_left(self, now: int | None) -> int | None:
        """Whole days until this expires, negative after it has; ``None`` if that is not known."""
        return days_left(self.expires, now)

    def unused_days(self, now: int | None) -> int | None:
        """Whole days since this was last used, or else since it was created."""
        since = self.created if self.last_active is None else self.last_active
        return None if now is None or since is None else max(0, now - since) // DAY

    def expired(self, now: int | None) -> bool:
        """Whether this has expired; the instant itself counts. Without a clock nothing is known to have."""
        return is_past(self.expires, now)

    def describe(self, now: int | None) -> dict[str, t.Any]:
        """What modules return about a token: times in ISO 8601 UTC."""
        return {
            **self.describe_lasting(),
            "last_active": iso(self.last_active),
            "days_left": self.days_left(now),
            "unused_days": self.unused_days(now),
        }

    def describe_lasting(self) -> dict[str, t.Any]:
        """The part of that which is the same tomorrow."""
        return {
            "id": self.id,
            "label": self.label,
            "user": {"account_id": self.user.id, "name": self.user.name, "email": self.user.email},
            "status": self.status,
            "created": iso(self.created),
            "expires": iso(self.expires),
        }


class ApiTokenListing(t.NamedTuple):
    """API tokens, and the server's clock when it listed them."""

    tokens: tuple[ApiToken, ...]
    now: int | None


class Organization:
    """The calls that the collection makes. The call that revokes the tokens of all users is not among them."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def tokens(self, organization: str) -> ApiTokenListing:
        """The tokens of all accounts that the organization manages, each once even where pages shift meanwhile."""
        path = f"/admin/api-access/v1/orgs/{_segment(organization, 'organization')}/api-tokens"
        found: dict[str, ApiToken] = {}
        now: int | None = None
        for value, answer in _pages.by_cursor(self.client, path):
            now = answer.now
            if value is not None:
                token = _of_organization(value, f"GET {path}")
                found[token.id] = token
        return ApiTokenListing(tuple(found.values()), now)

    def account_tokens(self, account_id: str) -> ApiTokenListing:
        """The tokens of one account, which the organization must manage."""
        path = _account_path(account_id)
        answer = self.client.get(path)
        what = f"GET {path}"
        if not isinstance(answer.data, list):
            raise AnswerError(f"{what}: the answer is not a list of API tokens.")
        return ApiTokenListing(tuple(_of_account(value, account_id, what) for value in answer.data), answer.now)

    def revoke(self, account_id: str, token_id: str) -> bool:
        """Revoke one token; ``False`` if it was already gone."""
        try:
            self.client.delete(f"{_account_path(account_id)}/{_segment(token_id, 'id')}")
        except NotFoundError:
            return False
        except AnswerError as error:
            # The answer to a success is not documented, so the caller checks the listing.
            if isinstance(error, StatusError):
                raise
        return True


def _account_path(account_id: str) -> str:
    if "@" in account_id:
        raise InputError("`account_id` must be the id of an Atlassian account, not an e-mail address.")
    return f"/users/{_segment(account_id, 'account_id')}/manage/api-tokens"


def _segment(value: str, option: str) -> str:
    """``value`` as one part of a path, which nothing in it can leave.

    :raises InputError: if it cannot be an id, naming the option.
    """
    if (
        not value
        or not value.isascii()
        or not value.isprintable()
        or set(value) & set(" /\\%?#")
        or value.startswith(".")
    ):
        raise InputError(f"`{option}` is not an id: an Atlassian id has no spaces, slashes or similar characters.")
    return quote(value, safe="")


def _of_organization(data: t.Any, what: str) -> ApiToken:
    user = data.get("user")
    fields = user if isinstance(user, dict) else {}
    account = Account(_optional(fields.get("id")), _optional(fields.get("name")), _optional(fields.get("email")))
    times = [_moment(data.get(name), what) for name in ("createdAt", "expiresAt", "lastActiveAt")]
    token_id, label = _named(data, what)
    return ApiToken(token_id, label, account, _optional(data.get("status")), *times)


def _of_account(data: t.Any, account_id: str, what: str) -> ApiToken:
    token_id, label = _named(data, what)
    times = [_moment(data.get(name), what) for name in ("createdAt", "expiry", "lastAccess")]
    return ApiToken(token_id, label, Account(account_id), None, *times)


def _named(data: t.Any, what: str) -> tuple[str, str]:
    token_id = data.get("id") if isinstance(data, dict) else None
    if not isinstance(token_id, str) or not token_id:
        raise AnswerError(f"{what}: the answer has an API token without a usable id.")
    return writable(token_id), _optional(data.get("label")) or ""


def _optional(value: t.Any) -> str | None:
    return writable(value) if isinstance(value, str) and value else None


def _moment(value: t.Any, what: str) -> int | None:
    """A time in whichever form: the documentation shows ISO 8601, and is silent on what stands for none."""
    if value is None or value == "":
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < _SECONDS_UNTIL:
        value *= 1000
    moment = from_server(value)
    if moment is None:
        raise AnswerError(f"{what}: the answer has an API token with an invalid time.")
    return moment
