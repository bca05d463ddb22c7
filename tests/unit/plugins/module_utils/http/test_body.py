"""Slow answers: each wait ends with `timeout`, a body with ten of it, and then the answer counts as lost."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import urllib3
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import LostAnswerError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _body, _client
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from tests.simulator.tls import Certificates, make_certificates
from tests.unit.plugins.slow_servers import ANSWERS, HANDSHAKE, behind_tls, drips, raw_server

#: Of each wait: far more than the servers pause, also where the machine is busy.
LIMIT = 0.4
#: What a request may take, plus what a busy machine needs. The servers go on for a minute.
LONGEST = 3 * LIMIT + 10
SLOW = "not complete after 0.8 seconds, 2 times `timeout`"
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline worth waiting for, and no proxy but the test's own."""
    monkeypatch.setattr(_body, "FACTOR", 2)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@contextmanager
def in_time() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < LONGEST


def lost(url: str, method: str = "GET", words: str = SLOW, ca_path: str | None = None) -> None:
    """A request that is given up in time, and whose answer counts as lost."""
    body = b"{}" if method == "PUT" else None
    with in_time(), pytest.raises(LostAnswerError, match=words):
        Transport(Settings(timeout=LIMIT, ca_path=ca_path)).exchange(method, url, {}, body)


def test_the_factor_is_the_documented_one(monkeypatch):
    monkeypatch.undo()
    described = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["timeout"]["description"]
    assert (_body.FACTOR, "ten times C(timeout)" in " ".join(described)) == (10, True)


def _absent(_response: object) -> None:
    raise AttributeError


@pytest.mark.parametrize("old", [False, True], ids=["read1", "before urllib3 2"])
@pytest.mark.parametrize("part", list(ANSWERS))
def test_a_body_that_drips_is_lost_at_the_deadline(part, old, monkeypatch):
    if old:
        monkeypatch.setattr(urllib3.HTTPResponse, "read1", property(_absent), raising=False)
    with raw_server(ANSWERS[part]) as url:
        lost(url, "PUT" if part == "body" else "GET")


def test_a_body_that_drips_inside_tls_is_lost_at_the_deadline(made):
    with raw_server(behind_tls(ANSWERS["body"], made.server_certificate, made.server_key)) as url:
        lost(url.replace("http:", "https:"), "PUT", ca_path=made.ca)


def test_a_body_that_drips_through_a_proxy_is_lost_at_the_deadline(monkeypatch):
    with raw_server(ANSWERS["body"]) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        lost("http://bitbucket.test/", "PUT")


def test_the_deadline_counts_from_the_request_not_from_the_headers():
    """Headers may take longer than the deadline; then no time is left for the body."""
    headers = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Slow: " + b"x" * 50 + b"\r\n\r\n"
    with raw_server(drips(b"", [headers[at : at + 1] for at in range(len(headers))] + [b"{", b"}"])) as url:
        lost(url)


def test_a_handshake_that_drips_ends_with_one_timeout():
    with raw_server(HANDSHAKE) as url:
        lost(url.replace("http:", "https:"), "PUT", "did not answer in time")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nX-"], ids=["nothing", "part of a header"])
def test_an_answer_that_stops_is_given_up_after_one_timeout(said):
    with raw_server(drips(said, [b"" for _gap in range(100)])) as url:
        lost(url, words="did not answer in time")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nX-"], ids=["nothing", "part of a header"])
def test_a_proxy_that_stops_before_the_tunnel_is_given_up_after_one_timeout(said, monkeypatch):
    with raw_server(drips(said, [b"" for _gap in range(100)])) as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        # urllib3 1 only says that the connection broke.
        lost("https://bitbucket.test/", "PUT", "did not answer in time|connection broke")


def test_a_slow_answer_that_is_complete_in_time_is_taken_and_so_is_the_next_on_that_connection():
    connections = itertools.count()

    def twice(connection: socket.socket) -> None:
        next(connections)
        for _request in range(2):
            drips(b"", [WHOLE[at : at + 1] for at in range(len(WHOLE))])(connection)

    with raw_server(twice) as url:
        transport = Transport(Settings(timeout=5))
        assert [transport.exchange("GET", url, {}, None).body for _request in range(2)] == [b"{}", b"{}"]
        assert next(connections) == 1


@pytest.mark.parametrize(("verb", "times"), [("create", 1), ("get", _client.MAX_ATTEMPTS)])
def test_what_creates_is_sent_once_and_what_reads_as_often_as_after_any_lost_answer(verb, times):
    asked: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        asked.append(connection)
        ANSWERS["body"](connection)

    with raw_server(answer) as url:
        client = Client(url, Credential(token="t"), Transport(Settings(timeout=LIMIT)), lambda _seconds: None)
        with pytest.raises(LostAnswerError, match=SLOW):
            client.create("/x", {}) if verb == "create" else client.get("/x")
    assert len(asked) == times
