"""Each kind of store declares its options, which the documentation describes."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.doc_fragments.store import ModuleDocFragment
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import KINDS, kind_of
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._options import Option, StoreOptions

DECLARED = {"text": Option(default="a", variable="STORE_TEXT"), "on": Option("bool", True)}
DOCUMENTED = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["store_options"]["description"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_documentation_names_every_option_of_a_kind_and_its_variable(kind):
    text = " ".join(paragraph for paragraph in DOCUMENTED if f"V({kind})" in paragraph.partition(":")[0])
    if "as for V(hashi_vault)" in text:
        text += " C(allow_insecure)"
    assert set(re.findall(r"C\((\w+)\)", text)) >= kind_of(kind).OPTIONS.keys()
    variables = {option.variable for option in kind_of(kind).OPTIONS.values() if option.variable}
    assert set(re.findall(r"E\((\w+)\)", text)) == variables


@pytest.mark.parametrize("kind", KINDS)
def test_the_documentation_names_no_option_that_a_kind_does_not_have(kind):
    text = " ".join(paragraph for paragraph in DOCUMENTED if paragraph.startswith(f"For V({kind}):"))
    assert set(re.findall(r"C\((\w+)\)", text)) <= kind_of(kind).OPTIONS.keys()


def test_secrets_in_files_do_not_survive_a_job_of_awx():
    assert [kind for kind in KINDS if not kind_of(kind).survives_job] == ["ansible_vault", "file"]


@pytest.mark.parametrize(
    ("given", "variable", "environment", "expected"),
    [
        ({"text": " b "}, "c", True, "b"),
        ({}, "c", True, "c"),
        ({}, "c", False, "a"),
        ({}, None, True, "a"),
        ({"text": None}, "c", True, "c"),
        ({"text": 7}, None, True, "7"),
    ],
)
def test_an_option_falls_back_to_its_variable_and_then_to_its_default(
    given, variable, environment, expected, monkeypatch
):
    if variable:
        monkeypatch.setenv("STORE_TEXT", variable)
    assert StoreOptions(given, DECLARED).text("text", environment) == expected


@pytest.mark.parametrize(("value", "expected"), [(True, True), ("no", False), ("false", False), (None, True)])
def test_a_flag_is_true_or_false(value, expected):
    assert StoreOptions({"on": value}, DECLARED).flag("on") is expected


def test_a_flag_that_is_neither_is_refused():
    with pytest.raises(StoreError, match=r"`store_options\.on` must be true or false"):
        StoreOptions({"on": "perhaps"}, DECLARED).flag("on")
