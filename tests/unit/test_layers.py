"""The layer rule: which file of the collection may import which. Read from the source, so nothing is executed."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

# plugins/module_utils from top to bottom; a file imports from the rows below its own only.
LAYERS = [
    ["_argspec", "_cloud_connection"],
    ["_connection"],
    ["_results", "_incident"],
    ["_reconcile", "_walk", "_census"],
    ["_apply", "_owners", "_survey"],
    ["_plan", "_declaration", "_report"],
    ["_steps", "_inquiry"],
    ["_spec", "_probe", "_directory"],
    ["_datacenter", "_cloud", "_organization", "_pipelines", "_advice"],
    ["_pages", "_retire"],
    ["_findings"],
    ["_places"],
    ["_client", "_cloud_answers"],
    ["_answers"],
    ["_transport", "_workers", "_leaks"],
]
# The last row: these may import one another too, in one direction, but nothing above.
LEAVES = [
    *("_limits", "_model", "_permissions", "_redact", "_secret", "_shapes", "_scopes", "_errors"),
    *("_credential_files", "_entries", "_git_config", "_git_credentials", "_netrc", "_safe_files"),
]

# What each folder of plugins/ may import from the collection.
FOLDERS = {
    "action": {"plugin_utils", "module_utils", "modules"},
    "doc_fragments": set(),
    "filter": {"plugin_utils", "module_utils"},
    "inventory": {"plugin_utils", "module_utils"},
    "lookup": {"plugin_utils", "module_utils"},
    "module_utils": {"module_utils"},
    "modules": {"module_utils"},
    "plugin_utils": {"plugin_utils", "module_utils"},
}
# These run on the target, where nothing of ansible exists but ansible.module_utils.
ON_THE_TARGET = {"module_utils", "modules"}

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "ansible_collections.tokensmith.bitbucket.plugins"
FILES = sorted(path.relative_to(ROOT / "plugins") for path in (ROOT / "plugins").rglob("*.py"))
MODULE_UTILS = [file for file in FILES if file.parts[0] == "module_utils"]
ROW = {name: row for row, names in enumerate([*LAYERS, LEAVES]) for name in names}


def imports(file: Path) -> Iterator[str]:
    """Each module that the file imports, or may: of `from a import b` both a and a.b are named."""
    package = [*PACKAGE.split("."), *file.parent.parts]
    for node in ast.walk(ast.parse((ROOT / "plugins" / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def own_imports(file: Path) -> set[tuple[str, ...]]:
    """The imports from the collection, as a path below plugins/."""
    inside = (name.removeprefix(PACKAGE + ".").split(".") for name in imports(file) if name.startswith(PACKAGE + "."))
    return {tuple(parts) for parts in inside}


def module_utils_imported_by(file: Path) -> set[str]:
    return {parts[1] for parts in own_imports(file) if parts[0] == "module_utils" and len(parts) > 1}


@pytest.mark.parametrize("file", FILES, ids=str)
def test_a_folder_imports_only_the_folders_it_may(file):
    assert file.parts[0] in FOLDERS, f"plugins/{file.parts[0]} is new: say in FOLDERS what it may import"
    allowed = FOLDERS[file.parts[0]]
    foreign = {parts[0] for parts in own_imports(file)} - allowed
    assert not foreign, f"plugins/{file} imports {sorted(foreign)}, it may only import {sorted(allowed)}"


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_of_the_collection_say_its_full_name_or_are_relative(file):
    strays = {name for name in imports(file) if name.split(".")[0] in {"plugins", "tests"}}
    assert not strays, f"plugins/{file} imports {sorted(strays)}, which exists only in a checkout"


@pytest.mark.parametrize("file", [file for file in FILES if file.parts[0] in ON_THE_TARGET], ids=str)
def test_what_runs_on_the_target_needs_no_controller(file):
    of_ansible = {name for name in imports(file) if name.split(".")[0] == "ansible"}
    controller = {name for name in of_ansible if not f"{name}.".startswith("ansible.module_utils.")}
    assert not controller, f"plugins/{file} runs on the target, where {sorted(controller)} does not exist"


def place_for(name: str) -> str:
    """Where a file that is in no layer yet could go, judged by what it imports and by what imports it."""
    needs = module_utils_imported_by(Path("module_utils", f"{name}.py")) & ROW.keys()
    users = {file.stem for file in MODULE_UTILS if name in module_utils_imported_by(file)} & ROW.keys()
    highest = min((ROW[need] for need in needs), default=len(LAYERS) + 1)
    if highest > len(LAYERS):
        return "to LEAVES, since it imports nothing of the collection"
    row = "LEAVES" if highest == len(LAYERS) else f"that of {', '.join(LAYERS[highest])}"
    lowest = [user for user in users if ROW[user] == max(ROW[user] for user in users)]
    below = f" and below that of {', '.join(sorted(lowest))}, which imports it" if lowest else ""
    return f"to LAYERS, in a row above {row}, which it imports{below}"


@pytest.mark.parametrize("file", MODULE_UTILS, ids=str)
def test_every_file_of_module_utils_has_a_layer(file):
    assert file.parent == Path("module_utils"), f"plugins/{file}: LAYERS orders files, so module_utils has no folders"
    if file.stem not in ROW:
        pytest.fail(f"plugins/{file} is in no layer: add it in tests/unit/test_layers.py {place_for(file.stem)}")


@pytest.mark.parametrize("file", [file for file in MODULE_UTILS if file.stem in ROW], ids=str)
def test_module_utils_import_downwards_only(file):
    for name in module_utils_imported_by(file) & ROW.keys():
        both_leaves = file.stem in LEAVES and name in LEAVES
        assert both_leaves or ROW[name] > ROW[file.stem], (
            f"plugins/{file} imports {name}, which is not below it in LAYERS of tests/unit/test_layers.py"
        )


def test_module_utils_have_no_cycle():
    graph = {file.stem: module_utils_imported_by(file) for file in MODULE_UTILS}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as cycle:
        pytest.fail(f"these import one another: {' → '.join(cycle.args[1])}")
