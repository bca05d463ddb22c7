"""The options of the inventory plugin, as Ansible's plugin loader would know them."""

from __future__ import annotations

import importlib
import typing as t

import yaml
from ansible import constants

from ansible_collections.tokensmith.bitbucket.plugins.inventory import projects as plugin


def fragment(name: str) -> dict[str, t.Any]:
    """The options of one documentation fragment."""
    part = "DOCUMENTATION"
    if name.startswith("ansible.builtin."):
        module = f"ansible.plugins.doc_fragments.{name.rpartition('.')[2]}"
    else:
        module = "ansible_collections.tokensmith.bitbucket.plugins.doc_fragments.connection"
        part = "CREDENTIAL" if name.endswith(".credential") else part
    text = getattr(importlib.import_module(module).ModuleDocFragment, part)
    return t.cast("dict[str, t.Any]", yaml.safe_load(text)["options"])


def options() -> dict[str, t.Any]:
    """What the plugin loader reads of the documentation: fragments, and on top what the plugin itself says."""
    document = yaml.safe_load(plugin.DOCUMENTATION)
    merged: dict[str, t.Any] = {}
    for name in document["extends_documentation_fragment"]:
        merged.update(fragment(name))
    for name, entry in document["options"].items():
        merged[name] = {**merged.get(name, {}), **entry}
    return merged


def define() -> None:
    """Tell Ansible's configuration of them."""
    constants.config.initialize_plugin_configuration_definitions("inventory", plugin.InventoryModule.NAME, options())
