"""The action plugins that only run their modules: what becomes of a host that cannot be reached."""

from __future__ import annotations

import importlib
import typing as t
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.plugins.connection.local import Connection

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._reach import PlainAction, ReachAction

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("[a-z]*.py"))
#: They run no module.
ON_THE_CONTROLLER = {"access_token_audit", "awx_setup", "store_copy"}


def action_of(name: str) -> t.Any:
    package = "ansible_collections.tokensmith.bitbucket.plugins.action"
    return importlib.import_module(f"{package}.{name}").ActionModule


PLAIN = [name for name in MODULES if name not in ON_THE_CONTROLLER and issubclass(action_of(name), PlainAction)]


def test_every_module_that_runs_on_a_host_has_an_action_plugin_of_this_kind():
    assert len(PLAIN) >= 8
    assert [name for name in MODULES if not issubclass(action_of(name), ReachAction)] == sorted(ON_THE_CONTROLLER)


@pytest.mark.parametrize("name", PLAIN)
def test_a_connection_that_fails_is_a_result_of_the_plugin(name, monkeypatch):
    def fail(*_args: t.Any, **_options: t.Any) -> t.NoReturn:
        raise AnsibleConnectionFailure("ssh said: {{ 6 * 7 }}\n\x1b[2J")

    monkeypatch.setattr(ActionBase, "_execute_module", fail)
    context = PlayContext()
    action = action_of(name)(Task(), Connection(context), context, DataLoader(), None, None)
    assert action.run(None, {}) == {
        "unreachable": True,
        "changed": False,
        "msg": "ssh said: {{ 6 * 7 }} ⟨U+001B⟩[2J",
    }


@pytest.mark.parametrize("name", PLAIN)
def test_otherwise_the_modules_result_is_the_tasks(name, monkeypatch):
    monkeypatch.setattr(ActionBase, "_execute_module", lambda *_args, **_options: {"changed": True, "findings": []})
    context = PlayContext()
    action = action_of(name)(Task(), Connection(context), context, DataLoader(), None, None)
    assert action.run(None, {}) == {"changed": True, "findings": []}
