"""Answers that get lost on the way: one delivered, live secret, or a clear failure and none; later no orphan."""

from __future__ import annotations

import json
import re
import typing as t
from email.utils import parsedate_to_datetime

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_path
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _body
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._connection import client_from
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token
from tests.reliability.sandbox import Sandbox, sandbox
from tests.simulator.faults import Fault
from tests.simulator.server import running
from tests.unit.plugins.company import new_company, token_params
from tests.unit.plugins.slow_servers import raw_server, relays

#: What happens to the answer to a create. With ``times`` 2 it happens to the second try as well.
FAULTS: list[dict[str, t.Any]] = [
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "status", "status": 502, "when": "after"},
    {"kind": "status", "status": 503, "when": "after", "body": "html"},
    {"kind": "status", "status": 500, "when": "after", "body": "empty"},
    {"kind": "html", "when": "after"},
    {"kind": "cut_json", "at": "before_id"},
    {"kind": "cut_json", "at": "after_id"},
    {"kind": "cut_json", "at": "in_secret"},
    {"kind": "broken_json", "at": "in_secret"},
    {"kind": "no_secret"},
    {"kind": "wrong_secret", "secret": "other_id"},
]


def arm(place: Sandbox) -> list[Fault]:
    """One owner for each fault once, and one for each fault every time."""
    return [
        place.sim.faults.arm(method="PUT", path=f"{place.owners[number]}$", **fault)
        for number, fault in enumerate([*FAULTS, *({**fault, "times": None} for fault in FAULTS)])
    ]


def struck(armed: list[Fault]) -> int:
    """How often answers were lost: a create is tried twice, but not after an answer with another's secret."""
    wanted = [1 if fault.times == 1 or fault.kind == "wrong_secret" else 2 for fault in armed]
    assert [fault.hits for fault in armed] == wanted
    return sum(wanted)


def told(said: str) -> list[str]:
    """What the role reports of each owner that failed."""
    shown = said.partition("Report what was done]")[2].partition(" => ")[2]
    lines: list[str] = json.JSONDecoder().raw_decode(shown)[0]["msg"]
    return [line.removeprefix("failed: ") for line in lines if line.startswith("failed: ")]


def is_about(sentence: str, reference: str) -> bool:
    lost = (
        f"PUT .*/{owner_path(reference)}: .+ This happened twice, and no secret of {reference} arrived. If a token .+"
    )
    other = rf"{reference}: the server's answer contains no valid secret of token \d+ .+ The token was revoked\."
    return re.fullmatch(f"{lost}|{other}", sentence) is not None


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("phase", ["first", "rotation"])
def test_a_lost_answer_delivers_a_live_secret_or_fails_and_leaves_no_orphan(tmp_path, phase, record_property):
    with sandbox(tmp_path, owners=2 * len(FAULTS), grace=0) as place:
        if phase == "rotation":
            place.plant(stored=True, created_days_ago=8, expires_in_days=2, last_used_days_ago=1)
        before = place.stored()
        armed = arm(place)
        status, said = place.role().run()
        record_property("lost answers: tried", struck(armed))
        assert (status != 0, place.dead(), "Traceback" in said) == (True, [], False), said
        after, sentences = place.stored(), told(said)
        failed = [
            reference
            for reference, fault in zip(place.references, armed, strict=True)
            if fault.times is None or fault.kind == "wrong_secret"
        ]
        assert [item for item in place.references if after.get(item) == before.get(item)] == failed, said
        assert len(sentences) == len(failed)
        for reference in failed:
            assert sum(is_about(sentence, reference) for sentence in sentences) == 1, (reference, sentences)
        place.sim.faults.clear()
        # The first run delivers what is missing; the next one finds what was left over older than what is stored.
        for _run in range(2):
            place.settle()
            assert not place.run().get("failed")
        assert (place.dead(), place.strays(), place.run()["changed"]) == ([], [], False)


def limit_once(place: Sandbox, retry_after: str) -> Fault:
    """Exactly one 429. The first owner is served alone, to see whether that goes well at all: so it meets one that is
    served beside seven others.
    """

    def limit() -> Fault:
        value = {"seconds": 2, "date": place.sim.clock.http_date(age_seconds=-5), "none": None}[retry_after]
        return place.sim.faults.arm("status", status=429, retry_after=value, method="PUT", path="P05$")

    armed: list[Fault] = []
    # A date lies ahead from when it is needed, not from when Ansible is started.
    place.sim.faults.arm("call", method="GET", path="P05$", run=lambda: armed.append(limit()))
    status, said = place.role().run()
    assert status == 0, said
    assert (place.dead(), place.strays()) == ([], [])
    return armed[0]


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("retry_after", ["seconds", "date", "none"])
def test_who_is_told_to_wait_holds_back_all_workers(tmp_path, retry_after, record_property):
    # So slow that the others would go on for longer than what is on its way takes to arrive.
    with sandbox(tmp_path, owners=48, latency_ms=200) as place:
        place.sim.clock.unfreeze()
        fault = limit_once(place, retry_after)
        (limited,) = [entry for entry in place.sim.requests if entry.status == 429]
        opens = limited.answered + 2000
        if retry_after == "date":
            opens = int(parsedate_to_datetime(str(fault.retry_after)).timestamp() * 1000)
        late = limited.answered + 500
        assert late + 1000 < opens
        assert [entry for entry in place.sim.requests if late < entry.arrived < opens - 100] == []
        created = {entry.path for entry in place.sim.requests if entry.method == "PUT" and entry.arrived <= late}
        assert len(created) < len(place.owners) - 8, "nobody was left to be held back"
        record_property("rate limits: waited out", 1)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("retry_after", ["seconds", "date", "none"])
def test_a_rate_limit_fails_nobody(tmp_path, retry_after, record_property):
    with sandbox(tmp_path, owners=12) as place:
        place.sim.clock.unfreeze()
        place.sim.switches.update(
            {"rate_limit_capacity": 8, "rate_limit_refill": 8.0, "retry_after": retry_after, "rate_limit_body": "html"}
        )
        status, said = place.role().run()
        assert status == 0, said
        assert (place.dead(), place.strays()) == ([], [])
        limited = sum(entry.status == 429 for entry in place.sim.requests)
        # Each time the bucket is empty, at most the eight requests already on their way meet it, and then wait.
        assert 0 < limited <= 8 * 3
        record_property("rate limits: waited out", limited)


@pytest.mark.parametrize("slow", [1, 2], ids=["once", "each time"])
def test_an_answer_to_a_create_that_drips_is_a_lost_one(monkeypatch, slow, record_property):
    """The server has acted at once; its body would take several seconds, and the deadline is after two."""
    monkeypatch.setattr(_body, "FACTOR", 2)
    company, creates = new_company(), iter([True] * slow)
    with (
        running(company.sim) as url,
        raw_server(relays(url, lambda method: method == "PUT" and next(creates, False))) as slowly,
    ):
        params = token_params(url=slowly, timeout=1, use_proxy=False)
        result = access_token.run(params, client_from(params), False)
    if slow == 1:
        assert company.sim.authenticates(result["secret"])
    else:
        assert (result["failed"], "secret" in result) == (True, False)
        assert "2 times `timeout`" in result["msg"]
    # Never blindly: looked at in between, tried once more, and nothing revoked by guess.
    methods = [request.partition(" ")[0] for request in company.requests]
    assert [method for method in methods if method != "GET"] == ["PUT", "PUT"]
    assert "GET" in methods[methods.index("PUT") :]
    assert len(company.ids()) == 2
    record_property("lost answers: tried", slow)
