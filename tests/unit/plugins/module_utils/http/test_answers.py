"""Each way of saying no becomes one sentence (D9, D10, D20, D23 to D25), and no answer gives a credential away."""

from __future__ import annotations

import base64
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    BitbucketError,
    ForbiddenError,
    LockoutError,
    NotFoundError,
    StatusError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _answers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from tests.unit.plugins.company import PASSWORD, PAY, SHOP, Company, new_company

BELOW = "/rest/access-tokens/latest/"


def wrong_password(company: Company) -> Client:
    return company.client("pat", "wrong")


def wrong_token(company: Company) -> Client:
    return company.client(token="gone")


def locked(company: Company) -> Client:
    company.sim.model.users["pat"].failures = 5
    return company.client("pat")


def unlicensed(company: Company) -> Client:
    company.sim.model.users["pat"].licensed = False
    return company.client("pat")


def basic_off(company: Company) -> Client:
    company.sim.switches.basic_auth = False
    return company.client()


def weak_token(company: Company) -> Client:
    return company.client(token=company.sim.add_token(PAY, "weak").secret)


def refused(**fault: t.Any) -> t.Callable[[Company], Client]:
    def arm(company: Company) -> Client:
        company.sim.faults.arm("status", **fault)
        return company.client()

    return arm


SENTENCES = [
    pytest.param(wrong_password, LockoutError, "user name or password is wrong.", id="password"),
    pytest.param(wrong_token, LockoutError, "token is wrong, expired or revoked", id="token"),
    pytest.param(lambda company: company.client("pat"), ForbiddenError, "known but not permitted", id="permission"),
    pytest.param(weak_token, ForbiddenError, "sign in with `username` and `password`, or with an OAuth", id="D20"),
    pytest.param(unlicensed, LockoutError, "no Bitbucket licence", id="licence"),
    pytest.param(
        refused(status=401, exception_name="com.atlassian.bitbucket.auth.AuthenticationRequiredException"),
        LockoutError,
        "saw no credential it accepts",
        id="anonymous",
    ),
    pytest.param(locked, LockoutError, "behind a CAPTCHA.*Log in once with a browser", id="D24-captcha"),
    pytest.param(basic_off, LockoutError, "Administration > Authentication methods", id="D23-basic-off"),
    pytest.param(
        refused(status=403, body="html", message="XSRF check failed"),
        ForbiddenError,
        "headers X-Atlassian-Token or Content-Type",
        id="D25-xsrf",
    ),
    pytest.param(refused(status=403, message="No way"), ForbiddenError, 'said: "No way"', id="403-of-filters"),
    pytest.param(refused(status=400, message="Too many tokens"), StatusError, "status 400.*Too many tokens", id="400"),
    pytest.param(refused(status=418, body="empty"), StatusError, "refused with status 418.$", id="no-words"),
    pytest.param(refused(status=500, body="html", message="Oops"), StatusError, "failed with status 500", id="500"),
]


@pytest.mark.parametrize(("client_of", "kind", "sentence"), SENTENCES)
def test_a_refusal_becomes_one_sentence_and_is_asked_for_once(company, client_of, kind, sentence):
    client = client_of(company)
    with pytest.raises(kind, match=f"^GET {BELOW}{SHOP}: .*{sentence}"):
        client.get(BELOW + SHOP)
    assert (len(company.sim.requests), company.sleeps) == (1, [])


def test_only_a_token_gets_the_hint_about_tokens(company):
    with pytest.raises(ForbiddenError) as caught:
        company.client("pat").get(BELOW + SHOP)
    assert "OAuth" not in str(caught.value)


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize("client_of", [wrong_password, wrong_token, locked, basic_off])
def test_a_refused_credential_is_never_tried_again(company, client_of, method):
    with pytest.raises(LockoutError):
        getattr(client_of(company), method)(BELOW + SHOP)
    assert len(company.sim.requests) == 1


@pytest.mark.parametrize(
    ("path", "words", "exception"),
    [
        ("projects/NOPE", "Project NOPE does not exist.", "NoSuchProjectException"),
        ("projects/PAY/repos/nope", "Repository PAY/nope does not exist.", "NoSuchRepositoryException"),
        ("users/nobody", "User nobody does not exist.", "NoSuchUserException"),
    ],
)
def test_what_does_not_exist_is_said_in_the_servers_words(company, path, words, exception):
    with pytest.raises(NotFoundError) as caught:
        company.client().get(BELOW + path)
    assert (str(caught.value), caught.value.exception_name) == (f"GET {BELOW}{path}: {words}", exception)


