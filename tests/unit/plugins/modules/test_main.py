"""From Ansible's arguments to Ansible's answer: what ``main()`` adds to ``run()``."""

from __future__ import annotations

import json
import os
import typing as t

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.tokensmith.bitbucket.plugins.modules import (
    access_token,
    access_token_audit,
    access_token_info,
    access_token_set,
    api_token,
    api_token_info,
    credential_info,
    leaked_secret_info,
    pipeline_variable,
    store_copy,
)
from tests.simulator.server import running
from tests.unit.plugins.cloud_company import CloudCompany
from tests.unit.plugins.company import PASSWORD, PAY, Company, entry

CI: dict[str, t.Any] = {"project": "PAY", "name": "ci", "permissions": "REPO_READ", "expires_in_days": 90}
HERE: dict[str, t.Any] = {"url": "http://bitbucket.test"}
SET: dict[str, t.Any] = {"projects": ["PAY"], "set": [entry()]}
EXAMPLE = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
JIRA: dict[str, t.Any] = {"account_id": "712020:x", "label": "jira"}


def main(module: t.Any, capsys: pytest.CaptureFixture[str], **given: t.Any) -> dict[str, t.Any]:
    with patch_module_args(given), pytest.raises(SystemExit):
        module.main()
    return t.cast("dict[str, t.Any]", json.loads(capsys.readouterr().out))


@pytest.fixture(autouse=True)
def _no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("BITBUCKET_", "ATLASSIAN_"))]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("module", "given"),
    [
        (access_token, {**HERE, **CI, "name": True}),
        (access_token, {**HERE, **CI, "project": 7}),
        (access_token_info, {**HERE, "projects": [False]}),
        (access_token_info, {**HERE, "projects": True}),
        (leaked_secret_info, {**HERE, "text": EXAMPLE, "ignore": [7]}),
        (api_token, {**JIRA, "label": False}),
        (pipeline_variable, {"workspace": "acme", "key": True, "value": "x"}),
        (pipeline_variable, {"workspace": "acme", "key": "K", "value": 7}),
    ],
)
def test_a_name_that_yaml_read_as_something_else_is_refused(module, given, capsys):
    result = main(module, capsys, **given)
    assert result["failed"]
    assert "Put it in quotes" in result["msg"]


@pytest.mark.parametrize(
    ("module", "given"),
    [
        (access_token, CI),
        (access_token_set, SET),
        (access_token_info, {"projects": ["PAY"]}),
        (leaked_secret_info, {"text": EXAMPLE}),
    ],
)
def test_without_a_credential_a_module_fails_in_one_sentence(module, given, capsys):
    result = main(module, capsys, url="http://bitbucket.test", **given)
    assert (result["failed"], result["reason"]) == (True, "input")
    assert result["msg"].startswith("No credential: set `username` and `password`, or `token`")


@pytest.mark.parametrize(("module", "given"), [(api_token, JIRA), (api_token_info, {"organization": "x"})])
@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        (None, "No credential: set `admin_api_key`"),
        ("ATBBhunter2", "`admin_api_key` is an app password, so nothing was sent."),
    ],
)
def test_without_a_key_of_the_organization_nothing_is_sent(module, given, key, sentence, capsys):
    result = main(module, capsys, admin_api_key=key, admin_url="http://127.0.0.1:9", **given)
    assert (result["failed"], result["reason"]) == (True, "input")
    assert result["msg"].startswith(sentence)
    assert "hunter2" not in result["msg"]


def test_copying_between_stores_is_the_controllers(capsys):
    result = main(store_copy, capsys, source="file:a", destination="file:b", references=["projects/PAY/tokens/ci"])
    assert (result["failed"], result["reason"]) == (True, "input")
    assert result["msg"].startswith("store_copy runs on the controller")


def test_writing_a_report_is_the_controllers(capsys):
    login = {"username": "admin", "password": "a-password-of-nobody-4711"}
    result = main(access_token_audit, capsys, url="https://bitbucket.test", **login)
    assert (result["failed"], result["reason"]) == (True, "input")
    assert result["msg"].startswith("access_token_audit runs on the controller")


@pytest.mark.parametrize(
    ("module", "given"),
    [
        (access_token, {"token": "hunter2", **CI}),
        (access_token_set, {"token": "hunter2", **SET}),
        (access_token_info, {"token": "hunter2", "projects": ["PAY"]}),
        (leaked_secret_info, {"token": "hunter2", "text": EXAMPLE}),
        (credential_info, {"secret": "hunter2", "username": "admin", "verify": True}),
        (credential_info, {"secret": EXAMPLE, "verify": True}),
    ],
)
def test_a_credential_never_crosses_the_network_in_the_clear_by_accident(module, given, capsys):
    result = main(module, capsys, url="http://192.0.2.1", **given)
    assert (result["failed"], result["reason"]) == (True, "input")
    assert "nothing was sent" in result["msg"]
    assert "hunter2" not in str(result["msg"])


