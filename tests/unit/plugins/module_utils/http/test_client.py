"""Retries, the rate gate and paging. D26 to D28; every wait is only noted."""

from __future__ import annotations

import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    BitbucketError,
    CertificateError,
    ConnectError,
    GuardError,
    InputError,
    LockoutError,
    LostAnswerError,
    StatusError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _client, _pages
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential, RateGate
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings
from tests.unit.plugins.company import PAY, SHOP, CannedTransport, Company
from tests.unit.plugins.fake_transport import BASE, FakeTransport, answer

TOKENS = f"/rest/access-tokens/latest/{PAY}"
NEW = {"name": "ci", "permissions": ["REPO_READ"]}


@pytest.fixture
def client(company: Company) -> Client:
    company.sim.add_token(PAY, "old", token_id="000000000001")
    return company.client()


CALLS: dict[str, t.Callable[[Client], object]] = {
    "GET": lambda client: client.get(TOKENS),
    "POST": lambda client: client.post(f"{TOKENS}/000000000001", {"name": "new"}),
    "DELETE": lambda client: client.delete(f"{TOKENS}/000000000001"),
    "PUT": lambda client: client.create(TOKENS, NEW),
}
Fault = tuple[str, dict[str, t.Any]]
UNSENT: list[Fault] = [("refuse", {}), ("connect_timeout", {})]
LOST: list[Fault] = [
    ("drop_before", {}),
    ("drop_after", {}),
    ("timeout", {}),
    ("slow_body", {"seconds": 300}),
    ("cut_json", {}),
]
GATEWAY: list[Fault] = [("status", {"status": status}) for status in (502, 503, 504)]


def names(fault: t.Any) -> str:
    return "-".join(str(part) for part in (fault[0], *fault[1].values()))


@pytest.mark.parametrize("fault", [*UNSENT, *LOST, *GATEWAY], ids=names)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_reading_and_updating_are_repeated(company, client, method, fault):
    company.sim.faults.arm(fault[0], times=2, **fault[1])
    CALLS[method](client)
    assert company.sim.requests.counts() == {method: 3}
    assert company.sleeps == [0.5, 1.0]


@pytest.mark.parametrize("fault", [*UNSENT, ("drop_before", {}), *GATEWAY], ids=names)
def test_deleting_is_repeated(company, client, fault):
    company.sim.faults.arm(fault[0], **fault[1])
    CALLS["DELETE"](client)
    assert company.ids() == []
    assert company.sim.requests.counts() == {"DELETE": 2}


@pytest.mark.parametrize(
    ("fault", "error"), [(GATEWAY[1], StatusError), (LOST[0], LostAnswerError), (UNSENT[0], ConnectError)]
)
def test_the_fourth_failure_is_the_last(company, client, fault, error):
    company.sim.faults.arm(fault[0], times=None, **fault[1])
    with pytest.raises(error, match=f"^GET {TOKENS}: "):
        CALLS["GET"](client)
    assert (len(company.sim.requests), company.sleeps) == (4, [0.5, 1.0, 2.0])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 501])
def test_other_failures_are_final(company, client, status):
    company.sim.faults.arm("status", status=status)
    with pytest.raises(StatusError) as caught:
        CALLS["GET"](client)
    assert (caught.value.status, len(company.sim.requests), company.sleeps) == (status, 1, [])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_create_that_the_server_fails_at_is_ambiguous_and_sent_once(company, client, status, when):
    company.sim.faults.arm("status", status=status, when=when)
    with pytest.raises(LostAnswerError, match=f"status {status}"):
        CALLS["PUT"](client)
    assert (company.sim.requests.counts(), company.sleeps) == ({"PUT": 1}, [])


@pytest.mark.parametrize("fault", LOST, ids=names)
def test_a_create_whose_answer_is_lost_is_ambiguous_and_sent_once(company, client, fault):
    company.sim.faults.arm(fault[0], **fault[1])
    with pytest.raises(LostAnswerError):
        CALLS["PUT"](client)
    assert (company.sim.requests.counts(), company.sleeps) == ({"PUT": 1}, [])


