# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings objects of AWX or Automation Controller to a declared state: look up by name, create, change what differs."""

from __future__ import annotations

import collections.abc as c
import json
import re
import time
import typing as t

import yaml

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._controller import (
    Controller,
    ControllerError,
    Json,
)

CREATED, CHANGED, UNCHANGED = "created", "changed", "unchanged"
#: What the controller shows in place of a secret, and takes for "as it is".
ENCRYPTED = "$encrypted$"
HIDDEN = "(hidden)"
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
_TEXTS = ("extra_vars", "source_vars", "variables")
#: Parts of a job template that have an address of their own.
_CREDENTIALS, _SURVEY = "credentials", "survey"
_SECRET_NAME = re.compile(r"(pass(word|wd|phrase)?|secret|secret_id|jwt|token|key)$", re.IGNORECASE)
_SYNCING = ("new", "pending", "waiting", "running")
_PAUSE = 2.0


class _Kind(t.NamedTuple):
    """What else than the name tells an object from others of its kind, and which of that the controller derives."""

    key: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()


# In this order each is only about those above it.
KINDS = {
    "credential_types": _Kind(("kind",)),
    "credentials": _Kind(("organization", "credential_type")),
    "execution_environments": _Kind(),
    "projects": _Kind(("organization",)),
    "inventories": _Kind(("organization",)),
    "inventory_sources": _Kind(("inventory",)),
    "job_templates": _Kind(("organization",), ("organization",)),
    "schedules": _Kind(("unified_job_template",)),
}


class Declared(t.NamedTuple):
    """One object as it shall be. Fields as in the controller's API, those of :data:`REFERENCES` by name."""

    kind: str
    name: str
    fields: Json
    credentials: list[str] | None = None
    survey: Json | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class _Pending:
    """In place of the id of an object that check mode does not create."""


_PENDING = _Pending()


class _Step(t.NamedTuple):
    """What is to be done about one object: what is there, what is sent, and both sides of that for people."""

    declared: Declared
    held: Json | None
    due: Json
    before: Json
    after: Json


def declared_of(given: c.Mapping[str, t.Any]) -> Declared:
    """An object as a task declares it.

    :raises InputError: for a kind that there is not, or a part that its kind has not.
    """
    plain = _plain(given)
    kind, name = plain["kind"], plain["name"]
    if kind not in KINDS:
        raise InputError(f"`kind` must be one of {', '.join(KINDS)}.")
    for part in (_CREDENTIALS, _SURVEY):
        if plain.get(part) is not None and kind != "job_templates":
            raise InputError(f"{kind} {name}: only job_templates have `{part}`.")
    missing = [field for field in KINDS[kind].key if not plain["fields"].get(field)]
    if missing:
        raise InputError(f"{kind} {name}: `fields` must say {' and '.join(missing)}, which it is looked up by.")
    return Declared(kind, name, plain["fields"], plain.get(_CREDENTIALS), plain.get(_SURVEY))


