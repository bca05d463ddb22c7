"""What reaches the network, what may not (cookies, netrc, redirects), and what a failure becomes."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import typing as t
import urllib.request
from pathlib import Path

import pytest
import requests
import urllib3

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    ConnectError,
    InputError,
    LostAnswerError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _body, _tls_files
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import (
    Exchange,
    Settings,
    Transport,
    proxies_for,
)
from tests.simulator.adapter import SimulatorAdapter
from tests.simulator.tls import make_certificates
from tests.unit.plugins.company import URL, Company
from tests.unit.plugins.slow_servers import raw_server
from tests.unit.plugins.unsearchable import unsearchable

ASKED = f"{URL}/rest/api/latest/application-properties"
SECRET = "Bearer not-to-be-shown-anywhere"


def ask(adapter: requests.adapters.BaseAdapter, settings: Settings | None = None, times: int = 1) -> list[Exchange]:
    transport = Transport(settings or Settings(), {"http://": adapter})
    return [transport.exchange("GET", ASKED, {"Authorization": SECRET}, None) for _time in range(times)]


@pytest.fixture
def adapter(company: Company) -> SimulatorAdapter:
    company.sim.model.add_oauth("admin")
    company.sim.model.oauth[SECRET.removeprefix("Bearer ")] = "admin"
    return company.adapter


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTP_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
        "NETRC",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_settings_reach_the_request(adapter, tmp_path, monkeypatch):
    made = make_certificates(tmp_path)
    paths = [made.ca, made.client_certificate, made.client_key]
    whole = tmp_path / "both.pem"
    whole.write_bytes(b"".join(Path(path).read_bytes() for path in paths[1:]))
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    ask(adapter, Settings(True, *paths, timeout=7))
    ask(adapter, Settings(False, None, str(whole), use_proxy=False))
    one, other = adapter.calls
    assert (one.verify, one.cert, one.timeout) == (paths[0], (paths[1], paths[2]), (7, 7))
    assert one.proxies["http"] == "http://proxy.test:3128"
    assert (other.verify, other.cert, dict(other.proxies)) == (False, str(whole), {})


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("given", ["nothing", "a file", "a directory"])
def test_certificates_are_verified_by_the_systems_or_the_environments_bundle(
    adapter, given, variable, tmp_path, monkeypatch
):
    bundle = {"nothing": "", "a file": make_certificates(tmp_path).ca, "a directory": str(tmp_path)}[given]
    if bundle:
        monkeypatch.setenv(variable, bundle)
    ask(adapter)
    assert adapter.calls[0].verify == (bundle or True)


def test_of_the_environments_bundles_the_first_that_is_set_counts(monkeypatch, tmp_path):
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    for name in names:
        (tmp_path / name).write_bytes(b"")
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in names:
        found = _tls_files.trusted(True, None)
        assert found == (str(tmp_path / name), f"{tmp_path / name} ({name})")
        monkeypatch.delenv(name)
    assert _tls_files.trusted(True, None) == (True, "the authorities that requests ships")


@pytest.mark.parametrize(
    ("url", "goes_through"),
    [
        ("http://127.0.0.1:7990", False),
        ("http://localhost:7990", False),
        ("http://[::1]:7990", False),
        ("https://localhost:7990", True),
        ("http://bitbucket.test", True),
    ],
)
def test_plain_text_to_this_machine_goes_through_no_proxy(url, goes_through, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    assert ("http" in proxies_for(url)) == goes_through


@pytest.mark.parametrize(
    ("url", "excluded", "goes_through"),
    [
        ("https://bitbucket.test", "", True),
        ("https://bitbucket.test", "*", False),
        ("https://bitbucket.test", "bitbucket.test", False),
        ("https://git.bitbucket.test", "bitbucket.test", False),
        ("https://git.bitbucket.test", "other.test, .bitbucket.test", False),
        ("https://notbitbucket.test", "bitbucket.test", True),
        ("https://bitbucket.test:7990", "bitbucket.test:7990", False),
        ("https://bitbucket.test:7991", "bitbucket.test:7990", True),
        ("https://10.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "192.0.2.0/24,bitbucket.test", True),
        ("https://10.1.2.3:7990", "10.1.2.3", False),
        ("https://[2001:db8::1]", "2001:db8::/32", False),
    ],
)
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_the_environment_says_which_servers_no_proxy_is_for(url, excluded, goes_through, name, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, excluded)
    assert proxies_for(url) == ({"https": "http://proxy.test:3128"} if goes_through else {})


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:1"])
def test_the_systems_proxies_are_never_looked_up(proxy, monkeypatch):
    """On macOS the lookup crashes a forked process, and Ansible runs action plugins in one."""
    looked_up: list[str] = []

    def look_up(*host: str) -> dict[str, str]:
        looked_up.append(str(host))
        return {}

    for module in (urllib.request, requests.compat, requests.utils, requests.sessions):
        for function in ("getproxies", "proxy_bypass", "get_environ_proxies"):
            if hasattr(module, function):
                monkeypatch.setattr(module, function, look_up)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("no_proxy", "elsewhere.test")
    with pytest.raises(ConnectError):
        Transport(Settings(timeout=1)).exchange("GET", "https://127.0.0.1:2/", {}, None)
    assert looked_up == []


@pytest.mark.parametrize("option", ["ca_path", "client_cert", "client_key"])
def test_a_file_that_does_not_exist_is_found_out_first(option):
    with pytest.raises(InputError, match="/nowhere does not exist"):
        Transport(Settings(**{option: "/nowhere"}))


@pytest.mark.parametrize("option", ["ca_path", "client_cert", "client_key"])
def test_a_file_that_may_not_be_read_is_found_out_first(option, tmp_path):
    with unsearchable(tmp_path), pytest.raises(InputError, match=r"x\.pem .* may not be read"):
        Transport(Settings(**{option: str(tmp_path / "x.pem")}))


def test_authorities_that_may_not_be_looked_at_are_told_in_a_sentence(tmp_path):
    with unsearchable(tmp_path), pytest.raises(InputError, match=r"\(`ca_path`\) cannot be used: "):
        _tls_files.trusted(True, str(tmp_path / "x.pem"))


class WithCookie(SimulatorAdapter):
    def _exchange(self, request: t.Any) -> t.Any:
        response = super()._exchange(request)
        response.headers["Set-Cookie"] = "BITBUCKETSESSIONID=1; Path=/"
        return response


def test_cookies_are_not_kept(company):
    adapter = WithCookie(company.sim)
    company.sim.model.oauth[SECRET.removeprefix("Bearer ")] = "admin"
    first, _second = ask(adapter, times=2)
    assert "set-cookie" in first.headers
    assert "Cookie" not in adapter.calls[1].headers


def test_netrc_is_ignored(adapter, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine bitbucket.test login somebody password something\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    ask(adapter)
    assert adapter.calls[0].headers["Authorization"] == SECRET


def test_a_redirect_is_returned_and_not_followed(company, adapter):
    company.sim.faults.arm("redirect", location=ASKED)
    (answer,) = ask(adapter)
    assert (answer.status, answer.headers["location"], len(adapter.calls)) == (302, ASKED, 1)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (("refuse", {}), ConnectError, "No connection to bitbucket.test: "),
        (("connect_timeout", {}), ConnectError, "it took too long"),
        (("drop_before", {}), LostAnswerError, "connection broke"),
        (("timeout", {}), LostAnswerError, "did not answer in time"),
        (("slow_body", {"seconds": 999}), LostAnswerError, "connection broke"),
        (("cut_json", {}), LostAnswerError, "connection broke"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else None,
)
def test_whether_anything_was_sent_tells_the_errors_apart(company, adapter, fault, kind, words):
    company.sim.faults.arm(fault[0], **fault[1])
    with pytest.raises(kind, match=words):
        ask(adapter)


class Failing(requests.adapters.BaseAdapter):
    """A network that fails as the simulator's cannot."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def send(self, *_request: t.Any, **_options: t.Any) -> t.Any:
        raise self._error

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (requests.exceptions.SSLError(ssl.SSLCertVerificationError("no")), ConnectError, "certificate.*`ca_path`"),
        (requests.exceptions.SSLError(ssl.SSLError(1, SECRET)), LostAnswerError, "TLS.*`client_cert`"),
        (requests.exceptions.ProxyError(OSError("Tunnel connection failed: 403")), ConnectError, "the proxy.*refuses"),
        (requests.exceptions.ProxyError(ConnectionResetError(104, SECRET)), LostAnswerError, "broke"),
        (requests.exceptions.InvalidHeader(SECRET), InputError, "could not be sent .InvalidHeader."),
        (requests.exceptions.ChunkedEncodingError(SECRET), LostAnswerError, "broke"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_librarys_errors_are_translated_and_not_quoted(error, kind, words):
    with pytest.raises(kind, match=words) as caught:
        ask(Failing(error))
    assert SECRET not in str(caught.value)


def test_an_answer_without_end_is_not_read(adapter, monkeypatch):
    monkeypatch.setattr(_body, "MAX_BODY", 10)
    with pytest.raises(AnswerError, match="more than"):
        ask(adapter)


def test_every_thread_has_a_session_of_its_own(adapter):
    transport = Transport(Settings(), {"http://": adapter})
    sessions = []
    for _thread in range(2):
        thread = threading.Thread(target=lambda: sessions.append(transport._session(ASKED)))
        thread.start()
        thread.join()
    assert sessions[0] is not sessions[1]
    assert transport._session(ASKED) is transport._session(ASKED)


def test_a_body_shorter_than_promised_is_a_lost_answer():
    def cut(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n{"id":')

    with raw_server(cut) as url, pytest.raises(LostAnswerError, match="broke"):
        Transport(Settings(timeout=2, use_proxy=False)).exchange("PUT", url, {}, b"{}")


def test_a_proxy_that_hangs_up_after_the_request_was_sent_is_a_lost_answer(monkeypatch):
    def hang_up(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with raw_server(hang_up) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(LostAnswerError):
            Transport(Settings(timeout=2)).exchange("PUT", "http://bitbucket.test/", {}, b"{}")


def test_a_proxy_that_is_not_there_is_no_connection(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ConnectError, match="No connection to the proxy"):
        Transport(Settings(timeout=2)).exchange("PUT", "http://bitbucket.test/", {}, b"{}")


def _absent(_response: object) -> t.NoReturn:
    raise AttributeError


@pytest.mark.parametrize("size", [b"-5", b"-1"])
@pytest.mark.parametrize("old", [False, True], ids=["read1", "before urllib3 2"])
def test_a_chunk_of_negative_size_is_a_lost_answer_or_none(monkeypatch, old, size):
    def lie(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\nhello")

    if old:
        monkeypatch.setattr(urllib3.HTTPResponse, "read1", property(_absent), raising=False)
    with raw_server(lie) as url, pytest.raises(LostAnswerError, match="broke"):
        Transport(Settings(timeout=2, use_proxy=False)).exchange("PUT", url, {}, b"{}")
