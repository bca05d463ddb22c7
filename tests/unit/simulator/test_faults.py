"""Faults: both fronts fail as a real network does, and the write has happened or has not."""

from __future__ import annotations

import json
import threading
import time
import typing as t

import pytest
import requests
import urllib3.exceptions

from tests.simulator.adapter import SimulatorAdapter

from .conftest import PAY, in_process, new_simulator

Gone = requests.exceptions.ConnectionError


def cause(error) -> type:
    return type(error.args[0])


@pytest.mark.parametrize(("kind", "written"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_is_a_protocol_error_and_the_write_is_before_or_after(either, kind, written):
    either.sim.faults.arm(kind, method="PUT")
    with pytest.raises(Gone) as caught:
        either.create()
    assert cause(caught.value) is urllib3.exceptions.ProtocolError
    assert isinstance(caught.value.args[0].args[1], ConnectionResetError)
    assert either.sim.model.issued == written
    assert either.sim.requests[-1].status == 0
    assert either.create().status_code == 200


def test_in_process_a_refused_connection_and_a_connect_timeout_are_what_requests_makes_of_them(front):
    front.sim.faults.arm("refuse")
    with pytest.raises(Gone) as refused:
        front.create()
    assert isinstance(refused.value.args[0].reason, urllib3.exceptions.NewConnectionError)
    front.sim.faults.arm("connect_timeout")
    with pytest.raises(requests.exceptions.ConnectTimeout):
        front.create()
    assert front.sim.model.issued == 0


@pytest.mark.parametrize(("when", "written"), [("before", 0), ("after", 1)])
def test_an_answer_that_never_comes_is_a_read_timeout(either, when, written):
    either.sim.faults.arm("timeout", when=when)
    either.timeout = 0.3
    with pytest.raises(requests.exceptions.ReadTimeout):
        either.create()
    assert either.sim.model.issued == written


@pytest.mark.parametrize(("when", "written"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize("body", ["json", "html", "empty", "message"])
def test_a_status_before_or_after_the_write(either, when, written, body):
    either.sim.faults.arm("status", status=502, when=when, body=body, message="Bad gateway", retry_after=7)
    answer = either.create()
    assert (answer.status_code, answer.headers["Retry-After"]) == (502, "7")
    assert ("Bad gateway" in answer.text) is (body != "empty")
    assert either.sim.model.issued == written


def test_html_and_redirects_take_the_place_of_the_answer(either):
    either.sim.faults.arm("html")
    either.sim.faults.arm("redirect", location="https://login.example.com/")
    page, moved = either("GET", PAY), either("GET", PAY)
    assert (page.status_code, page.headers["Content-Type"][:9]) == (200, "text/html")
    assert (moved.status_code, moved.headers["Location"]) == (302, "https://login.example.com/")


@pytest.mark.parametrize(
    ("at", "id_readable", "secret_started"),
    [("before_id", False, False), ("after_id", True, False), ("in_secret", True, True)],
)
@pytest.mark.parametrize("kind", ["cut_json", "broken_json"])
def test_a_cut_body_ends_where_it_was_told_and_never_holds_the_whole_secret(
    either, kind, at, id_readable, secret_started
):
    either.sim.faults.arm(kind, at=at)
    answer = either.create(stream=True)
    received: list[bytes] = []
    if kind == "cut_json":
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            received.extend(answer.iter_content(1))  # keeps what came before the error
    else:
        received.extend(answer.iter_content(1))
    text = b"".join(received)
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    (token,) = either.sim.tokens(PAY)
    assert (f'"id":"{token.id}"'.encode() in text) is id_readable
    assert (token.secret[:6].encode() in text) is secret_started
    assert token.secret[:-3].encode() not in text


def test_raw_read_of_a_cut_body_raises_too(either):
    either.sim.faults.arm("cut_json")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        either.create(stream=True).raw.read()


def test_a_slow_body_arrives_whole_unless_the_reader_is_in_a_hurry(either):
    for _number in range(2):
        either.sim.faults.arm("slow_body", seconds=0.4, chunks=2)
    assert either.create().json()["name"] == "ci"
    either.timeout = 0.15
    answer = either.create(stream=True)
    assert answer.status_code == 200
    with pytest.raises(Gone):
        _ = answer.content


@pytest.mark.parametrize(("timeout", "late"), [(0.2, True), (5, False), (None, False), ((5, 0.2), True)])
def test_a_delay_or_latency_longer_than_the_read_timeout_is_a_read_timeout(either, timeout, late):
    either.sim.faults.arm("delay", seconds=0.4)
    either.timeout = timeout
    if late:
        with pytest.raises(requests.exceptions.ReadTimeout):
            either.create()
    else:
        assert either.create().status_code == 200
    assert either.sim.model.issued == 1


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        ("no_date", {}, None),
        ("date", {"date": "Fri, 31 Dec 2100 00:00:00 GMT"}, "Fri, 31 Dec 2100 00:00:00 GMT"),
        ("date", {}, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ],
)
def test_a_date_that_is_missing_or_absurd(either, kind, arguments, expected):
    either.sim.faults.arm(kind, **arguments)
    assert either("GET", PAY).headers.get("Date") == expected
    assert either("GET", PAY).headers["Date"] == either.sim.clock.http_date()


def test_a_secret_that_is_missing_dead_or_anothers(front):
    front.sim.faults.arm("no_secret")
    front.sim.faults.arm("wrong_secret")
    front.sim.faults.arm("wrong_secret", secret="other_id")
    front.sim.faults.arm("wrong_secret", secret="template")
    missing, dead, other, template = (front.create().json() for _number in range(4))
    assert template["token"].startswith("{{lookup(")
    assert "token" not in missing
    for answer in (dead, other):
        assert not front.sim.authenticates(answer["token"])
        assert front("GET", PAY, **front.bearer(answer["token"])).status_code == 401
    start = front.sim.model.secret(dead["id"], "BBDC-")[:20]
    assert dead["token"][:20] == start
    assert other["token"][:20] != front.sim.model.secret(other["id"], "BBDC-")[:20]
    assert len(front.sim.tokens(PAY)) == 4


def test_a_fault_strikes_the_nth_match_and_so_many_times(front):
    fault = front.sim.faults.arm("status", status=500, method="put", path=r"PAY$", nth=2, times=2)
    front("GET", PAY)
    front.create("projects/SHOP")
    assert [front.create().status_code for _number in range(4)] == [200, 500, 500, 200]
    assert (fault.seen, fault.hits) == (3, 2)


def test_faults_armed_together_strike_one_after_the_other_and_clear_disarms(front):
    front.sim.faults.arm("status", status=500)
    front.sim.faults.arm("status", status=502)
    front.sim.faults.arm("status", status=503, times=None, query="limit=7")
    assert [front("GET", PAY).status_code for _number in range(3)] == [500, 502, 200]
    assert [front("GET", f"{PAY}?limit=7").status_code for _number in range(2)] == [503, 503]
    front.sim.faults.clear()
    assert front("GET", f"{PAY}?limit=7").status_code == 200


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [("explode", {}), ("html", {"status": 200}), ("cut_json", {"at": "end"}), ("timeout", {"when": "later"})],
)
def test_a_fault_that_is_not_known_is_refused(front, kind, arguments):
    with pytest.raises(ValueError, match=r"."):
        front.sim.faults.arm(kind, **arguments)


@pytest.mark.parametrize(("when", "listed"), [("before", 0), ("after", 1)])
def test_a_call_lets_somebody_else_act_in_between(front, when, listed):
    seen = []
    front.sim.faults.arm("call", when=when, method="PUT", run=lambda: seen.append(len(front.sim.tokens(PAY))))
    assert front.create().status_code == 200
    assert seen == [listed]


@pytest.mark.parametrize(("when", "written"), [("before", 0), ("after", 1)])
def test_a_held_request_waits_before_or_after_the_write(either, when, written):
    answers = []
    either.sim.faults.arm("hold", when=when, method="PUT")
    thread = threading.Thread(target=lambda: answers.append(either.create().status_code))
    thread.start()
    assert either.sim.holds.wait()
    assert either.sim.model.issued == written
    assert either.control("GET", "hold")["held"][0]["when"] == when
    assert answers == []
    assert either.control("POST", "hold/release", {})["released"] == 1
    thread.join(5)
    assert answers == [200]
    assert either.sim.model.issued == 1


@pytest.mark.parametrize(("when", "written"), [("before", 0), ("after", 1)])
def test_a_held_request_can_be_dropped(either, when, written):
    either.sim.faults.arm("hold", when=when)
    lost = []

    def ask():
        try:
            either.create()
        except Gone as error:
            lost.append(cause(error))

    thread = threading.Thread(target=ask)
    thread.start()
    assert either.sim.holds.wait()
    either.control("POST", "hold/release", {"drop": True})
    thread.join(5)
    assert lost == [urllib3.exceptions.ProtocolError]
    assert either.sim.model.issued == written


def test_the_adapter_tells_what_the_session_asked_of_its_transport():
    with in_process(new_simulator()) as front:
        front(
            "GET", PAY, verify="/ca.pem", cert=("/c.pem", "/c.key"), proxies={"https": "http://proxy"}, timeout=(1, 2)
        )
        (call,) = t.cast("SimulatorAdapter", front.session.get_adapter("https://bitbucket.test")).calls
        assert (call.verify, call.cert, call.timeout) == ("/ca.pem", ("/c.pem", "/c.key"), (1, 2))
        assert call.proxies["https"] == "http://proxy"


def test_threads_get_an_answer_each_and_nothing_is_lost(either):
    start, codes = time.monotonic(), []
    either.sim.switches.latency_ms = 250

    def ask():
        with requests.Session() as session:
            for prefix, adapter in either.session.adapters.items():
                session.mount(prefix, adapter)
            session.trust_env = False
            answer = session.put(
                f"{either.url}/rest/access-tokens/latest/{PAY}",
                json={"name": "x", "permissions": ["REPO_READ"]},
                auth=("admin", "correct-horse-battery-staple-4711"),
            )
            codes.append(answer.status_code)

    threads = [threading.Thread(target=ask) for _number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert codes == [200] * 16
    assert len({token.id for token in either.sim.tokens(PAY)}) == 16
    assert time.monotonic() - start < 3.5  # one after the other it would be 4 s of latency alone
