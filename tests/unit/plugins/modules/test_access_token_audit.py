"""What the module lists for the action plugin; judging is tested with the code that judges."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError, LockoutError
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_audit
from tests.unit.plugins.stand import LEDGER, LOGIN, PAY, URL, Stand, checked


def run(stand: Stand, caller: str = "admin", **given: t.Any) -> dict[str, t.Any]:
    spec, constraints = access_token_audit.SPEC, access_token_audit.CONSTRAINTS
    return access_token_audit.run(checked(spec, constraints, {**LOGIN, **given}), stand.client(caller), False)


def test_by_itself_it_refuses_since_the_report_is_the_controllers(stand):
    with pytest.raises(InputError, match="runs on the controller"):
        run(stand)
    assert stand.requests == []


def test_owners_come_with_what_is_known_of_them(stand):
    result = run(stand, walk={}, projects=["PAY"], repositories=["PAY/old"], users=[])
    assert result == {
        "changed": False,
        "url": URL,
        "places": [(PAY, "Pay", f"{URL}/projects/PAY", "")],
        "guessed": [],
        "wanted": {"PAY": ["old"]},
        "unread": [],
        "notes": [],
    }
    assert run(stand, walk={"repositories": result["wanted"]}) == {
        "changed": False,
        "places": [("projects/PAY/repos/old", "old", f"{URL}/projects/PAY/repos/old/browse", "archived")],
        "unread": [],
    }


def test_tokens_come_with_exact_times_and_nothing_secret(stand):
    token = stand.sim.add_token(PAY, "ci", ["REPO_READ"], created_days_ago=2, expires_in_days=5, last_used_days_ago=1)
    result = run(stand, walk={"owners": [PAY, LEDGER]})
    now = stand.sim.clock.now_ms()
    expected = (token.id, "ci", ["REPO_READ"], token.created, token.expires, token.last_used)
    assert result["listings"] == [
        {"owner": PAY, "now": now, "tokens": [expected]},
        {"owner": LEDGER, "now": now, "tokens": []},
    ]
    assert token.secret not in str(result)
    assert stand.writes == []


def test_without_a_date_the_clock_is_not_guessed(stand):
    stand.sim.switches.date_header = "missing"
    assert run(stand, walk={"owners": [PAY]})["listings"][0]["now"] is None


def test_owners_that_refuse_or_are_gone_are_named_beside_the_others(stand):
    result = run(stand, caller="pat", walk={"owners": [PAY, "projects/SHOP", "users/admin", "projects/GONE"]})
    assert [listing["owner"] for listing in result["listings"]] == [PAY]
    assert [(failure["owner"], failure["reason"]) for failure in result["unread"]] == [
        ("projects/SHOP", "forbidden"),
        ("users/admin", "forbidden"),
        ("projects/GONE", "not_found"),
    ]


def test_a_wrong_password_is_tried_once(stand):
    stand.sim.world.users["admin"].password = "another-one-since-yesterday"
    with pytest.raises(LockoutError):
        run(stand, walk={"owners": [PAY, LEDGER, "projects/SHOP"]})
    assert len(stand.requests) == 1
