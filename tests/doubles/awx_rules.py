"""What AWX refuses of the values of a field, beside fields that it does not know; as its own source has it.

Each function says what is wrong, or nothing. The rules are those of AWX's serializers, of the fields of its models, and
of its view for surveys. Not here: whether a recurrence rule can be parsed as one, what format and choices an input has,
which choices and defaults fit a survey's questions, and whatever AWX changes by itself in what it keeps.
"""

from __future__ import annotations

import re
import typing as t

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tests.doubles.loopback import Json

_NAME = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*")
_FILE = re.compile(r"template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?")
_INPUT = {
    **{"id": str, "type": str, "label": str, "help_text": str, "format": str, "choices": list, "default": object},
    **{"multiline": bool, "secret": bool, "ask_at_runtime": bool},
}
#: Names that AWX keeps for itself.
_TAKEN = {
    *("VIRTUAL_ENV", "PATH", "PYTHONPATH", "PROOT_TMP_DIR", "JOB_ID", "INVENTORY_ID", "INVENTORY_SOURCE_ID"),
    *("INVENTORY_UPDATE_ID", "AD_HOC_COMMAND_ID", "REST_API_URL", "REST_API_TOKEN", "MAX_EVENT_RES", "CALLBACK_QUEUE"),
    *("CALLBACK_CONNECTION", "CACHE", "JOB_CALLBACK_DEBUG", "INVENTORY_HOSTVARS", "AWX_HOST", "PROJECT_REVISION"),
    "SUPERVISOR_WEB_CONFIG_PATH",
}
_QUESTIONS = ("text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float")
_QUESTION = {"type": str, "question_name": str, "variable": str, "required": bool}


def schedule(rrule: str) -> str | None:
    """Of the recurrence rule of a schedule."""
    rules = re.findall(r"RULE:\S*", rrule)
    starts = re.findall(r"DTSTART(?:;[^:]+)?:[0-9]+T[0-9]+Z?", rrule)
    refusals = {
        "Valid DTSTART required in rrule.": not starts,
        "DTSTART cannot be a naive datetime.": bool(re.search(r"DTSTART:[0-9]+T[0-9]+ ", rrule)),
        "Multiple DTSTART is not supported.": len(starts) > 1,
        "One or more rule required in rrule.": "rrule:" not in rrule.lower(),
        "EXDATE not allowed in rrule.": "exdate:" in rrule.lower(),
        "RDATE not allowed in rrule.": "rdate:" in rrule.lower(),
        "INTERVAL required in rrule": any("interval" not in rule.lower() for rule in rules),
        "SECONDLY is not supported": any("secondly" in rule.lower() for rule in rules),
        "BYDAY with numeric prefix not supported": any(
            re.search(r"BYDAY[:=][0-9]+[a-zA-Z]{2}", rule) for rule in rules
        ),
        "RRULE may not contain both COUNT and UNTIL": any("COUNT" in rule and "UNTIL" in rule for rule in rules),
        "COUNT > 999 is unsupported": any(int(count) > 999 for count in re.findall(r"COUNT=([0-9]+)", rrule)),
    }
    return next((text for text, refused in refusals.items() if refused), None)


def survey(given: Json) -> str | None:
    """Of a survey."""
    for name, kind in {"name": str, "description": str, "spec": list}.items():
        if not isinstance(given.get(name), kind):
            return f"Field '{name}' is missing from survey spec, or of another type."
    if not given["spec"]:
        return "'spec' doesn't contain any items."
    variables = [question.get("variable") for question in given["spec"] if isinstance(question, dict)]
    if len(set(variables)) != len(given["spec"]):
        return "'variable' duplicated in survey question, or a question that is no object."
    return next(filter(None, map(_question, given["spec"])), None)


def _question(given: Json) -> str | None:
    for name, kind in _QUESTION.items():
        if not isinstance(given.get(name), kind):
            return f"'{name}' missing from survey question, or of another type."
    if given["type"] not in _QUESTIONS:
        return f"'{given['type']}' is not one of the allowed question types."
    if given["type"] in ("multiplechoice", "multiselect") and "choices" not in given:
        return "Survey question must specify choices."
    if any(given.get(limit) is not None and not isinstance(given[limit], int) for limit in ("min", "max")):
        return "The limit in survey question expected to be integer."
    if str(given.get("default", "")).startswith("$encrypted$"):
        return "$encrypted$ is a reserved keyword, may not be used for new default."
    return None


