"""The control endpoints, the clock, the switches and the seeds."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from pathlib import Path

import pytest

from tests.simulator import PROFILES, Clock, Request, Simulator, Switches, seed

from .conftest import LEDGER, PAY, new_simulator

COMPANY = Path(seed.__file__).parent / "seeds" / "company.yml"
JANUARY = "2026-01-15T09:00:00+00:00"


def ask(sim, method, resource, body=None) -> tuple[int, t.Any]:
    resource, _, query = resource.partition("?")
    content = b"" if body is None else json.dumps(body).encode()
    response = sim.handle(Request(method, f"/__simulator__/{resource}", query, body=content))
    return response.status, response.json()


@pytest.fixture
def sim():
    return new_simulator()


def test_the_state_lists_every_token_and_no_secret(sim):
    kept, gone = sim.add_token(PAY, "kept", expires_in_days=1), sim.add_token(LEDGER, "gone")
    sim.model.revoke(gone, sim.clock.now_ms())
    status, state = ask(sim, "GET", "state")
    assert status == 200
    assert [(token["id"], token["alive"]) for token in state["tokens"]] == [(kept.id, True)]
    assert [(token["id"], token["alive"]) for token in state["revoked"]] == [(gone.id, False)]
    assert state["counts"]["projects"] == state["counts"]["repositories"] == state["counts"]["issued"] == 2
    assert kept.secret not in json.dumps(state)
    assert kept.secret not in repr(kept)


@pytest.mark.parametrize(
    ("body", "now", "frozen"),
    [
        ({"advance_days": 2, "advance_hours": -1}, "2026-01-17T08:00:00+00:00", True),
        ({"set": "2030-06-01T00:00:00Z"}, "2030-06-01T00:00:00+00:00", True),
        ({"set": "2030-06-01", "advance_seconds": 1.5}, "2030-06-01T00:00:01.500000+00:00", True),
        ({"freeze": True}, JANUARY, True),
    ],
)
def test_the_clock_moves(sim, body, now, frozen):
    assert ask(sim, "POST", "clock", body) == ask(sim, "GET", "clock")
    answer = ask(sim, "GET", "clock")[1]
    assert (answer["now"], answer["frozen"]) == (now, frozen)


def test_an_unfrozen_clock_ticks_on_from_where_it_stood():
    clock = Clock()
    clock.unfreeze()
    assert clock.now().isoformat()[:17] == JANUARY[:17]
    clock.advance(days=1)
    clock.freeze()
    assert clock.now().isoformat()[:17] == "2026-01-16T09:00:"
    assert clock.now_ms() == clock.now_ms()


def test_the_log_counts_what_the_clients_sent_and_not_the_control_calls(front):
    front("GET", f"{PAY}?limit=3")
    front.create()
    front("GET", "projects/NOPE", auth=None)
    assert ask(front.sim, "GET", "requests?count=1")[1] == {"count": 3, "counts": {"GET": 2, "PUT": 1}}
    first, _second, third = ask(front.sim, "GET", "requests")[1]["requests"]
    assert (first["path"], first["query"]) == (f"/rest/access-tokens/latest/{PAY}", "limit=3")
    assert (first["user"], first["status"], third["user"], third["status"]) == ("admin", 200, None, 401)
    assert first["arrived"] == first["answered"] == front.sim.clock.now_ms()
    assert front.sim.requests.count("PUT") == 1
    ask(front.sim, "DELETE", "requests")
    assert len(front.sim.requests) == 0


def test_faults_are_armed_listed_and_cleared(front):
    armed = ask(front.sim, "POST", "faults", {"kind": "status", "status": 503, "method": "GET", "times": 1})
    assert armed == (200, ask(front.sim, "GET", "faults")[1]["faults"][0])
    assert front("GET", PAY).status_code == 503
    ask(front.sim, "DELETE", "faults")
    assert ask(front.sim, "GET", "faults")[1] == {"faults": []}


@pytest.mark.parametrize(
    ("method", "resource", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("POST", "faults", {"kind": "explode"}, 400),
        ("POST", "faults", {"kind": "call"}, 400),
        ("POST", "faults", {"kind": "html", "path": "("}, 400),
        ("POST", "faults", {}, 400),
        ("POST", "clock", {"advance_years": 1}, 400),
        ("POST", "clock", {"set": "soon"}, 400),
        ("POST", "switches", {"captcha": 1}, 400),
        ("POST", "switches", {"captcha_after": "often"}, 400),
        ("POST", "seed", {"bulk": 1}, 400),
        ("POST", "hold/release", {"all": True}, 400),
        ("POST", "authenticate", {}, 400),
        ("POST", "authenticate", [], 400),
    ],
)
def test_a_control_call_that_is_not_right_says_so(sim, method, resource, body, status):
    answered, body = ask(sim, method, resource, body)
    assert answered == status
    assert body["error"]


def test_switches_are_set_all_or_none(sim):
    assert ask(sim, "POST", "switches", {"token_limit": 3, "basic_auth": False})[1]["token_limit"] == 3
    assert ask(sim, "POST", "switches", {"token_limit": 5, "nonsense": 1})[0] == 400
    assert (sim.switches.token_limit, sim.switches.basic_auth) == (3, False)


def test_a_secret_is_looked_up_without_being_used(sim):
    token = sim.add_token(PAY, "x", expires_in_days=1)
    assert ask(sim, "POST", "authenticate", {"secret": token.secret})[1]["id"] == token.id
    assert token.last_used is None
    sim.clock.advance(days=1)
    assert ask(sim, "POST", "authenticate", {"secret": token.secret})[1]["alive"] is False
    assert ask(sim, "POST", "authenticate", {"secret": "x"})[1] == {"id": None, "alive": False}


def test_many_owners_are_planted_at_once(sim):
    body = {"bulk_projects": 3, "prefix": "B", "repositories_each": 2, "tokens_each": 1, "return_secrets": True}
    planted = ask(sim, "POST", "seed", {**body, "token": {"name": "old", "created_days_ago": 9}})[1]
    assert planted["counts"] == {"users": 0, "projects": 3, "repositories": 6, "tokens": 3}
    assert [(token["owner"], token["name"]) for token in planted["tokens"]] == [
        (f"projects/B{number}", "old") for number in (1, 2, 3)
    ]
    assert all(sim.authenticates(token["secret"]) for token in planted["tokens"])
    assert ask(sim, "POST", "seed", {"bulk_projects": 1, "prefix": "C"})[1]["counts"]["tokens"] == 0
    assert "tokens" not in ask(sim, "POST", "seed", {"tokens": [{"owner": PAY, "name": "x", "permissions": []}]})[1]


def test_the_company_is_what_its_readers_are_told():
    sim = Simulator("10.4", seed=1)
    planted = seed.plant(sim, seed.load(COMPANY))
    repositories = [repo for project in sim.model.projects.values() for repo in project.repositories.values()]
    assert list(sim.model.projects) == ["pay", "shop", "data", "ops"]
    assert (len(repositories), sum(repo.archived for repo in repositories)) == (9, 1)
    assert set(planted.passwords) == {user.name for user in sim.model.users.values()}
    assert len(planted.passwords) == len(set(planted.passwords.values())) == 6
    assert min(map(len, planted.passwords.values())) >= 20
    assert [token.name for token in planted.tokens if token.expired(sim.clock.now_ms())] == ["export"]
    assert "svc-ansible" in sim.switches.basic_auth_allowed_users
    assert sim.switches.basic_auth is False


def test_the_same_seed_makes_the_same_world():
    def secrets(number) -> list[str]:
        sim = new_simulator()
        sim.model.random.seed(number)
        return [sim.add_token(PAY, "x").secret for _number in range(3)]

    assert secrets(1) == secrets(1) != secrets(2)
    assert Simulator().model.password() != Simulator().model.password()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("basic_auth", "off", False),
        ("token_limit", "12", 12),
        ("max_expiry_days", "none", None),
        ("max_expiry_days", 7, 7),
        ("latency_ms", "2.5", 2.5),
        ("unknown_update_status", "400", 400),
        ("basic_auth_allowed_users", "a,b", ("a", "b")),
        ("basic_auth_allowed_users", ["a"], ("a",)),
        ("expiry_rounding", "up", "up"),
    ],
)
def test_switches_read_text_and_values(sim, name, value, expected):
    setattr(sim.switches, name, value)
    assert getattr(sim.switches, name) == expected


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("expiry_roundings", "up", AttributeError),
        ("expiry_rounding", "sideways", ValueError),
        ("basic_auth", "maybe", ValueError),
        ("token_limit", None, ValueError),
        ("max_expiry_days", "many", ValueError),
    ],
)
def test_a_switch_cannot_be_mistyped(sim, name, value, error):
    with pytest.raises(error):
        setattr(sim.switches, name, value)


def test_every_switch_is_documented_and_every_choice_can_be_taken(sim):
    facts = (COMPANY.parent.parent / "FACTS.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(Switches):
        assert f"`{field.name}`" in facts, f"FACTS.md does not name the switch {field.name}"
        hint = t.get_type_hints(Switches)[field.name]
        for choice in t.get_args(hint) if t.get_origin(hint) is t.Literal else ():
            setattr(sim.switches, field.name, choice)


def test_profiles_differ_only_where_the_facts_do():
    with pytest.raises(ValueError, match="no profile"):
        Simulator("6.10")
    off = {profile: Simulator(profile).switches.basic_auth for profile in PROFILES}
    assert off == {"7.21": True, "8.19": True, "9.4": True, "10.4": False}
    policy = [profile for profile in PROFILES if Simulator(profile).switches.expiry_policy_endpoint]
    assert policy == ["8.19"]
