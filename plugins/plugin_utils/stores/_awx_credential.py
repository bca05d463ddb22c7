# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store ``awx_credential:NAME-TEMPLATE``: one credential of the controller for each token.

There is no compare-and-set, and no way to read a secret back: the id in the description, written by the same request,
is what is compared and what is read.
"""

from __future__ import annotations

import collections.abc as c
import re
import typing as t

from ansible.parsing.vault import VaultLib

from ...module_utils.core._model import is_reference, owner_path
from ...module_utils.tokens._delivery import Entry
from ...module_utils.tokens._types import UNKNOWN
from . import _controller
from ._base import BaseStore, Change, MovedError, StoredEntry, StoreError, known_ids
from ._controller import Controller, ControllerError, Json
from ._options import Option, StoreOptions

_TYPE = "bitbucket_dc_token"
_FIELD = "token"
_PLACEHOLDER = "{reference}"
_ID = re.compile(r"\bBitbucket token ([0-9]{1,20})\b")
_LONGEST_NAME = 512
#: A write that comes late could replace a newer secret, since there is no compare-and-set: it is not waited for.
_WRITE_TIMEOUT = 10


class AwxCredentialStore(BaseStore):
    """Secrets as credentials of the type that the controller itself has for Bitbucket Data Center.

    :param template: the credential's name, with ``{reference}`` in it.
    :param organization: the name of the organization that owns the credentials.
    """

    OPTIONS: t.ClassVar = {**_controller.OPTIONS, "organization": Option()}
    survives_job = True

    @classmethod
    def opened(cls, place: str, options: StoreOptions, vault: VaultLib, single: bool) -> AwxCredentialStore:
        if _PLACEHOLDER not in place:
            raise StoreError("`store` must be awx_credential:NAME-TEMPLATE with {reference} in the template.")
        organization = options.text("organization")
        if not organization:
            raise StoreError("`store_options.organization` must name the organization that owns the credentials.")
        return cls(_controller.open_controller(options, write_timeout=_WRITE_TIMEOUT), place, organization)

    def __init__(self, controller: Controller, template: str, organization: str) -> None:
        super().__init__()
        self.name = f"awx_credential:{template}"
        self._controller = controller
        self._template = template
        self._organization = organization
        self._place: dict[str, int] = {}

    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        for reference in references:
            if len(self._name(reference)) > _LONGEST_NAME:
                raise StoreError(f"{reference} is too long for the name of a credential.")
        present = self._credentials()
        names = [self._name(reference) for reference in references]
        for name in names:
            if name in present and not _may_edit(present[name]):
                raise StoreError(f"{self.name}: this login may not change the credential {name}.")
        path = f"organizations/{self._where()['organization']}/credentials/"
        if set(names) - set(present) and not self._controller.may_create(path):
            raise StoreError(f"{self.name}: this login may not create credentials in {self._organization}.")

    def _look(self, references: c.Sequence[str]) -> dict[str, StoredEntry]:
        names = {reference: self._name(reference) for reference in references}
        filters = {"name": names[references[0]]} if len(references) == 1 else {}
        present = self._credentials(**filters)
        found = {reference: present.get(name) for reference, name in names.items()}
        return {reference: StoredEntry(_held(credential), None, credential) for reference, credential in found.items()}

    def others(self, references: c.Collection[str]) -> dict[str, str]:
        owners = {owner_path(reference).casefold() for reference in references}
        before, _placeholder, after = self._template.partition(_PLACEHOLDER)
        found = {
            name[len(before) : len(name) - len(after)]: _held(credential)
            for name, credential in self._credentials().items()
            if name.startswith(before) and name.endswith(after)
        }
        others = {other: held for other, held in found.items() if is_reference(other) and other not in references}
        return known_ids({other: held for other, held in others.items() if owner_path(other).casefold() in owners})

    def _put(self, changes: c.Sequence[Change], held: c.Mapping[str, StoredEntry]) -> c.Collection[str]:
        for change in changes:
            before: Json | None = held[change.reference].state
            try:
                if isinstance(change, Entry):
                    self._save(change, before)
                elif before is not None:
                    self._controller.remove("credentials", int(before["id"]))
            except ControllerError as error:
                # Somebody else may have created it in between; looking again tells.
                raise MovedError(str(error)) if error.conflict else error from None
        return ()

    def secret(self, reference: str) -> str:
        raise StoreError(
            f"{self.name} never shows a secret again. AWX uses {self._name(reference)} as the webhook credential of a "
            "job template; for other uses, choose another store."
        )

    def _save(self, entry: Entry, before: Json | None) -> None:
        """Secret and id in one request."""
        inputs = {_FIELD: entry.secret}
        mark = f"Bitbucket token {entry.id}"
        if before is None:
            fields = {"name": self._name(entry.reference), "description": mark, "inputs": inputs, **self._where()}
            self._controller.create("credentials", fields)
            return
        text = str(before.get("description") or "")
        description = _ID.sub(mark, text, count=1) if _ID.search(text) else f"{text} {mark}".strip()
        self._controller.change("credentials", int(before["id"]), {"description": description, "inputs": inputs})

    def _credentials(self, **filters: str) -> dict[str, Json]:
        """The credentials of the type and organization, by name."""
        where = {key: str(value) for key, value in self._where().items()}
        found = self._controller.all("credentials", **where, **filters)
        if not all(isinstance(item.get("name"), str) and isinstance(item.get("id"), int) for item in found):
            raise StoreError(f"{self.name}: the controller lists credentials without name or id.")
        return {item["name"]: item for item in found}

    def _where(self) -> dict[str, int]:
        if not self._place:
            owner = self._controller.one("organizations", f"organization {self._organization}", name=self._organization)
            kind = self._controller.one("credential_types", f"credential type {_TYPE}", namespace=_TYPE)
            self._place = {"organization": int(owner["id"]), "credential_type": int(kind["id"])}
        return self._place

    def _name(self, reference: str) -> str:
        return self._template.replace(_PLACEHOLDER, reference)


def _held(credential: Json | None) -> str | None:
    """The id in the description; ``unknown`` for a secret without one."""
    if credential is None:
        return None
    inputs = credential.get("inputs")
    if not isinstance(inputs, dict) or not inputs.get(_FIELD):
        return None
    match = _ID.search(str(credential.get("description") or ""))
    return match[1] if match else UNKNOWN


def _may_edit(credential: Json) -> bool:
    summary = credential.get("summary_fields")
    capabilities = summary.get("user_capabilities") if isinstance(summary, dict) else None
    # If the controller does not say, the write shows it.
    return not isinstance(capabilities, dict) or capabilities.get("edit") is not False


STORE = AwxCredentialStore
