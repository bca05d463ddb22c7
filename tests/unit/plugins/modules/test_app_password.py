"""Secrets are taken out of files, or an API token is put in their place; what cannot be done is said."""

from __future__ import annotations

import base64
import json
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.testing import patch_module_args

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._secret import fingerprint
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files import _places, _safe_files
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _cloud_answers
from ansible_collections.tokensmith.bitbucket.plugins.modules import app_password, app_password_info
from tests.unit.plugins.company import checked

DEAD = "ATBBw0rthl3ssw0rthl3ss0badcafe"
OTHER_DEAD = "ATBBan0theran0ther0badcafe"
TOKEN = "ATATT3xFfGF0nothing-real_in-here=0BADCAFE"
ACCESS = "ATCTT3xFfGN0nothing-real_in-here=0BADCAFE"
HTTP_ACCESS_TOKEN = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
IN_URL = TOKEN.replace("=", "%3D")
USER = "x-bitbucket-api-token-auth"
SECRETS = [DEAD, OTHER_DEAD, TOKEN, IN_URL, ACCESS, HTTP_ACCESS_TOKEN, "hunter2"]
SOMEBODY = 4711
Result = dict[str, t.Any]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")

CREDENTIALS = f"https://jdoe:{DEAD}@bitbucket.org\nhttps://a:hunter2@github.com\n"
NETRC = f"machine bitbucket.org login jdoe password {DEAD}\r\nmachine x login y password hunter2"
CONFIG = f'[remote "origin"]\n\turl = https://jdoe:{DEAD}@bitbucket.org/pay/ledger.git ; old\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    (path / ".git-credentials").write_bytes(CREDENTIALS.encode())
    (path / ".netrc").write_bytes(NETRC.encode())
    (path / ".gitconfig").write_bytes(CONFIG.encode())
    return path


def options(home: Path, **given: t.Any) -> dict[str, t.Any]:
    wanted = {"homes": [str(home)], "state": "absent", **given}
    if wanted["state"] == "replaced":
        wanted.setdefault("api_token", TOKEN)
    return checked(app_password.SPEC, app_password.CONSTRAINTS, wanted)


def run(home: Path, check: bool = False, **given: t.Any) -> Result:
    result = app_password.run(options(home, **given), check)
    assert not any(secret in json.dumps(result) for secret in SECRETS)
    return result


def texts(home: Path) -> dict[str, str]:
    return {path.name: path.read_bytes().decode("utf-8", "surrogateescape") for path in sorted(home.iterdir())}


def test_absent_removes_them_and_leaves_the_rest(home):
    result = run(home)
    assert (result["changed"], len(result["changes"]), result["failures"]) == (True, 3, [])
    assert texts(home) == {
        ".git-credentials": "https://a:hunter2@github.com\n",
        ".gitconfig": '[remote "origin"]\n\turl = https://bitbucket.org/pay/ledger.git ; old\n',
        ".netrc": "machine x login y password hunter2",
    }


def test_replaced_puts_the_token_there_with_the_name_that_git_takes(home):
    result = run(home, state="replaced")
    assert (result["changed"], result["failures"]) == (True, [])
    assert texts(home) == {
        ".git-credentials": f"https://{USER}:{IN_URL}@bitbucket.org\nhttps://a:hunter2@github.com\n",
        ".gitconfig": f'[remote "origin"]\n\turl = https://{USER}:{IN_URL}@bitbucket.org/pay/ledger.git ; old\n',
        ".netrc": f"machine bitbucket.org login {USER} password {TOKEN}\r\nmachine x login y password hunter2",
    }


@pytest.mark.parametrize("state", ["absent", "replaced"])
def test_check_mode_says_the_same_and_changes_nothing(home, state):
    before = texts(home)
    foreseen = run(home, check=True, state=state)
    assert texts(home) == before
    assert run(home, state=state) == foreseen
    assert texts(home) != before


@pytest.mark.parametrize("state", ["absent", "replaced"])
def test_a_second_run_changes_nothing(home, state):
    run(home, state=state)
    before, stamps = texts(home), {path: path.stat().st_mtime_ns for path in home.iterdir()}
    result = run(home, state=state)
    assert (result["changed"], result["changes"], result["files"], result.get("failed")) == (False, [], [], None)
    assert result["diff"] == {"before": {}, "after": {}}
    assert texts(home) == before
    assert {path: path.stat().st_mtime_ns for path in home.iterdir()} == stamps