@pytest.mark.parametrize("body", ["empty", "html", "message"])
def test_a_404_that_is_not_bitbuckets_says_what_the_url_should_look_like(company, body):
    company.sim.faults.arm("status", status=404, body=body)
    with pytest.raises(NotFoundError) as caught:
        company.client().get(BELOW + PAY)
    assert "does not come from Bitbucket's REST API. `url` must be Bitbucket's base URL, such as" in str(caught.value)


def test_a_404_of_bitbucket_says_nothing_about_the_url(company):
    company.sim.faults.arm("status", status=404, message="Project X does not exist.")
    with pytest.raises(NotFoundError, match=r"projects/PAY: Project X does not exist\.$"):
        company.client().get(BELOW + PAY)


@pytest.mark.parametrize("behind", ["/rest/api/1.0", "/projects/PAY/repos/x/browse"])
def test_what_does_not_belong_into_the_url_is_said_whatever_is_answered(company, behind):
    client = company.client()
    client.url += behind
    with pytest.raises(NotFoundError, match=f"has a context path: remove {behind} from it"):
        client.get(BELOW + PAY)
    company.sim.faults.arm("redirect", status=302, location="https://bitbucket.test/login")
    with pytest.raises(StatusError, match=f"/login. `url` must be .*: remove {behind} from it"):
        client.get(BELOW + PAY)


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("", "if it has a context path."),
        ("/bitbucket", "if it has a context path."),
        ("/rest/api/1.0", "context path: remove /rest/api/1.0 from it."),
        ("/bitbucket/projects/PAY/repos/x/browse", "context path: remove /projects/PAY/repos/x/browse from it."),
        ("/scm/pay/x.git", "context path: remove /scm/pay/x.git from it."),
    ],
)
def test_what_does_not_belong_into_the_url_is_named(path, advice):
    assert _answers.url_advice(f"https://bitbucket.example.com{path}").endswith(advice)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["get", "delete"])
def test_a_redirect_is_refused_and_its_target_named(company, method, status):
    where = "https://bitbucket.test/bitbucket/rest"
    company.sim.faults.arm("redirect", status=status, location=f"{where}?next=abc")
    with pytest.raises(StatusError, match=f"redirects to {where}, .*context path, or http in place of https") as caught:
        getattr(company.client(), method)(BELOW + PAY)
    assert "abc" not in str(caught.value)
    assert len(company.adapter.calls) == 1


@pytest.mark.parametrize(
    ("location", "say"),
    [
        ("https://bitbucket.test/login", "redirects to https://bitbucket.test/login, a login page: single sign-on"),
        ("https://sso.test/start", "redirects to https://sso.test/start, another host. Credentials never follow"),
        ("/bitbucket/rest/x/projects/NEW", "/projects/NEW: it was renamed or moved. Declare it as projects/NEW."),
        ("https://bitbucket.test/saml/request", "https://bitbucket.test/saml/request, a login page: single sign-on"),
        ("https://bitbucket.test/plugins/servlet/saml-sso", ", a login page: single sign-on"),
        ("https://bitbucket.test/processor/LESSON", "a missing context path, or http"),
        ("/rest/x/projects/PAY", "/rest/x/projects/PAY, and credentials never follow a redirect. Correct `url`"),
        ("/rest/x/projects/LOGIN", "/projects/LOGIN: it was renamed or moved. Declare it as projects/LOGIN."),
    ],
)
def test_what_a_redirect_means_is_told_apart(company, location, say):
    company.sim.faults.arm("redirect", status=307, location=location)
    with pytest.raises(StatusError) as caught:
        company.client().get(BELOW + PAY)
    assert say in str(caught.value)


@pytest.mark.parametrize(
    ("credential", "say"),
    [
        (Credential("jo@example.com", "wrong"), "`username` is an e-mail address: Bitbucket Data Center expects the"),
        (Credential("jo", "BBDC-" + "x" * 44), "`password` holds an access token. One of a project or repository"),
        (Credential("jo", "wrong"), "repeated failures lock accounts."),
    ],
)
def test_a_refused_login_says_what_the_options_show_to_be_wrong(company, credential, say):
    with pytest.raises(LockoutError) as caught:
        company.client(credential.username, credential.password).get(BELOW + PAY)
    assert say in str(caught.value)
    plain = credential == Credential("jo", "wrong")
    assert ("`" in str(caught.value)) is not plain


