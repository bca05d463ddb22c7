"""The rules of CONTRIBUTING.md that no linter knows. Read from the source, so nothing is executed."""

from __future__ import annotations

import ast
import collections
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

LONGEST_FUNCTION = 40
BLIND = {"Exception", "BaseException"}
ENDINGS = ["exit_json", "fail_json"]

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
FILES = sorted(path.relative_to(ROOT) for path in PLUGINS.rglob("*.py"))
TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py") if "output" not in path.parts)
MODULES = sorted(path.relative_to(ROOT) for path in (PLUGINS / "modules").glob("*.py"))
#: Names that a library looks for: Ansible in plugins, `requests` and `io` in subclasses of theirs.
LOOKED_FOR = {
    *("DOCUMENTATION", "EXAMPLES", "RETURN", "ActionModule", "FilterModule", "InventoryModule", "LookupModule"),
    *("get_redirect_target", "seekable"),
}
RUN_MODULE = Path("plugins/module_utils/_module.py")
#: What asks a Data Center with the settings of a role.
ASKING = [
    *(Path("roles") / role / "tasks" / "main.yml" for role in ("project_tokens", "token_audit")),
    *(Path("playbooks") / f"{playbook}.yml" for playbook in ("migrate_store", "revoke_leaked")),
]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def nodes(file: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))


def functions(file: Path) -> Iterator[Function]:
    yield from (node for node in nodes(file) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines from `def` to the last one, without the docstring: explaining more must not be punished."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def caught(handler: ast.ExceptHandler) -> set[str]:
    """The blind exceptions that a handler keeps; one that cleans up and ends in a bare `raise` keeps none."""
    if ast.unparse(handler.body[-1]) == "raise":
        return set()
    if handler.type is None:
        return {"everything"}
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return BLIND & {ast.unparse(name).rpartition(".")[2] for name in names}


def defined(file: Path) -> Iterator[str]:
    """Names of functions and classes, and of the variables of modules and classes."""
    for node in nodes(file):
        if isinstance(node, Function | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.Module | ast.ClassDef):
            for line in node.body:
                targets = line.targets if isinstance(line, ast.Assign) else [getattr(line, "target", None)]
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def calls(file: Path, names: list[str]) -> list[str]:
    called = (node.func for node in nodes(file) if isinstance(node, ast.Call))
    return sorted(target.attr for target in called if isinstance(target, ast.Attribute) and target.attr in names)


def test_functions_fit_on_a_screen():
    found = [(str(file), each.name, length(each)) for file in (*FILES, *TESTS) for each in functions(file)]
    long = [each for each in found if each[2] > LONGEST_FUNCTION]
    assert not long, f"more than {LONGEST_FUNCTION} lines"


def test_no_exception_is_caught_blindly():
    handlers = [(file, node) for file in FILES for node in nodes(file) if isinstance(node, ast.ExceptHandler)]
    blind = [(str(file), node.lineno, caught(node)) for file, node in handlers if caught(node)]
    assert not blind, "name the exceptions that are meant"


def test_one_name_of_a_class_means_one_thing():
    classes = [(node.name, str(file)) for file in FILES for node in nodes(file) if isinstance(node, ast.ClassDef)]
    # Ansible asks for these names.
    ours = [(name, file) for name, file in classes if name not in {"ActionModule", "ModuleDocFragment"}]
    names = [name for name, _file in ours]
    assert not [(name, file) for name, file in ours if names.count(name) > 1 and not name.startswith("_")]


def test_no_magic_hooks():
    hooks = [(str(file), each.name) for file in FILES for each in functions(file)]
    assert not [each for each in hooks if each[1] in {"__del__", "__getattr__"}]


def test_main_of_a_module_is_one_line_that_runs_its_spec():
    mains = {str(file): [each for each in functions(file) if each.name == "main"] for file in MODULES}
    other = [
        file
        for file, found in mains.items()
        if [(length(main), ast.unparse(main.body[0]).startswith("run_module(SPEC, ")) for main in found] != [(2, True)]
    ]
    assert not other, "main() only calls run_module"


def test_only_run_module_ends_a_module():
    endings = {file: called for file in FILES if (called := calls(file, ENDINGS))}
    assert endings == {RUN_MODULE: ENDINGS}, "raise an error"


def grouped(*groups: str) -> set[str]:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    return {name for group in groups or runtime["action_groups"] for name in runtime["action_groups"][group]}


def test_every_module_is_in_an_action_group_and_the_groups_name_nothing_else():
    assert grouped() == {file.stem for file in MODULES}, "meta/runtime.yml, action_groups: add or remove what differs"


def documents(name: str) -> dict[str, dict[str, Any]]:
    """By module: the YAML of ``DOCUMENTATION`` or ``RETURN``."""
    texts = {str(file): (ROOT / file).read_text(encoding="utf-8") for file in MODULES}
    found = {file: re.search(rf'^{name} = r"""(.*?)"""', text, re.S | re.M) for file, text in texts.items()}
    return {file: yaml.safe_load(match[1] if match else "") for file, match in found.items()}


def test_no_module_returns_what_ansible_takes_for_its_own():
    """A task whose result has `skipped` counts as skipped where that is not empty, and `failed_when` is ignored."""
    reserved = {"skipped", "unreachable", "ansible_facts", "invocation", "results"}
    assert not {file: taken for file, returned in documents("RETURN").items() if (taken := reserved & returned.keys())}


def test_no_part_of_a_fragment_has_the_name_of_another_fragment():
    """Ansible takes `attributes.cloud` for the fragment cloud where there is one, and says nothing."""
    used = {name for each in documents("DOCUMENTATION").values() for name in each["extends_documentation_fragment"]}
    parts = [name.split(".")[3] for name in used if name.count(".") == 3]
    assert parts
    taken = [name for name in parts if (PLUGINS / "doc_fragments" / f"{name}.py").exists()]
    assert not taken, f"rename {taken} in its fragment"


def test_nothing_was_added_in_a_version_that_is_still_to_come():
    """In `version_added`, of whatever has documentation: plugins, their options, roles."""
    wordy = sorted(path for folder in ("plugins", "roles") for path in (ROOT / folder).rglob("*") if path.is_file())
    added = [
        (str(path.relative_to(ROOT)), version)
        for path in wordy
        if path.suffix in (".py", ".yml", ".yaml")
        for version in re.findall(r"""version_added["']?: *["']?([0-9][0-9.]*)""", path.read_text(encoding="utf-8"))
    ]
    current = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert {path for path, _version in added} >= {str(file) for file in MODULES}, "every module says when it was added"
    later = [(path, version) for path, version in added if numbers(version) > numbers(current)]
    assert not later, f"galaxy.yml says {current}"


def test_nothing_is_defined_that_nothing_uses():
    """What only its own test uses is deleted with the test."""
    sources = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in FILES)
    words = collections.Counter(re.findall(r"\w+", sources))
    candidates = [(file, name) for file in FILES if file.parts[1] != "doc_fragments" for name in defined(file)]
    unused = [(str(file), name) for file, name in candidates if words[name] == 1 and name not in LOOKED_FOR]
    assert not [entry for entry in unused if not entry[1].startswith("__")]


