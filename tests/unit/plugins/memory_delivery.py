"""A delivery into memory, for tests of the reconciliation that need no store."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_path
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import (
    REFUSED,
    WRITTEN,
    Answers,
    Entry,
    Held,
)


class MemoryDelivery:
    """Takes every secret whose predecessor it holds.

    :param stored: ids by reference.
    :param before_write: called before each write.
    """

    name = "memory"
    batch = 16

    def __init__(self, stored: t.Mapping[str, str | None], before_write: t.Callable[[], object] = lambda: None) -> None:
        self.stored = dict(stored)
        self.secrets: dict[str, str] = {}
        self.before_write = before_write

    def prepare(self, references: t.Sequence[str], check_mode: bool) -> None:
        """It can always be written."""

    def read(self, references: t.Sequence[str]) -> Held:
        owners = {owner_path(reference) for reference in references}
        others = {
            reference: token_id
            for reference, token_id in self.stored.items()
            if reference not in references and owner_path(reference) in owners and token_id
        }
        held = {reference: self.stored[reference] for reference in references if reference in self.stored}
        return Held(held, others, time.monotonic())

    def deliver(self, entries: t.Sequence[Entry]) -> Answers:
        self.before_write()
        answers = {}
        for secret in entries:
            fits = self.stored.get(secret.reference) == secret.replaces
            answers[secret.reference] = WRITTEN if fits else REFUSED
            if fits:
                self.stored[secret.reference], self.secrets[secret.reference] = secret.id, secret.secret
        return Answers(answers)

    def remove(self, tokens: t.Mapping[str, str]) -> tuple[list[str], list[str]]:
        self.stored.update(dict.fromkeys(tokens))
        return list(tokens), []
