"""Answers that get lost on the way: one delivered, live secret, or a clear failure and none; later no orphan."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_path
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _deadlines
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._connection import client_from
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token
from tests.reliability.world import World, world
from tests.simulator.server import running
from tests.unit.plugins.slow import raw_server, relays
from tests.unit.plugins.stand import company, token_params

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


def arm(place: World) -> None:
    """One owner for each fault once, and one for each fault every time."""
    for number, fault in enumerate([*FAULTS, *({**fault, "times": None} for fault in FAULTS)]):
        place.sim.faults.arm(method="PUT", path=f"{place.owners[number]}$", **fault)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("phase", ["first", "rotation"])
def test_a_lost_answer_delivers_a_live_secret_or_fails_and_leaves_no_orphan(tmp_path, phase, record_property):
    with world(tmp_path, owners=2 * len(FAULTS), grace=0) as place:
        if phase == "rotation":
            place.plant(stored=True, created_days_ago=8, expires_in_days=2, last_used_days_ago=1)
        before = place.stored()
        arm(place)
        status, said = place.role().run()
        assert status != 0
        assert place.dead() == []
        after = place.stored()
        for number, reference in enumerate(place.references):
            failed = owner_path(reference).rpartition("/")[2] in said.rpartition("Fail where")[2]
            delivered = after.get(reference) != before.get(reference)
            assert delivered != failed, (reference, FAULTS[number % len(FAULTS)], said)
            assert delivered or number >= len(FAULTS) or FAULTS[number]["kind"] == "wrong_secret", (number, said)
        place.sim.faults.clear()
        for _run in range(2):
            place.settle()
            assert not place.run().get("failed")
        assert (place.dead(), place.strays(), place.run()["changed"]) == ([], [], False)
    record_property("lost answers: tried", 2 * len(FAULTS))


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("retry_after", ["seconds", "date", "none"])
def test_a_rate_limit_makes_all_workers_wait_and_fails_nobody(tmp_path, retry_after):
    with world(tmp_path, owners=12) as place:
        place.sim.clock.unfreeze()
        place.sim.switches.update(
            {"rate_limit_capacity": 8, "rate_limit_refill": 8.0, "retry_after": retry_after, "rate_limit_body": "html"}
        )
        status, said = place.role().run()
        assert status == 0, said
        assert (place.dead(), place.strays()) == ([], [])
        limited = [entry for entry in place.sim.requests if entry.status == 429]
        # Who is told to wait waits a second at least, and everybody with him: only what was already on its way comes.
        told = limited[0].answered
        assert [entry for entry in place.sim.requests if told + 500 < entry.arrived < told + 950] == []
        # Each time the bucket is empty, at most the eight requests already on their way meet it.
        assert 0 < len(limited) <= 8 * 5


@pytest.mark.parametrize("slow", [1, 2], ids=["once", "each time"])
def test_an_answer_to_a_create_that_drips_is_a_lost_one(monkeypatch, slow):
    """The server has acted at once; what it says would take ten seconds, and the deadline is after two."""
    monkeypatch.setattr(_deadlines, "FACTOR", 2)
    stand, creates = company(), iter([True] * slow)
    with (
        running(stand.sim) as url,
        raw_server(relays(url, lambda method: method == "PUT" and next(creates, False))) as slowly,
    ):
        params = token_params(url=slowly, timeout=1, use_proxy=False)
        result = access_token.run(params, client_from(params), False)
    if slow == 1:
        assert stand.sim.authenticates(result["secret"])
    else:
        assert (result["failed"], "secret" in result) == (True, False)
        assert "2 times `timeout`" in result["msg"]
    # Never blindly: looked at in between, tried once more, and nothing revoked by guess.
    methods = [request.partition(" ")[0] for request in stand.requests]
    assert [method for method in methods if method != "GET"] == ["PUT", "PUT"]
    assert "GET" in methods[methods.index("PUT") :]
    assert len(stand.ids()) == 2
