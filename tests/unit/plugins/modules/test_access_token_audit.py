"""What the module lists for the action plugin; judging is tested with the code that judges."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError, LockoutError
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_audit
from tests.unit.plugins.company import LEDGER, LOGIN, PAY, URL, Company, checked


def run(company: Company, caller: str = "admin", **given: t.Any) -> dict[str, t.Any]:
    spec, constraints = access_token_audit.SPEC, access_token_audit.CONSTRAINTS
    return access_token_audit.run(checked(spec, constraints, {**LOGIN, **given}), company.client(caller), False)


def test_by_itself_it_refuses_since_the_report_is_the_controllers(company):
    with pytest.raises(InputError, match="runs on the controller"):
        run(company)
    assert company.requests == []


def test_owners_come_with_what_is_known_of_them(company):
    result = run(company, walk={}, projects=["PAY"], repositories=["PAY/old"], users=[])
    assert result == {
        "changed": False,
        "url": URL,
        "places": [(PAY, "Pay", f"{URL}/projects/PAY", "")],
        "guessed": [],
        "wanted": {"PAY": ["old"]},
        "unread": [],
        "notes": [],
    }
    assert run(company, walk={"repositories": result["wanted"]}) == {
        "changed": False,
        "places": [("projects/PAY/repos/old", "old", f"{URL}/projects/PAY/repos/old/browse", "archived")],
        "unread": [],
    }


def test_tokens_come_with_exact_times_and_nothing_secret(company):
    token = company.sim.add_token(PAY, "ci", ["REPO_READ"], created_days_ago=2, expires_in_days=5, last_used_days_ago=1)
    result = run(company, walk={"owners": [PAY, LEDGER]})
    now = company.sim.clock.now_ms()
    expected = (token.id, "ci", ["REPO_READ"], token.created, token.expires, token.last_used)
    assert result["listings"] == [
        {"owner": PAY, "now": now, "tokens": [expected]},
        {"owner": LEDGER, "now": now, "tokens": []},
    ]
    assert token.secret not in str(result)
    assert company.writes == []


def test_without_a_date_the_clock_is_not_guessed(company):
    company.sim.switches.date_header = "missing"
    assert run(company, walk={"owners": [PAY]})["listings"][0]["now"] is None


def test_owners_that_refuse_or_are_gone_are_named_beside_the_others(company):
    result = run(company, caller="pat", walk={"owners": [PAY, "projects/SHOP", "users/admin", "projects/GONE"]})
    assert [listing["owner"] for listing in result["listings"]] == [PAY]
    assert [(failure["owner"], failure["reason"]) for failure in result["unread"]] == [
        ("projects/SHOP", "forbidden"),
        ("users/admin", "forbidden"),
        ("projects/GONE", "not_found"),
    ]


def test_a_wrong_password_is_tried_once(company):
    company.sim.model.users["admin"].password = "another-one-since-yesterday"
    with pytest.raises(LockoutError):
        run(company, walk={"owners": [PAY, LEDGER, "projects/SHOP"]})
    assert len(company.requests) == 1
