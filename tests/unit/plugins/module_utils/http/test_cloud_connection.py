"""Who signs in to Bitbucket Cloud, and how (C5, C8); an app password gets nowhere."""

from __future__ import annotations

import base64
import json
import threading
import typing as t
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    BitbucketError,
    InputError,
    LockoutError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _cloud_connection, _transport
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._cloud_connection import (
    client_from,
    credential_from,
    organization_client_from,
)
from tests.unit.plugins.company import checked
from tests.unit.plugins.fake_transport import API_TOKEN, EMAIL

APP_PASSWORD = "ATBBhunter2hunter2hunter2"
ACCESS_TOKEN = "ATCTT3xFfGN0-hunter2-no-real-token"
PERSON = {"email": EMAIL, "api_token": API_TOKEN}
CONSUMER = {"client_id": "key", "client_secret": "hunter2-of-the-consumer"}
VARIABLES = {
    "email": "BITBUCKET_EMAIL",
    "api_token": "BITBUCKET_API_TOKEN",
    "access_token": "BITBUCKET_ACCESS_TOKEN",
    "client_id": "BITBUCKET_CLIENT_ID",
    "client_secret": "BITBUCKET_CLIENT_SECRET",
}


def found(task: dict[str, str], environment: dict[str, str] | None = None) -> tuple[str, str, str]:
    credential = credential_from(task, environment or {}, lambda consumer: f"token of {consumer.username}")
    return credential.username, credential.password, credential.token


def env(**given: str) -> dict[str, str]:
    return {VARIABLES[name]: value for name, value in given.items()}


@pytest.fixture(autouse=True)
def _no_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*VARIABLES.values(), "ATLASSIAN_ADMIN_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("task", "environment", "expected"),
    [
        (PERSON, {}, (EMAIL, API_TOKEN, "")),
        ({"access_token": f" {ACCESS_TOKEN}\n"}, {}, ("", "", ACCESS_TOKEN)),
        (CONSUMER, {}, ("", "", "token of key")),
        ({}, env(**PERSON), (EMAIL, API_TOKEN, "")),
        ({}, env(access_token="t"), ("", "", "t")),
        ({}, env(**CONSUMER), ("", "", "token of key")),
        ({"access_token": "t"}, env(**PERSON), ("", "", "t")),
        (PERSON, env(access_token="t", **CONSUMER), (EMAIL, API_TOKEN, "")),
        ({"access_token": "t", "email": EMAIL}, {}, ("", "", "t")),
        ({"email": "", "access_token": " "}, env(access_token="t"), ("", "", "t")),
        ({"email": EMAIL}, env(**{**PERSON, "email": "other@example.com"}), (EMAIL, API_TOKEN, "")),
        ({"api_token": API_TOKEN}, env(**PERSON, access_token="t"), (EMAIL, API_TOKEN, "")),
        ({"email": EMAIL, "api_token": "of-a-kind-yet-to-come"}, {}, (EMAIL, "of-a-kind-yet-to-come", "")),
    ],
)
def test_the_task_beats_the_environment(task, environment, expected):
    assert found(task, environment) == expected


@pytest.mark.parametrize(
    ("task", "environment", "sentence"),
    [
        ({}, {}, "No credential: set `email` and `api_token`, or `access_token`, or"),
        ({"email": EMAIL}, {}, "`api_token` is missing"),
        ({"email": EMAIL}, {}, "`api_token` is missing: set it or BITBUCKET_API_TOKEN."),
        ({"client_id": "key"}, env(**PERSON), "`client_secret` is missing: set it or BITBUCKET_CLIENT_SECRET."),
        ({"api_token": API_TOKEN}, env(access_token="t"), "`email` is missing: set it or BITBUCKET_EMAIL."),
        ({"client_secret": "s"}, {}, "`client_id` is missing"),
        ({}, env(api_token=API_TOKEN), "`email` is missing"),
        ({**PERSON, "access_token": "t"}, {}, "Both `api_token` and `access_token` are set"),
        ({**CONSUMER, "access_token": "t"}, {}, "Both `access_token` and `client_secret` are set"),
        ({}, env(**PERSON, **CONSUMER), "two credentials, BITBUCKET_API_TOKEN and BITBUCKET_CLIENT_SECRET: unset one"),
        ({"email": "jo", "api_token": API_TOKEN}, {}, "`email` is not an e-mail address"),
        ({"email": EMAIL, "api_token": ACCESS_TOKEN}, {}, "Set it as `access_token`"),
        ({"access_token": API_TOKEN}, {}, "`access_token` is an API token. Set it as `api_token`"),
        ({"access_token": "two\nhunter2"}, {}, "`access_token` has characters that no token has"),
        ({"email": EMAIL, "api_token": "hunter2 "}, {}, ""),
        ({"email": EMAIL, "api_token": "tökenhunter2"}, {}, "`api_token` has characters that no token has"),
    ],
)
def test_none_half_two_or_a_wrong_one_is_one_sentence(task, environment, sentence):
    if not sentence:
        assert found(task, environment)[1] == "hunter2"
        return
    with pytest.raises(InputError) as caught:
        found(task, environment)
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert API_TOKEN not in str(caught.value)