def test_a_token_that_is_there_in_another_spelling_stays(home):
    text = f"https://{USER}:{TOKEN}@bitbucket.org\n"
    (home / ".git-credentials").write_text(text)
    result = run(home, state="replaced", kinds=["api_token"])
    assert (result["changed"], texts(home)[".git-credentials"]) == (False, text)


def test_the_difference_shows_fingerprints(home):
    diff = run(home, state="replaced")["diff"]
    file = str(home / ".netrc")
    assert diff["before"][file] == [f"line 1: bitbucket.org, jdoe, app_password {fingerprint(DEAD)}"]
    assert diff["after"][file] == [f"line 1: bitbucket.org, {USER}, api_token {fingerprint(TOKEN)}"]
    assert "github" not in str(diff)


def test_a_backup_is_kept_where_it_is_asked_for(home):
    result = run(home, backup=True)
    assert len(result["backup_files"]) == 3
    backups = {Path(path).read_bytes().decode() for path in result["backup_files"]}
    assert backups == {CREDENTIALS, NETRC, CONFIG}
    assert {stat.S_IMODE(Path(path).stat().st_mode) for path in result["backup_files"]} == {0o600}
    assert run(home, backup=True)["backup_files"] == []


def test_check_mode_makes_no_backup(home):
    assert run(home, check=True, backup=True)["backup_files"] == []
    assert len(texts(home)) == 3


MIXED = "".join(
    f"https://{user}:{secret}@bitbucket.org\n"
    for user, secret in [
        ("a", DEAD),
        ("b", OTHER_DEAD),
        ("c", TOKEN),
        ("d", ACCESS),
        ("e", "hunter2"),
        ("f", HTTP_ACCESS_TOKEN),
    ]
)


@pytest.mark.parametrize(
    ("given", "gone"),
    [
        ({}, "ab"),
        ({"kinds": ["unknown"]}, "e"),
        ({"kinds": ["api_token", "cloud_access_token", "http_access_token"]}, "cdf"),
        ({"fingerprints": [fingerprint(OTHER_DEAD), fingerprint("hunter2")]}, "be"),
        ({"fingerprints": [fingerprint(DEAD).upper()]}, "a"),
        ({"exclude_fingerprints": [fingerprint(DEAD)]}, "b"),
        ({"fingerprints": [fingerprint(DEAD)], "exclude_fingerprints": [fingerprint(DEAD)]}, ""),
        ({"fingerprints": ["0" * 12]}, ""),
    ],
)
def test_which_secrets_are_meant(home, given, gone):
    (home / ".netrc").unlink()
    (home / ".gitconfig").unlink()
    (home / ".git-credentials").write_text(MIXED)
    result = run(home, **given)
    left = [line[8] for line in texts(home)[".git-credentials"].splitlines()]
    assert "".join(left) == "".join(name for name in "abcdef" if name not in gone)
    assert [change["user"] for change in result["changes"]] == list(gone)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"export BB={DEAD}\n", "is not known. Remove it manually"),
        (f"# {DEAD}\n", "is not known. Remove it manually"),
    ],
)
def test_what_only_a_hand_can_remove_fails_the_task_and_nothing_else(home, text, sentence):
    file = home / "deploy.env"
    file.write_text(text)
    result = run(home, paths=[str(file)])
    assert (result["changed"], len(result["changes"]), result["failed"]) == (True, 3, True)
    assert sentence in result["msg"]
    assert result["failures"] == [
        {
            "file": str(file),
            "line": 1,
            "fingerprint": fingerprint(DEAD),
            "reason": "manual",
            "msg": f"{file}, line 1: the format around this secret is not known. Remove it manually.",
        }
    ]
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (".netrc", f"default login a password {DEAD}\n", "would be sent to any host that git connects to"),
        (".netrc", f"machine evil.example login a password {DEAD}\n", "would be sent to evil.example"),
        (
            ".gitconfig",
            f"[http]\nextraHeader = Authorization: Basic {base64.b64encode(f'a:{DEAD}'.encode()).decode()}\n",
            "would be sent to any host",
        ),
        (".git-credentials", f"http://a:{DEAD}@bitbucket.org\n", "would be sent in clear text"),
        (".netrc", f"machine api.bitbucket.org login a password {DEAD}\n", "Set `email`"),
        ("deploy.env", f"BB={DEAD}\n", "Replace it manually"),
    ],
)
def test_a_token_is_put_nowhere_where_it_does_not_belong(tmp_path, name, text, sentence):
    file = tmp_path / name
    file.write_text(text)
    result = run(tmp_path, state="replaced", paths=[str(file)])
    assert (result["changed"], result["failed"]) == (False, True)
    assert sentence in result["msg"]
    assert file.read_text() == text