class Objects:
    """Declared objects on one controller.

    :param update_secrets: whether inputs that the controller does not show are written again.
    :param sync_timeout: how many seconds to wait for a project, since job templates name playbooks in it.
    """

    def __init__(
        self,
        controller: Controller,
        update_secrets: bool = False,
        sync_timeout: float = 300,
        sleep: c.Callable[[float], None] = time.sleep,
    ) -> None:
        self._controller = controller
        self._update_secrets = update_secrets
        self._sync_timeout = sync_timeout
        self._sleep = sleep
        self._known: dict[tuple[str, str], int | _Pending] = {}
        self._wrote = False

    def bring(self, objects: c.Sequence[Declared], check_mode: bool) -> Json:
        """Bring them to their state, in their order; the task's result. What fails ends it, and says what was done."""
        done: list[Json] = []
        differences: list[Json] = []
        error = None
        for declared in objects:
            try:
                step = self._plan(declared)
                number = self._number(step) if check_mode else self._apply(step)
            except BitbucketError as failure:
                error = f"{declared}: {failure}"
                break
            self._known[declared.kind, declared.name] = number
            shown = None if isinstance(number, _Pending) else number
            done.append({"kind": declared.kind, "name": declared.name, "id": shown, "state": _state(step)})
            if _state(step) != UNCHANGED:
                differences.append(_difference(step))
        # What failed in the middle of an object may have written some of it.
        result = {"changed": bool(differences) or self._wrote, "objects": done, "diff": differences}
        return result if error is None else {**result, "failed": True, "msg": error}

    # Looking

    def _plan(self, declared: Declared) -> _Step:
        wanted: Json = {"name": declared.name}
        for field, value in declared.fields.items():
            # The organization comes first, so that what is named beside it is looked up there.
            wanted[field] = self._id(field, value, declared.fields) if field in REFERENCES and value else value
        held = self._held(declared, wanted)
        due = {field: value for field, value in wanted.items() if field not in KINDS[declared.kind].derived}
        if held is not None:
            due = {field: value for field, value in due.items() if self._differs(field, value, held)}
        before = {field: _shown(field, held.get(field), held) for field in due} if held else {}
        after = {field: _shown(field, declared.fields.get(field, declared.name), None) for field in due}
        if "inputs" in due and declared.kind == "credentials":
            before, after = ({**side, "inputs": _hidden(side.get("inputs"))} for side in (before, after))
            due["inputs"] = self._inputs(due["inputs"], held)
        self._plan_parts(declared, held, due, before, after)
        return _Step(declared, held, due, before, after)

    def _plan_parts(self, declared: Declared, held: Json | None, due: Json, before: Json, after: Json) -> None:
        """What has an address of its own: under its own name in ``due``, which is taken out again to send the rest."""
        if declared.credentials is not None:
            present = self._attached(held)
            ids = [self._id("credential", name, declared.fields) for name in declared.credentials]
            if sorted(map(str, ids)) != sorted(map(str, present)):
                due[_CREDENTIALS] = (ids, list(present))
                before[_CREDENTIALS], after[_CREDENTIALS] = sorted(present.values()), sorted(declared.credentials)
        if declared.survey is not None:
            survey = self._controller.get(f"job_templates/{held['id']}/survey_spec/") if held else {}
            if survey != declared.survey:
                due[_SURVEY], before[_SURVEY], after[_SURVEY] = declared.survey, survey, declared.survey

    def _attached(self, held: Json | None) -> dict[int, str]:
        """The credentials of a job template, by id."""
        if held is None:
            return {}
        return {
            item["id"]: str(item["name"]) for item in self._controller.all(f"job_templates/{held['id']}/credentials")
        }

    def _id(self, field: str, name: str, beside: Json) -> int | _Pending:
        """The id of the object that a field names."""
        kind = REFERENCES[field]
        known = self._known.get((kind, name))
        if known is not None:
            return known
        filters = {"name": name}
        organization = beside.get("organization")
        if organization and kind not in ("organizations", "execution_environments", "credential_types"):
            owner = self._id("organization", organization, {})
            filters["organization"] = str(owner)
        found = self._named(kind, filters)
        if found is None:
            place = f" in the organization {organization}" if "organization" in filters else ""
            raise InputError(f"`{field}` names {name}, and there are none of that name among {kind}{place}.")
        self._known[kind, name] = int(found["id"])
        return int(found["id"])

    def _held(self, declared: Declared, wanted: Json) -> Json | None:
        """What is there of that name; nothing where what it belongs to is not there yet either."""
        key = {field: wanted[field] for field in KINDS[declared.kind].key}
        if any(isinstance(value, _Pending) for value in key.values()):
            return None
        return self._named(
            declared.kind, {"name": declared.name, **{field: str(value) for field, value in key.items()}}
        )

    def _named(self, kind: str, filters: dict[str, str]) -> Json | None:
        """:raises ControllerError: where there are several: which one is meant can't be known."""
        name = filters["name"]
        found = [item for item in self._controller.all(kind, **filters) if item.get("name") == name]
        if len(found) > 1:
            raise ControllerError(f"The controller has {len(found)} {kind} named {name}: rename all but one.")
        if found and not isinstance(found[0].get("id"), int):
            raise ControllerError(f"The controller lists {kind} without an id.")
        return found[0] if found else None

    # Comparing

    def _differs(self, field: str, value: t.Any, held: Json) -> bool:
        present = held.get(field)
        if field in _TEXTS:
            return bool(_parsed(value) != _parsed(present))
        if field == "inputs" and "credential_type" in held:
            return self._inputs_differ(value, present)
        return bool(value != present)

    def _inputs_differ(self, wanted: Json, present: t.Any) -> bool:
        """Whether inputs of a credential differ, as far as that can be seen. Those that nobody declared are left."""
        present = present if isinstance(present, dict) else {}
        for name, value in wanted.items():
            if present.get(name) == ENCRYPTED:
                if self._update_secrets:
                    return True
            elif present.get(name, "") != value:
                return True
        return False

    def _inputs(self, wanted: Json, held: Json | None) -> Json:
        """All inputs, since they are written as one field; secrets as the controller has them unless told otherwise."""
        present = held.get("inputs") if held else None
        present = present if isinstance(present, dict) else {}
        kept = {
            name: ENCRYPTED if present.get(name) == ENCRYPTED and not self._update_secrets else value
            for name, value in wanted.items()
        }
        return {**present, **kept}

    # Doing

    def _number(self, step: _Step) -> int | _Pending:
        return int(step.held["id"]) if step.held else _PENDING

    def _apply(self, step: _Step) -> int:
        kind = step.declared.kind
        self._wrote = self._wrote or bool(step.due)
        parts = {part: step.due.pop(part) for part in (_CREDENTIALS, _SURVEY) if part in step.due}
        fields = {field: _sent(field, value) for field, value in step.due.items()}
        now = step.held or {}
        if step.held is None:
            now = self._controller.create(kind, fields)
        elif fields:
            now = self._controller.change(kind, int(step.held["id"]), fields)
        number = now.get("id")
        if not isinstance(number, int):
            raise ControllerError("The controller did not say which object it made.")
        self._apply_parts(f"{kind}/{number}", parts)
        if kind == "projects":
            self._await_sync(number, now)
        return number

    def _apply_parts(self, path: str, parts: Json) -> None:
        wanted, present = parts.get(_CREDENTIALS, ([], []))
        # First away with what is too many: there can be one of each type only.
        for number in present:
            if number not in wanted:
                self._controller.tell(f"{path}/credentials/", {"id": number, "disassociate": True})
        for number in wanted:
            if number not in present:
                self._controller.tell(f"{path}/credentials/", {"id": number})
        if _SURVEY in parts:
            self._controller.tell(f"{path}/survey_spec/", parts[_SURVEY])

    def _await_sync(self, number: int, project: Json) -> None:
        """A job template is refused until the controller has seen its playbook in the project."""
        waited = 0.0
        while project.get("status") in _SYNCING:
            if waited >= self._sync_timeout:
                raise ControllerError(
                    f"The project is not synced after {self._sync_timeout:g} seconds: look at its last job in the "
                    "controller, then run this again."
                )
            self._sleep(_PAUSE)
            waited += _PAUSE
            project = self._controller.get(f"projects/{number}/")
        if project.get("status") in ("failed", "error", "canceled", "missing"):
            raise ControllerError(
                f"The project could not be synced (its status is {project['status']}): look at its last job in the "
                "controller, then run this again."
            )


