"""Who signs in, and how: what a task sets beats the environment."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _transport
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._connection import client_from, credential_from
from tests.unit.plugins.company import token_params

BASIC = {"username": "admin", "password": "p"}
ENVIRONMENT = {"BITBUCKET_USERNAME": "env", "BITBUCKET_PASSWORD": "e"}


@pytest.mark.parametrize(
    ("task", "environment", "expected"),
    [
        (BASIC, {}, ("admin", "p", "")),
        ({"token": "t\n"}, {}, ("", "", "t")),
        ({}, ENVIRONMENT, ("env", "e", "")),
        ({}, {"BITBUCKET_TOKEN": "t"}, ("", "", "t")),
        ({}, {"BITBUCKET_TOKEN": "t", "BITBUCKET_USERNAME": "env"}, ("", "", "t")),
        ({"token": "t"}, ENVIRONMENT, ("", "", "t")),
        (BASIC, {"BITBUCKET_TOKEN": "t"}, ("admin", "p", "")),
        ({"token": "t", "username": "admin"}, {}, ("", "", "t")),
        ({"token": "t", "username": "admin"}, ENVIRONMENT, ("", "", "t")),
        ({"username": "admin"}, ENVIRONMENT, ("admin", "e", "")),
        ({"username": "admin"}, {**ENVIRONMENT, "BITBUCKET_TOKEN": "t"}, ("admin", "e", "")),
        ({"password": "p"}, {**ENVIRONMENT, "BITBUCKET_TOKEN": "t"}, ("env", "p", "")),
        ({"username": "", "password": None, "token": " "}, ENVIRONMENT, ("env", "e", "")),
        ({"username": " admin ", "password": " p "}, {}, ("admin", " p ", "")),
        ({"username": "admin"}, {"BITBUCKET_PASSWORD": " e "}, ("admin", " e ", "")),
    ],
)
def test_each_option_falls_back_to_its_own_variable_and_to_none_of_another_kind(task, environment, expected):
    found = credential_from(task, environment)
    assert (found.username, found.password, found.token) == expected


@pytest.mark.parametrize(
    ("task", "environment", "sentence"),
    [
        ({}, {}, "No credential: set `username` and `password`, or `token`"),
        ({"username": "admin"}, {}, "`password` is missing: set it or BITBUCKET_PASSWORD."),
        ({"username": "admin"}, {"BITBUCKET_TOKEN": "t"}, "`password` is missing: set it or BITBUCKET_PASSWORD."),
        ({"password": "p"}, {}, "`username` is missing: set it or BITBUCKET_USERNAME."),
        ({}, {"BITBUCKET_PASSWORD": "e"}, "`username` is missing: set it or BITBUCKET_USERNAME."),
        (
            {},
            {**ENVIRONMENT, "BITBUCKET_TOKEN": "t"},
            "The environment has two credentials, BITBUCKET_PASSWORD and BITBUCKET_TOKEN: unset one of them, or set "
            "`password` or `token`.",
        ),
        ({**BASIC, "token": "t"}, {}, "Both `password` and `token` are set. Keep the one to sign in with."),
        ({"token": "two\nlines"}, {}, "characters that no token has"),
        ({"token": "tökenhunter2"}, {}, "characters that no token has"),
    ],
)
def test_none_half_or_two_is_one_sentence(task, environment, sentence):
    with pytest.raises(InputError) as caught:
        credential_from(task, environment)
    assert sentence in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_empty_ca_path_counts_as_not_set(monkeypatch, tmp_path):
    (tmp_path / "ca.pem").write_text("not a certificate", encoding="utf-8")
    monkeypatch.setenv("BITBUCKET_CA_PATH", str(tmp_path / "ca.pem"))
    with pytest.raises(InputError, match=r"ca\.pem \(`ca_path`\) cannot be used"):
        client_from({**token_params(), "ca_path": ""})


def test_a_missing_url_names_its_variable(monkeypatch):
    monkeypatch.delenv("BITBUCKET_URL", raising=False)
    with pytest.raises(InputError, match=r"^`url` is missing: set it or BITBUCKET_URL to Bitbucket's base URL\.$"):
        client_from({**token_params(), "url": None})
    monkeypatch.setenv("BITBUCKET_URL", "https://bitbucket.example.com")
    assert client_from({**token_params(), "url": ""}).url == "https://bitbucket.example.com"


def test_a_client_of_what_the_module_was_given(monkeypatch):
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, "from the environment")
    client = client_from(token_params(url="https://bitbucket.example.com/bitbucket/"))
    assert (client.url, client.credential.username) == ("https://bitbucket.example.com/bitbucket", "admin")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"timeout": 0}, "`timeout` must be at least 1"),
        ({"client_key": "/x"}, "`client_key` needs `client_cert`"),
        ({"ca_path": "/nowhere"}, "/nowhere does not exist"),
        ({"url": "bitbucket"}, "`url` must be Bitbucket's base URL"),
        ({"url": "http://bitbucket.test"}, "would cross the network unencrypted"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_right(given: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        client_from(token_params(**given))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://bitbucket.test", True),
        ("HTTPS://bitbucket.test", True),
        ("http://localhost:7990/bitbucket", True),
        ("http://LOCALHOST", True),
        ("http://127.0.0.1:7990", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:7990", True),
        ("http://bitbucket.test", False),
        ("HTTP://bitbucket.test", False),
        ("http://localhost.evil.test", False),
        ("http://127.0.0.1.evil.test", False),
        ("http://128.0.0.1", False),
        ("http://0.0.0.0", False),
        ("http://[::2]", False),
        # Whether these are this host depends on who resolves them.
        ("http://git.localhost", False),
        ("http://127.1", False),
    ],
)
@pytest.mark.parametrize(
    "credential", [{}, {"username": ..., "password": ..., "token": "t"}], ids=["password", "token"]
)
def test_plain_http_to_another_host_must_be_allowed(url: str, allowed: bool, credential: dict[str, t.Any]) -> None:
    given = {"url": url, **credential}
    assert client_from(token_params(**given, allow_insecure=True)).url == url
    if allowed:
        client_from(token_params(**given))
        return
    with pytest.raises(InputError, match="would cross the network unencrypted: nothing was sent"):
        client_from(token_params(**given))


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setattr(_transport, "HAS_REQUESTS", False)
    with pytest.raises(InputError, match="requests"):
        client_from(token_params())


def test_a_credential_in_the_url_is_refused_and_not_left_to_be_shown():
    params = {**token_params(), "url": "https://admin:an-odd-pass/word@bitbucket.test"}
    with pytest.raises(InputError, match="`url`"):
        client_from(params)
    assert params["url"] == "https://[credential]@bitbucket.test"