def answered(survey: Json, answers: t.Mapping[str, t.Any]) -> Json:
    """What a job gets of the answers to a survey, which must be ones that AWX takes.

    A default wins against the job template's extra variables. A text without one is sent empty by AWX's pages.
    """
    given = {}
    for question in survey.get("spec", []):
        name, kind = question["variable"], question["type"]
        answer = answers.get(name, question.get("default", ""))
        assert isinstance(answer, int if kind == "integer" else float if kind == "float" else str), question
        assert answer or not question["required"], question
        assert kind != "multiplechoice" or answer in question["choices"], question
        given[name] = answer
    assert set(answers) <= set(given), f"the survey asks for {list(given)} only"
    return given


def credential_type(given: Json) -> Json:
    """Of a credential type, by field."""
    refused = {
        "kind": None if given.get("kind") in ("cloud", "net") else f"Must be 'cloud' or 'net', not {given.get('kind')}",
        "inputs": _inputs(given.get("inputs", {})),
    }
    refused["injectors"] = None if refused["inputs"] else _injectors(given)
    return {field: [text] for field, text in refused.items() if text}


def _inputs(given: t.Any) -> str | None:
    if not isinstance(given, dict) or set(given) - {"fields", "required"}:
        return "Additional properties are not allowed."
    fields, required = given.get("fields", []), given.get("required", [])
    if not isinstance(fields, list) or not isinstance(required, list) or not all(isinstance(f, dict) for f in fields):
        return "is not of type 'array'"
    names = [field.get("id") for field in fields]
    if len(set(names)) != len(names):
        return "field IDs must be unique"
    return next(filter(None, map(_input, fields)), None)


def _input(given: Json) -> str | None:
    unfit = [name for name, value in given.items() if not isinstance(value, _INPUT.get(name, ()))]
    if unfit or not {"id", "label"} <= set(given):
        return f"{unfit or 'id, label'}: not allowed, of another type, or missing"
    if not _NAME.fullmatch(given["id"]) or given["id"] == "tower":
        return f"{given['id']} is an invalid variable name, or reserved"
    if given.get("type", "string") not in ("string", "boolean"):
        return f"{given['type']} is not one of ['string', 'boolean']"
    if given.get("type") == "boolean" and {"choices", "multiline", "format", "secret"} & set(given):
        return "not allowed for boolean type"
    if given.get("ask_at_runtime"):
        return "'ask_at_runtime' is not supported for custom credentials."
    return None


def _injectors(given: Json) -> str | None:
    injectors = given.get("injectors", {})
    if not isinstance(injectors, dict) or set(injectors) - {"file", "env", "extra_vars"}:
        return "Additional properties are not allowed."
    if not all(isinstance(entries, dict) for entries in injectors.values()):
        return "is not of type 'object'"
    for kind, entries in injectors.items():
        pattern = _FILE if kind == "file" else _NAME
        if not all(pattern.fullmatch(name) and isinstance(text, str) for name, text in entries.items()):
            return "does not match any of the regexes, or is not of type 'string'"
    for name, text in injectors.get("env", {}).items():
        if name.startswith("ANSIBLE_") or name in _TAKEN or not text.isascii():
            return f"Environment variable {name} is not allowed to be used in credentials."
    if "template" in injectors.get("file", {}) and len(injectors["file"]) > 1:
        return "Must use multi-file syntax when injecting multiple files"
    return _rendered(given)


def _rendered(given: Json) -> str | None:
    """Whether the templates name inputs that there are, as AWX finds it out: it renders them."""
    names: dict[str, t.Any] = {field["id"]: "EXAMPLE" for field in given.get("inputs", {}).get("fields", [])}
    files = given.get("injectors", {}).get("file", {})
    several = {name.partition(".")[2]: "EXAMPLE_FILENAME" for name in files if "." in name}
    names["tower"] = {"filename": several or "EXAMPLE_FILENAME"} if files else {}
    templates = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for entries in given.get("injectors", {}).values():
        for name, text in entries.items():
            try:
                templates.from_string(text).render(names)
            except TemplateError as error:
                return f"{name} uses an undefined field ({error})"
    return None


def credential(inputs: t.Any, fields: list[Json], held: Json | None) -> str | None:
    """Of the inputs of a credential whose type has ``fields``; ``held`` is what it has already."""
    if not isinstance(inputs, dict):
        return "is not of type 'object'"
    known = {field["id"]: field for field in fields}
    for name, value in inputs.items():
        if name not in known:
            return "Additional properties are not allowed."
        if not isinstance(value, bool if known[name].get("type") == "boolean" else str):
            return f"{name} is of another type"
        if known[name].get("secret") and value == "$encrypted$" and held is None:
            return f"$encrypted$ is a reserved keyword, and cannot be used for {name}."
    return None
