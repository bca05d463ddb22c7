"""The audit's action plugin as Ansible runs it, against a server."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Iterator

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection
from ansible.template import Templar

from ansible_collections.tokensmith.bitbucket.plugins.action.access_token_audit import ActionModule
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _transport
from tests.simulator.server import running
from tests.unit.plugins.company import PASSWORD, PAY, Company

Result = dict[str, t.Any]


class Controller(t.NamedTuple):
    """Runs tasks against the server at ``url``."""

    url: str

    def __call__(self, check: bool = False, environment: Result | None = None, **given: t.Any) -> Result:
        task, context, loader = Task(), PlayContext(), DataLoader()
        args = {"url": self.url, "username": "admin", "password": PASSWORD, **given}
        task.args = {name: value for name, value in args.items() if value is not ...}
        task.check_mode, task.environment = check, [environment or {}]
        action: t.Any = ActionModule(task, Connection(context), context, loader, Templar(loader), None)
        result: Result = action.run(None, {})
        assert PASSWORD not in str(result)
        return result


@pytest.fixture
def run(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Controller]:
    for name in [name for name in os.environ if name.startswith("BITBUCKET_")]:
        monkeypatch.delenv(name)
    with running(company.sim) as url:
        yield Controller(url)


def test_owners_are_read_and_judged_and_the_report_is_written(company, run, tmp_path):
    company.sim.add_token(PAY, "ci", ["REPO_ADMIN"], expires_in_days=300)
    result = run(projects=["PAY"], repositories=[], users=[], fail_on="high", output_dir=str(tmp_path))
    assert (result["failed"], result["reason"], result["changed"]) == (True, "findings", True)
    assert (tmp_path / "audit.html").exists()
    assert company.requests == ["GET projects", f"GET {PAY}"]


def test_by_default_everything_is_looked_at_and_nothing_written(company, run):
    result = run()
    assert result["counts"]["owners"] == 8
    assert (result["changed"], result["files"]) == (False, {})
    assert company.writes == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"colour": "red"}, "Unsupported parameters for (tokensmith.bitbucket.access_token_audit) module: colour"),
        ({"fail_on": "bad"}, "value of fail_on must be one of"),
        ({"policy": {"unused": 3}}, "did you mean unused_days?"),
        ({"declared": [{"set": [{"permissions": "REPO_READ"}]}]}, "missing required arguments: name"),
        ({"projects": ["NO*"]}, "The glob NO* matches no project that you can see."),
        ({"password": "hunter2", "token": "hunter2"}, "mutually exclusive"),
        ({"password": "hunter2"}, "is wrong"),
        ({"timeout": "hunter2", "password": "hunter2"}, "timeout"),
        ({"url": ...}, "`url` is missing"),
        ({"timeout": 0}, "`timeout` must be at least 1 second."),
    ],
    ids=str,
)
def test_options_that_cannot_be_right_fail_in_a_sentence(run, given, sentence):
    result = run(**given)
    assert result["failed"]
    assert sentence in result["msg"]
    assert "hunter2" not in str(result)


def test_a_credential_that_the_server_repeats_in_a_name_is_in_no_result_and_no_file(company, run, tmp_path):
    company.sim.add_token(PAY, f"echo-{PASSWORD}", ["REPO_ADMIN"])
    company.sim.add_project("ECHO", f"echo {PASSWORD}")
    result = run(output_dir=str(tmp_path))
    assert result["counts"]["tokens"] == 1
    assert not [path for path in tmp_path.iterdir() if PASSWORD in path.read_text(encoding="utf-8")]


def test_a_short_password_is_masked_in_the_result_wherever_it_happens_to_be(company, run):
    company.sim.add_user("sam", "hunter22", roles=("SYS_ADMIN",))
    company.sim.add_token(PAY, "for-hunter22", ["REPO_ADMIN"])
    result = run(username="sam", password="hunter22")
    assert result["findings"][0]["reference"] == f"{PAY}/tokens/for-********"
    assert "hunter22" not in str(result)


def test_the_environment_of_the_task_applies_and_ends_with_it(company, run):
    before = dict(os.environ)
    environment = {"BITBUCKET_URL": run.url, "BITBUCKET_USERNAME": "admin", "BITBUCKET_PASSWORD": PASSWORD}
    result = run(url=..., username=..., password=..., environment=environment)
    assert result["counts"]["owners"] == 8
    assert dict(os.environ) == before
    assert run(environment={"BITBUCKET_CA_PATH": "/nowhere"})["msg"].startswith("/nowhere does not exist")


def test_without_the_library_the_message_names_it(run, monkeypatch):
    monkeypatch.setattr(_transport, "HAS_REQUESTS", False)
    assert "requests" in run()["msg"]


def test_globs_without_a_match_are_named_and_the_rest_is_audited(company, run):
    company.sim.add_token(PAY, "ci")
    globs = ["PAY/no*", "*/zzz*", "PAY/led*", "SHOP/*"]
    result = run(projects=["PAY", "NO*"], repositories=globs, users=["no*"])
    unread = {entry["owner"]: entry["reason"] for entry in result["unread"]}
    assert unread == dict.fromkeys(
        ["projects/NO*", "users/no*", "projects/PAY/repos/no*", "projects/*/repos/zzz*"], "no_match"
    )
    assert (result["failed"], result["reason"], result["complete"]) == (True, "incomplete", False)
    assert result["counts"]["owners"] == 2
