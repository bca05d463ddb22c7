# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of AWX by kind and name. Fields are those of its API, with the names of other objects in place of ids."""

from __future__ import annotations

import typing as t

from ..stores._controller import Json

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


class AwxObject(t.NamedTuple):
    """An object in its declared state."""

    kind: str
    name: str
    fields: Json
    credentials: list[str] | None = None
    survey: Json | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
