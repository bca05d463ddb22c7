"""One deadline for a whole request: wherever a peer drips byte by byte, it ends, as one whose answer is lost."""

from __future__ import annotations

import itertools
import socket
import threading
import time
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import LostAnswerError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _client, _deadlines
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from tests.simulator.tls import Certificates, make_certificates
from tests.unit.plugins.slow_servers import ANSWERS, HANDSHAKE, PROXIES, behind_tls, drips, raw_server

#: Of each wait: far more than the servers pause, also where the machine is busy.
LIMIT = 0.4
#: What a request may take, plus what a busy machine needs. The servers go on for a minute.
LONGEST = 2 * LIMIT + 10
SLOW = "not whole after 0.8 seconds, 2 times `timeout`, and was given up"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadline worth waiting for, and no proxy but the test's own."""
    monkeypatch.setattr(_deadlines, "FACTOR", 2)
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


def lost(url: str, method: str = "GET", words: str = SLOW, **options: t.Any) -> None:
    """A request that is given up in time, and whose answer counts as lost."""
    body = b"{}" if method == "PUT" else None
    with in_time(), pytest.raises(LostAnswerError, match=words):
        Transport(Settings(timeout=LIMIT, **options)).exchange(method, url, {}, body)


def test_the_factor_is_the_documented_one(monkeypatch):
    monkeypatch.undo()
    described = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["timeout"]["description"]
    assert (_deadlines.FACTOR, "ten times as long" in " ".join(described)) == (10, True)


@pytest.mark.parametrize("part", list(ANSWERS))
def test_an_answer_that_drips_is_lost_at_the_deadline(part):
    with raw_server(ANSWERS[part]) as url:
        lost(url, "PUT" if part == "a header" else "GET")


@pytest.mark.parametrize("part", ["status line", "a header", "body"])
def test_an_answer_that_drips_inside_tls_is_lost_at_the_deadline(made, part):
    answer = behind_tls(ANSWERS[part], made.server_certificate, made.server_key)
    with raw_server(answer) as url:
        lost(url.replace("http:", "https:"), "PUT", ca_path=made.ca)


def test_a_handshake_that_drips_ends_with_one_timeout():
    with raw_server(HANDSHAKE) as url:
        lost(url.replace("http:", "https:"), "PUT", "did not answer in time")


@pytest.mark.parametrize("part", list(PROXIES))
def test_a_proxy_that_drips_is_given_up(monkeypatch, part):
    # urllib3 1 says of a handshake no more than that it broke.
    words = "did not answer in time|connection broke" if part == "handshake inside" else SLOW
    with raw_server(PROXIES[part]) as proxy:
        monkeypatch.setenv("https_proxy", proxy)
        lost("https://bitbucket.test/", "PUT", words)


@pytest.mark.parametrize("part", list(PROXIES))
def test_a_proxy_behind_tls_that_drips_is_given_up(monkeypatch, made, part):
    """Here the handshake with the server is made of single reads inside the one with the proxy."""
    with raw_server(behind_tls(PROXIES[part], made.server_certificate, made.server_key)) as proxy:
        monkeypatch.setenv("https_proxy", proxy.replace("http:", "https:"))
        lost("https://bitbucket.test/", "PUT", ca_path=made.ca)


def test_a_proxy_for_plain_http_that_drips_is_given_up(monkeypatch):
    with raw_server(ANSWERS["a header"]) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        lost("http://bitbucket.test/", "PUT")


def test_an_answer_that_stops_is_still_given_up_after_one_timeout():
    with raw_server(drips(b"HTTP/1.1 200 OK\r\nX-", [b"" for _gap in range(100)])) as url:
        lost(url, words="did not answer in time")


def test_a_slow_answer_that_is_whole_in_time_is_taken_and_so_is_the_next_on_that_connection():
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    connections = itertools.count()

    def twice(connection: socket.socket) -> None:
        next(connections)
        for _request in range(2):
            drips(b"", [answer[at : at + 1] for at in range(len(answer))])(connection)

    with raw_server(twice) as url:
        transport = Transport(Settings(timeout=5))
        assert [transport.exchange("GET", url, {}, None).body for _request in range(2)] == [b"{}", b"{}"]
        assert next(connections) == 1


def test_what_is_left_of_one_deadline_cuts_no_wait_of_the_next_request():
    limit, answer = 2, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    connections = itertools.count()

    def late_twice(connection: socket.socket) -> None:
        next(connections)
        connection.recv(65536)
        for at in range(len(answer)):
            time.sleep(3 / len(answer))
            connection.sendall(answer[at : at + 1])
        connection.recv(65536)
        # More than is left of the first request's four seconds, and less than a wait may take.
        time.sleep(1.5)
        connection.sendall(answer)

    with raw_server(late_twice) as url:
        transport = Transport(Settings(timeout=limit))
        assert [transport.exchange("GET", url, {}, None).body for _request in range(2)] == [b"{}", b"{}"]
        assert next(connections) == 1


@pytest.mark.parametrize(("verb", "times"), [("create", 1), ("get", _client.MAX_ATTEMPTS)])
def test_what_creates_is_sent_once_and_what_reads_as_often_as_after_any_lost_answer(verb, times):
    asked: list[socket.socket] = []

    def answer(connection: socket.socket) -> None:
        asked.append(connection)
        drips(b"HTTP/1.1 200 ", itertools.repeat(b"O"))(connection)

    with raw_server(answer) as url:
        client = Client(url, Credential(token="t"), Transport(Settings(timeout=LIMIT)), lambda _seconds: None)
        with pytest.raises(LostAnswerError, match=SLOW):
            client.create("/x", {}) if verb == "create" else client.get("/x")
    assert len(asked) == times


def test_each_thread_has_a_deadline_of_its_own():
    """One that is over while another thread still reads cuts nothing short there."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    pieces = [answer[at : at + 1] for at in range(len(answer))]
    with raw_server(ANSWERS["body"]) as slow, raw_server(drips(b"", pieces)) as fine:
        hurried, patient = (Transport(Settings(timeout=limit)) for limit in (0.1, 5))
        errors: list[LostAnswerError] = []

        def hurry() -> None:
            for _request in range(3):
                try:
                    hurried.exchange("GET", slow, {}, None)
                except LostAnswerError as error:
                    errors.append(error)

        thread = threading.Thread(target=hurry)
        thread.start()
        assert patient.exchange("GET", fine, {}, None).body == b"{}"
        thread.join()
        assert len(errors) == 3


def test_a_proxys_connections_are_bound_once_however_many_ask_for_them():
    """A store's threads share one session. A class that is bound twice would be its own base."""
    adapter = _deadlines.DeadlineAdapter()

    def pools(_thread: int) -> frozenset[type]:
        return frozenset(adapter.proxy_manager_for("http://proxy.test").pool_classes_by_scheme.values())

    with ThreadPoolExecutor(8) as threads:
        seen = set(threads.map(pools, range(64)))
    assert len(seen) == 1
    assert {[base.__name__ for base in pool.__mro__].count("BoundedPool") for pool in seen.pop()} == {1}
