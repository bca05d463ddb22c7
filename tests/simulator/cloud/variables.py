"""C14 [spec]: the variables of a repository, a workspace or a deployment environment."""

from __future__ import annotations

import typing as t

from ..exchange import Response, empty_response, json_response
from .context import Context, page, wrong_method
from .errors import failure, not_found
from .model import Variable
from .switches import CloudSwitches


def variables(context: Context, held: list[Variable]) -> Response:
    if context.method == "GET":
        # C14 [live]: without the trailing slash the list was seen empty
        shown = held if context.slashed or context.switches.slashless_list == "full" else []
        return json_response(200, page(context, [variable_body(each, context.switches) for each in shown]))
    if context.method != "POST":
        raise wrong_method("GET", "POST")
    body = _checked(context.body())
    if "key" not in body:
        raise failure(400, "A variable needs a key.")
    _refuse_duplicate(context, held, body["key"], None)
    uuid = context.model.braced_uuid()
    made = Variable(uuid, body["key"], body.get("value", ""), body.get("secured", False))
    held.append(made)
    return json_response(201, variable_body(made, context.switches))


def variable(context: Context, held: list[Variable], *, readable: bool) -> Response:
    """One of them; a deployment's has no GET (C14)."""
    methods = ("GET", "PUT", "DELETE") if readable else ("PUT", "DELETE")
    if context.method not in methods:
        raise wrong_method(*methods)
    found = next((each for each in held if each.uuid == context.parts[-1]), None)
    if found is None:
        if context.method == "DELETE" and context.switches.delete_unknown != 404:
            return empty_response(context.switches.delete_unknown)
        raise not_found(f"Variable {context.parts[-1]}")
    if context.method == "DELETE":
        held.remove(found)
        return empty_response(context.switches.delete_status)
    if context.method == "PUT":
        _update(context, held, found)
        return json_response(context.switches.update_status, variable_body(found, context.switches))
    return json_response(200, variable_body(found, context.switches))


def _update(context: Context, held: list[Variable], found: Variable) -> None:
    body = _checked(context.body())
    if context.switches.variable_put == "replace":
        if "key" not in body:
            raise failure(400, "A variable needs a key.")
        body = {"value": "", "secured": False, **body}
    if "key" in body:
        _refuse_duplicate(context, held, body["key"], found)
    found.key = body.get("key", found.key)
    found.value = body.get("value", found.value)
    found.secured = body.get("secured", found.secured)


def _refuse_duplicate(context: Context, held: list[Variable], key: str, own: Variable | None) -> None:
    """C14 [spec]: 409 when the key exists; its message is made up."""

    def spelled(text: str) -> str:
        return text if context.switches.variable_keys == "exact" else text.lower()

    if any(each is not own and spelled(each.key) == spelled(key) for each in held):
        raise failure(409, "A variable with this key exists.")


def _checked(body: dict[str, t.Any]) -> dict[str, t.Any]:
    for name, kind in (("key", str), ("value", str), ("secured", bool)):
        if name in body and not isinstance(body[name], kind):
            raise failure(400, f"{name} has the wrong type.")
    if body.get("key") == "":
        raise failure(400, "A variable needs a key.")
    return body


def variable_body(variable: Variable, switches: CloudSwitches) -> dict[str, object]:
    body: dict[str, object] = {"type": "pipeline_variable", "uuid": variable.uuid, "key": variable.key}
    if not variable.secured:
        body["value"] = variable.value
    elif switches.secured_value != "absent":  # C14 [spec]: read back empty
        body["value"] = "" if switches.secured_value == "empty" else None
    body["secured"] = variable.secured
    return body
