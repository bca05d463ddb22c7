# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The vocabulary of decisions: what a plan is made from and what it consists of. One class per step."""

from __future__ import annotations

import typing as t

from ..core._model import Owner, Token
from ..core._permissions import Permissions
from ._spec import TokenSpec

#: In place of the id of a token that is yet to be issued, so that a prediction reads like what is then done.
NEW = "new"
#: What ``stored`` says of a secret whose token id cannot be read.
UNKNOWN = "unknown"
#: Why a token is revoked that nothing takes the place of: what ``max_revocations`` counts.
GUARDED = ("undeclared", "absent")


class Keep(t.NamedTuple):
    """Leave a token as it is; ``note`` says why, if one might expect otherwise."""

    token: Token
    note: str = ""


class Issue(t.NamedTuple):
    """Create a token. ``replaces`` is what the store held when this was decided."""

    spec: TokenSpec
    reason: str
    replaces: str | None = None
    replaces_used: bool = False


class Update(t.NamedTuple):
    """Change name or permissions in place; the secret stays. ``None`` leaves a field alone."""

    token: Token
    reason: str
    name: str | None = None
    permissions: Permissions | None = None


class Revoke(t.NamedTuple):
    """Delete a token."""

    token: Token
    reason: str


class Fail(t.NamedTuple):
    """A row that a person must decide about."""

    reason: str
    message: str


Step = t.Union[Keep, Issue, Update, Revoke, Fail]


class Policy(t.NamedTuple):
    """What a run declares in addition to the tokens.

    ``stored`` maps this owner's references to an id, ``None`` (nothing is stored) or :data:`UNKNOWN`; it is itself
    ``None`` without a store. ``replaced`` are the ids that this run has replaced. ``others`` are the ids that the
    store holds under references of the owner that are not declared, as far as it can tell. Times are milliseconds.
    """

    stored: t.Mapping[str, str | None] | None = None
    missing_secret: str = "auto"
    rotate_created_before: int | None = None
    prune: tuple[str, ...] = ()
    replaced: t.Mapping[str, str] = {}
    others: t.Mapping[str, str] = {}


class Options(t.NamedTuple):
    """What a task declares in addition to the tokens.

    ``stored`` is what the caller says it has stored, if it keeps the secrets itself. If ``whole``, the task declares
    all tokens of its owners, so that other stored ones are reported. Check mode counts tokens in ``assume_revoked`` as
    revoked.
    """

    stored: t.Mapping[str, str | None] | None = None
    missing_secret: str = "auto"
    rotate_created_before: int | None = None
    prune: tuple[str, ...] = ()
    issue: bool = True
    max_revocations: int = 10
    max_reissues: int = 10
    concurrency: int = 8
    check_mode: bool = False
    assume_revoked: frozenset[str] = frozenset()
    whole: bool = False


class View(t.NamedTuple):
    """One owner as the server showed it. ``now`` is the server's clock, ``None`` if it gave no usable one."""

    owner: Owner
    tokens: tuple[Token, ...]
    now: int | None
    in_use: str | None = None


class Plan(t.NamedTuple):
    """The steps for one reference. ``retire`` are those that wait until an issued secret is in the store."""

    reference: str
    spec: TokenSpec
    current: Token | None
    steps: tuple[Step, ...]
    retire: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def issue(self) -> Issue | None:
        """The step that creates a token, if there is one."""
        return next((step for step in self.steps if isinstance(step, Issue)), None)

    @property
    def failure(self) -> Fail | None:
        """The row that failed, if one did."""
        return next((step for step in self.steps if isinstance(step, Fail)), None)
