"""The layer rule: which file of the collection may import which. Read from the source, so nothing is executed."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

# The folders of plugins/module_utils from top to bottom; "" is the files right in it. A file imports from its own
# folder, and from the folders of rows below.
LAYERS = [
    [""],
    ["tokens", "credential_files", "leaks"],
    ["datacenter", "cloud"],
    ["http"],
    ["core"],
]
# Deciding and reading are apart from doing: these know nothing of a network, whatever folder they are in.
PURE = {
    *(
        "core/_model",
        "core/_permissions",
        "core/_secret",
        "core/_shapes",
        "core/_redact",
        "core/_text",
        "core/_times",
        "cloud/_scopes",
    ),
    *("tokens/_plan", "tokens/_spec", "tokens/_steps", "tokens/_report", "tokens/_summary"),
    *(f"credential_files/_{name}" for name in ("entries", "git_config", "git_credentials", "netrc", "references")),
}
NETWORK = {"requests", "urllib3", "socket", "ssl", "http", "subprocess"}

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
ROW = {folder: row for row, folders in enumerate(LAYERS) for folder in folders}


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


def name_of(file: Path) -> str:
    """Such as core/_errors."""
    return file.relative_to("module_utils").with_suffix("").as_posix()


def folder_of(name: str) -> str:
    return name.rpartition("/")[0]


def module_utils_imported_by(file: Path) -> set[str]:
    """The files of module_utils, named as `name_of` does."""
    known = {name_of(other) for other in MODULE_UTILS}
    of_them = (parts[1:] for parts in own_imports(file) if parts[0] == "module_utils")
    return {"/".join(parts[:length]) for parts in of_them for length in (1, 2)} & known


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


@pytest.mark.parametrize("file", MODULE_UTILS, ids=str)
def test_every_folder_of_module_utils_has_a_layer(file):
    assert folder_of(name_of(file)) in ROW, f"plugins/{file.parent} is new: give it a row of LAYERS in {__file__}"


@pytest.mark.parametrize("file", MODULE_UTILS, ids=str)
def test_module_utils_import_downwards_only(file):
    own = folder_of(name_of(file))
    for name in module_utils_imported_by(file):
        other = folder_of(name)
        assert other == own or ROW[other] > ROW[own], f"plugins/{file} imports {name}, which is not below it in LAYERS"


@pytest.mark.parametrize("name", sorted(PURE))
def test_what_decides_imports_nothing_that_asks(name):
    file = Path("module_utils", f"{name}.py")
    assert not NETWORK & {imported.split(".")[0] for imported in imports(file)}
    foreign = module_utils_imported_by(file) - PURE
    assert foreign <= {"core/_errors", "core/_limits"}, f"{name} imports {sorted(foreign)}"


def test_module_utils_have_no_cycle():
    graph = {name_of(file): module_utils_imported_by(file) for file in MODULE_UTILS}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as cycle:
        pytest.fail(f"these import one another: {' → '.join(cycle.args[1])}")
