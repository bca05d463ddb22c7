# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From the permissions of an app password to the scopes of the API token that replaces it."""

from __future__ import annotations

import typing as t

from ..core._errors import InputError

DERIVED = "derived"
INFERRED = "inferred"

_KEYS = "read:ssh-key write:ssh-key delete:ssh-key read:gpg-key write:gpg-key delete:gpg-key"

# Atlassian published no such table. A derived row comes from operations whose description names both vocabularies, an
# inferred one from what the words mean. No scope implies another, so each row names all that it takes.
_ROWS = (
    ("email", "read:user", DERIVED),
    ("account", "read:user read:workspace", DERIVED),
    ("account:write", _KEYS, DERIVED),
    ("team", "read:workspace", INFERRED),
    ("team:write", "admin:workspace", INFERRED),
    ("project", "read:project read:repository", DERIVED),
    ("project:admin", "admin:project read:project", DERIVED),
    ("repository", "read:repository", DERIVED),
    ("repository:write", "read:repository write:repository", DERIVED),
    ("repository:admin", "admin:repository read:repository", DERIVED),
    ("repository:delete", "delete:repository", DERIVED),
    ("pullrequest", "read:pullrequest read:repository", DERIVED),
    ("pullrequest:write", "read:pullrequest write:pullrequest read:repository write:repository", DERIVED),
    ("issue", "read:issue write:issue", INFERRED),
    ("issue:write", "read:issue write:issue delete:issue", INFERRED),
    ("wiki", "read:wiki write:wiki delete:wiki", INFERRED),
    ("webhook", "read:webhook write:webhook delete:webhook", DERIVED),
    ("snippet", "read:snippet", DERIVED),
    ("snippet:write", "read:snippet write:snippet delete:snippet", DERIVED),
    ("pipeline", "read:pipeline", DERIVED),
    ("pipeline:write", "read:pipeline write:pipeline", DERIVED),
    ("pipeline:variable", "admin:pipeline read:pipeline", DERIVED),
    ("runner", "read:runner", DERIVED),
    ("runner:write", "read:runner write:runner", DERIVED),
)


class Row(t.NamedTuple):
    """One permission of an app password, the scopes that replace it, and how well that is known."""

    permission: str
    scopes: tuple[str, ...]
    basis: str

    def describe(self) -> dict[str, t.Any]:
        return {"permission": self.permission, "scopes": list(self.scopes), "basis": self.basis}


TABLE = {name: Row(name, tuple(f"{scope}:bitbucket" for scope in new.split()), basis) for name, new, basis in _ROWS}


def rows(permissions: t.Iterable[str]) -> list[Row]:
    """The rows of these permissions, each once and in the order given.

    :param permissions: names as the web interface's address or the documentation wrote them; each may itself be a
        comma-separated list.
    :raises InputError: naming the known ones, where one is unknown.
    """
    named = dict.fromkeys(part.strip().lower() for name in permissions for part in name.split(",") if part.strip())
    unknown = sorted(named.keys() - TABLE.keys())
    if unknown:
        # Only what looks like a permission is quoted: anything else may be a secret that slipped into the wrong option.
        shown = unknown[0] if unknown[0].replace(":", "").isalpha() and len(unknown[0]) <= 20 else "One of those given"
        raise InputError(f"{shown} is not a permission of app passwords. Valid are {', '.join(TABLE)}.")
    return [TABLE[name] for name in named]


def scopes(found: t.Iterable[Row]) -> list[str]:
    """All scopes of these rows, each once, in the order of what they are about."""
    return sorted({scope for row in found for scope in row.scopes}, key=lambda scope: (scope.split(":")[1], scope))
