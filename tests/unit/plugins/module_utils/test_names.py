"""Names and keys as YAML reads them: what it changed is refused, and blanks do not count."""

from __future__ import annotations

import copy
import importlib
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._names import BY_NAME, NAME, NAMES, TEXT

MODULES = Path(_argspec.__file__).parents[1] / "modules"
#: Options that hold a name, a key or an id, in whatever module.
OF_NAMES = {
    *("project", "repository", "user", "username", "name", "projects", "repositories", "users", "overrides", "prune"),
    *("workspace", "environment", "key", "client_id", "organization", "account_id", "label", "assume_revoked"),
    *("references", "fingerprints", "exclude_fingerprints", "ignore", "credentials"),
}
#: An id of access_token is checked by itself, since a number in it is refused with a reason.
OTHERWISE = {"id"}
ADVICE = "Put it in quotes"


def specs() -> t.Iterator[tuple[str, _argspec.Spec]]:
    for name, value in vars(_argspec).items():
        if name.isupper() and isinstance(value, dict) and all(isinstance(option, dict) for option in value.values()):
            yield name, value
    for path in sorted(MODULES.glob("[a-z]*.py")):
        module = importlib.import_module(f"ansible_collections.tokensmith.bitbucket.plugins.modules.{path.stem}")
        yield path.stem, module.SPEC


def options(spec: _argspec.Spec) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    for name, option in spec.items():
        yield name, option
        if isinstance(option.get("options"), dict):
            yield from options(option["options"])


def validated(spec: _argspec.Spec, written: str) -> tuple[t.Any, str]:
    """What a module gets for an option written so in YAML, and what Ansible says."""
    result = ArgumentSpecValidator(spec).validate({"x": yaml.safe_load(written)})
    return result.validated_parameters["x"], "; ".join(result.error_messages)


def test_every_option_that_holds_a_name_has_a_type_of_names():
    found = {name: spec for _where, spec in specs() for name, option in options(spec) if name in OF_NAMES}
    assert found.keys() == OF_NAMES, "an option that no module has any more"
    plain = [
        (where, name)
        for where, spec in specs()
        for name, option in options(spec)
        if name in OF_NAMES - OTHERWISE and option.get("type") != "bool" and not callable(option.get("type"))
    ]
    assert plain == []


def test_no_list_of_names_has_choices():
    """ansible-core 2.16 ends with a traceback if an entry that is refused is none of the choices either."""
    assert [
        name
        for _where, spec in specs()
        for name, option in options(spec)
        if callable(option.get("type")) and "choices" in option
    ] == []


@pytest.mark.parametrize(
    "written", ["yes", "NO", "on", "off", "True", "007", "0x1F", "1_000", "1:30", "10", "1.10", "[a]"]
)
@pytest.mark.parametrize("kind", [NAME, TEXT])
def test_one_name_that_yaml_reads_as_something_else_is_refused(kind, written):
    _value, said = validated({"x": {"type": kind}}, written)
    assert ADVICE in said
    assert "'x'" in said


@pytest.mark.parametrize(
    "written", ["yes", "[NO]", "[PAY, on]", "007", "[007]", "[PAY, 1.5]", "[~]", "[PAY, {a: b}]", "{PAY: x}", "[[PAY]]"]
)
def test_a_list_of_names_that_yaml_reads_as_something_else_is_refused(written):
    _value, said = validated({"x": {"type": NAMES, "elements": "str"}}, written)
    assert ADVICE in said


@pytest.mark.parametrize("written", ["{NO: []}", "{PAY: [], 7: []}", "{~: []}"])
def test_keys_of_a_mapping_are_names_too(written):
    _value, said = validated({"x": {"type": BY_NAME}}, written)
    assert ADVICE in said


@pytest.mark.parametrize(
    ("kind", "written", "expected"),
    [
        (NAME, "'NO'", "NO"),
        (NAME, "' ci '", "ci"),
        (NAME, "1e3", "1e3"),
        (NAME, "'007'", "007"),
        (NAME, "~", None),
        (TEXT, "' a '", " a "),
        (NAMES, "PAY, SHOP", ["PAY", "SHOP"]),
        (NAMES, "' PAY '", ["PAY"]),
        (NAMES, "['PAY ', ' SHOP', '~pat']", ["PAY", "SHOP", "~pat"]),
        (NAMES, "[]", []),
        (BY_NAME, "{' PAY': [1], 'NO': 2}", {"PAY": [1], "NO": 2}),
        (BY_NAME, "{}", {}),
    ],
)
def test_names_are_passed_on_without_blanks_at_their_ends(kind, written, expected):
    spec = {"x": {"type": kind, **({"elements": "str"} if kind == "list" else {})}}
    assert validated(copy.deepcopy(spec), written) == (expected, "")


def test_the_value_is_not_part_of_the_message():
    _value, said = validated({"x": {"type": TEXT}}, "4711004711")
    assert "4711004711" not in said