def numbers(version: str) -> list[int]:
    return [int(number) for number in version.split("-")[0].split(".")]


def tasks(file: Path) -> Iterator[dict[str, Any]]:
    """Every task of a playbook or a task file, blocks opened."""
    pending = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    while pending:
        task = pending.pop()
        for inner in ("tasks", "block", "rescue", "always"):
            pending.extend(task.get(inner, []))
        yield task


def connection() -> set[str]:
    """The options with which a module reaches a Bitbucket Data Center, from the fragment that documents them."""
    source = (PLUGINS / "doc_fragments" / "connection.py").read_text(encoding="utf-8")
    return {option for part in re.findall(r'r"""(.*?)"""', source, re.S) for option in yaml.safe_load(part)["options"]}


@pytest.mark.parametrize("file", ASKING, ids=str)
def test_playbooks_and_roles_pass_on_every_option_of_the_connection(file):
    names = {f"tokensmith.bitbucket.{name}" for name in grouped("datacenter")}
    group = "group/tokensmith.bitbucket.datacenter"
    plays = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    defaults = {option for play in plays for option in play.get("module_defaults", {}).get(group, ())}
    asking = [task[name] for task in tasks(file) for name in names & task.keys()]
    assert asking
    assert not [lacking for options in asking if (lacking := connection() - options.keys() - defaults)]
