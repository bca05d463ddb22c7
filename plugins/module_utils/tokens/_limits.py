# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""`max_revocations` and `max_reissues`: checked before the first write, and again before each step that they count."""

from __future__ import annotations

import collections.abc as c
import threading

from ..core._errors import GuardError
from ._types import GUARDED, Issue, Options, Revoke, Step


class Limits:
    """The limits of one run.

    :param store: the name of the store, for messages.
    """

    def __init__(self, options: Options, store: str = "") -> None:
        self._most = {"max_revocations": options.max_revocations, "max_reissues": options.max_reissues}
        self._issue = options.issue
        self._source = f"{store}: " if store else ""
        self._taken = dict.fromkeys(self._most, 0)
        self._lock = threading.Lock()

    def check(self, steps: c.Iterable[Step]) -> None:
        """Refuse a run that would revoke or reissue more than a declaration without mistakes does.

        :raises GuardError: before anything is written.
        """
        due = dict.fromkeys(self._most, 0)
        for step in steps:
            if option := self._limit_of(step):
                due[option] += 1
        for option, number in due.items():
            if number > self._most[option]:
                raise self._exceeded(option, number, "Nothing")

    def take(self, step: Step) -> None:
        """Count a step that is about to be carried out. What changed since the check must not exceed a limit either.

        :raises GuardError: if it would.
        """
        option = self._limit_of(step)
        if not option:
            return
        with self._lock:
            if self._taken[option] >= self._most[option]:
                raise self._exceeded(option, self._taken[option] + 1, "Nothing more")
            self._taken[option] += 1

    def _limit_of(self, step: Step) -> str:
        """The option that limits this step, or nothing."""
        if isinstance(step, Revoke) and step.reason in GUARDED:
            return "max_revocations"
        missing = isinstance(step, Issue) and step.reason == "secret_missing" and step.replaces_used
        return "max_reissues" if missing and self._issue else ""

    def _exceeded(self, option: str, number: int, nothing: str) -> GuardError:
        if option == "max_revocations":
            return GuardError(
                f"{self._source}{number} tokens would be revoked as undeclared or absent, and `max_revocations` is "
                f"{self._most[option]}. {nothing} was changed. To revoke all of them, raise the limit; `--check "
                "--diff` lists them."
            )
        return GuardError(
            f"{self._source}The store holds no secret of {number} declared tokens that exist and are in use: check "
            f"that `store` names the right place. {nothing} was changed. To issue new tokens in addition to them, "
            f"raise `max_reissues` ({self._most[option]}); `--check --diff` lists them."
        )
