"""TLS as the modules use it, each against a real listener with certificates made here."""

from __future__ import annotations

import contextlib
import datetime
import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    BitbucketError,
    ConnectError,
    InputError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _client
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._connection import client_from
from tests.doubles import proxy
from tests.simulator.server import Tls, running
from tests.simulator.tls import Certificates, make_certificates
from tests.unit.plugins.company import PASSWORD, Company, new_company, token_params

PATH = "/rest/access-tokens/latest/projects/PAY"
BODY = {"name": "ci", "permissions": ["REPO_READ"]}


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch):
    """So that neither the machine's authorities nor its proxies decide."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "BITBUCKET_CA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(_client, "MAX_ATTEMPTS", 1)


@contextlib.contextmanager
def site(place: Path, *, clients: bool = False, **certificate: t.Any) -> Iterator[tuple[Company, Certificates, str]]:
    """The simulator behind TLS; with ``clients`` it wants a certificate of theirs."""
    made, company = make_certificates(place, **certificate), new_company()
    tls = Tls(made.server_certificate, made.server_key, made.ca if clients else None)
    with running(company.sim, tls) as url:
        yield company, made, url


def client(url: str, **options: t.Any) -> Client:
    return client_from(token_params(url=url, timeout=5, **options))


def refused(company: Company, ours: Client) -> str:
    """The sentence that a create ends with; it is certain that nothing was created."""
    with pytest.raises(ConnectError) as caught:
        ours.create(PATH, BODY)
    assert company.requests == []
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_an_authority_of_its_own_is_trusted_where_it_is_named(tmp_path):
    with site(tmp_path) as (company, made, url):
        assert "certificate" in refused(company, client(url))
        assert client(url, ca_path=made.ca).create(PATH, BODY).data["token"]


def test_the_authority_may_come_from_the_environment(tmp_path, monkeypatch):
    with site(tmp_path) as (_stand, made, url):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", made.ca)
        assert client(url).get(PATH).data["values"] == []
        (tmp_path / "other").mkdir()
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", make_certificates(tmp_path / "other").ca)
        monkeypatch.setenv("BITBUCKET_CA_PATH", made.ca)
        assert client(url).get(PATH).data["values"] == []


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ({"host": "git.example.com", "address": "192.0.2.1"}, "match"),
        ({"lifetime": datetime.timedelta(days=-1)}, "expired"),
    ],
    ids=["wrong host name", "expired"],
)
def test_a_certificate_that_is_not_right_stops_it_before_anything_is_sent(tmp_path, certificate, words):
    with site(tmp_path, **certificate) as (company, made, url):
        assert words in refused(company, client(url, ca_path=made.ca))
        assert client(url, validate_certs=False).get(PATH).data["values"] == []


def test_an_authority_that_did_not_sign_it_is_not_enough(tmp_path):
    (tmp_path / "other").mkdir()
    other = make_certificates(tmp_path / "other")
    with site(tmp_path) as (company, _made, url):
        said = refused(company, client(url, ca_path=other.ca))
        assert (
            f"is not accepted: unable to get local issuer certificate. It was checked against {other.ca} (`ca_path`)."
            in said
        )


def test_a_client_certificate_is_shown_where_one_is_wanted(tmp_path):
    both = tmp_path / "both.pem"
    with site(tmp_path, clients=True) as (_stand, made, url):
        apart = {"client_cert": made.client_certificate, "client_key": made.client_key}
        assert client(url, ca_path=made.ca, **apart).create(PATH, BODY).data["token"]
        both.write_bytes(Path(made.client_certificate).read_bytes() + Path(made.client_key).read_bytes())
        assert client(url, ca_path=made.ca, client_cert=str(both)).get(PATH).data["values"]


@pytest.mark.parametrize("shown", [False, True], ids=["none", "of another authority"])
def test_without_the_right_client_certificate_nothing_is_done(tmp_path, shown):
    """With TLS 1.3 the refusal may arrive after the request was sent: whether it was acted on is not known."""
    (tmp_path / "other").mkdir()
    other = make_certificates(tmp_path / "other")
    mine = {"client_cert": other.client_certificate, "client_key": other.client_key} if shown else {}
    with site(tmp_path, clients=True) as (company, made, url):
        with pytest.raises(BitbucketError) as caught:
            client(url, ca_path=made.ca, **mine).create(PATH, BODY)
        assert (company.requests, company.ids()) == ([], [])
        assert PASSWORD not in str(caught.value)
        # Whichever comes first: the server's alert, or that it hung up.
        assert re.search("The connection broke|TLS connection failed.*`client_cert`", str(caught.value))


def unusable(place: Path, made: Certificates) -> dict[str, tuple[dict[str, str], str, str]]:
    """Files that TLS can do nothing with: as which options, and what is said of them."""
    words, locked = place / "words.pem", place / "locked.pem"
    words.write_text("no certificate", encoding="utf-8")
    key = serialization.load_pem_private_key(Path(made.client_key).read_bytes(), None)
    form = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"a-passphrase")
    locked.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    mine = made.client_certificate
    return {
        "no CA": ({"ca_path": str(words)}, "`ca_path`", "words.pem"),
        "no certificate": ({"client_cert": str(words)}, "`client_cert`", "words.pem"),
        "a directory": ({"client_cert": str(place)}, "`client_cert`", "PEM"),
        "no key": ({"client_cert": mine}, "`client_key`", "PEM"),
        "the key of another": ({"client_cert": mine, "client_key": made.server_key}, "`client_key`", "fit"),
        "a key with a passphrase": ({"client_cert": mine, "client_key": str(locked)}, "`client_key`", "passphrase"),
    }


@pytest.mark.parametrize(
    "case", ["no CA", "no certificate", "a directory", "no key", "the key of another", "a key with a passphrase"]
)
def test_a_file_of_no_use_is_named_before_anything_is_sent(tmp_path, case):
    with site(tmp_path, clients=True) as (company, made, url):
        options, option, word = unusable(tmp_path, made)[case]
        with pytest.raises(InputError) as caught:
            client(url, **{"ca_path": made.ca, **options})
        said = str(caught.value)
        assert (option in said, word in said, said.count("\n")) == (True, True, 0), said
        assert company.requests == []


def test_a_bundle_of_the_environment_that_is_not_there_is_named(tmp_path, monkeypatch):
    with site(tmp_path) as (company, _made, url):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
        with pytest.raises(InputError, match=r"/nowhere/ca\.pem \(REQUESTS_CA_BUNDLE\)"):
            client(url)
        assert company.requests == []


def test_a_bundle_of_the_environment_of_no_use_is_named_and_nothing_was_sent(tmp_path, monkeypatch):
    (tmp_path / "words.pem").write_text("no certificate", encoding="utf-8")
    with site(tmp_path) as (company, _made, url):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "words.pem"))
        with pytest.raises(InputError, match=r"words\.pem \(REQUESTS_CA_BUNDLE\) contains no certificate"):
            client(url).create(PATH, BODY)
        assert company.requests == []


def test_a_ca_that_vanishes_is_no_traceback(tmp_path):
    with site(tmp_path) as (company, made, url):
        ours = client(url, ca_path=made.ca)
        Path(made.ca).unlink()
        with pytest.raises(InputError, match="was not sent"):
            ours.create(PATH, BODY)
        assert company.requests == []


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy"])
def test_plain_text_to_this_machine_never_leaves_it_through_a_proxy(monkeypatch, variable):
    company = new_company()
    with running(company.sim) as url, proxy.running() as between:
        monkeypatch.setenv(variable, between.url)
        assert client(url).create(PATH, BODY).data["token"]
        assert (between.targets, bytes(between.passed)) == ([], b"")


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY"])
def test_a_proxy_gets_a_tunnel_and_never_a_credential(tmp_path, monkeypatch, variable):
    with site(tmp_path) as (_stand, made, url), proxy.running() as between:
        monkeypatch.setenv(variable, between.url)
        secret = client(url, ca_path=made.ca).create(PATH, BODY).data["token"]
        assert between.targets == [f"CONNECT {url.removeprefix('https://')}"]
        assert len(between.passed) > 1000
        for word in (secret, PASSWORD, "Authorization", "access-tokens"):
            assert word.encode() not in between.passed


def test_through_a_proxy_the_server_must_still_prove_who_it_is(tmp_path, monkeypatch):
    with (
        site(tmp_path, host="git.example.com", address="192.0.2.1") as (company, made, url),
        proxy.running() as between,
    ):
        monkeypatch.setenv("https_proxy", between.url)
        assert "match" in refused(company, client(url, ca_path=made.ca))
        assert between.targets


def test_a_proxy_that_refuses_is_named(tmp_path, monkeypatch):
    with site(tmp_path) as (company, made, url), proxy.running("407 Proxy Authentication Required") as between:
        monkeypatch.setenv("https_proxy", between.url)
        assert "proxy" in refused(company, client(url, ca_path=made.ca))


@pytest.mark.parametrize("way", ["use_proxy", "no_proxy"])
def test_a_proxy_is_left_out_where_the_task_or_the_environment_says_so(tmp_path, monkeypatch, way):
    with site(tmp_path) as (_stand, made, url), proxy.running() as between:
        monkeypatch.setenv("https_proxy", between.url)
        if way == "no_proxy":
            monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert client(url, ca_path=made.ca, use_proxy=way == "no_proxy").get(PATH).data["values"] == []
        assert between.targets == []