@pytest.mark.parametrize("fault", [*UNSENT, ("status", {"status": 429})], ids=names)
def test_a_create_that_certainly_did_not_happen_is_repeated(company, client, fault):
    company.sim.faults.arm(fault[0], **fault[1])
    CALLS["PUT"](client)
    assert [token.name for token in company.sim.tokens(PAY)] == ["old", "ci"]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_create_that_is_refused_is_not_ambiguous(company, client, status):
    company.sim.faults.arm("status", status=status)
    with pytest.raises(StatusError):
        CALLS["PUT"](client)
    assert len(company.sim.requests) == 1


class Clock:
    """A clock that only waiting moves, and the company's client with it."""

    def __init__(self, company: Company) -> None:
        self.now = 1000.0
        self.waits: list[float] = []
        made = company.client()
        self.client = Client(made.url, made.credential, made._transport, self.sleep)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(company: Company, monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock(company)
    monkeypatch.setattr(_client, "time", made)
    return made


@pytest.mark.parametrize("method", list(CALLS))
@pytest.mark.parametrize(
    ("header", "pause"),
    [("7", 7), ("0", 1), ("in 9 s", 9), ("9 s ago", 1), (None, 2), ("soon", 2), ("1" * 10, 2)],
)
@pytest.mark.usefixtures("client")
def test_429_waits_as_long_as_the_server_asks(company, clock, method, header, pause):
    dates = {"in 9 s": company.sim.clock.http_date(-9), "9 s ago": company.sim.clock.http_date(9)}
    company.sim.faults.arm("status", status=429, retry_after=dates.get(header, header))
    CALLS[method](clock.client)
    assert clock.waits == [pause]
    assert company.sim.requests.counts() == {method: 2}


def test_a_date_to_wait_for_means_nothing_without_the_servers_clock(company, clock):
    company.sim.switches.date_header = "missing"
    company.sim.faults.arm("status", status=429, retry_after=company.sim.clock.http_date(-500))
    clock.client.get(TOKENS)
    assert clock.waits == [2]


def test_without_advice_the_pause_grows(company, clock):
    company.sim.faults.arm("status", status=429, times=3)
    clock.client.get(TOKENS)
    assert len(clock.waits) == 3
    assert clock.waits[0] < clock.waits[1] < clock.waits[2]


@pytest.mark.parametrize(("asked", "requests"), [(60, 11), (600, 2), (601, 1)])
def test_ten_minutes_of_429_are_enough(company, clock, asked, requests):
    company.sim.faults.arm("status", status=429, retry_after=asked, times=None)
    with pytest.raises(StatusError, match="rate limit") as caught:
        clock.client.get(TOKENS)
    assert (caught.value.status, len(company.sim.requests)) == (429, requests)
    assert sum(clock.waits) <= 600


def test_429_for_one_worker_holds_back_all(company, clock):
    others: list[float] = []

    def meanwhile(seconds: float) -> None:
        if not others:
            others.append(0)
            clock.client.get(f"/rest/access-tokens/latest/{SHOP}")
            others.extend(clock.waits)
        clock.sleep(seconds)

    clock.client._gate._sleep = meanwhile
    company.sim.faults.arm("status", status=429, retry_after=7)
    clock.client.get(TOKENS)
    assert others == [0, 7], "the other worker did not wait"
    assert company.requests == [f"GET {PAY}", f"GET {SHOP}", f"GET {PAY}"]


def test_a_longer_pause_that_another_worker_is_told_of_meanwhile_is_waited_out_too():
    times, gate = [], RateGate(lambda seconds: slept(seconds))

    def slept(seconds: float) -> None:
        if not times:
            gate.close(50)
        times.append(round(seconds))

    gate.close(5)
    gate.wait()
    assert times == [5, 50]


def test_a_token_that_is_tried_waits_with_the_others(clock):
    clock.client._gate.close(9)
    bearer = clock.client.as_bearer("a-token-that-nobody-has")
    with pytest.raises(LockoutError):
        bearer.get(TOKENS)
    assert clock.waits == [9]


@pytest.mark.parametrize(
    "switches",
    [{}, {"page_cap": 2}, {"page_cap": 2, "page_gaps": 3}, {"page_cap": 1}, {"page_cap": 3, "page_overlap": 2}],
    ids=str,
)
def test_paging_follows_the_server_whatever_its_pages_are_like(company, switches):
    expected = {company.sim.add_token(PAY, f"t{number}").id for number in range(7)}
    company.sim.switches.update(switches)
    seen = [value["id"] for value, _answer in _pages.by_start(company.client(), TOKENS)]
    assert set(seen) == expected
    assert [token.id for token in company.api().tokens(_owner(PAY)).tokens] == list(dict.fromkeys(seen))
    assert company.sim.requests[0].query == "start=0&limit=1000"


def _owner(path: str) -> t.Any:
    return SimpleNamespace(path=path)


def page(**fields: t.Any) -> dict[str, t.Any]:
    return {"values": [{}], "isLastPage": False, "nextPageStart": 1, **fields}


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param([[]], id="no-page"),
        pytest.param([None], id="null"),
        pytest.param([{"isLastPage": True}], id="no-values"),
        pytest.param([{"values": {}, "isLastPage": True}], id="values-no-list"),
        pytest.param([{"values": []}], id="last-or-not"),
        pytest.param([page(isLastPage="true")], id="last-as-text"),
        pytest.param([page(nextPageStart=None)], id="no-next-start"),
        pytest.param([page(nextPageStart=True)], id="boolean-start"),
        pytest.param([page(nextPageStart=0)], id="starts-again"),
        pytest.param([page(nextPageStart=5), page(nextPageStart=5)], id="stays-where-it-is"),
        pytest.param([page(nextPageStart=5), page(nextPageStart=3)], id="goes-back"),
    ],
)
def test_a_listing_that_is_none_or_loops_is_an_error_and_not_empty(bodies):
    client = Client("http://bitbucket.test", Credential(token="t"), t.cast("t.Any", CannedTransport(*bodies)))
    with pytest.raises(AnswerError, match=r"^GET /x: the answer"):
        list(_pages.by_start(client, "/x"))


