"""What a credential says of itself offline, and what one question to the server adds."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _connection
from ansible_collections.tokensmith.bitbucket.plugins.modules import credential_info
from tests.unit.plugins.company import PASSWORD, PAY, URL, Company, checked

EXAMPLE = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
FINGERPRINT = "fa1d3857cbec"
IDENTITY = "GET application-properties"


def params(secret: str, **given: t.Any) -> dict[str, t.Any]:
    return checked(credential_info.SPEC, {}, {"secret": secret, "url": URL, **given})


def ask(company: Company, secret: str, check: bool = False, **given: t.Any) -> dict[str, t.Any]:
    """As ``main`` does it with ``verify``."""
    asked = params(secret, **given)
    credential = _connection.credential_from(credential_info.connection(asked), {})
    client = company.client(credential.username, credential.password, token=credential.token)
    return credential_info.run(asked, client, check)


def test_offline_nothing_is_asked(company):
    result = credential_info.run(params(f" {EXAMPLE}\n"), None, False)
    credential = {"kind": "http_access_token", "token_id": "252973515069", "fingerprint": FINGERPRINT}
    names = ("works", "user", "account", "credential_type", "scopes", "accepted_scopes", "problem")
    assert result == {"changed": False, "credential": credential, "hints": [], **dict.fromkeys(names)}
    assert EXAMPLE not in str(result)


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("how", ["token", "token-with-username", "password"])
def test_one_that_works_says_whose_it_is(company, how, check):
    token = company.sim.add_token("users/joe_doe", "mine")
    secret = PASSWORD if how == "password" else token.secret
    result = ask(company, secret, check, **({} if how == "token" else {"username": "Joe Doe"}))
    assert (result["works"], result["problem"]) == (True, None)
    assert result["user"] == {"name": "Joe Doe", "slug": "joe_doe"}
    assert company.requests[0] == IDENTITY
    scheme = "Basic" if how == "password" else "Bearer"
    assert company.adapter.calls[0].headers["Authorization"].startswith(scheme)
    assert secret not in str(result)


def test_a_projects_token_has_no_slug_that_one_could_look_up(company):
    result = ask(company, company.sim.add_token(PAY, "ci").secret)
    assert (result["works"], result["user"]["slug"]) == (True, None)


@pytest.mark.parametrize(
    ("secret", "given", "sentence"),
    [
        (EXAMPLE, {}, "the token is wrong, expired or revoked"),
        ("no-such-password-1", {"username": "pat"}, "user name or password is wrong"),
    ],
    ids=["token", "password"],
)
def test_one_that_is_refused_is_asked_about_exactly_once(company, secret, given, sentence):
    result = ask(company, secret, **given)
    assert (result["works"], result["user"], company.requests) == (False, None, [IDENTITY])
    assert sentence in result["problem"]
    assert secret not in str(result)


@pytest.mark.parametrize(
    ("fault", "works"),
    [
        ({"status": 401, "exception_name": "com.atlassian.bitbucket.AuthorisationException"}, True),
        ({"status": 401, "exception_name": "c.a.b.auth.IncorrectPasswordAuthenticationException"}, False),
        ({"status": 401, "exception_name": "c.a.b.auth.AuthenticationRequiredException"}, False),
        ({"status": 401, "exception_name": "c.a.b.auth.NoAccessAuthenticationException"}, None),
        ({"status": 401, "exception_name": "c.a.b.auth.SomethingNewException"}, None),
        ({"status": 401}, None),
        ({"status": 401, "body": "html"}, None),
        ({"status": 401, "body": "empty"}, None),
        ({"status": 403}, None),
        ({"status": 403, "body": "html", "message": "Your IP address is not allowed"}, None),
        ({"status": 403, "exception_name": "c.a.b.auth.IncorrectPasswordAuthenticationException"}, None),
        ({"status": 403, "exception_name": "c.a.b.auth.CaptchaRequiredAuthenticationException"}, None),
        (
            {"status": 403, "body": "message", "message": "Basic Authentication has been disabled on this instance."},
            None,
        ),
        ({"status": 407}, None),
        ({"status": 500}, None),
        ({"status": 200}, None),
    ],
    ids=str,
)
def test_only_a_clear_answer_says_whether_it_works(company, fault, works):
    company.sim.faults.arm("status", **fault)
    result = ask(company, company.sim.add_token(PAY, "ci").secret)
    assert (result["works"], result["user"], company.requests) == (works, None, [IDENTITY])
    assert result["problem"]


def test_a_captcha_is_no_verdict_whatever_else_the_answer_says(company):
    name = "com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException"
    company.sim.faults.arm("status", status=401, message="CAPTCHA required.", exception_name=name)
    result = ask(company, PASSWORD, username="pat")
    assert (result["works"], company.requests) == (None, [IDENTITY])
    assert "locked this account behind a CAPTCHA" in result["problem"]


def test_the_right_password_of_a_locked_account_is_not_called_wrong(company):
    for _attempt in range(company.sim.switches.captcha_after):
        assert ask(company, "no-such-password-1", username="pat")["works"] is False
    assert ask(company, PASSWORD, username="pat")["works"] is None


def test_a_slug_that_cannot_be_found_does_not_make_it_fail(company):
    company.sim.faults.arm("status", path="/users", status=500)
    result = ask(company, PASSWORD, username="pat")
    assert (result["works"], result["user"]) == (True, {"name": "pat", "slug": None})


@pytest.mark.parametrize(
    ("secret", "given", "sentence"),
    [
        (EXAMPLE, {"url": ""}, "`verify` needs `url`"),
        ("  ", {}, "`secret` is empty"),
    ],
)
def test_what_is_not_asked_of_a_server(company, secret, given, sentence):
    with pytest.raises(InputError, match=sentence):
        ask(company, secret, **given) if secret.strip() else credential_info.run(params(secret), None, False)
    assert company.requests == []
