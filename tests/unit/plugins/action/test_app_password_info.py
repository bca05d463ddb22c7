"""The action plugins that only run their modules: what becomes of a host that cannot be reached."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.plugins.connection.local import Connection

from ansible_collections.tokensmith.bitbucket.plugins.action import app_password, app_password_info


@pytest.mark.parametrize("plugin", [app_password, app_password_info])
def test_a_connection_that_fails_is_a_result_of_the_plugin(plugin, monkeypatch):
    def fail(*_args: t.Any, **_options: t.Any) -> t.NoReturn:
        raise AnsibleConnectionFailure("ssh said: {{ 6 * 7 }}\n\x1b[2J")

    monkeypatch.setattr(ActionBase, "_execute_module", fail)
    context = PlayContext()
    action = plugin.ActionModule(Task(), Connection(context), context, DataLoader(), None, None)
    assert action.run(None, {}) == {
        "unreachable": True,
        "changed": False,
        "msg": "ssh said: {{ 6 * 7 }} ⟨U+001B⟩[2J",
    }


@pytest.mark.parametrize("plugin", [app_password, app_password_info])
def test_otherwise_the_modules_result_is_the_tasks(plugin, monkeypatch):
    monkeypatch.setattr(ActionBase, "_execute_module", lambda *_args, **_options: {"changed": True, "findings": []})
    context = PlayContext()
    action = plugin.ActionModule(Task(), Connection(context), context, DataLoader(), None, None)
    assert action.run(None, {}) == {"changed": True, "findings": []}
