# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From a standard set and its overrides to the tokens declared for each owner."""

from __future__ import annotations

import fnmatch
import string
import typing as t

from ..core._errors import Failure, InputError
from ..core._model import Owner
from ._spec import TokenSpec, spec_of

_Entry = t.Mapping[str, t.Any]


class Declaration(t.NamedTuple):
    """Every token declared for one owner."""

    owner: Owner
    specs: tuple[TokenSpec, ...]

    @property
    def references(self) -> list[str]:
        """Of all declared tokens."""
        return [self.owner.reference(spec.name) for spec in self.specs]


def declarations(
    owners: t.Sequence[Owner],
    standard: t.Sequence[_Entry],
    overrides: t.Mapping[str, t.Sequence[_Entry]],
    prune: t.Sequence[str],
    unresolved: t.Sequence[Failure] = (),
) -> list[Declaration]:
    """The standard set for each owner, with what ``overrides`` changes or adds for it.

    :param overrides: by project key, ``KEY/slug`` or ``users/slug``; entries are matched with the set's by name, and
        what one leaves out comes from there.
    :param unresolved: declared owners that were not found; `overrides` may name them.
    :raises InputError: with one sentence, before anything was asked of the server.
    """
    rest = {key.casefold(): key for key in overrides}
    if len(rest) < len(overrides):
        raise InputError("`overrides` names one owner twice, in two spellings.")
    found = []
    for owner in owners:
        key = rest.get(key_of(owner).casefold())
        found.append(declaration(owner, standard, overrides[key] if key is not None else ()))
    unmatched = set(rest) - {key_of(owner).casefold() for owner in owners}
    if unmatched and not unresolved:
        raise InputError(
            f"`overrides` names {rest[min(unmatched)]}, which is not one of the declared owners. Write a project as "
            "KEY, a repository as KEY/slug, a user as users/slug."
        )
    for item in found:
        if all(spec.absent for spec in item.specs) and _matches_everything(prune):
            raise InputError(
                f"No token is declared for {item.owner.label}, and `prune` would revoke every token it has. Declare "
                "the tokens to keep, or let `prune` name the tokens to revoke."
            )
    if owners and not prune and not any(item.specs for item in found):
        raise InputError("No token is declared: `set` is empty and no override adds one.")
    return found


def _matches_everything(patterns: t.Sequence[str]) -> bool:
    """Whether hardly any name escapes: each letter that one may begin with is matched by some pattern."""
    names = [f"{letter}-name" for letter in string.ascii_lowercase]
    return all(any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) for name in names)


def key_of(owner: Owner) -> str:
    """How ``overrides`` names an owner."""
    if owner.user:
        return f"users/{owner.user}"
    return f"{owner.project}/{owner.repository}" if owner.repository else owner.project


def declaration(owner: Owner, standard: t.Sequence[_Entry], overrides: t.Sequence[_Entry]) -> Declaration:
    """The standard set for one owner, with what ``overrides`` changes or adds.

    :raises InputError: with one sentence.
    """
    merged: dict[str, _Entry] = {}
    for entries in (standard, overrides):
        seen: set[str] = set()
        for entry in entries:
            name = str(entry.get("name") or "").strip()
            if name in seen:
                raise InputError(f"Two tokens of {owner.label} are declared with the same name, {name}.")
            seen.add(name)
            given = {key: value for key, value in entry.items() if value is not None}
            merged[name] = {**merged.get(name, {}), **given}
    return Declaration(owner, tuple(spec_of(entry, owner) for entry in merged.values()))
