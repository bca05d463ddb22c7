# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the collection talks about: owners of tokens, tokens, and the references that name them."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import quote, unquote

from ._permissions import Permissions
from ._times import iso

#: Milliseconds, Bitbucket's own unit of time.
DAY = 24 * 60 * 60 * 1000
HOUR = 60 * 60 * 1000

ARCHIVED, DEACTIVATED = "archived", "deactivated"

# Words that neither a shell nor Ansible takes for anything else.
_HARMLESS = re.compile(r"[a-z]+=[A-Za-z0-9~._-]+")

# Most references, recognised without taking them apart: runs have thousands of them.
_CANONICAL = re.compile(r"(?:projects/[A-Z0-9_]+(?:/repos/[a-z0-9_-]+)?|users/[a-z0-9_-]+)/tokens/[^/]*")


class Owner(t.NamedTuple):
    """Who tokens belong to: a project, one of its repositories, or a user (by slug)."""

    project: str = ""
    repository: str = ""
    user: str = ""

    @property
    def path(self) -> str:
        """The part of the REST path, and of every reference, that names this owner."""
        if self.user:
            return f"users/{_encoded(self.user)}"
        project = f"projects/{_encoded(self.project)}"
        return f"{project}/repos/{_encoded(self.repository)}" if self.repository else project

    @property
    def canonical(self) -> Owner:
        """The same owner in Bitbucket's spelling: project keys in upper case; slugs, and personal keys (``~slug``), in
        lower case.
        """
        key = self.project.lower() if self.project.startswith("~") else self.project.upper()
        return Owner(key, self.repository.lower(), self.user.lower())

    @property
    def label(self) -> str:
        """For sentences: ``project PAY``, ``repository PAY/ledger``, ``user svc-ci``."""
        if self.user:
            return f"user {self.user}"
        return f"repository {self.project}/{self.repository}" if self.repository else f"project {self.project}"

    def reference(self, name: str) -> str:
        """The reference of this owner's token called ``name``."""
        return f"{self.path}/tokens/{_encoded(name)}"

    def revocation(self, token_id: str) -> str:
        """The command that revokes one token of this owner, to print. Without one for an owner that a shell or Ansible
        might evaluate, only the id.
        """
        named = {"project": self.project, "repository": self.repository, "user": self.user, "id": token_id}
        words = [f"{option}={value}" for option, value in named.items() if value]
        if not all(map(_HARMLESS.fullmatch, words)):
            return f"revoke token {token_id}"
        return f"ansible localhost -m tokensmith.bitbucket.access_token -a '{' '.join(words)} state=absent'"


def owner_of(path: str) -> Owner:
    """The owner that a path or a reference names; the inverse of :attr:`Owner.path`."""
    kind, name, *rest = [unquote(part, errors="surrogatepass") for part in path.split("/")]
    if kind == "users":
        return Owner(user=name)
    return Owner(project=name, repository=rest[1] if rest[:1] == ["repos"] else "")


def owner_path(reference: str) -> str:
    """The path of the owner whose token ``reference`` names, for :func:`owner_of` or as a key."""
    return reference.rpartition("/tokens/")[0]


def canonical_reference(reference: str) -> str:
    """A reference with its owner in Bitbucket's spelling. Names of tokens have one spelling only, and keep it."""
    if _CANONICAL.fullmatch(reference) or not is_reference(reference):
        return reference
    path, separator, name = reference.rpartition("/tokens/")
    return f"{owner_of(path).canonical.path}{separator}{name}"


def is_reference(text: str) -> bool:
    """Whether ``text`` is a reference as :meth:`Owner.reference` writes it, and so safe as part of a path."""
    path, separator, name = text.rpartition("/tokens/")
    return bool(separator) and path.count("/") in (1, 3) and owner_of(path).reference(unquote(name)) == text


def _encoded(name: str) -> str:
    # A leading dot would make a hidden file, or leave the directory, where a store keeps files by reference.
    text = quote(name, safe="", errors="surrogatepass")
    return f"%2E{text[1:]}" if text.startswith(".") else text


class ListedOwner(t.NamedTuple):
    """An owner as Bitbucket lists it; ``None`` for what it does not say.

    :ivar name: for people.
    :ivar link: its page in the browser, empty if unknown.
    :ivar active: whether a user may sign in.
    :ivar guessed: whether it is not listed and may not exist.
    """

    owner: Owner
    name: str | None = None
    link: str = ""
    description: str | None = None
    archived: bool | None = None
    public: bool | None = None
    active: bool | None = None
    guessed: bool = False

    @property
    def key(self) -> str:
        """The key or slug: its own part of the path."""
        return self.owner.repository or self.owner.user or self.owner.project

    @property
    def title(self) -> str:
        """The name, empty if unknown."""
        return self.name or ""

    @property
    def inactive(self) -> str:
        """:data:`ARCHIVED`, :data:`DEACTIVATED` or empty; what the server does not say counts as active."""
        if self.owner.user:
            return DEACTIVATED if self.active is False else ""
        return ARCHIVED if self.archived else ""


class Token(t.NamedTuple):
    """A token as Bitbucket lists it. Times are milliseconds since the epoch by the server's clock."""

    id: str
    name: str
    permissions: Permissions
    created: int
    expires: int | None = None
    last_used: int | None = None

    def expired(self, now: int | None) -> bool:
        """Whether this has expired; the instant itself counts. Without a clock nothing is known to have."""
        return is_past(self.expires, now)

    def describe(self, reference: str, now: int | None = None) -> dict[str, t.Any]:
        """What modules return about a token: nothing secret, times in ISO 8601 UTC."""
        return {
            "reference": reference,
            "id": self.id,
            "name": self.name,
            "permissions": self.permissions.names,
            "created": iso(self.created),
            "expires": iso(self.expires),
            "last_used": iso(self.last_used),
            "days_left": days_left(self.expires, now),
        }


def is_past(expires: int | None, now: int | None) -> bool:
    """Whether a token has expired; the instant itself counts. Without a clock nothing is known to have."""
    return now is not None and expires is not None and expires <= now


def expires_within(expires: int | None, now: int | None, days: int) -> bool:
    """Whether a token that lives expires within so many days; without a clock none is known to."""
    return now is not None and expires is not None and now < expires <= now + days * DAY


def days_left(expires: int | None, now: int | None) -> int | None:
    """Whole days until a token expires, negative after it has; ``None`` if that is not known."""
    return None if now is None or expires is None else (expires - now) // DAY


def is_part(text: str) -> bool:
    """Whether ``text`` is one part of a path: dots alone would lead elsewhere."""
    return text not in ("", ".", "..") and "/" not in text


def writable(text: str) -> str:
    """``text`` without lone surrogates, which JSON may hold and no result or file could be written with."""
    return text.encode("utf-8", "replace").decode("utf-8")
