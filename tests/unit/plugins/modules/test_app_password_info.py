"""What is told of secrets in files, and that it is told without them."""

from __future__ import annotations

import base64
import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._secret import fingerprint
from ansible_collections.tokensmith.bitbucket.plugins.modules import app_password_info
from tests.simulator.cloud import Cloud
from tests.simulator.server import running
from tests.unit.plugins.company import checked

DEAD = "ATBBw0rthl3ssw0rthl3ss0badcafe"
TOKEN = "ATATT3xFfGF0nothing-real_in-here=0BADCAFE"
ACCESS = "ATCTT3xFfGN0nothing-real_in-here=0BADCAFE"
HTTP_ACCESS_TOKEN = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
PASSWORD = "correct-horse-4711"
SECRETS = [DEAD, TOKEN, ACCESS, HTTP_ACCESS_TOKEN, PASSWORD]
GIT = "x-bitbucket-api-token-auth"
EMAIL = "the account's e-mail address"


def options(**given: t.Any) -> dict[str, t.Any]:
    return checked(app_password_info.SPEC, {}, {"homes": [], **given})


def run(**given: t.Any) -> dict[str, t.Any]:
    result = app_password_info.run(options(**given), None, False)
    assert result == app_password_info.run(options(**given), None, True)
    assert result["changed"] is False
    assert not any(secret in json.dumps(result) for secret in SECRETS)
    return result


def netrc(tmp_path: Path, host: str, user: str, secret: str) -> dict[str, t.Any]:
    file = tmp_path / ".netrc"
    file.write_text(f"# first\nmachine {host} login {user} password {secret}\n")
    (found,) = run(paths=[str(file)])["findings"]
    return t.cast("dict[str, t.Any]", found)


@pytest.mark.parametrize(
    ("secret", "kind", "dead", "git", "rest"),
    [
        (DEAD, "app_password", True, GIT, EMAIL),
        (TOKEN, "api_token", None, GIT, EMAIL),
        (ACCESS, "cloud_access_token", None, "x-token-auth", None),
        (HTTP_ACCESS_TOKEN, "http_access_token", None, GIT, EMAIL),
        (PASSWORD, "unknown", None, GIT, EMAIL),
    ],
    ids=["app password", "API token", "access token", "Data Center", "password"],
)
def test_everything_for_bitbucket_org_is_found(tmp_path, secret, kind, dead, git, rest):
    found = netrc(tmp_path, "bitbucket.org", "jdoe", secret)
    problem = found.pop("problem")
    assert found == {
        "file": str(tmp_path / ".netrc"),
        "line": 2,
        "format": "netrc",
        "host": "bitbucket.org",
        "user": "jdoe",
        "kind": kind,
        "fingerprint": fingerprint(secret),
        "dead": dead,
        "git_user": git,
        "rest_user": rest,
    }
    assert (problem is not None) == (kind == "app_password")


@pytest.mark.parametrize(
    ("secret", "git", "rest"),
    [(DEAD, GIT, EMAIL), (ACCESS, "x-token-auth", None), (HTTP_ACCESS_TOKEN, None, None)],
)
def test_a_secret_of_bitbucket_is_found_for_any_host(tmp_path, secret, git, rest):
    found = netrc(tmp_path, "git.example.com", "jdoe", secret)
    assert (found["host"], found["git_user"], found["rest_user"]) == ("git.example.com", git, rest)


def test_a_password_of_another_host_is_nobodys_business(tmp_path):
    file = tmp_path / ".netrc"
    file.write_text(f"machine git.example.com login jdoe password {PASSWORD}\n")
    assert run(paths=[str(file)])["findings"] == []


