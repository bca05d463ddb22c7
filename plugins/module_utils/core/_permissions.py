# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The six permissions of HTTP access tokens: reading, comparing and lowering them."""

from __future__ import annotations

import functools
import typing as t

from ._errors import InputError

_LEVELS = ("READ", "WRITE", "ADMIN")
NAMES = tuple(f"{kind}_{level}" for kind in ("PROJECT", "REPO") for level in _LEVELS)


class Permissions(t.NamedTuple):
    """The highest level of each kind: 0 for none, 1 READ, 2 WRITE, 3 ADMIN.

    ``others`` are names a server listed that this collection does not know.
    """

    project: int = 0
    repository: int = 0
    others: frozenset[str] = frozenset()

    @property
    def names(self) -> list[str]:
        """As Bitbucket writes them, the project's first."""
        known = (("PROJECT", self.project), ("REPO", self.repository))
        return [f"{kind}_{_LEVELS[level - 1]}" for kind, level in known if level] + sorted(self.others)

    @property
    def normal(self) -> Permissions:
        """The form to compare: a project permission reaches the project's repositories at the same level."""
        return Permissions(self.project, max(self.project, self.repository), self.others)

    def exceeds(self, other: Permissions) -> bool:
        """Whether this grants anything that ``other`` does not."""
        mine, theirs = self.normal, other.normal
        higher = mine.project > theirs.project or mine.repository > theirs.repository
        return higher or not mine.others <= theirs.others

    def lowered_to(self, other: Permissions) -> Permissions:
        """Per kind the lower of both."""
        mine, theirs = self.normal, other.normal
        return Permissions(min(mine.project, theirs.project), min(mine.repository, theirs.repository))


def listed(names: t.Iterable[str]) -> Permissions:
    """What a server listed; names it may have learnt since are kept apart, not refused."""
    return _listed(frozenset(names))


@functools.lru_cache(maxsize=1024)
def _listed(names: frozenset[str]) -> Permissions:
    """Thousands of tokens have the same few permissions, of which each is kept once."""
    return Permissions(_highest("PROJECT", names), _highest("REPO", names), names - set(NAMES))


def declared(names: t.Iterable[str], repository_only: bool = False) -> Permissions:
    """What a person declared, checked before any request is made.

    :param names: permission names in any case; each may itself be a comma-separated list.
    :param repository_only: whether the token belongs to a repository, which takes ``REPO_*`` only.
    :raises InputError: for an unknown name, none at all, or a combination that Bitbucket does not mean.
    """
    wanted = {part.strip().upper() for name in names for part in name.split(",") if part.strip()}
    if not wanted:
        raise InputError(f"A token needs at least one permission: {', '.join(NAMES)}.")
    for name in sorted(wanted - set(NAMES)):
        raise InputError(_unknown(name))
    result = listed(wanted)
    if repository_only and result.project:
        raise InputError(
            f"A repository's token takes REPO_* permissions only: replace {result.names[0]} by a REPO_* "
            "permission, or declare the token for the project."
        )
    if result.repository and result.repository < result.project:
        level = _LEVELS[result.project - 1]
        raise InputError(
            f"{result.names[1]} is below {result.names[0]}, which already reaches every repository of the "
            f"project: raise it to REPO_{level} or leave it out."
        )
    return result


def _highest(kind: str, names: t.AbstractSet[str]) -> int:
    return max((index for index, level in enumerate(_LEVELS, 1) if f"{kind}_{level}" in names), default=0)


def _unknown(name: str) -> str:
    # Only what looks like a permission is quoted: anything else may be a secret that slipped into the wrong option.
    shown = f"{name} is" if name.replace("_", "").isalpha() and len(name) <= 20 else "One of the names given is"
    import difflib  # only ever needed for this sentence

    nearest = difflib.get_close_matches(name.replace("REPOSITORY", "REPO"), NAMES, n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]}?" if nearest else f"the permissions are {', '.join(NAMES)}."
    return f"{shown} not a permission of HTTP access tokens: {hint}"
