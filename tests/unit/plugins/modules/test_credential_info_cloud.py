"""The same about a credential of Bitbucket Cloud (C5 to C8)."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud._advice import advice
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _secret
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _cloud_connection
from ansible_collections.tokensmith.bitbucket.plugins.modules import credential_info
from tests.simulator.cloud.model import with_checksum
from tests.unit.plugins.cloud_company import SCOPES, CloudCompany, params
from tests.unit.plugins.fake_transport import EMAIL

API_TOKEN = with_checksum("ATATT3xFfGF0" + "no-real-token-4711" * 5 + "=")
ACCESS_TOKEN = with_checksum("ATCTT3xFfGN0" + "no-real-token-4711" * 5 + "=")
HTTP_ACCESS_TOKEN = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
APP_PASSWORD = "ATBBnorealapppassword4711"


def ask(cloud: CloudCompany, secret: str, check: bool = False, **given: t.Any) -> dict[str, t.Any]:
    """As ``main`` does it with ``verify``."""
    asked = params(credential_info.SPEC, secret=secret, verify=True, **given)
    options = credential_info.cloud_connection(asked)
    credential = _cloud_connection.credential_from(options, {}, lambda _consumer: pytest.fail("an OAuth consumer"))
    return credential_info.run(asked, cloud.client(credential), check)


def offline(secret: str, **given: t.Any) -> dict[str, t.Any]:
    return credential_info.run(params(credential_info.SPEC, secret=secret, **given), None, False)


@pytest.mark.parametrize("check", [False, True])
def test_a_users_token_says_whose_it_is_and_what_it_may_do(cloud, check):
    token = cloud.add("laptop")
    result = ask(cloud, f" {token.secret}\n", check, email=cloud.ada.email)
    assert (result["changed"], result["works"], result["problem"], result["hints"]) == (False, True, None, [])
    assert (result["credential"]["kind"], result["credential"]["token_id"]) == ("api_token", token.id)
    assert result["account"]["account_id"] == cloud.ada.account_id
    assert tuple(result["scopes"]) == tuple(SCOPES)
    assert tuple(result["accepted_scopes"]) == ("read:user:bitbucket",)
    assert result["user"] is None
    assert cloud.requests == ["GET /2.0/user"]
    assert token.secret not in str(result)


def test_an_account_whose_name_no_result_could_hold_is_told_without_it(cloud):
    odd = cloud.sim.add_account("eve", display_name="\ud800ve")
    result = ask(cloud, cloud.add("laptop", odd).secret, email=odd.email)
    assert result["account"]["display_name"] == "?ve"


def test_an_access_token_says_its_type(cloud):
    token = cloud.sim.add_access_token("repository", "acme/ledger", ["repository"])
    result = ask(cloud, token.secret)
    assert (result["works"], result["account"], result["problem"]) == (True, None, None)
    assert (result["credential"]["kind"], result["credential_type"]) == ("cloud_access_token", "repo_access_token")
    assert tuple(result["scopes"]) == ("repository",)


@pytest.mark.parametrize("kind", ["wrong", "expired", "unscoped", "jira"])
def test_one_that_does_not_work_is_asked_about_exactly_once(cloud, kind):
    made = {
        "wrong": lambda: API_TOKEN,
        "expired": lambda: cloud.add("x", created_days_ago=9, expires_in_days=-1).secret,
        "unscoped": lambda: cloud.add("x", scopes=[]).secret,
        "jira": lambda: cloud.add("x", scopes=["read:jira-work"]).secret,
    }[kind]()
    result = ask(cloud, made, email=cloud.ada.email)
    assert (result["works"], cloud.requests) == (False, ["GET /2.0/user"])
    assert "or has no Bitbucket scopes (a token for Jira" in result["problem"]
    assert made not in str(result)


def test_a_secret_of_an_unknown_kind_with_an_address_is_clouds(cloud):
    result = ask(cloud, "of-a-kind-yet-to-come", email=EMAIL)
    assert (result["works"], cloud.requests) == (False, ["GET /2.0/user"])
    assert result["credential"]["kind"] == "unknown"


@pytest.mark.parametrize("verify", [False, True])
def test_an_app_password_does_not_work_and_is_sent_nowhere(verify):
    asked = params(credential_info.SPEC, secret=APP_PASSWORD, verify=verify, url="https://bitbucket.test", email=EMAIL)
    assert credential_info.client_for(asked) is None
    result = credential_info.run(asked, None, False)
    assert (result["works"], result["hints"]) == (False, [result["problem"]])
    assert "removed app passwords (CHANGE-3222)" in result["problem"]
    assert APP_PASSWORD not in str(result)


def test_without_verify_nobody_is_asked():
    assert credential_info.client_for(params(credential_info.SPEC, secret=API_TOKEN, email=EMAIL)) is None
    result = offline(API_TOKEN)
    assert (result["works"], result["hints"], result["credential"]["kind"]) == (None, [], "api_token")


def test_an_api_token_takes_the_address_of_its_owner():
    with pytest.raises(InputError, match=r"`verify` needs `email`"):
        credential_info.client_for(params(credential_info.SPEC, secret=API_TOKEN, verify=True, username="ada"))
    with pytest.raises(InputError, match=r"`email` is not an e-mail address"):
        credential_info.client_for(params(credential_info.SPEC, secret=API_TOKEN, verify=True, email="ada"))


@pytest.mark.parametrize("username", ["ada", None])
def test_a_secret_that_may_be_for_either_server_is_sent_to_none(username, monkeypatch):
    secret = "a-password-of-either"
    given = {"secret": secret, "verify": True, "username": username}
    monkeypatch.setenv("BITBUCKET_URL", "https://bitbucket.test")
    with pytest.raises(InputError, match=r"both `url` .* and `email` .* are set.*Nothing was sent\.") as caught:
        credential_info.client_for(params(credential_info.SPEC, **given, email=EMAIL))
    assert secret not in str(caught.value)
    for chosen, server in (({"email": EMAIL, "url": ""}, "api.bitbucket.org"), ({"email": ""}, "bitbucket.test")):
        client = credential_info.client_for(params(credential_info.SPEC, **given, **chosen))
        assert client is not None
        assert client.url == f"https://{server}"


def test_a_secret_of_a_known_kind_goes_where_it_belongs_whatever_else_is_set():
    for secret, server in ((API_TOKEN, "api.bitbucket.org"), (HTTP_ACCESS_TOKEN, "bitbucket.test")):
        asked = params(credential_info.SPEC, secret=secret, verify=True, email=EMAIL, url="https://bitbucket.test")
        client = credential_info.client_for(asked)
        assert client is not None
        assert client.url == f"https://{server}"


def test_what_else_signs_in_is_not_used(monkeypatch):
    monkeypatch.setenv("BITBUCKET_ACCESS_TOKEN", "from-the-environment")
    others = {"access_token": "x", "client_id": "x", "client_secret": "x", "password": "x", "token": "x"}
    asked = params(credential_info.SPEC, secret=API_TOKEN, verify=True, email=EMAIL, **others)
    client = credential_info.client_for(asked)
    assert client is not None
    assert (client.credential.username, client.credential.password, client.credential.token) == (EMAIL, API_TOKEN, "")
    asked = params(credential_info.SPEC, secret=ACCESS_TOKEN, verify=True, email=EMAIL, api_token="x")
    client = credential_info.client_for(asked)
    assert client is not None
    assert client.credential.token == ACCESS_TOKEN


# ---- what can be said without asking ----


@pytest.mark.parametrize("cut", [1, 5, 8, 9, 30])
@pytest.mark.parametrize("end", ["front", "back"])
def test_a_clipped_token_is_hinted_at_and_still_asked_about(cloud, cut, end):
    secret = API_TOKEN[:-cut] if end == "back" else API_TOKEN[:12] + API_TOKEN[12 + cut :]
    result = ask(cloud, secret, email=cloud.ada.email)
    (hint,) = result["hints"]
    assert "the token may be incomplete" in hint
    assert secret not in str(result)
    assert cloud.requests == ["GET /2.0/user"]


def test_the_checksum_may_or_may_not_count_the_equals_sign():
    bare = "ATATT3xFfGF0no-real-token"
    assert _secret.has_checksum(with_checksum(f"{bare}="))
    assert _secret.has_checksum(f"{bare}={with_checksum(bare)[-8:].lower()}")
    assert not _secret.has_checksum(f"{bare}=00000000")
    assert not _secret.has_checksum("x")


@pytest.mark.parametrize(
    ("secret", "username", "email", "words"),
    [
        (API_TOKEN, "ada@example.com", "", "x-bitbucket-api-token-auth, or the Bitbucket user name"),
        (ACCESS_TOKEN, "ada@example.com", "", "with an access token it is x-token-auth"),
        (API_TOKEN, "", "ada", "REST needs the e-mail address"),
        (APP_PASSWORD, "ada@example.com", "", "CHANGE-3222"),
    ],
)
def test_a_user_name_in_the_wrong_place_is_told(secret, username, email, words):
    (hint,) = advice(secret, username, email)
    assert words in hint
    assert secret not in hint


@pytest.mark.parametrize(
    ("secret", "username", "email"),
    [
        (API_TOKEN, "ada-bb", EMAIL),
        (API_TOKEN, "x-bitbucket-api-token-auth", EMAIL),
        (ACCESS_TOKEN, "x-token-auth", ""),
        ("a-password-of-data-center", "ada@example.com", ""),
        ("MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ", "ada@example.com", ""),
    ],
)
def test_what_looks_right_gets_no_hint(secret, username, email):
    assert advice(secret, username, email) == []