def test_a_credential_is_looked_at_offline(capsys):
    result = main(credential_info, capsys, secret=EXAMPLE)
    assert (result["changed"], result["credential"]["token_id"]) == (False, "252973515069")


def test_verifying_takes_a_server(capsys):
    result = main(credential_info, capsys, secret=EXAMPLE, verify=True)
    assert (result["failed"], result["msg"]) == (True, "`verify` needs `url`, or BITBUCKET_URL in the environment.")


def test_all_modules_over_a_real_port(company: Company, capsys: pytest.CaptureFixture[str]) -> None:
    with running(company.sim) as url:
        login: dict[str, t.Any] = {"url": url, "username": "admin", "password": PASSWORD, "use_proxy": False}
        issued = main(access_token, capsys, **login, **CI)
        assert issued["changed"]
        (token,) = company.sim.tokens(PAY)
        assert issued["secret"] == token.secret
        assert main(access_token_set, capsys, **login, **SET)["changed"] is False
        assert [item["id"] for item in main(access_token_info, capsys, **login, projects=["PAY"])["access_tokens"]] == [
            token.id
        ]
        leaked = main(leaked_secret_info, capsys, **login, text=token.secret)
        assert [item["id"] for item in leaked["access_tokens"]] == [token.id]
        assert token.secret not in json.dumps(leaked)
        asked = {"url": url, "secret": token.secret, "verify": True, "use_proxy": False}
        assert main(credential_info, capsys, **asked)["works"] is True


def test_the_clouds_modules_over_a_real_port(cloud: CloudCompany, capsys: pytest.CaptureFixture[str]) -> None:
    token = cloud.add("ci", expires_in_days=30)
    with running(cloud.sim) as url:
        login = {"admin_url": url, "admin_api_key": cloud.company.admin_key, "use_proxy": False}
        listed = main(api_token_info, capsys, **login, organization=cloud.company.id)
        assert [item["id"] for item in listed["api_tokens"]] == [token.id]
        meant = {**login, "account_id": cloud.ada.account_id, "id": token.id}
        assert main(api_token, capsys, **meant)["api_token"]["label"] == "ci"
        failed = main(api_token, capsys, **meant, min_days_left=31)
        assert (failed["failed"], failed["api_token"]["id"]) == (True, token.id)
        asked = {"api_url": url, "secret": token.secret, "email": cloud.ada.email, "verify": True, "use_proxy": False}
        assert main(credential_info, capsys, **asked)["works"] is True
        assert main(api_token, capsys, **meant, state="absent")["revoked"] == token.id
        assert main(credential_info, capsys, **asked)["works"] is False
    assert cloud.sim.disasters == []


def test_a_listing_that_lags_behind_is_a_warning(cloud, capsys, monkeypatch):
    warned: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warned.append(text))
    cloud.sim.switches.revoked_lingers = 60.0
    token = cloud.add("ci")
    with running(cloud.sim) as url:
        login = {"admin_url": url, "admin_api_key": cloud.company.admin_key, "use_proxy": False}
        result = main(api_token, capsys, **login, account_id=cloud.ada.account_id, id=token.id, state="absent")
    assert (result["changed"], "warned" in result) == (True, False)
    assert ["still lists it" in text for text in warned] == [True]


def test_a_failure_of_some_owners_fails_the_task_and_keeps_the_result(company, capsys):
    with running(company.sim) as url:
        login = {"url": url, "username": "admin", "password": PASSWORD, "use_proxy": False}
        result = main(access_token_set, capsys, **login, projects=["PAY", "NOPE"], set=[entry()])
    assert result["failed"]
    assert "Project NOPE does not exist." in result["msg"]
    assert result["secrets"] == {"projects/PAY/tokens/ci": company.sim.tokens(PAY)[0].secret}


def test_warnings_are_ansibles_own(company, capsys, monkeypatch):
    # Where ansible sends them depends on what else of it is loaded in this process.
    warned: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warned.append(text))
    company.sim.add_token(PAY, "ci", created_days_ago=80, expires_in_days=10)
    with running(company.sim) as url:
        login = {"url": url, "username": "admin", "password": PASSWORD, "use_proxy": False}
        result = main(access_token, capsys, **login, **CI, rotate="never")
    assert "warned" not in result
    assert ["due for rotation" in text for text in warned] == [True]