def _state(step: _Step) -> str:
    if step.held is None:
        return CREATED
    return CHANGED if step.after else UNCHANGED


def _difference(step: _Step) -> Json:
    header = f"{step.declared}"
    sides = {"before": step.before, "after": step.after}
    texts = {side: yaml.safe_dump(shown, sort_keys=True, width=1000) if shown else "" for side, shown in sides.items()}
    return {"before_header": header, "after_header": header, **texts}


def _sent(field: str, value: t.Any) -> t.Any:
    return json.dumps(value) if field in _TEXTS and not isinstance(value, str) else value


def _parsed(value: t.Any) -> t.Any:
    """A mapping that may be written as text; what is not one is compared as it is."""
    if not isinstance(value, str):
        return value or {}
    try:
        return yaml.safe_load(value) or {}
    except yaml.YAMLError:
        return value


def _shown(field: str, value: t.Any, held: Json | None) -> t.Any:
    """A field for people: names in place of ids, and nothing that may be secret."""
    if field in REFERENCES and held is not None:
        summaries = held.get("summary_fields")
        summary = summaries.get(field) if isinstance(summaries, dict) else None
        return summary.get("name", value) if isinstance(summary, dict) else value
    return _masked(_parsed(value) if field in _TEXTS else value)


def _masked(value: t.Any) -> t.Any:
    """``value`` without what is kept under a name that speaks of a secret."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if isinstance(item, str) and item and _SECRET_NAME.search(str(name)) else _masked(item)
            for name, item in value.items()
        }
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _hidden(inputs: t.Any) -> t.Any:
    """The inputs of a credential by their names alone: which of them are secret only its type knows."""
    return dict.fromkeys(inputs, HIDDEN) if isinstance(inputs, dict) else inputs


def _plain(value: t.Any) -> t.Any:
    """Without Ansible's own types, which do not serialize."""
    if isinstance(value, c.Mapping):
        return {str.__str__(str(name)): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float):
        if isinstance(value, kind):
            return kind(value)
    return str.__str__(str(value))