def test_an_empty_listing_still_brings_its_answer(company):
    ((value, answer),) = _pages.by_start(company.client(), TOKENS)
    assert (value, answer.now) == (None, company.sim.clock.now_ms())


def test_every_mutation_says_no_check_and_sends_json(company, client):
    for call in CALLS.values():
        call(client)
    mutations = [call for call in company.adapter.calls if call.method != "GET"]
    assert [call.method for call in mutations] == ["POST", "DELETE", "PUT"]
    assert {call.headers["X-Atlassian-Token"] for call in mutations} == {"no-check"}
    assert {call.headers["Content-Type"] for call in mutations} == {"application/json"}


@pytest.mark.parametrize("fault", ["cut_json", "broken_json"])
def test_a_broken_answer_is_never_quoted(company, client, fault):
    company.sim.faults.arm(fault, method="PUT", at="in_secret")
    with pytest.raises(BitbucketError) as caught:
        client.create(TOKENS, NEW)
    secret = company.sim.tokens(PAY)[-1].secret
    assert not any(secret[start : start + 8] in str(caught.value) for start in range(5, 40, 8))


def test_a_cut_answer_passes_on_the_id_it_still_named(company, client):
    company.sim.faults.arm("broken_json", method="PUT")
    with pytest.raises(AnswerError) as caught:
        client.create(TOKENS, NEW)
    assert caught.value.token_id == company.ids()[-1]


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("https://bitbucket.example.com", True),
        ("http://bitbucket.example.com:7990/bitbucket/ ", True),
        ("bitbucket.example.com", False),
        ("ftp://bitbucket.example.com", False),
        ("https://", False),
        ("https://bitbucket.example.com:port", False),
        ("https://admin:hunter2hunter2@bitbucket.example.com", False),
        ("https://admin:12/hunter2hunter2@bitbucket.example.com", False),
        ("https://@bitbucket.example.com", False),
        ("https://bitbucket.example.com/?token=hunter2hunter2", False),
        ("https://bitbucket.example.com/#x", False),
        ("https://bitbucket.example.com?", False),
        ("https://bitbucket.example.com/x#", False),
        ("https://bitbucket.ex\nample.com", False),
        ("", False),
    ],
)
def test_what_is_a_base_url(company, url, accepted):
    def made() -> Client:
        return Client(url, Credential(token="t"), company.client()._transport)

    if accepted:
        assert made().url == url.strip(" /")
        return
    with pytest.raises(InputError, match="base URL") as caught:
        made()
    assert "hunter2" not in str(caught.value)


