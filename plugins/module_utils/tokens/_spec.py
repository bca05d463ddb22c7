# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One declared token, checked before any request is made."""

from __future__ import annotations

import typing as t

from ..core import _permissions
from ..core._errors import InputError
from ..core._model import Owner
from ..core._permissions import Permissions

#: The length of the column that Bitbucket keeps names in.
MAX_NAME = 255
#: Shorter lifetimes leave no room for a rotation with an overlap.
MIN_LIFETIME = 3
#: Bitbucket takes a 32-bit integer; a century is already a typing error.
MAX_LIFETIME = 36500

_DEFAULT_WINDOW = 14
_DEFAULT_GRACE = 7


class TokenSpec(t.NamedTuple):
    """A token as declared. ``expires_in_days`` is ``None`` for one that never expires; ``only_id`` means that token
    alone, whatever others are called like it.
    """

    name: str
    permissions: Permissions | None
    expires_in_days: int | None = None
    rotate_before_days: int = _DEFAULT_WINDOW
    grace_days: int = _DEFAULT_GRACE
    rotate: str = "auto"
    absent: bool = False
    only_id: str | None = None

    @property
    def wanted(self) -> Permissions:
        """The permissions of a token that is declared present."""
        if self.permissions is None:
            raise InputError(f"The token {self.name} has no permissions declared.")
        return self.permissions


def spec_of(params: t.Mapping[str, t.Any], owner: Owner) -> TokenSpec:
    """The checked spec from one entry of a declared set, or from the parameters of one token.

    :param params: ``name``, ``permissions``, ``expires_in_days``, ``rotate_before_days``, ``grace_days`` (days),
        ``rotate`` and ``state``; what is missing or ``None`` takes its default.
    :raises InputError: with one sentence that says what cannot be right and for which owner.
    """
    name = _name(params.get("name"))
    if params.get("state") == "absent":
        return TokenSpec(name, None, absent=True)
    try:
        permissions = _permissions.declared(params.get("permissions") or (), repository_only=bool(owner.repository))
        lifetime = _lifetime(params.get("expires_in_days"))
        window, grace = _windows(lifetime, params.get("rotate_before_days"), params.get("grace_days"))
    except InputError as error:
        raise InputError(f"Token {name} of {owner.label}: {error}") from None
    return TokenSpec(name, permissions, lifetime, window, grace, params.get("rotate") or "auto")


def _name(value: t.Any) -> str:
    name = (value or "").strip()
    if not name:
        raise InputError("A token needs a name: `name` is empty.")
    if len(name) > MAX_NAME:
        raise InputError(f"A token's name has at most {MAX_NAME} characters; this one has {len(name)}.")
    if not name.isprintable():
        raise InputError("A token's name has printable characters only; this one holds a control character.")
    return name


def _lifetime(days: int | None) -> int | None:
    if days is not None and not MIN_LIFETIME <= days <= MAX_LIFETIME:
        raise InputError(
            f"`expires_in_days` is {days}: it must be from {MIN_LIFETIME} to {MAX_LIFETIME}, or left out for a token "
            "that never expires."
        )
    return days


def _windows(lifetime: int | None, window: int | None, grace: int | None) -> tuple[int, int]:
    """The rotation window and the grace in days: what was declared, else the defaults, within their limits."""
    if window is None:
        window = _DEFAULT_WINDOW if lifetime is None else min(_DEFAULT_WINDOW, lifetime // 3)
    if grace is None:
        room = window if lifetime is None else min(window, lifetime - window - 2)
        grace = max(0, min(_DEFAULT_GRACE, room))
    if window < 0 or grace < 0:
        raise InputError("`rotate_before_days` and `grace_days` cannot be negative.")
    if grace > window:
        raise InputError(
            f"`grace_days` is {grace} and `rotate_before_days` {window}: the grace must fit into the rotation "
            f"window, or the old token expires before it ends. Raise `rotate_before_days` to at least {grace}."
        )
    if lifetime is not None and window > lifetime - grace - 2:
        raise InputError(
            f"`rotate_before_days` is {window}, with `expires_in_days` {lifetime} and `grace_days` {grace}: it can be "
            f"at most {lifetime - grace - 2} (lifetime less grace less two days), or a new token would be due at once."
        )
    return window, grace
