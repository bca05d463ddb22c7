# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares declared objects with those that AWX shows, and describes the differences."""

from __future__ import annotations

import json
import re
import typing as t

import yaml

from ..stores._controller import Json
from ._objects import REFERENCES, TEXTS, AwxObject

CREATED, CHANGED, UNCHANGED = "created", "changed", "unchanged"
#: What the controller shows in place of a secret, and takes for "as it is".
ENCRYPTED = "$encrypted$"
HIDDEN = "(hidden)"
_SECRET_NAME = re.compile(r"(pass(word|wd|phrase)?|secret|secret_id|jwt|token|key)$", re.IGNORECASE)


class AwxChange(t.NamedTuple):
    """The change of one object: the existing object, the fields to send with ids, and both sides for people."""

    declared: AwxObject
    held: Json | None
    due: Json
    before: Json
    after: Json

    @property
    def state(self) -> str:
        if self.held is None:
            return CREATED
        return CHANGED if self.after else UNCHANGED

    def difference(self) -> Json:
        """As ``--diff`` shows it."""
        header = f"{self.declared}"
        sides = {"before": self.before, "after": self.after}
        texts = {
            side: yaml.safe_dump(shown, sort_keys=True, width=1000) if shown else "" for side, shown in sides.items()
        }
        return {"before_header": header, "after_header": header, **texts}


def differs(field: str, value: t.Any, held: Json, update_secrets: bool) -> bool:
    """Whether a field is another than what is held."""
    present = held.get(field)
    if field in TEXTS:
        return bool(_parsed(value) != _parsed(present))
    if field == "inputs" and "credential_type" in held:
        return _inputs_differ(value, present, update_secrets)
    return bool(value != present)


def _inputs_differ(wanted: Json, present: t.Any, update_secrets: bool) -> bool:
    """Whether inputs of a credential differ, as far as that can be seen. Undeclared inputs are ignored."""
    present = present if isinstance(present, dict) else {}
    for name, value in wanted.items():
        if present.get(name) == ENCRYPTED:
            if update_secrets:
                return True
        elif present.get(name, "") != value:
            return True
    return False


def inputs_to_send(wanted: Json, held: Json | None, update_secrets: bool) -> Json:
    """All inputs, since they are written as one field; secrets as the controller has them unless told otherwise."""
    present = held.get("inputs") if held else None
    present = present if isinstance(present, dict) else {}
    kept = {
        name: ENCRYPTED if present.get(name) == ENCRYPTED and not update_secrets else value
        for name, value in wanted.items()
    }
    return {**present, **kept}


def sent(field: str, value: t.Any) -> t.Any:
    """A field as the controller takes it."""
    return json.dumps(value) if field in TEXTS and not isinstance(value, str) else value


def shown(field: str, value: t.Any, held: Json | None) -> t.Any:
    """A field for people: names in place of ids, and nothing that may be secret."""
    if field in REFERENCES and held is not None:
        summaries = held.get("summary_fields")
        summary = summaries.get(field) if isinstance(summaries, dict) else None
        return summary.get("name", value) if isinstance(summary, dict) else value
    return _masked(_parsed(value) if field in TEXTS else value)


def hidden(inputs: t.Any) -> t.Any:
    """The inputs of a credential by their names alone: which of them are secret only its type knows."""
    return dict.fromkeys(inputs, HIDDEN) if isinstance(inputs, dict) else inputs


def _masked(value: t.Any) -> t.Any:
    """``value`` without what is kept under a name that speaks of a secret."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if isinstance(item, str) and item and _SECRET_NAME.search(str(name)) else _masked(item)
            for name, item in value.items()
        }
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _parsed(value: t.Any) -> t.Any:
    """A mapping that may be written as text; what is not one is compared as it is."""
    if not isinstance(value, str):
        return value or {}
    try:
        return yaml.safe_load(value) or {}
    except yaml.YAMLError:
        return value
