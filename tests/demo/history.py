"""What each run did, by the server's own account and not by ours."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

#: Project key and token name.
Reference = tuple[str, str]


@dataclass(frozen=True)
class Snapshot:
    """The declared tokens that the server has, by reference: the ids of those that work."""

    tokens: Mapping[Reference, frozenset[str]]

    @property
    def alive(self) -> int:
        return sum(len(ids) for ids in self.tokens.values())


@dataclass(frozen=True)
class RunRecord:
    """One run: the day it happened on, what became of each token, and its figures."""

    day: int
    events: Mapping[Reference, str]
    changed: int
    alive: int
    requests: int
    seconds: float


def snapshot_of(state: Mapping[str, t.Any], names: frozenset[str]) -> Snapshot:
    """The tokens of projects with one of ``names`` in the simulator's state."""
    found: dict[Reference, set[str]] = {}
    for token in state["tokens"]:
        kind, _slash, key = token["owner"].partition("/")
        if kind == "projects" and "/" not in key and token["name"] in names and token["alive"]:
            found.setdefault((key, token["name"]), set()).add(token["id"])
    return Snapshot({reference: frozenset(ids) for reference, ids in found.items()})


def events(before: Snapshot, after: Snapshot) -> dict[Reference, str]:
    """What a run did to each token."""
    nothing: frozenset[str] = frozenset()
    found = {}
    for reference in {*before.tokens, *after.tokens}:
        old, new = before.tokens.get(reference, nothing), after.tokens.get(reference, nothing)
        if old == new:
            found[reference] = "kept"
        elif new > old:
            found[reference] = "rotated" if old else "issued"
        else:
            found[reference] = "old retired"
    return found