@pytest.mark.parametrize("where", ["task", "environment"])
@pytest.mark.parametrize(
    ("option", "beside"),
    [("api_token", {"email": EMAIL}), ("access_token", {}), ("client_secret", {"client_id": "key"})],
    ids=["api_token", "access_token", "client_secret"],
)
def test_an_app_password_is_refused_wherever_it_stands(option, beside, where):
    given = {**beside, option: APP_PASSWORD}

    def fetch(_consumer: Credential) -> t.NoReturn:
        pytest.fail("it was sent")

    with pytest.raises(InputError) as caught:
        credential_from(*((given, {}) if where == "task" else ({}, env(**given))), fetch)
    assert f"`{option}` is an app password, so nothing was sent." in str(caught.value)
    assert "CHANGE-3222" in str(caught.value)
    assert "https://id.atlassian.com/manage-profile/security/api-tokens" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def cloud(**given: t.Any) -> dict[str, t.Any]:
    return checked(_argspec.CLOUD, {}, {"use_proxy": False, **given})


def organization(**given: t.Any) -> dict[str, t.Any]:
    return cloud(**given)


def test_the_usual_servers():
    assert client_from(cloud(**PERSON)).url == "https://api.bitbucket.org"
    assert organization_client_from(organization(admin_api_key="k")).url == "https://api.atlassian.com"
    assert cloud()["oauth_url"] == "https://bitbucket.org/site/oauth2/access_token"


@pytest.mark.parametrize("key", [APP_PASSWORD, API_TOKEN, "two lines", ""], ids=["app", "api", "blank", "none"])
def test_what_is_no_key_of_an_organization(key):
    with pytest.raises(InputError, match="admin_api_key") as caught:
        organization_client_from(organization(admin_api_key=key))
    assert key == "" or key not in str(caught.value)


@pytest.mark.parametrize("task", [None, "from-the-task"])
def test_the_key_of_an_organization_comes_from_the_task_or_the_environment(monkeypatch, task):
    monkeypatch.setenv("ATLASSIAN_ADMIN_API_KEY", "from-the-environment\n")
    key = organization_client_from(organization(admin_api_key=task)).credential.token
    assert key == (task or "from-the-environment")


@pytest.mark.parametrize("option", ["api_url", "oauth_url", "admin_url"])
@pytest.mark.parametrize(
    ("url", "sentence"),
    [("http://example.test", "would cross the network unencrypted"), ("example.test", "must be Bitbucket's base URL")],
)
def test_every_url_is_checked_before_anything_is_sent(option, url, sentence):
    def made() -> object:
        if option == "admin_url":
            return organization_client_from(organization(admin_api_key="k", admin_url=url))
        return client_from(cloud(**CONSUMER, **{option: url}))

    with pytest.raises(InputError, match=f"`{option}` .*{sentence}"):
        made()


def test_plain_http_can_be_allowed():
    assert client_from(cloud(**PERSON, api_url="http://example.test", allow_insecure=True)).url == "http://example.test"


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setattr(_transport, "HAS_REQUESTS", False)
    for make, params in ((client_from, cloud(**PERSON)), (organization_client_from, organization(admin_api_key="k"))):
        with pytest.raises(InputError, match="requests"):
            make(params)


# ---- an OAuth consumer ----


class Office:
    """Gives out access tokens, and notes what it was asked."""

    def __init__(self) -> None:
        self.answer: tuple[int, t.Any] = (200, {"access_token": "fetched-token", "token_type": "bearer"})
        self.asked: list[tuple[str, str, bytes]] = []
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                office.asked.append((self.path, self.headers["Authorization"], body))
                status, data = office.answer
                text = json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_arguments: t.Any) -> None:
                """Not onto the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/site/oauth2/access_token"


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_consumer_gets_its_token_once(office, monkeypatch):
    registered: list[str] = []
    monkeypatch.setattr(_cloud_connection._secret, "register_secret", registered.append)
    client = client_from(cloud(**CONSUMER, oauth_url=office.url))
    assert (client.credential.token, registered) == ("fetched-token", ["fetched-token"])
    basic = base64.b64encode(b"key:hunter2-of-the-consumer").decode()
    assert office.asked == [("/site/oauth2/access_token", f"Basic {basic}", b"grant_type=client_credentials")]


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        ((401, {"error": "invalid_client"}), LockoutError, "does not accept this `client_id` and `client_secret`"),
        (
            (400, {"error": "invalid_request", "error_description": "hunter2-of-the-consumer"}),
            BitbucketError,
            "status 400",
        ),
        ((200, {"token_type": "bearer"}), AnswerError, "the answer has no access token. Check `oauth_url`"),
        ((200, []), AnswerError, "has no access token"),
        ((200, {"access_token": "two lines"}), AnswerError, "has no access token"),
        ((404, {}), BitbucketError, "`oauth_url` is wrong"),
    ],
    ids=["refused", "bad", "none", "list", "lines", "lost"],
)
def test_a_consumer_that_gets_none_is_one_sentence(office, answer, kind, sentence):
    office.answer = answer
    with pytest.raises(kind) as caught:
        client_from(cloud(**CONSUMER, oauth_url=office.url))
    assert str(caught.value).startswith("POST /site/oauth2/access_token: ")
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert len(office.asked) == 1
