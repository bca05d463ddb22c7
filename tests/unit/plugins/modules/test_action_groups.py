"""What `module_defaults` sets for an action group, every module of it takes, and for the same."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.doc_fragments.attributes import ModuleDocFragment
from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec

ROOT = Path(__file__).resolve().parents[4]
MODULES = "ansible_collections.tokensmith.bitbucket.plugins.modules"
GROUPS: dict[str, list[str]] = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text("utf-8"))["action_groups"]
#: The options that each group is there for.
SHARED: dict[str, _argspec.Spec] = {
    "datacenter": _argspec.CONNECTION,
    "cloud": _argspec.CLOUD,
    "credential_files": _argspec.CREDENTIAL_FILES,
    "stores": {},
    "awx": {},
}
MEMBERS = [(group, name) for group, names in GROUPS.items() for name in names]


def test_every_group_is_there_for_something():
    assert GROUPS.keys() == SHARED.keys()


@pytest.mark.parametrize(("group", "name"), MEMBERS)
def test_a_module_takes_what_its_group_is_there_for(group, name):
    spec, shared = importlib.import_module(f"{MODULES}.{name}").SPEC, SHARED[group]
    missing = sorted(shared.keys() - spec.keys())
    assert not missing, f"{name} fails on what group/tokensmith.bitbucket.{group} sets for others: {missing}"
    for option, meant in shared.items():
        # Required or not is the module's own, as is where else it looks.
        kept = {key: value for key, value in meant.items() if key not in ("required", "fallback")}
        assert kept.items() <= spec[option].items(), f"{name} takes something else as `{option}`"


@pytest.mark.parametrize("name", GROUPS["credential_files"])
def test_what_signs_in_elsewhere_never_gets_into_a_file(name):
    """A token for files goes by the name of one that signs in."""
    assert name not in GROUPS["cloud"]


@pytest.mark.parametrize("name", sorted({name for _group, name in MEMBERS}))
def test_a_module_documents_the_groups_that_it_is_in(name):
    documentation = yaml.safe_load(importlib.import_module(f"{MODULES}.{name}").DOCUMENTATION)
    attributes = [part for part in documentation["extends_documentation_fragment"] if ".attributes." in part]
    (part,) = [part.rpartition(".")[2] for part in attributes]
    said = yaml.safe_load(getattr(ModuleDocFragment, part.upper()))["attributes"]["action_group"]["membership"]
    assert sorted(said) == sorted(f"tokensmith.bitbucket.{group}" for group, member in MEMBERS if member == name)
