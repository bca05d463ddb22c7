# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings objects of AWX or Automation Controller to a declared state: look up by name, create, change what differs."""

from __future__ import annotations

import collections.abc as c
import time

from ...module_utils.core._errors import BitbucketError, InputError
from ..stores._controller import OPTIONS, Controller, ControllerError, Json, open_controller
from ..stores._options import StoreOptions
from ._compared import UNCHANGED, AwxChange, differs, hidden, inputs_to_send, sent, shown
from ._found import PENDING, Number, ObjectIndex, Pending
from ._objects import CREDENTIALS, KINDS, REFERENCES, SURVEY, AwxObject

_SYNCING = ("new", "pending", "waiting", "running")
_PAUSE = 2.0


def bring(params: Json, objects: c.Sequence[AwxObject], check_mode: bool) -> Json:
    """Bring the objects to their state on the controller that a task names; the task's result.

    :raises BitbucketError: if an option is wrong, or the controller cannot be reached.
    """
    if params["timeout"] < 1 or params["sync_timeout"] < 0:
        raise InputError("`timeout` must be at least 1 second, and `sync_timeout` at least 0.")
    controller = open_controller(StoreOptions(params, OPTIONS, prefix=""))
    return Objects(controller, params["update_secrets"], params["sync_timeout"]).bring(objects, check_mode)


class Objects:
    """AwxObject objects on one controller.

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
        self._index = ObjectIndex(controller)
        self._wrote = False

    def bring(self, objects: c.Sequence[AwxObject], check_mode: bool) -> Json:
        """Bring them to their state, in their order; the task's result. What fails ends it, and says what was done."""
        done: list[Json] = []
        differences: list[Json] = []
        error, reason = None, ""
        for declared in objects:
            try:
                step = self._plan(declared)
                number = self._number(step) if check_mode else self._apply(step)
            except BitbucketError as failure:
                error, reason = f"{declared}: {failure}", failure.reason
                break
            self._index.declare(declared, number)
            known = None if isinstance(number, Pending) else number
            done.append({"kind": declared.kind, "name": declared.name, "id": known, "state": step.state})
            if step.state != UNCHANGED:
                differences.append(step.difference())
        # What failed in the middle of an object may have written some of it.
        would = "would be " if check_mode else ""
        lines = [
            f"{would}{entry['state']} {entry['kind']} {entry['name']}" for entry in done if entry["state"] != UNCHANGED
        ]
        result = {
            "changed": bool(differences) or self._wrote,
            "objects": done,
            "diff": differences,
            "summary": lines or ["nothing to do"],
        }
        return result if error is None else {**result, "failed": True, "msg": error, "reason": reason}

    # Looking

    def _plan(self, declared: AwxObject) -> AwxChange:
        wanted: Json = {"name": declared.name}
        for field, value in declared.fields.items():
            # Other objects are looked up in the organization that the fields name.
            wanted[field] = self._index.id_of(field, value, declared.fields) if field in REFERENCES and value else value
        held = self._index.held(declared, wanted)
        due = {field: value for field, value in wanted.items() if field not in KINDS[declared.kind].derived}
        if held is not None:
            due = {name: value for name, value in due.items() if differs(name, value, held, self._update_secrets)}
        before = {field: shown(field, held.get(field), held) for field in due} if held else {}
        after = {field: shown(field, declared.fields.get(field, declared.name), None) for field in due}
        if "inputs" in due and declared.kind == "credentials":
            before, after = ({**side, "inputs": hidden(side.get("inputs"))} for side in (before, after))
            due["inputs"] = inputs_to_send(due["inputs"], held, self._update_secrets)
        self._plan_parts(declared, held, due, before, after)
        return AwxChange(declared, held, due, before, after)

    def _plan_parts(self, declared: AwxObject, held: Json | None, due: Json, before: Json, after: Json) -> None:
        """What has an address of its own: under its own name in ``due``, which is taken out again to send the rest."""
        if declared.credentials is not None:
            present = self._attached(held)
            ids = [self._index.id_of("credential", name, declared.fields) for name in declared.credentials]
            if sorted(map(str, ids)) != sorted(map(str, present)):
                due[CREDENTIALS] = (ids, list(present))
                before[CREDENTIALS], after[CREDENTIALS] = sorted(present.values()), sorted(declared.credentials)
        if declared.survey is not None:
            survey = self._controller.get(f"job_templates/{held['id']}/survey_spec/") if held else {}
            if survey != declared.survey:
                due[SURVEY], before[SURVEY], after[SURVEY] = declared.survey, survey, declared.survey

    def _attached(self, held: Json | None) -> dict[int, str]:
        """The credentials of a job template, by id."""
        if held is None:
            return {}
        return {
            item["id"]: str(item["name"]) for item in self._controller.all(f"job_templates/{held['id']}/credentials")
        }

    # Doing

    def _number(self, step: AwxChange) -> Number:
        return int(step.held["id"]) if step.held else PENDING

    def _apply(self, step: AwxChange) -> int:
        kind = step.declared.kind
        self._wrote = self._wrote or bool(step.due)
        parts = {part: step.due.pop(part) for part in (CREDENTIALS, SURVEY) if part in step.due}
        fields = {field: sent(field, value) for field, value in step.due.items()}
        now = step.held or {}
        if step.held is None:
            try:
                now = self._controller.create(kind, fields)
            except ControllerError:
                # A run at the same time may have made it since this one looked; of ours only the answer may be lost.
                again = self._plan(step.declared)
                if again.held is None:
                    raise
                return self._apply(again)
        elif fields:
            now = self._controller.change(kind, int(step.held["id"]), fields)
        number = now.get("id")
        if not isinstance(number, int):
            raise ControllerError("The controller returned no id for the new object.")
        self._apply_parts(f"{kind}/{number}", parts)
        if kind == "projects":
            self._await_sync(number, now)
        return number

    def _apply_parts(self, path: str, parts: Json) -> None:
        wanted, present = parts.get(CREDENTIALS, ([], []))
        # First away with what is too many: there can be one of each type only.
        for number in present:
            if number not in wanted:
                self._controller.tell(f"{path}/credentials/", {"id": number, "disassociate": True})
        for number in wanted:
            if number not in present:
                self._controller.tell(f"{path}/credentials/", {"id": number})
        if SURVEY in parts:
            self._controller.tell(f"{path}/survey_spec/", parts[SURVEY])

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
