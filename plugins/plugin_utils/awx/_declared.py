# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of AWX: objects by kind and name, with fields as in its API, those that refer to others by name."""

from __future__ import annotations

import collections.abc as c
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._controller import Json

#: Fields that hold the id of another object, and the kind of that.
REFERENCES = {
    "credential": "credentials",
    "credential_type": "credential_types",
    "default_environment": "execution_environments",
    "execution_environment": "execution_environments",
    "inventory": "inventories",
    "organization": "organizations",
    "project": "projects",
    "source_project": "projects",
    "unified_job_template": "job_templates",
}
#: Fields that hold a mapping as text.
TEXTS = ("extra_vars", "source_vars", "variables")
#: Parts of a job template that have an address of their own.
CREDENTIALS, SURVEY = "credentials", "survey"


class Kind(t.NamedTuple):
    """What else than the name tells an object from others of its kind, and which of that the controller derives."""

    key: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()


# In this order each is only about those above it.
KINDS = {
    "credential_types": Kind(("kind",)),
    "credentials": Kind(("organization", "credential_type")),
    "execution_environments": Kind(),
    "projects": Kind(("organization",)),
    "inventories": Kind(("organization",)),
    "inventory_sources": Kind(("inventory",)),
    "job_templates": Kind(("organization",), ("organization",)),
    "schedules": Kind(("unified_job_template",)),
}


class Declared(t.NamedTuple):
    """One object as it shall be."""

    kind: str
    name: str
    fields: Json
    credentials: list[str] | None = None
    survey: Json | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def declared_of(given: c.Mapping[str, t.Any]) -> Declared:
    """An object as a task declares it.

    :raises InputError: for a kind that there is not, or a part that its kind has not.
    """
    made = plain(given)
    kind, name = made["kind"], made["name"]
    if kind not in KINDS:
        raise InputError(f"`kind` must be one of {', '.join(KINDS)}.")
    for part in (CREDENTIALS, SURVEY):
        if made.get(part) is not None and kind != "job_templates":
            raise InputError(f"{kind} {name}: only job_templates have `{part}`.")
    missing = [field for field in KINDS[kind].key if not made["fields"].get(field)]
    if missing:
        raise InputError(f"{kind} {name}: `fields` must say {' and '.join(missing)}, which it is looked up by.")
    return Declared(kind, name, made["fields"], made.get(CREDENTIALS), made.get(SURVEY))


def plain(value: t.Any) -> t.Any:
    """Without Ansible's own types, which do not serialize."""
    if isinstance(value, c.Mapping):
        return {str.__str__(str(name)): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str.__str__(str(value))
