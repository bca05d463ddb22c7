"""The audit's action plugin as Ansible runs it; only the process in which the module would run is left out."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection

from ansible_collections.tokensmith.bitbucket.plugins.action import access_token_audit as plugin
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_audit as module
from tests.unit.plugins.company import LOGIN, PASSWORD, PAY, Company

Result = dict[str, t.Any]


def run(company: Company, check: bool = False, **given: t.Any) -> tuple[Result, list[Result]]:
    """The task's result, and what the module was told."""
    told: list[Result] = []

    def execute(module_name: str, module_args: Result, task_vars: Result | None) -> Result:
        told.append(module_args)
        checked = ArgumentSpecValidator(module.SPEC, **module.CONSTRAINTS)
        result = checked.validate(module_args)
        if result.error_messages:
            return {"failed": True, "msg": result.error_messages[0]}
        try:
            return module.run(result.validated_parameters, company.client(), check)
        except BitbucketError as error:
            return {"failed": True, "msg": str(error), "reason": error.reason}

    task, context = Task(), PlayContext()
    task.args, task.check_mode = {**LOGIN, **given}, check
    action: t.Any = plugin.ActionModule(task, Connection(context), context, DataLoader(), None, None)
    action._execute_module = execute
    result: Result = action.run(None, {})
    return result, told


def test_the_module_is_told_where_to_look_and_nothing_about_judging(company, tmp_path):
    company.sim.add_token(PAY, "ci", ["REPO_ADMIN"], expires_in_days=300)
    result, told = run(company, projects=["PAY"], repositories=[], users=[], fail_on="high", output_dir=str(tmp_path))
    assert (result["failed"], result["reason"], result["changed"]) == (True, "findings", True)
    assert [sorted(call) for call in told] == 2 * [sorted([*LOGIN, "projects", "repositories", "users", "walk"])]
    assert [call["walk"] for call in told] == [{}, {"owners": [PAY]}]
    assert (tmp_path / "audit.html").exists()
    assert PASSWORD not in str(result)


def test_by_default_everything_is_looked_at_and_nothing_written(company):
    result, _told = run(company)
    assert result["counts"]["owners"] == 8
    assert (result["changed"], result["files"]) == (False, {})
    assert company.writes == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"walk": {"owners": [PAY]}},
            "`walk` is an internal option: remove it from the task and from `module_defaults`.",
        ),
        ({"colour": "red"}, "Unsupported parameters for (tokensmith.bitbucket.access_token_audit) module: colour"),
        ({"fail_on": "bad"}, "value of fail_on must be one of"),
        ({"policy": {"unused": 3}}, "did you mean unused_days?"),
        ({"declared": [{"set": [{"permissions": "REPO_READ"}]}]}, "missing required arguments: name"),
        ({"projects": ["NO*"]}, "NO* matches nothing that you can see."),
        ({"password": "hunter2", "token": "hunter2"}, "mutually exclusive"),
    ],
    ids=str,
)
def test_options_that_cannot_be_right_fail_in_a_sentence(company, given, sentence):
    result, _told = run(company, **given)
    assert result["failed"]
    assert sentence in result["msg"]
    assert "hunter2" not in result["msg"]


def test_globs_without_a_match_are_named_and_the_rest_is_audited(company):
    company.sim.add_token(PAY, "ci")
    globs = ["PAY/no*", "*/zzz*", "PAY/led*", "SHOP/*"]
    result, _told = run(company, projects=["PAY", "NO*"], repositories=globs, users=["no*"])
    unread = {entry["owner"]: entry["reason"] for entry in result["unread"]}
    assert unread == dict.fromkeys(
        ["projects/NO*", "users/no*", "projects/PAY/repos/no*", "projects/*/repos/zzz*"], "no_match"
    )
    assert (result["failed"], result["reason"], result["complete"]) == (True, "incomplete", False)
    assert result["counts"]["owners"] == 2
