# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store ``helper:COMMAND``: a program of the user's own that keeps the secrets.

Nothing that it says is shown, since it may say anything: what it answers is compared with what it can mean.
"""

from __future__ import annotations

import collections.abc as c
import shlex
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._steps import UNKNOWN
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import (
    REFUSED,
    UNCERTAIN,
    WRITTEN,
    Entry,
    Store,
    StoreError,
    id_of,
    is_id,
    outcome,
    removal,
    removed,
    settled,
    shown,
)
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._program import Dialogue, Line, converse

_PROTOCOL = 1
#: What a helper may give as ``error``, and what that says to people.
_ERRORS = {
    "denied": "is not permitted to do that",
    "locked": "says that what it keeps secrets in is locked",
    "unavailable": "says that what it keeps secrets in does not answer",
    "write_only": "cannot show a secret that it keeps",
}
_ANSWERS = (WRITTEN, REFUSED, UNCERTAIN)


class HelperStore(Store):
    """Secrets with a program.

    :param command: the program and its arguments; no shell is involved.
    :param timeout: seconds for one run of the program.
    """

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

    def read(self, references: c.Iterable[str]) -> dict[str, str | None]:
        return self._refined(self._recorded(references))

    def write(self, entries: c.Sequence[Entry]) -> dict[str, str]:
        self.troubles.clear()
        sound = self.sound(entries)
        recorded = self._recorded([entry.reference for entry in sound])
        held = self._refined(recorded)
        said = {entry.reference: outcome(held[entry.reference], entry) for entry in sound}
        due = [entry for entry in sound if said[entry.reference] is None]
        # It compares with what it says itself: a placeholder that counts as nothing here is something to it.
        lines = [
            {"reference": item.reference, "id": item.id, "secret": item.secret, "replaces": recorded[item.reference]}
            for item in due
        ]
        dialogue = self._run("write", lines) if due else Dialogue([])
        if dialogue.failure:
            self.troubles.update({entry.reference: f"{self.name} {dialogue.failure}" for entry in due})
        told = self._told(due, dialogue.answers)
        answers = {reference: word or told.get(reference, UNCERTAIN) for reference, word in said.items()}
        return {**{entry.reference: UNCERTAIN for entry in entries}, **self._proven(sound, answers)}

    def remove(self, tokens: c.Mapping[str, str]) -> dict[str, str]:
        self.troubles.clear()
        held = self.read(tokens)
        known = {reference: removal(held[reference], token_id) for reference, token_id in tokens.items()}
        due = [reference for reference, answer in known.items() if answer is None]
        dialogue = (
            self._run("remove", [{"reference": item, "id": tokens[item]} for item in due]) if due else Dialogue([])
        )
        said = {str(answer.get("reference")): answer for answer in dialogue.answers}
        after = self.read(due)
        for reference in due:
            known[reference] = removed(after[reference], tokens[reference])
            if known[reference] == UNCERTAIN:
                answer = said.get(reference, {})
                why = self._sentence(answer) if "error" in answer else f"{self.name} did not remove the entry."
                self.troubles[reference] = why
        return {reference: answer or UNCERTAIN for reference, answer in known.items()}

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

    def _refined(self, recorded: dict[str, str | None]) -> dict[str, str | None]:
        """What was put there by hand may still tell whose it is, or be what a log filter left."""
        unknown = [reference for reference, token_id in recorded.items() if token_id == UNKNOWN]
        return {**recorded, **{reference: id_of(text, UNKNOWN) for reference, text in self._secrets(unknown).items()}}

    def _proven(self, entries: c.Sequence[Entry], said: c.Mapping[str, str]) -> dict[str, str]:
        """The answers, as far as reading back bears them out."""
        try:
            held = self.read(said)
            shown = self._secrets([entry.reference for entry in entries if held[entry.reference] == entry.id])
        except StoreError as error:
            self.troubles = {reference: self.troubles.get(reference, str(error)) for reference in said}
            return dict.fromkeys(said, UNCERTAIN)
        answers = {}
        for entry in entries:
            answers[entry.reference] = settled(said[entry.reference], held[entry.reference], entry)
            if shown.get(entry.reference, entry.secret) != entry.secret:
                self.troubles[entry.reference] = f"{self.name} does not hold what was given to it."
                answers[entry.reference] = UNCERTAIN
        return answers

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

    def _told(self, entries: c.Sequence[Entry], answers: c.Sequence[Line]) -> dict[str, str]:
        """What it said of each entry, up to the first answer that makes no sense."""
        result = {}
        for entry, answer in zip(entries, answers, strict=False):
            if answer.get("reference") != entry.reference:
                break
            word = answer.get("answer")
            result[entry.reference] = word if word in _ANSWERS else UNCERTAIN
            if "error" in answer:
                self.troubles[entry.reference] = self._sentence(answer)
        return result

    def _held(self, answer: Line) -> str | None:
        self._refuse_error(answer)
        token_id = answer.get("id", "")
        if token_id is not None and token_id != UNKNOWN and not is_id(token_id):
            raise StoreError(f"{self.name} answered with an id that is none: a string of digits, {UNKNOWN} or null.")
        return t.cast("str | None", token_id)

    def _answers(self, verb: str, requests: c.Sequence[Line]) -> list[Line]:
        """One whole answer for each request.

        :raises StoreError: where one is missing, or is about something else.
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
        return f"{self.name} {known or 'failed; run it by hand to see why'}."
