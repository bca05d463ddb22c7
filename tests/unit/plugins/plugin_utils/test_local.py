"""Work on the controller sees the environment that the task declares."""

from __future__ import annotations

import os

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection
from ansible.template import Templar

from ansible_collections.tokensmith.bitbucket.plugins.action.access_token import ActionModule
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._local import task_environment


@pytest.mark.parametrize("before", [None, "https://before.example.com"], ids=["unset", "set"])
def test_the_environment_of_task_and_play_is_there_for_the_work_and_gone_after_it(monkeypatch, before):
    monkeypatch.delenv("BITBUCKET_URL", raising=False)
    if before:
        monkeypatch.setenv("BITBUCKET_URL", before)
    task, context, loader = Task(), PlayContext(), DataLoader()
    task.environment = [{"BITBUCKET_URL": "https://play.example.com", "HTTPS_PROXY": "x"}, {"BITBUCKET_URL": "task"}]
    action = ActionModule(task, Connection(context), context, loader, Templar(loader, variables={}), None)
    with task_environment(action):
        assert (os.environ["BITBUCKET_URL"], os.environ["HTTPS_PROXY"]) == ("task", "x")
    assert os.environ.get("BITBUCKET_URL") == before
    assert "HTTPS_PROXY" not in os.environ or os.environ["HTTPS_PROXY"] != "x"
