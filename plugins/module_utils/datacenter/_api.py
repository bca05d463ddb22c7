# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Bitbucket Data Center's resources: JSON in, the collection's model out."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import unquote, urlsplit

from ..core import _permissions
from ..core._errors import (
    AnswerError,
    BitbucketError,
    ForbiddenError,
    InputError,
    LockoutError,
    LostAnswerError,
    NotFoundError,
    StatusError,
)
from ..core._model import DAY, ListedOwner, Owner, Token, is_part, writable
from ..core._permissions import Permissions
from ..core._times import from_server
from ..http import _pages
from ..http._client import Client

_TOKENS = "/rest/access-tokens/latest"
_API = "/rest/api/latest"
_TOKEN_ID = re.compile(r"[0-9]{1,20}")
# Bitbucket's own keys and slugs have at most 128 characters.
_LONGEST_PART = 255
# Bitbucket's own words for a credential that is wrong, and for one that it did not take for any. Whatever else refuses
# (a CAPTCHA, a missing licence, a filter or proxy in between) would refuse a credential that works as well.
_REFUSED = ("IncorrectPasswordAuthenticationException", "AuthenticationRequiredException")


class Issued(t.NamedTuple):
    """A token just created, with the only copy of its secret. ``now`` is the server's clock of that answer."""

    token: Token
    secret: str
    now: int | None

    def __repr__(self) -> str:
        return f"Issued({self.token!r})"


class Listing(t.NamedTuple):
    """An owner's tokens, and the server's clock when it listed them.

    ``paged``: they came in several pages. Where a token is revoked while these are read, another moves from a page
    still to come to one that was read already, and is missed.
    """

    tokens: tuple[Token, ...]
    now: int | None
    paged: bool = False


class Identity(t.NamedTuple):
    """Who a credential is to the server. ``name`` is ``None`` if the answer did not name anyone."""

    name: str | None


class SignIn(t.NamedTuple):
    """What the server says to a credential.

    :ivar works: ``None`` if there was no clear answer.
    :ivar problem: why ``works`` is not ``True``.
    :ivar reason: that of the error which left it open.
    """

    works: bool | None
    problem: str | None = None
    name: str | None = None
    reason: str = ""