def test_for_the_rest_api_the_user_is_the_e_mail_address(tmp_path):
    file = tmp_path / ".netrc"
    file.write_text(f"machine api.bitbucket.org login jdoe password {DEAD}\n")
    result = run(tmp_path, state="replaced", email="jdoe@example.com")
    assert file.read_text() == f"machine api.bitbucket.org login jdoe@example.com password {TOKEN}\n"
    assert "failed" not in result


def test_another_user_name_for_git_can_be_given(home):
    run(home, state="replaced", git_username="jdoe")
    assert texts(home)[".git-credentials"].startswith(f"https://jdoe:{IN_URL}@bitbucket.org\n")


THEIRS = "ATATT3xFfGF0another-real_not=0BADCAFE"


def replace_one(home: Path, secret: str, **given: t.Any) -> Result:
    return run(home, state="replaced", fingerprints=[fingerprint(secret)], **given)


@pytest.mark.parametrize("name", [".git-credentials", ".netrc"])
def test_users_who_share_a_file_keep_their_names_since_git_knows_their_tokens_by_nothing_else(tmp_path, name):
    def text(*logins: tuple[str, str]) -> str:
        if name == ".netrc":
            return "".join(f"machine bitbucket.org login {user} password {secret}\n" for user, secret in logins)
        return "".join(f"https://{user}:{secret.replace('=', '%3D')}@bitbucket.org\n" for user, secret in logins)

    file = tmp_path / name
    file.write_text(text(("ada", DEAD), ("bob", OTHER_DEAD)))
    first, second = replace_one(tmp_path, DEAD), replace_one(tmp_path, OTHER_DEAD, api_token=THEIRS)
    assert file.read_text() == text(("ada", TOKEN), ("bob", THEIRS))
    assert [result["failures"] for result in (first, second)] == [[], []]
    assert ", ada, api_token" in first["diff"]["after"][str(file)][0]


def test_a_name_that_is_given_is_put_there_all_the_same(tmp_path):
    file = tmp_path / ".git-credentials"
    file.write_text(f"https://ada:{DEAD}@bitbucket.org\nhttps://bob:{OTHER_DEAD}@bitbucket.org\n")
    replace_one(tmp_path, DEAD, git_username="ada-bb")
    assert file.read_text() == f"https://ada-bb:{IN_URL}@bitbucket.org\nhttps://bob:{OTHER_DEAD}@bitbucket.org\n"


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("user", ["bob%40example.com", "x-token-auth"])
def test_a_name_that_another_secret_has_is_not_given_away_twice(tmp_path, user, check):
    """Nobody's own name stands there that could be kept."""
    file = tmp_path / ".git-credentials"
    text = f"https://{USER}:{IN_URL}@bitbucket.org\nhttps://{user}:{OTHER_DEAD}@bitbucket.org\n"
    file.write_text(text)
    result = run(tmp_path, check, state="replaced", api_token=THEIRS)
    assert (result["changed"], result["failed"], file.read_text()) == (False, True, text)
    assert f"line 1 already has another secret for {USER} at bitbucket.org" in result["msg"]
    assert [failure["reason"] for failure in result["failures"]] == ["manual"]


def test_the_urls_of_a_repository_share_no_name(tmp_path):
    """Each carries its own login."""
    file = tmp_path / ".gitconfig"
    url = "https://{0}:{1}@bitbucket.org/x\n"
    remote = '[remote "{0}"]\n\turl = ' + url
    file.write_text(remote.format("ada", DEAD) + remote.format("bob", OTHER_DEAD))
    replace_one(tmp_path, DEAD)
    assert replace_one(tmp_path, OTHER_DEAD, api_token=THEIRS)["failures"] == []
    assert file.read_text().count(f"https://{USER}:") == 2