@pytest.mark.parametrize(
    ("host", "user", "secret", "sentence"),
    [
        ("bitbucket.org", "jdoe@example.com", TOKEN, "git does not accept the e-mail address"),
        ("api.bitbucket.org", "jdoe", TOKEN, "must be the account's e-mail address"),
        ("api.bitbucket.org", "jdoe@example.com", TOKEN, None),
        ("bitbucket.org", "jdoe", TOKEN, None),
        ("bitbucket.org", "jdoe@example.com", PASSWORD, None),
        ("bitbucket.org", "jdoe", DEAD, "disabled all app passwords on 2026-07-28"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, host, user, secret, sentence):
    found = netrc(tmp_path, host, user, secret)
    assert (sentence is None) == (found["problem"] is None)
    assert (sentence or "") in (found["problem"] or "")
    assert found["rest_user"] == (user if "@" in user else EMAIL)


def test_a_secret_beside_a_secret_is_not_shown_as_the_user(tmp_path):
    file = tmp_path / ".netrc"
    file.write_text(f"machine bitbucket.org login {TOKEN} password {PASSWORD}\n")
    assert [(found["kind"], found["user"]) for found in run(paths=[str(file)])["findings"]] == [
        ("api_token", None),
        ("unknown", None),
    ]


def test_scopes_are_told_for_app_passwords(tmp_path):
    file = tmp_path / ".git-credentials"
    file.write_text(f"https://a:{DEAD}@bitbucket.org\nhttps://a:{TOKEN}@bitbucket.org\n")
    result = run(paths=[str(file)], permissions=["repository:write,issue", "email"])
    scopes = ["read:issue", "write:issue", "read:repository", "write:repository", "read:user"]
    assert result["scopes"] == [f"{scope}:bitbucket" for scope in scopes]
    assert [finding["scopes"] for finding in result["findings"]] == [result["scopes"], None]
    assert [(row["permission"], row["basis"]) for row in result["scope_table"]] == [
        ("repository:write", "derived"),
        ("issue", "inferred"),
        ("email", "derived"),
    ]


def test_without_permissions_no_scopes_are_told(tmp_path):
    assert run(homes=[str(tmp_path)]).keys() == {"changed", "findings", "searched", "not_searched"}


def test_all_kinds_of_places_at_once(tmp_path):
    home, code, extra = tmp_path / "home", tmp_path / "code", tmp_path / "deploy.sh"
    header = base64.b64encode(f"jdoe:{DEAD}".encode()).decode()
    (home / ".config" / "git").mkdir(parents=True)
    (home / ".config" / "git" / "credentials").write_text(f"https://jdoe:{DEAD}@bitbucket.org\n")
    (home / ".gitconfig").write_text(
        f'[http "https://bitbucket.org/"]\n\textraHeader = "Authorization: Basic {header}"\n'
    )
    (code / "one" / ".git" / "objects").mkdir(parents=True)
    (code / "one" / ".git" / "HEAD").touch()
    (code / "one" / ".git" / "config").write_text(f'[remote "o"]\n\turl = https://jdoe:{PASSWORD}@bitbucket.org/x\n')
    extra.write_text(f"#!/bin/sh\ncurl -u jdoe:{DEAD} https://api.bitbucket.org/2.0/user\n")
    result = run(homes=[str(home)], search_paths=[str(code)], paths=[str(extra)])
    assert [
        (Path(found["file"]).name, found["line"], found["format"], found["user"]) for found in result["findings"]
    ] == [
        ("credentials", 1, "git_credentials", "jdoe"),
        (".gitconfig", 2, "git_config", "jdoe"),
        ("config", 2, "git_config", "jdoe"),
        ("deploy.sh", 2, "other", None),
    ]
    assert len(result["searched"]) == 4


def test_nothing_is_written(tmp_path):
    netrc(tmp_path, "bitbucket.org", "jdoe", DEAD)
    assert [path.name for path in tmp_path.iterdir()] == [".netrc"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [({"permissions": ["x"]}, "is not a permission"), ({"homes": ["home"]}, "`homes` must be absolute paths")],
)
def test_what_cannot_be_meant_is_refused(given, sentence):
    with pytest.raises(InputError, match=sentence):
        run(**given)


def main(capsys: pytest.CaptureFixture[str], **given: t.Any) -> dict[str, t.Any]:
    with patch_module_args({"homes": [], **given}), pytest.raises(SystemExit):
        app_password_info.main()
    return t.cast("dict[str, t.Any]", json.loads(capsys.readouterr().out))


def test_asked_for_real_a_secret_is_verified(tmp_path, capsys):
    cloud = Cloud(seed=7)
    jdoe = cloud.add_account("jdoe")
    token, dead = cloud.add_api_token(jdoe, "ci"), cloud.add_app_password(jdoe)
    file = tmp_path / ".git-credentials"
    file.write_text("".join(f"https://x:{secret}@bitbucket.org\n" for secret in (token.secret, dead, token.secret)))
    with running(cloud) as url:
        asked = {"paths": [str(file)], "verify": True, "email": jdoe.email, "api_url": url, "use_proxy": False}
        result = main(capsys, **asked)
    assert [found["dead"] for found in result["findings"]] == [False, True, False]
    assert [found["verified"]["works"] for found in result["findings"]] == [True, False, True]
    assert (cloud.presented(token.secret), cloud.presented(dead)) == (1, 0)
    assert token.secret not in str(result)


def test_a_secret_never_crosses_the_network_in_the_clear(tmp_path, capsys):
    result = main(capsys, verify=True, api_url="http://192.0.2.1")
    assert (result["failed"], result["reason"]) == (True, "input")
    assert "nothing was sent" in result["msg"]


def test_without_verify_no_server_is_needed(tmp_path, capsys):
    assert main(capsys, api_url="nonsense")["findings"] == []
