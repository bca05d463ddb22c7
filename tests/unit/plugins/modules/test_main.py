"""From Ansible's arguments to Ansible's answer: what ``main()`` adds to ``run()``."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.tokensmith.bitbucket.plugins.modules import (
    access_token,
    access_token_audit,
    access_token_info,
    access_token_set,
    credential_info,
    leaked_secret_info,
    store_copy,
)
from tests.simulator.server import running
from tests.unit.plugins.stand import PASSWORD, PAY, Stand, entry

CI: dict[str, t.Any] = {"project": "PAY", "name": "ci", "permissions": "REPO_READ", "expires_in_days": 90}
SET: dict[str, t.Any] = {"projects": ["PAY"], "set": [entry()]}
EXAMPLE = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"


def main(module: t.Any, capsys: pytest.CaptureFixture[str], **given: t.Any) -> dict[str, t.Any]:
    with patch_module_args(given), pytest.raises(SystemExit):
        module.main()
    return t.cast("dict[str, t.Any]", json.loads(capsys.readouterr().out))


@pytest.fixture(autouse=True)
def _no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("USERNAME", "PASSWORD", "TOKEN", "URL"):
        monkeypatch.delenv(f"BITBUCKET_{name}", raising=False)


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
    assert (result["failed"], result["msg"]) == (True, "`verify` takes `url`, the server to ask.")


def test_all_modules_over_a_real_port(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    with running(stand.sim) as url:
        login: dict[str, t.Any] = {"url": url, "username": "admin", "password": PASSWORD, "use_proxy": False}
        issued = main(access_token, capsys, **login, **CI)
        assert issued["changed"]
        (token,) = stand.sim.tokens(PAY)
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


def test_a_failure_of_some_owners_fails_the_task_and_keeps_the_result(stand, capsys):
    with running(stand.sim) as url:
        login = {"url": url, "username": "admin", "password": PASSWORD, "use_proxy": False}
        result = main(access_token_set, capsys, **login, projects=["PAY", "NOPE"], set=[entry()])
    assert result["failed"]
    assert "Project NOPE does not exist." in result["msg"]
    assert result["secrets"] == {"projects/PAY/tokens/ci": stand.sim.tokens(PAY)[0].secret}


def test_warnings_are_ansibles_own(stand, capsys, monkeypatch):
    # Where ansible sends them depends on what else of it is loaded in this process.
    warned: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warned.append(text))
    stand.sim.add_token(PAY, "ci", created_days_ago=80, expires_in_days=10)
    with running(stand.sim) as url:
        login = {"url": url, "username": "admin", "password": PASSWORD, "use_proxy": False}
        result = main(access_token, capsys, **login, **CI, rotate="never")
    assert "warned" not in result
    assert ["due for rotation" in text for text in warned] == [True]
