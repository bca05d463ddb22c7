"""From texts and files with secrets in them to the tokens to revoke, and to what somebody has to look at."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import GuardError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._secret import fingerprint
from ansible_collections.tokensmith.bitbucket.plugins.modules import leaked_secret_info
from tests.unit.plugins.company import LEDGER, LOGIN, PAY, Company, checked

APP_PASSWORD = "ATBBwh4t3v3rY0uL1k3H3r3" + "0badcafe"
API_TOKEN = "ATATT3xFfGF0nothing-real_in-here" + "=0BADCAFE"
ACCESS_TOKEN = "ATCTT3xFfGN0nothing-real=0BADCAFE"
STRANGE = base64.b64encode(b"000000000000:" + b"a stranger's secret!").decode()


def run(
    company: Company, text: str = "", caller: str = "admin", token: str = "", check: bool = False, **given: t.Any
) -> dict[str, t.Any]:
    params = checked(leaked_secret_info.SPEC, leaked_secret_info.CONSTRAINTS, {**LOGIN, "text": text, **given})
    return leaked_secret_info.run(params, company.client(caller, token=token), check)


def verdicts(result: dict[str, t.Any]) -> list[tuple[str, bool]]:
    return [(item["fingerprint"], item["settled"]) for item in result["unresolved"]]


def made_up(token_id: str, number: int = 0) -> str:
    """What looks like a secret of that token."""
    return base64.b64encode(f"{token_id}:{number:020d}".encode()).decode()


def logins(company: Company) -> int:
    return sum(request.endswith("application-properties") for request in company.requests)


@pytest.mark.parametrize("check", [False, True])
def test_tokens_are_told_with_owner_and_place_and_without_a_secret(company, tmp_path, check):
    token = company.sim.add_token(LEDGER, "deploy", expires_in_days=30)
    personal = company.sim.add_token("users/pat", "mine")
    (tmp_path / "log").write_text(f"\n{token.secret}\n", encoding="utf-8")
    result = run(company, f"a\n{personal.secret} {token.secret}", files=[str(tmp_path)], check=check)
    deploy, mine = result["access_tokens"]
    assert deploy == {
        "reference": f"{LEDGER}/tokens/deploy",
        "id": token.id,
        "name": "deploy",
        "permissions": ["REPO_READ"],
        "created": "2026-01-15T09:00:00Z",
        "expires": "2026-02-14T09:00:00Z",
        "last_used": None,
        "days_left": 30,
        "project": "PAY",
        "repository": "ledger",
        "user": None,
        "in_use": False,
        "fingerprints": [fingerprint(token.secret)],
        "found_in": ["text:2", f"{tmp_path}/log:2"],
        "works": None,
        "msg": f"{LEDGER}/tokens/deploy, token {token.id}: secret {fingerprint(token.secret)} in text:2, "
        f"{tmp_path}/log:2",
    }
    assert (mine["user"], mine["project"], mine["repository"], mine["found_in"]) == ("pat", None, None, ["text:2"])
    assert (result["changed"], result["files_searched"]) == (False, 1)
    assert result["unresolved"] == result["unread"] == result["failures"] == []
    assert not any(secret.secret in json.dumps(result) for secret in (token, personal))
    assert company.writes == []


def test_two_secrets_that_name_one_token_are_one_token(company):
    token = company.sim.add_token(PAY, "ci")
    bare = token.secret.removeprefix("BBDC-")
    result = run(company, f"{token.secret}\n{bare}")
    (found,) = result["access_tokens"]
    assert found["fingerprints"] == [fingerprint(token.secret), fingerprint(bare)]
    assert found["found_in"] == ["text:1", "text:2"]


def test_a_secret_that_stands_everywhere_is_counted(company):
    token = company.sim.add_token(PAY, "ci")
    (found,) = run(company, f"{token.secret}\n" * 12)["access_tokens"]
    assert found["msg"].endswith("text:9, text:10, 12 times in all")


def test_the_token_in_use_is_marked(company):
    token = company.sim.add_token(PAY, "ci", ["PROJECT_ADMIN"])
    (found,) = run(company, token.secret, token=token.secret)["access_tokens"]
    assert found["in_use"] is True


def test_what_is_ignored_is_left_out(company):
    kept, left = company.sim.add_token(PAY, "ci"), company.sim.add_token(PAY, "dealt-with")
    result = run(
        company,
        f"{kept.secret} {left.secret} {API_TOKEN}",
        ignore=[
            fingerprint(left.secret).upper(),
            f" {fingerprint(API_TOKEN)} ",
        ],
    )
    assert [token["id"] for token in result["access_tokens"]] == [kept.id]
    assert result["unresolved"] == []


# Secrets without a token.


def test_a_secret_that_nobody_has_is_settled_where_everybody_was_asked(company):
    result = run(company, STRANGE)
    assert verdicts(result) == [(fingerprint(STRANGE), True)]
    (item,) = result["unresolved"]
    assert (item["kind"], item["token_id"], item["times"]) == ("http_access_token", "000000000000", 1)
    assert item["msg"] == (
        f"secret {fingerprint(STRANGE)} in text:1. No owner has its token: it was revoked already, or belongs to "
        "another Bitbucket."
    )


def test_a_revoked_token_is_one_that_nobody_has(company):
    token = company.sim.add_token(PAY, "ci")
    company.api().revoke(owner_of(PAY), token.id)
    assert verdicts(run(company, token.secret)) == [(fingerprint(token.secret), True)]


def test_a_secret_is_open_where_somebody_could_not_be_asked(company):
    token = company.sim.add_token("projects/SHOP", "ci")
    result = run(company, token.secret, caller="pat")
    assert verdicts(result) == [(fingerprint(token.secret), False)]
    assert "one of the 2 that did not answer" in result["unresolved"][0]["msg"]
    assert "check with credential_info whether it works" in result["unresolved"][0]["msg"]
    assert len(result["failures"]) == 2
    assert "failed" not in result


@pytest.mark.parametrize("owners", [{}, {"projects": ["SHOP", "PAY"]}], ids=["everybody", "named"])
def test_a_rate_limit_on_the_way_keeps_what_was_found_and_settles_nothing(company, owners):
    token = company.sim.add_token("projects/SHOP", "ci")
    path = f"{PAY}$" if owners else "latest/repos"
    company.sim.faults.arm(kind="status", status=429, method="GET", path=path, times=None)
    result = run(company, f"{token.secret} {STRANGE}", **owners)
    assert [found["id"] for found in result["access_tokens"]] == [token.id]
    assert verdicts(result) == [(fingerprint(STRANGE), False)]
    assert "The search ended before" in result["unresolved"][0]["msg"]
    assert "the rate limit is still exceeded" in result["unresolved"][0]["msg"]
    assert result["failures"][0]["reason"] == "rate_limit"


def test_a_secret_is_open_where_only_some_owners_were_asked(company):
    result = run(company, STRANGE, projects=["PAY"])
    assert verdicts(result) == [(fingerprint(STRANGE), False)]
    assert "Name no owners" in result["unresolved"][0]["msg"]


@pytest.mark.parametrize(
    ("secret", "kind", "settled", "words"),
    [
        (APP_PASSWORD, "app_password", True, "accepts none since"),
        (API_TOKEN, "api_token", False, "Its user can revoke it"),
        (ACCESS_TOKEN, "cloud_access_token", False, "Revoke it in the settings of its repository"),
    ],
)
@pytest.mark.parametrize("verify", [False, True])
def test_what_is_of_bitbucket_cloud_is_told_and_sent_nowhere(company, secret, kind, settled, words, verify):
    result = run(company, secret, verify=verify)
    (item,) = result["unresolved"]
    assert (item["kind"], item["settled"], item["token_id"]) == (kind, settled, None)
    assert words in item["msg"]
    assert secret not in json.dumps(result)
    assert company.requests == []


# Signing in with what was found.


def test_without_verify_no_secret_is_sent(company):
    company.sim.add_token(PAY, "ci")
    run(company, STRANGE)
    assert {entry.user for entry in company.sim.requests} == {"admin"}


@pytest.mark.parametrize("walk", [False, True], ids=["at the secrets", "at the walk already"])
def test_a_rate_limit_is_waited_out_once_however_many_secrets_are_verified(company, walk):
    tokens = [company.sim.add_token(PAY, f"t{number}") for number in range(5)]
    company.sim.faults.arm(kind="status", status=429, path="application-properties", times=None)
    if walk:
        company.sim.faults.arm(kind="status", status=429, path="latest/repos", times=None)
    result = run(company, " ".join([STRANGE, *(token.secret for token in tokens)]), verify=True)
    assert [found["works"] for found in result["access_tokens"]] == [None] * 5
    assert 500 < sum(company.sleeps) < 2 * 600


@pytest.mark.parametrize(("days", "works"), [(1, True), (-1, False)])
def test_verify_tells_whether_the_secret_of_a_listed_token_works(company, days, works):
    token = company.sim.add_token(PAY, "ci", expires_in_days=days)
    (found,) = run(company, token.secret, verify=True)["access_tokens"]
    assert found["works"] is works


def test_a_secret_that_is_made_up_for_a_known_id_does_not_work_and_the_real_one_beside_it_does(company):
    token = company.sim.add_token(PAY, "ci")
    (found,) = run(company, made_up(token.id), verify=True)["access_tokens"]
    assert found["works"] is False
    (found,) = run(company, f"{made_up(token.id)} {token.secret}", verify=True)["access_tokens"]
    assert found["works"] is True


def test_verify_tries_no_secret_whose_token_nobody_has(company):
    token = company.sim.add_token("projects/SHOP", "ci")
    text = f"{token.secret} {' '.join(made_up('000000000000', number) for number in range(300))}"
    result = run(company, text, caller="pat", verify=True)
    assert len(result["unresolved"]) == 301
    assert logins(company) == 0


def test_so_many_secrets_for_one_token_are_refused_before_the_first_login(company):
    token = company.sim.add_token(PAY, "ci")
    secrets = [token.secret, *(made_up(token.id, number) for number in range(100))]
    with pytest.raises(GuardError) as caught:
        run(company, " ".join(secrets), verify=True)
    assert str(caught.value).startswith(
        "101 different secrets contain ids of existing tokens. `verify` signs in with at most"
    )
    assert logins(company) == 0
    assert run(company, " ".join(secrets[:100]), verify=True)["access_tokens"][0]["works"] is True
    assert logins(company) == 100


def test_a_refused_secret_is_tried_once_and_locks_nobody_out(company):
    token = company.sim.add_token(PAY, "ci")
    run(company, f"{made_up(token.id)} {made_up(token.id)}", verify=True)
    assert logins(company) == 1
    assert {user.failures for user in company.sim.model.users.values()} == {0}


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "status", "status": 500},
        {"kind": "status", "status": 401},
        {"kind": "status", "status": 401, "body": "html", "message": "Sign in to the proxy"},
        {"kind": "status", "status": 401, "exception_name": "c.a.b.auth.NoAccessAuthenticationException"},
        {"kind": "status", "status": 403, "body": "html", "message": "Your IP address is not allowed"},
        {"kind": "status", "status": 403, "exception_name": "c.a.b.auth.CaptchaRequiredAuthenticationException"},
        {"kind": "status", "status": 429},
        {"kind": "html"},
        {"kind": "redirect"},
        {"kind": "drop_before"},
    ],
    ids=str,
)
def test_no_clear_answer_is_no_verdict(company, answer):
    token = company.sim.add_token(PAY, "ci")
    company.sim.faults.arm(**answer, method="GET", path="application-properties", times=None)
    result = run(company, f"{made_up(token.id)} {token.secret}", verify=True)
    assert result["access_tokens"][0]["works"] is None


# What cannot be right.


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "There is nothing to search"),
        ({"text": "x" * 15}, "`text` is shorter than any secret"),
        ({"text": STRANGE, "ignore": ["123"]}, "twelve hex digits. Quote them"),
        ({"files": ["/nowhere/at/all"]}, "/nowhere/at/all: not searched, it does not exist."),
        ({"text": STRANGE, "users": ["svc-*"]}, "'svc-*' is a glob"),
    ],
    ids=str,
)
def test_what_cannot_be_right_is_told_before_any_request(company, given, sentence):
    with pytest.raises(InputError) as caught:
        run(company, **given)
    assert sentence in str(caught.value)
    assert company.requests == []
