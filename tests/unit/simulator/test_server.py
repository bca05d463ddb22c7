"""The HTTP front as a process: its flags, TLS, keep-alive, and how it ends."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import stat
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.simulator.server import Tls, listen, running
from tests.simulator.tls import make_certificates

from .conftest import LEDGER, PASSWORD, PAY, new_simulator, over_http

ROOT = Path(__file__).parents[3]
COMPANY = ROOT / "tests" / "simulator" / "seeds" / "company.yml"


@contextlib.contextmanager
def process(*flags: object) -> Iterator[tuple[t.Any, str]]:
    command = [sys.executable, "-m", "tests.simulator", *map(str, flags)]
    started: t.Any
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield started, started.stdout.readline().strip()
        finally:
            started.kill()


def session() -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    return made


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_one_line_serves_and_ends_promptly(tmp_path, number):
    credentials = tmp_path / "credentials.json"
    credentials.write_text("old")
    credentials.chmod(0o644)
    flags = ["--seed", COMPANY, "--credentials", credentials, "--context-path", "/bitbucket", "--random-seed", "1"]
    with process(*flags, "--start", "2027-03-01T00:00:00Z") as (started, url), session() as client:
        assert url.endswith("/bitbucket")
        password = json.loads(credentials.read_text())["svc-ansible"]
        assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
        listed = client.get(f"{url}/rest/access-tokens/latest/projects/SHOP", auth=("svc-ansible", password))
        assert listed.json()["size"] == 2
        assert "01 Mar 2027" in listed.headers["Date"]
        assert "server" not in listed.headers
        started.send_signal(number)
        began = time.monotonic()
        assert started.wait(5) == 0
        assert time.monotonic() - began < 2
        assert (started.stdout.read(), started.stderr.read()) == ("", "")


def test_a_held_request_does_not_keep_it_from_ending(tmp_path):
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    with process("--admin-user", "root", "--admin-password-file", password) as (started, url), session() as client:
        client.post(f"{url}/__simulator__/faults", json={"kind": "hold"})
        connection = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        connection.sendall(b"GET /rest/api/latest/projects HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.get(f"{url}/__simulator__/hold?wait=5").json()["count"] == 1
        assert client.get(f"{url}/rest/api/latest/projects", auth=("root", PASSWORD)).status_code == 200
        began = time.monotonic()
        started.send_signal(signal.SIGTERM)
        assert started.wait(5) == 0
        assert time.monotonic() - began < 1.8  # after 2 s uvicorn would have cancelled it
        connection.close()


@pytest.mark.parametrize(
    "flags", [["--switch", "nonsense=1"], ["--switch", "basic_auth=maybe"], ["--tls-cert", "x"], ["--profile", "6"]]
)
def test_a_flag_that_is_not_right_ends_it_with_a_sentence(flags):
    with process(*flags) as (started, line):
        assert line == ""
        assert started.wait(10) == 2
        assert "Traceback" not in started.stderr.read()


def test_connections_are_kept_alive_over_every_verb():
    with over_http(new_simulator()) as front:
        path = f"{PAY}/{front.create().json()['id']}"
        codes = [front(verb, path, body).status_code for verb, body in [("POST", {"name": "y"}), ("DELETE", None)]]
        codes += [front("GET", LEDGER).status_code, front("GET", "projects/NOPE").status_code]
        assert codes == [200, 204, 200, 404]
        adapter: t.Any = front.session.get_adapter(front.url)
        (pool,) = adapter.poolmanager.pools._container.values()
        assert (pool.num_connections, pool.num_requests) == (1, 5)


def test_answers_are_not_held_back_by_the_network_stack():
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP  # asyncio sets TCP_NODELAY only then


def test_a_request_cut_short_is_never_acted_on():
    with over_http(new_simulator()) as front:
        host, port = front.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"PUT /rest/access-tokens/latest/{PAY} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
            connection.sendall(head.encode() + b'{"name":')
        assert front("GET", PAY).status_code == 200
        assert [entry.method for entry in front.sim.requests] == ["GET"]


def test_latency_is_waited_for_before_the_answer():
    with over_http(new_simulator(switches={"latency_ms": 100})) as front:
        began = time.monotonic()
        front("GET", PAY)
        assert time.monotonic() - began >= 0.1
        began = time.monotonic()
        front.control("GET", "clock")
        assert time.monotonic() - began < 0.1


def test_tls_with_an_authority_of_its_own_and_client_certificates(tmp_path):
    made = make_certificates(tmp_path)
    tls = Tls(made.server_certificate, made.server_key, made.ca)
    with running(new_simulator(), tls) as url, session() as client:
        address = f"{url}/rest/access-tokens/latest/{PAY}"
        client.auth = ("admin", PASSWORD)
        assert url.startswith("https://")
        known: dict[str, t.Any] = {"verify": made.ca, "cert": (made.client_certificate, made.client_key)}
        assert client.get(address, **known).status_code == 200
        with pytest.raises(requests.exceptions.SSLError):
            session().get(address)
        with pytest.raises(requests.exceptions.ConnectionError):
            session().get(address, verify=made.ca)
        assert stat.S_IMODE(Path(made.server_key).stat().st_mode) == 0o600