def test_a_machine_goes_only_with_its_last_secret(tmp_path):
    file = tmp_path / ".netrc"
    text = f"machine bitbucket.org login a password {DEAD}\nlogin b password hunter2\n"
    file.write_text(text)
    run(tmp_path)
    assert file.read_text() == "machine bitbucket.org\nlogin b password hunter2\n"
    file.write_text(text)
    run(tmp_path, kinds=["app_password", "unknown"])
    assert file.read_text() == ""


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"api_token": DEAD}, "is an app password, which Bitbucket no longer accepts"),
        ({"api_token": ACCESS}, "does not look like an API token"),
        ({"api_token": "hunter2"}, "does not look like an API token"),
        ({"api_token": ""}, "does not look like an API token"),
        ({"api_token": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"}, "does not look like an API token"),
        ({"api_token": "ATATT3x********"}, "does not look like an API token"),
        ({"api_token": f"{TOKEN} {TOKEN}"}, "does not look like an API token"),
        ({"git_username": "jdoe@example.com"}, "is an e-mail address, which git does not accept"),
        ({"git_username": "j doe"}, "is not a valid Bitbucket user name"),
        ({"git_username": ""}, "is not a valid Bitbucket user name"),
        ({"email": "jdoe"}, "is not an e-mail address"),
        ({"kinds": ["http_access_token"]}, "cannot replace an HTTP access token"),
        ({"fingerprints": [DEAD]}, "`fingerprints` must be fingerprints of twelve hex digits"),
        ({"exclude_fingerprints": ["x"]}, "`exclude_fingerprints` must be fingerprints"),
        ({"permissions": ["everything"]}, "is not a permission of app passwords"),
        ({"paths": ["relative"]}, "must be absolute paths"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_touched(home, given, sentence):
    before = texts(home)
    with pytest.raises(InputError, match=sentence) as caught:
        app_password.run(options(home, **{"state": "replaced", **given}), False)
    assert texts(home) == before
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"state": "replaced"}, "api_token"),
        ({"state": "absent", "kinds": ["unknown"], "fingerprints": ["0" * 12]}, "mutually exclusive"),
        ({}, "state"),
    ],
)
def test_options_that_go_together(given, sentence):
    validator = ArgumentSpecValidator(app_password.SPEC, **app_password.CONSTRAINTS)
    assert sentence in str(validator.validate(given).error_messages)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("state", ["absent", "replaced"])
def test_one_file_that_cannot_be_written_stops_no_other(home, state, check):
    (home / ".netrc").chmod(0o400)
    result = run(home, check, state=state)
    assert (result["changed"], result["failed"]) == (True, True)
    assert result["files"] == [str(home / ".git-credentials"), str(home / ".gitconfig")]
    assert [(failure["reason"], failure["line"]) for failure in result["failures"]] == [("read_only", None)]
    assert texts(home)[".netrc"] == NETRC


def test_a_file_that_changes_meanwhile_is_left_to_the_next_run(home, monkeypatch):
    write = _safe_files.replace

    def late(snapshot: t.Any, data: bytes, backup: bool) -> str | None:
        if snapshot.path.name == ".netrc":
            (home / ".netrc").write_text(NETRC + "\n# more\n")
        return write(snapshot, data, backup)

    monkeypatch.setattr(_safe_files, "replace", late)
    result = run(home)
    assert [failure["reason"] for failure in result["failures"]] == ["changed"]
    assert texts(home)[".netrc"].endswith("# more\n")
    monkeypatch.undo()
    assert run(home)["failures"] == []
    assert texts(home)[".netrc"].endswith("hunter2\n# more\n")


def test_a_file_that_is_there_and_cannot_be_read_fails_the_task(home):
    (home / ".netrc").unlink()
    (home / ".netrc").mkdir()
    result = run(home)
    assert (result["changed"], result["failed"]) == (True, True)
    assert result["msg"] == f"{home / '.netrc'} is not a plain file."


def test_what_is_not_there_holds_nothing(tmp_path):
    result = run(tmp_path / "nobody", paths=[str(tmp_path / "absent")])
    assert (result["changed"], result.get("failed")) == (False, None)
    assert [entry["reason"] for entry in result["not_searched"]] == ["missing", "missing"]


def test_the_homes_of_many_users(tmp_path):
    for name in ("ann", "ben"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".netrc").write_text(NETRC, newline="")
    assert run(tmp_path / "*")["files"] == [str(tmp_path / name / ".netrc") for name in ("ann", "ben")]