class DataCenter:
    """The calls that the collection makes, and no others."""

    def __init__(self, client: Client) -> None:
        self.client = client
        #: Whether a token just issued met the rate limit for as long as a request waits: the next ones would as well.
        self.limits_bearers = False

    def tokens(self, owner: Owner) -> Listing:
        """Every token of ``owner``, each once even if pages shift while they are read."""
        path = f"{_TOKENS}/{owner.path}"
        found: dict[str, Token] = {}
        now: int | None = None
        paged = False
        for value, answer in _pages.by_start(self.client, path):
            now = answer.now
            paged = paged or not answer.data["isLastPage"]
            if value is not None:
                token = _token(value, f"GET {path}")
                first = found.setdefault(token.id, token)
                if (first.created, first.expires) != (token.created, token.expires):
                    raise AnswerError(f"GET {path}: the listing describes token {token.id} in two ways.")
                found[token.id] = token
        return Listing(tuple(found.values()), now, paged)

    def token(self, owner: Owner, token_id: str) -> Token | None:
        """The token with this id, or ``None`` if the owner has none."""
        path = f"{_TOKENS}/{owner.path}/{token_id}"
        try:
            answer = self.client.get(path)
        except NotFoundError as error:
            # With an exception's name it is the owner that is missing, which says nothing about the token.
            if error.exception_name.startswith("NoSuch") and "Token" not in error.exception_name:
                raise
            # What body Bitbucket sends is not known; one that is not its own proves nothing.
            if error.foreign and not error.empty:
                raise
            return None
        found = _token(answer.data, f"GET {path}")
        if found.id != token_id:
            raise AnswerError(f"GET {path}: the answer is about another token.")
        return found

    def create(self, owner: Owner, name: str, permissions: Permissions, days: int | None) -> Issued:
        """Create a token.

        :raises LostAnswerError: if it may have been created and its secret is lost; ``token_id`` names it if known.
        """
        path = f"{_TOKENS}/{owner.path}"
        body: dict[str, t.Any] = {"name": name, "permissions": permissions.names}
        if days is not None:
            body["expiryDays"] = days
        try:
            answer = self.client.create(path, body)
            return _issued(answer.data, answer.now, f"PUT {path}")
        except AnswerError as error:
            if isinstance(error, StatusError):
                raise
            raise LostAnswerError(str(error), error.token_id) from None

    def update(self, owner: Owner, token_id: str, name: str | None, permissions: Permissions | None) -> None:
        """Change name or permissions in place; the secret stays."""
        body: dict[str, t.Any] = {}
        if name is not None:
            body["name"] = name
        if permissions is not None:
            body["permissions"] = permissions.names
        self.client.post(f"{_TOKENS}/{owner.path}/{token_id}", body)

    def revoke(self, owner: Owner, token_id: str) -> bool:
        """Delete a token; ``False`` if it was already gone."""
        try:
            self.client.delete(f"{_TOKENS}/{owner.path}/{token_id}")
        except NotFoundError as error:
            if error.exception_name.startswith("NoSuch") and "Token" not in error.exception_name:
                raise
            # A proxy that blocks DELETE may answer like this too.
            if error.foreign and token_id in (token.id for token in self.tokens(owner).tokens):
                raise
            return False
        return True

    def projects(self, administered: bool = True) -> list[ListedOwner]:
        """The projects that the caller administers, or all that it may see."""
        query = {"permission": "PROJECT_ADMIN"} if administered else {}
        return self._listed(f"{_API}/projects", query, "key", lambda key: Owner(project=key))

    def repositories(self, project: str, archived: bool) -> list[ListedOwner]:
        """A project's repositories; with ``archived`` also the archived ones, which Bitbucket hides by default."""
        query = {"projectkey": project, **({"archived": "ALL"} if archived else {})}
        return self._listed(f"{_API}/repos", query, "slug", lambda slug: Owner(project=project, repository=slug))

    def users(self, administration: bool = True) -> list[ListedOwner]:
        """All users, as administration lists them for administrators only; otherwise those that everyone may see."""
        path = f"{_API}/admin/users" if administration else f"{_API}/users"
        return self._listed(path, {}, "slug", lambda slug: Owner(user=slug))

    def _listed(
        self, path: str, query: t.Mapping[str, t.Any], key: str, owner_of: t.Callable[[str], Owner]
    ) -> list[ListedOwner]:
        """Each entry of a listing once, even if pages shift while they are read.

        :raises AnswerError: if a key cannot be part of a path.
        """
        credential = self.client.credential
        found: dict[str, ListedOwner] = {}
        for value, _answer in _pages.by_start(self.client, path, query):
            if value is None:
                continue
            part = path_part(value.get(key))
            if part is None:
                raise AnswerError(f"GET {path}: an entry of the listing has no usable {key}.")
            if credential.repeated_in(part):
                raise AnswerError(
                    f"GET {path}: a {key} repeats the credential, so it is not shown or used. If it is a real one, the "
                    "password is too easy to guess: change it."
                )
            found[part] = _listed_owner(value, owner_of(part), self.client)
        return list(found.values())

    def user_slug(self, name: str) -> str | None:
        """The slug, which paths need, of the user with this name: exactly, or else in any case.

        :raises InputError: if several users have the name in different spellings, none of them this one.
        """
        others: list[t.Any] = []
        for value, _answer in _pages.by_start(self.client, f"{_API}/users", {"filter": name}):
            found = None if value is None else value.get("name")
            if found == name:
                return self._usable_slug(value)
            if isinstance(found, str) and found.casefold() == name.casefold():
                others.append(value)
        if len(others) > 1:
            raise InputError(
                f"{len(others)} users are called {name}, in different spellings: write the name exactly as Bitbucket "
                "does, or the user's slug."
            )
        return self._usable_slug(others[0]) if others else None

    def _usable_slug(self, user: dict[str, t.Any]) -> str | None:
        slug = path_part(user.get("slug"))
        return None if slug is None or self.client.credential.repeated_in(slug) else slug

    def identity(self) -> Identity:
        """Who the caller is, by one request that everyone may make.

        :raises LockoutError: if the server does not accept the credential.
        """
        answer = self.client.get(f"{_API}/application-properties")
        name = unquote(answer.user or "")
        # It may become a part of paths and messages. The user of a project's token may have a slash in its name.
        usable = name.isprintable() and name not in ("", ".", "..")
        return Identity(name if usable and not self.client.credential.repeated_in(name) else None)

    def sign_in(self) -> SignIn:
        """Whether the credential works. One login, never a second: repeated failures lock accounts."""
        try:
            name = self.identity().name
        except (LockoutError, ForbiddenError) as error:
            return SignIn(_works(error), str(error))
        except BitbucketError as error:
            return SignIn(None, str(error), reason=error.reason)
        if name is None:
            return SignIn(None, "The server names nobody in its answer: it may have ignored the credential.")
        return SignIn(True, name=name)