def test_the_time_limit_reaches_every_request(company):
    company.client(settings=Settings(timeout=3)).get(TOKENS)
    assert company.adapter.calls[0].timeout == (3, 3)


ONE = "/users/5570%3Aabc/manage/api-tokens/7"
EVERYONES = [
    "/admin/api-access/v1/orgs/ORG/api-tokens",
    "/orgs/ORG/api-tokens",
    "/orgs/ORG/api-tokens/",
    "/orgs/ORG/api-tokens//",
    "/orgs/ORG/api-tokens/.",
    "/orgs/ORG/api-tokens?page=1",
    "/orgs/ORG/api-tokens#x",
    "/orgs/ORG/API-Tokens",
    "/orgs/ORG/api%2Dtokens",
    "/orgs/ORG/api%252Dtokens",
    "/orgs/ORG/%61pi-tokens",
    "/orgs/ORG/api-tokens/users/5570/manage/api-tokens/7",
    "/users/5570/manage/api-tokens",
    "/users/5570/manage/api-tokens/",
    "/users//manage/api-tokens/7",
    "/users/../manage/api-tokens/7",
    "/users/5570/manage/api-tokens/..",
    "/users/5570/manage/api-tokens/%2e%2e",
    "/users/5570/manage/api-tokens/.",
    "/users/5570/manage/api-tokens/7/..",
    "/users/5570/manage/api-tokens/x%2F..%2F..",
    "/users/x/manage/api-tokens/..%2f..%2f..%2f..%2forgs%2fORG%2fapi-tokens",
    "/users/x%2f..%2f..%2forgs%2fORG%2fapi-tokens%3f/manage/api-tokens/7",
    "/users/x/manage/api-tokens/..%5c..%5corgs",
]


@pytest.mark.parametrize("path", EVERYONES)
@pytest.mark.parametrize("base", [BASE, f"{BASE}/admin/api-access/v1"])
def test_c12_what_could_revoke_more_than_one_api_token_is_never_sent(base, path):
    transport = FakeTransport(answer(204))
    client = Client(base, Credential(token="k"), t.cast("t.Any", transport))
    with pytest.raises(GuardError, match=r"refused before it was sent, since it could revoke more than one"):
        client.delete(path)
    assert transport.asked == []


@pytest.mark.parametrize("base", [f"{BASE}/orgs/ORG/api-tokens", f"{BASE}/orgs/ORG/api-tokens/.."])
def test_c12_no_base_url_leads_around_it(base):
    transport = FakeTransport(answer(204))
    for path in ("", "/", ONE):
        with pytest.raises(GuardError):
            Client(base, Credential(token="k"), t.cast("t.Any", transport)).delete(path)
    assert transport.asked == []


@pytest.mark.parametrize(
    "path", [ONE, "/users/5570/manage/api-tokens/a.b-c", "/rest/access-tokens/latest/projects/X/1"]
)
def test_one_token_can_be_deleted(path):
    transport = FakeTransport(answer(204))
    transport.client().delete(path)
    assert transport.asked == [f"DELETE {path}"]


def test_reading_everyones_tokens_is_not_deleting_them():
    transport = FakeTransport(answer(200, {}))
    transport.client().get("/orgs/ORG/api-tokens")
    assert transport.asked == ["GET /orgs/ORG/api-tokens"]


def test_every_request_passes_the_guard():
    """One call of the transport, in one place, which only `_request` leads to."""
    source = Path(_client.__file__).read_text(encoding="utf-8")
    assert source.count("_transport.exchange(") == source.count("self._repeat(") == 1
    files = Path(_client.__file__).parents[1].rglob("*.py")
    elsewhere = [file for file in files if ".exchange(" in file.read_text("utf-8")]
    assert [file.name for file in elsewhere] == ["_client.py"]


def test_a_certificate_that_is_not_accepted_is_not_tried_again():
    asked = []

    class Distrusting:
        def exchange(self, *request):
            asked.append(request)
            raise CertificateError("It has expired.")

    client = Client("https://bitbucket.test", Credential("admin", "p"), Distrusting(), sleep=asked.append)
    with pytest.raises(CertificateError, match=r"^GET /x: It has expired\.$"):
        client.get("/x")
    assert len(asked) == 1