@as_root
def test_root_changes_no_file_of_another_through_a_link(home, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text(CREDENTIALS)
    (home / ".git-credentials").unlink()
    (home / ".git-credentials").symlink_to(victim)
    os.chown(home, 4711, 4711)
    result = run(home)
    assert victim.read_text() == CREDENTIALS
    assert [entry["reason"] for entry in result["not_searched"]] == ["link"]


@as_root
@pytest.mark.parametrize("check", [True, False])
def test_a_link_that_is_not_followed_fails_the_task(home, tmp_path, check):
    """There may be a dead secret behind it."""
    (tmp_path / "elsewhere").write_text(CREDENTIALS)
    (home / ".git-credentials").unlink()
    (home / ".git-credentials").symlink_to(tmp_path / "elsewhere")
    os.lchown(home / ".git-credentials", SOMEBODY, SOMEBODY)
    result = run(home, check)
    assert (result["changed"], result["failed"]) == (True, True)
    assert f"{home / '.git-credentials'} contains the link" in result["msg"]


@as_root
def test_root_changes_no_file_of_root_for_a_user_who_may_write_below_a_search_path(tmp_path):
    """The directory and the file are of one owner, the link between them is not."""
    victim = tmp_path / "secret.yml"
    victim.write_text(CONFIG)
    repository = tmp_path / "ci" / "evil" / ".git"
    (repository / "objects").mkdir(parents=True)
    (repository / "HEAD").touch()
    (repository / "config").symlink_to(victim)
    os.lchown(repository / "config", SOMEBODY, SOMEBODY)
    result = run(tmp_path / "nobody", search_paths=[str(tmp_path)])
    assert (victim.read_text(), result["changed"], result["failed"]) == (CONFIG, False, True)
    assert [entry["reason"] for entry in result["not_searched"]] == ["missing", "link"]


def test_a_configuration_that_refers_elsewhere_fails_nothing(home):
    (home / ".gitconfig").write_text("[include]\n\tpath = /etc/gitconfig-of-all\n")
    result = run(home)
    assert [entry["reason"] for entry in result["not_searched"]] == ["outside"]
    assert "failed" not in result


def test_check_mode_foresees_a_lock(home, monkeypatch):
    monkeypatch.setattr(_safe_files, "_PATIENCE", 0.1)
    (home / ".netrc.lock").touch()
    foreseen = run(home, check=True)
    assert [failure["reason"] for failure in foreseen["failures"]] == ["locked"]
    assert run(home)["failures"] == foreseen["failures"]


@pytest.mark.parametrize("permissions", [[], ["repository:write"]])
@pytest.mark.parametrize("check", [True, False])
def test_present_fails_and_says_what_to_do_instead(home, permissions, check):
    before = texts(home)
    result = run(home, check, state="present", permissions=permissions)
    assert (result["changed"], result["failed"], result["reason"]) == (False, True, "unsupported")
    assert "never had an API" in result["msg"]
    assert _cloud_answers.API_TOKENS_PAGE in result["msg"]
    if permissions:
        assert result["scopes"] == ["read:repository:bitbucket", "write:repository:bitbucket"]
    else:
        assert len(result["scope_table"]) == 24
    assert texts(home) == before


def test_after_a_change_info_finds_what_is_said(home):
    asked = checked(app_password_info.SPEC, {}, {"homes": [str(home)]})
    told = run(home, state="replaced")["diff"]["after"]
    found = app_password_info.run(asked, None, False)["findings"]
    assert {finding["fingerprint"] for finding in found} == {fingerprint(TOKEN)}
    assert {finding["problem"] for finding in found} == {None}
    assert sum(map(len, told.values())) == len(found)


def test_files_whose_names_are_no_text(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff"
    path = Path(os.fsdecode(name))
    path.write_text(f"https://a:{DEAD}@bitbucket.org/x")
    result = run(tmp_path, paths=[str(path)])
    assert result["files"] == [_places.shown(str(path))]
    assert path.read_text() == "https://bitbucket.org/x"


@pytest.mark.parametrize(
    ("given", "reason"), [({"state": "present"}, "unsupported"), ({"state": "replaced", "api_token": DEAD}, "input")]
)
def test_a_refusal_is_ansibles_own(given, reason, capsys):
    with patch_module_args({"homes": [], **given}), pytest.raises(SystemExit) as ended:
        app_password.main()
    result = json.loads(capsys.readouterr().out)
    assert (result["failed"], result["reason"]) == (True, reason)
    assert ended.value.code == (1 if reason == "input" else 0)
    assert DEAD not in result["msg"]