def _works(error: LockoutError | ForbiddenError) -> bool | None:
    if error.status != 401:
        return None
    if isinstance(error, ForbiddenError):
        # 401 for want of permission is the answer to a known caller.
        return True
    return False if error.exception_name in _REFUSED else None


def path_part(value: t.Any) -> str | None:
    """A key or slug as it may stand in a path, or ``None`` if it cannot."""
    usable = isinstance(value, str) and value.isprintable() and value == value.strip() and is_part(value)
    return str(value) if usable and len(value) <= _LONGEST_PART else None


def _token(data: t.Any, what: str) -> Token:
    """A token as Bitbucket describes it: ids are strings of digits, times are epoch milliseconds or ISO 8601."""
    fields = data if isinstance(data, dict) else {}
    token_id, name, permissions = fields.get("id"), fields.get("name"), fields.get("permissions")
    created = _moment(fields.get("createdDate"), what)
    if not isinstance(token_id, str) or not _TOKEN_ID.fullmatch(token_id):
        raise AnswerError(f"{what}: the answer holds a token without a usable id.")
    if not isinstance(name, str) or created is None:
        raise AnswerError(f"{what}: the answer holds a token without a name or creation time.")
    if not isinstance(permissions, list) or not all(isinstance(item, str) for item in permissions):
        raise AnswerError(f"{what}: the answer holds a token without a list of permissions.")
    expires, used = _moment(fields.get("expiryDate"), what), _moment(fields.get("lastAuthenticated"), what)
    return Token(token_id, writable(name), _permissions.listed(map(writable, permissions)), created, expires, used)


def _listed_owner(data: t.Mapping[str, t.Any], owner: Owner, client: Client) -> ListedOwner:
    """An entry of a listing. Nothing but its key is documented, so what is missing is not known."""

    def text(name: str) -> str | None:
        value = data.get(name)
        if not isinstance(value, str):
            return None
        return writable(client.clean(value) if client.credential.repeated_in(value) else value)

    flags = {name: data[name] for name in ("archived", "public", "active") if isinstance(data.get(name), bool)}
    link = link_of(data)
    return ListedOwner(
        owner,
        name=(text("displayName") if owner.user else None) or text("name"),
        link="" if client.credential.repeated_in(unquote(link)) else link,
        description=text("description"),
        **flags,
    )


def link_of(data: t.Mapping[str, t.Any]) -> str:
    """The page that an answer names as its own, if that is a web address without a credential."""
    links = data.get("links")
    own = links.get("self") if isinstance(links, dict) else None
    first = own[0] if isinstance(own, list) and own else None
    href = first.get("href") if isinstance(first, dict) else None
    if not isinstance(href, str) or not href.isprintable() or " " in href:
        return ""
    try:
        parts = urlsplit(href)
    except ValueError:
        return ""
    return href if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc else ""


def _moment(value: t.Any, what: str) -> int | None:
    if value is None:
        return None
    moment = from_server(value)
    if moment is None:
        raise AnswerError(f"{what}: the answer holds a token with a time that is not one.")
    return moment


def _issued(data: t.Any, now: int | None, what: str) -> Issued:
    """The created token; if the answer is broken, the error has the id if that can be read."""
    fields = data if isinstance(data, dict) else {}
    secret = fields.get("token")
    try:
        token = _token(data, what)
        if not isinstance(secret, str) or not secret:
            raise AnswerError(f"{what}: the answer holds no secret.")
        return Issued(token, secret, now)
    except AnswerError as error:
        known = fields.get("id")
        usable = isinstance(known, str) and _TOKEN_ID.fullmatch(known)
        raise LostAnswerError(str(error), known if usable else None) from None


def expiry_days(token: Token) -> int | None:
    """The lifetime that a token was given, in whole days rounded up."""
    return None if token.expires is None else -(-(token.expires - token.created) // DAY)
