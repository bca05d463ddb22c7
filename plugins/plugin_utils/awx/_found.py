# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object of AWX a name means: one that was declared before, or one that is there."""

from __future__ import annotations

from ...module_utils.core._errors import InputError
from ..stores._controller import Controller, ControllerError, Json
from ._objects import KINDS, REFERENCES, AwxObject

#: Kinds that a reference names without an organization.
_EVERYWHERE = ("organizations", "execution_environments", "credential_types")


class Pending:
    """In place of the id of an object that check mode does not create."""


PENDING = Pending()
Number = int | Pending


class ObjectIndex:
    """The objects of one controller by name."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        #: Objects that were declared so far, by kind and name. All of them belong to one organization.
        self._declared: dict[tuple[str, str], Number] = {}
        #: Objects that existed before, by kind, name and organization.
        self._there: dict[tuple[str, str, str], int] = {}

    def declare(self, declared: AwxObject, number: Number) -> None:
        """From now on, references to this name mean this object."""
        self._declared[declared.kind, declared.name] = number

    def id_of(self, field: str, name: str, siblings: Json) -> Number:
        """The id of the object that a field names.

        :param siblings: the other fields of the object. It is looked up in the organization that they name.
        :raises InputError: if there is none.
        """
        kind = REFERENCES[field]
        if (kind, name) in self._declared:
            return self._declared[kind, name]
        place, owner = "", ""
        if siblings.get("organization") and kind not in _EVERYWHERE:
            owner = str(self.id_of("organization", siblings["organization"], {}))
            place = f" in the organization {siblings['organization']}"
        if (kind, name, owner) not in self._there:
            found = self._named(kind, {"name": name, **({"organization": owner} if owner else {})})
            if found is None:
                raise InputError(f"`{field}`: there is no {name} among {kind}{place}.")
            self._there[kind, name, owner] = int(found["id"])
        return self._there[kind, name, owner]

    def held(self, declared: AwxObject, wanted: Json) -> Json | None:
        """The existing object of that name; ``None`` if the object that it belongs to does not exist yet."""
        key = {field: wanted[field] for field in KINDS[declared.kind].key}
        if any(isinstance(value, Pending) for value in key.values()):
            return None
        return self._named(
            declared.kind, {"name": declared.name, **{field: str(value) for field, value in key.items()}}
        )

    def _named(self, kind: str, filters: dict[str, str]) -> Json | None:
        """:raises ControllerError: if there are several."""
        name = filters["name"]
        found = [item for item in self._controller.all(kind, **filters) if item.get("name") == name]
        if len(found) > 1:
            raise ControllerError(f"The controller has {len(found)} {kind} named {name}: rename all but one.")
        if found and not isinstance(found[0].get("id"), int):
            raise ControllerError(f"The controller lists {kind} without an id.")
        return found[0] if found else None