@pytest.mark.parametrize(
    ("fault", "arguments"), [("html", {}), ("broken_json", {"at": "before_id"}), ("broken_json", {"at": "after_id"})]
)
def test_what_is_not_json_is_an_error(company, fault, arguments):
    company.sim.add_token(PAY, "ci")
    company.sim.faults.arm(fault, **arguments)
    with pytest.raises(AnswerError, match="not the JSON that Bitbucket sends"):
        company.client().get(BELOW + PAY)


@pytest.mark.parametrize(
    ("date", "usable"),
    [
        ("server", True),
        ("missing", False),
        ("absurd", False),
        ("yesterday", False),
        ("Thu, 31 Dec 2009 23:59:59 GMT", False),
        ("Fri, 01 Jan 2010 00:00:00 GMT", True),
        ("Fri, 01 Jan 2100 00:00:01 GMT", False),
        ("Thu, 99 Jan 2026 00:00:00 GMT", False),
    ],
)
def test_a_clock_that_cannot_be_right_is_none(company, date, usable):
    company.sim.switches.date_header = date
    assert (company.client().get(BELOW + PAY).now is not None) == usable


def test_the_servers_clock_is_the_date_header(company):
    company.sim.switches.date_age_seconds = 60
    assert company.client().get(BELOW + PAY).now == company.sim.clock.now_ms() - 60_000


ECHOED = Credential("admin", PASSWORD)
BASIC = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
OAUTH = "an-oauth-2.0-token-of-some-length"


@pytest.mark.parametrize("token", ["", OAUTH], ids=["basic", "bearer"])
@pytest.mark.parametrize("body", ["json", "message", "html"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_an_echoed_credential_is_taken_out(company, status, body, token):
    company.sim.faults.arm("status", status=status, body=body, message=f"Bad {PASSWORD} or {BASIC} or {OAUTH}")
    with pytest.raises(BitbucketError) as caught:
        company.client(token=token).get(BELOW + PAY)
    leaks = [OAUTH] if token else [PASSWORD, BASIC]
    assert not any(leak in str(caught.value) for leak in leaks)


def test_an_echo_at_the_end_of_a_long_message_leaves_no_part_of_a_credential(company):
    for room in range(280, 301):
        company.sim.faults.arm("status", status=400, message="x" * room + PASSWORD)
        with pytest.raises(StatusError) as caught:
            company.client().get(BELOW + PAY)
        assert PASSWORD[:4] not in str(caught.value)


def test_an_echo_of_a_password_with_two_blanks_is_taken_out(company):
    password = "correct  horse  battery"
    company.sim.model.users["pat"].password = password
    company.sim.faults.arm("status", status=400, message=f"Bad {password}!")
    with pytest.raises(StatusError) as caught:
        company.client("pat", password).get(BELOW + PAY)
    assert "horse" not in str(caught.value)


def test_an_echo_in_a_redirects_target_is_taken_out(company):
    company.sim.faults.arm("redirect", location=f"https://elsewhere.test/{PASSWORD}")
    with pytest.raises(StatusError) as caught:
        company.client().get(BELOW + PAY)
    assert PASSWORD not in str(caught.value)


def test_a_servers_message_is_one_short_line(company):
    company.sim.faults.arm("status", status=400, message="a\nb\x1b[31m" + "c" * 1000)
    with pytest.raises(StatusError) as caught:
        company.client().get(BELOW + PAY)
    assert "a b⟨U+001B⟩[31m" in str(caught.value)
    assert len(str(caught.value)) < 450
    assert str(caught.value).isprintable()


def test_a_credential_shows_nothing_of_itself(company):
    assert PASSWORD not in repr(ECHOED)
    assert OAUTH not in repr(Credential(token=OAUTH))
    assert BASIC not in repr(ECHOED)


def test_basic_off_is_the_default_of_version_10():
    company = new_company("10.4")
    with pytest.raises(LockoutError, match="Bitbucket 10"):
        company.client().get(BELOW + PAY)
    bearer = company.client(token=company.sim.add_oauth_bearer("admin"))
    assert bearer.get(BELOW + PAY).user == "admin"
