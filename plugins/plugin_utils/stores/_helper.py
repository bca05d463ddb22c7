# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store ``helper:COMMAND``: a program of the user's own that keeps the secrets.

Its output is not shown, since it may hold secrets. Its answers are compared with the valid ones.
"""

from __future__ import annotations

import collections.abc as c
import shlex
import typing as t

from ansible.parsing.vault import VaultLib

from ...module_utils.tokens._delivery import REFUSED, Entry
from ...module_utils.tokens._types import UNKNOWN
from ._base import BaseStore, Change, StoredEntry, StoreError, id_of, is_id, shown
from ._options import Option, StoreOptions
from ._program import Dialogue, Line, converse

_PROTOCOL = 1
#: What a helper may give as ``error``, and what that says to people.
_ERRORS = {
    "denied": "is not permitted to do that",
    "locked": "says that what it keeps secrets in is locked",
    "unavailable": "says that what it keeps secrets in does not answer",
    "write_only": "cannot show a secret that it keeps",
}


class HelperStore(BaseStore):
    """Secrets with a program.

    :param command: the program and its arguments; no shell is involved.
    :param timeout: seconds for one run of the program.
    """

    OPTIONS: t.ClassVar = {"timeout": Option("seconds", 60)}
    #: The program keeps them, and it may keep them outside.
    survives_job = True
    together = True

    @classmethod
    def opened(cls, place: str, options: StoreOptions, vault: VaultLib, single: bool) -> HelperStore:
        return cls(place, options.seconds("timeout"))

    def __init__(self, command: str, timeout: float = 60) -> None:
        super().__init__()
        try:
            self._command = shlex.split(command)
        except ValueError:
            raise StoreError("`store` is helper:COMMAND, and the quotes in COMMAND do not match.") from None
        if not self._command:
            raise StoreError("`store` is helper:COMMAND, and no program is named.")
        # Its arguments stay out of messages: who knows what they are.
        self.name = f"helper:{self._command[0]}"
        self._timeout = timeout

    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        request = {"references": list(references), "check_mode": check_mode}
        (answer,) = self._answers("prepare", [request])
        self._refuse_error(answer)
        if answer.get("ready") is not True:
            raise StoreError(f"{self.name} did not answer that it is ready.")

    def _look(self, references: c.Sequence[str]) -> dict[str, StoredEntry]:
        recorded = self._recorded(references)
        # What was put there manually may still tell whose it is, or be what a log filter left.
        unknown = [reference for reference in references if recorded[reference] == UNKNOWN]
        refined = {reference: id_of(text, UNKNOWN) for reference, text in self._secrets(unknown).items()}
        return {
            reference: StoredEntry(refined.get(reference, held), None, held) for reference, held in recorded.items()
        }

    def _shown(self, references: c.Sequence[str], held: c.Mapping[str, StoredEntry]) -> dict[str, str]:
        return self._secrets(references)

    def _put(self, changes: c.Sequence[Change], held: c.Mapping[str, StoredEntry]) -> c.Collection[str]:
        verb = "write" if isinstance(changes[0], Entry) else "remove"
        dialogue = self._run(verb, [_line(change, held[change.reference].state) for change in changes])
        if dialogue.failure:
            self.reasons.update((change.reference, f"{self.name} {dialogue.failure}") for change in changes)
        return self._refused(changes, dialogue.answers)

    def secret(self, reference: str) -> str:
        (answer,) = self._answers("secret", [{"reference": reference}])
        self._refuse_error(answer)
        text = answer.get("secret")
        return shown(self.name, reference, text if isinstance(text, str) else None)

    def _recorded(self, references: c.Iterable[str]) -> dict[str, str | None]:
        """The ids, as the helper has them."""
        asked = list(dict.fromkeys(references))
        answers = self._answers("read", [{"reference": reference} for reference in asked])
        return {reference: self._held(answer) for reference, answer in zip(asked, answers, strict=True)}

    def _secrets(self, references: c.Sequence[str]) -> dict[str, str]:
        """The secrets that the helper shows; one that cannot show any leaves them out."""
        if not references:
            return {}
        answers = self._answers("secret", [{"reference": reference} for reference in references])
        shown = {}
        for reference, answer in zip(references, answers, strict=True):
            if answer.get("error") == "write_only":
                continue
            self._refuse_error(answer)
            text = answer.get("secret")
            shown[reference] = text.strip() if isinstance(text, str) else ""
        return shown

    def _refused(self, changes: c.Sequence[Change], answers: c.Sequence[Line]) -> set[str]:
        """The references that it refused, up to the first answer that makes no sense."""
        refused = set()
        for change, answer in zip(changes, answers, strict=False):
            if answer.get("reference") != change.reference:
                break
            if answer.get("answer") == REFUSED:
                refused.add(change.reference)
            if "error" in answer:
                self.reasons[change.reference] = self._sentence(answer)
        return refused

    def _held(self, answer: Line) -> str | None:
        self._refuse_error(answer)
        token_id = answer.get("id", "")
        if token_id is not None and token_id != UNKNOWN and not is_id(token_id):
            raise StoreError(
                f"{self.name} answered with an id that is not valid: it must be a string of digits, {UNKNOWN} or null."
            )
        return t.cast("str | None", token_id)

    def _answers(self, verb: str, requests: c.Sequence[Line]) -> list[Line]:
        """One whole answer for each request.

        :raises StoreError: if one is missing, or is about another reference.
        """
        if not requests:
            return []
        dialogue = self._run(verb, requests)
        if dialogue.failure:
            raise StoreError(f"{self.name} {dialogue.failure}")
        wanted = [request.get("reference") for request in requests]
        if [answer.get("reference") for answer in dialogue.answers] != wanted:
            raise StoreError(f"{self.name} did not answer every request in its turn, each with its `reference`.")
        return dialogue.answers

    def _run(self, verb: str, requests: c.Sequence[Line]) -> Dialogue:
        return converse(
            self._command, [{"protocol": _PROTOCOL, "verb": verb, **line} for line in requests], self._timeout
        )

    def _refuse_error(self, answer: Line) -> None:
        if "error" in answer:
            raise StoreError(self._sentence(answer))

    def _sentence(self, answer: Line) -> str:
        word = answer["error"]
        known = _ERRORS.get(word) if isinstance(word, str) else None
        return f"{self.name} {known or 'failed; run it manually to see why'}."


def _line(change: Change, recorded: str | None) -> Line:
    if not isinstance(change, Entry):
        return {"reference": change.reference, "id": change.replaces}
    # It compares with what it says itself: a placeholder that counts as nothing here is something to it.
    return {"reference": change.reference, "id": change.id, "secret": change.secret, "replaces": recorded}


STORE = HelperStore
