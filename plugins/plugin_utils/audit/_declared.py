# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared for an owner, so that a token can be compared with it."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ...module_utils import _argspec
from ...module_utils.core._model import ListedOwner
from ...module_utils.datacenter import _owners
from ...module_utils.tokens import _declaration
from ...module_utils.tokens._spec import TokenSpec

_SOME = "{} of {} entries that declare tokens: they name"
_NAME_THEM = (
    "Name them in `declared`; for the role, in token_audit_declared, project_tokens_projects or "
    "project_tokens_repositories."
)


class Declared:
    """Declarations in the form that ``access_token_set`` takes them.

    :raises InputError: if overrides are not valid.
    """

    def __init__(self, entries: c.Sequence[c.Mapping[str, t.Any]]) -> None:
        self._entries = [
            (entry, {key.casefold(): value for key, value in _argspec.overrides(entry["overrides"]).items()})
            for entry in entries
        ]

    @property
    def notes(self) -> c.Iterator[str]:
        """What is declared and cannot be compared."""
        tokens = [entry for entry, overrides in self._entries if entry["set"] or overrides]
        unowned = [entry for entry in tokens if not any(entry[kind] for kind in ("projects", "repositories", "users"))]
        if unowned:
            what = (
                "the declaration: it names" if len(unowned) == len(tokens) else _SOME.format(len(unowned), len(tokens))
            )
            yield f"Nothing is compared with {what} no owners. {_NAME_THEM}"

    def specs(self, listed: ListedOwner) -> list[TokenSpec] | None:
        """Every token declared for an owner; ``None`` if no declaration names it.

        :raises InputError: if one is not valid for this owner.
        """
        found: list[TokenSpec] | None = None
        key = _declaration.key_of(listed.owner).casefold()
        for entry, overrides in self._entries:
            if _names(entry, listed):
                specs = _declaration.declaration(listed.owner, entry["set"], overrides.get(key, ())).specs
                found = [*(found or ()), *specs]
        return found


def _names(entry: c.Mapping[str, t.Any], listed: ListedOwner) -> bool:
    owner = listed.owner
    if owner.user:
        return any(_owners.matches(pattern, owner.user) for pattern in entry["users"])
    if not owner.repository:
        return any(_owners.matches(pattern, owner.project) for pattern in entry["projects"])
    return any(_names_repository(pattern, listed) for pattern in entry["repositories"])


def _names_repository(pattern: str, listed: ListedOwner) -> bool:
    key, _slash, slug = pattern.partition("/")
    if listed.inactive and _owners.is_glob(slug):
        return False
    return _owners.matches(key, listed.owner.project) and _owners.matches(slug, listed.owner.repository)
