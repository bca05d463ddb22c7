"""Follows a page: writes its files, runs its plays and types its commands, in order."""

from __future__ import annotations

import json
import re
import textwrap
import typing as t
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import yaml

from tests.documented.blocks import RUN, Block
from tests.documented.sandbox import Sandbox

_PLAY = """\
- name: As printed
  hosts: localhost
  gather_facts: false
  vars_files: [{variables}]
  tasks:
"""


class PageError(Exception):
    """Something that a page prints does not work. The message says where and what came of it."""


class _Loader(yaml.SafeLoader):
    """Reads what Ansible reads, to see what a block is."""


def _unknown(loader: _Loader, _suffix: str, node: yaml.Node) -> t.Any:
    return loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else None


_Loader.add_multi_constructor("!", _unknown)


@dataclass
class Outcome:
    """How many commands and YAML blocks ran, and why others did not."""

    run: int = 0
    not_run: Counter[str] = field(default_factory=Counter)


def size(block: Block) -> int:
    """How many there are to count in a block: its commands, or itself."""
    return len(block.commands) if block.language == "console" else int(block.language in RUN or bool(block.name))


def kind(block: Block) -> str:
    """What is done with a block.

    :raises PageError: where nothing can be done with it.
    """
    if block.reason:
        return "not run"
    if block.language == "console":
        if not block.commands:
            raise PageError(f"{block.place}: a console block without a command")
        return "commands"
    if block.name:
        return "inventory" if block.page.startswith("plugins/inventory/") else "file"
    if block.language != "yaml":
        return "text"
    found = yaml.load(block.text, _Loader)
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return "play" if {"hosts", "import_playbook", "ansible.builtin.import_playbook"} & set(found[0]) else "tasks"
    raise PageError(f"{block.place}: say which file this is, with a comment such as `# tokens.yml` in its first line")


def follow(blocks: Sequence[Block], sandbox: Sandbox) -> Outcome:
    """Do what a page says.

    :raises PageError: at the first block that does not work, and for a file that no command uses.
    """
    outcome, unused = Outcome(), dict[str, Block]()
    for number, block in enumerate(blocks):
        match kind(block):
            case "not run":
                outcome.not_run[block.reason] += size(block)
                continue
            case "file":
                _write(block, sandbox, unused)
            case "inventory":
                _write(block, sandbox, {})
                _type(f"ansible-inventory -i {_name(block)['name']} --list", block, sandbox)
            case "commands":
                for command in block.commands:
                    _type(command, block, sandbox)
                    unused = {name: written for name, written in unused.items() if name not in command}
            case "play" | "tasks" as what:
                _play(block, sandbox, f"block-{number}.yml", what)
        outcome.run += size(block)
    if unused:
        raise PageError("; ".join(f"{block.place}: no command uses {name}" for name, block in unused.items()))
    return outcome


def _name(block: Block) -> re.Match[str]:
    name = block.name
    assert name is not None, "asked for files only"
    return name


def _write(block: Block, sandbox: Sandbox, unused: dict[str, Block]) -> None:
    name = _name(block)
    sandbox.write(name["name"], block.text, add=bool(name["add"]))
    unused[name["name"]] = block


def _play(block: Block, sandbox: Sandbox, name: str, what: str) -> None:
    text = block.text
    if what == "tasks":
        variables = sandbox.place / "variables.json"
        variables.write_text(json.dumps(sandbox.variables), encoding="utf-8")
        text = _PLAY.format(variables=variables) + textwrap.indent(text, "    ")
    sandbox.write(name, text)
    _type(f"ansible-playbook {name}", block, sandbox)


def _type(command: str, block: Block, sandbox: Sandbox) -> None:
    finished = sandbox.run(command)
    if finished.status:
        raise PageError(f"{block.place}: status {finished.status} of\n$ {command}\n{finished.output}")
