"""The layer rule: which file of the collection may import which. Read from the source, so nothing is executed."""

from __future__ import annotations

import ast
import functools
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
    *("tokens/_plan", "tokens/_spec", "tokens/_types", "tokens/_report", "tokens/_limits", "tokens/_summary"),
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


@functools.cache
def imports(file: Path) -> tuple[str, ...]:
    """Each module that the file imports, or may: of `from a import b` both a and a.b are named."""
    return tuple(_imports(file))


def _imports(file: Path) -> Iterator[str]:
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


def test_every_folder_of_plugins_says_what_it_may_import():
    assert {file.parts[0] for file in FILES} <= FOLDERS.keys(), "a folder is new: say in FOLDERS what it may import"


def test_a_folder_imports_only_the_folders_it_may():
    foreign = {
        str(file): found
        for file in FILES
        if (found := {parts[0] for parts in own_imports(file)} - FOLDERS.get(file.parts[0], set()))
    }
    assert not foreign, f"FOLDERS allows {FOLDERS}"


def test_imports_within_the_collection_are_relative():
    strays = [
        (str(file), node.module)
        for file in FILES
        for node in ast.walk(ast.parse((ROOT / "plugins" / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and not node.level
        and (node.module or "").startswith(("ansible_collections.tokensmith", "plugins", "tests"))
    ]
    assert not strays, "one way to write it, and the shorter one"


def test_what_runs_on_the_target_needs_no_controller():
    on_the_target = [(file, name) for file in FILES if file.parts[0] in ON_THE_TARGET for name in imports(file)]
    of_ansible = [(str(file), name) for file, name in on_the_target if name.split(".")[0] == "ansible"]
    assert of_ansible
    controller = [each for each in of_ansible if not f"{each[1]}.".startswith("ansible.module_utils.")]
    assert not controller, "on the target these do not exist"


def test_every_folder_of_module_utils_has_a_layer():
    assert {folder_of(name_of(file)) for file in MODULE_UTILS} <= ROW.keys(), "give the new folder a row of LAYERS"


def test_module_utils_import_downwards_only():
    pairs = [(name_of(file), name) for file in MODULE_UTILS for name in module_utils_imported_by(file)]
    folders = [(folder_of(file), folder_of(name), file, name) for file, name in pairs]
    upwards = [(file, name) for own, other, file, name in folders if other != own and ROW[other] <= ROW[own]]
    assert not upwards, "a file imports from its own folder and from those below it in LAYERS"


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
