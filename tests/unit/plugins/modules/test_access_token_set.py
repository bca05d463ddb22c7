"""A declared set over many owners: what is asked for, what stops a run, and what one failure leaves alone."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    GuardError,
    InputError,
    LockoutError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._limits import FRESH
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner, owner_path
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._reconcile import Runtime
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_set
from tests.unit.plugins.company import CI, LEDGER, PAY, SHOP, Company, entry, new_company, set_params
from tests.unit.plugins.memory_delivery import MemoryDelivery

Result = dict[str, t.Any]
REFERENCES = [f"{owner}/tokens/{name}" for owner in (PAY, SHOP) for name in ("ci", "deploy")]


def run(company: Company, check: bool = False, **given: t.Any) -> Result:
    return access_token_set.run(set_params(**given), company.client(), check)


def held(result: Result, before: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
    """What a store has after it took what ``result`` brought."""
    return {**(before or dict.fromkeys(REFERENCES)), **{item["reference"]: item["id"] for item in result["issued"]}}


def mixture(company: Company) -> dict[str, str | None]:
    """Something of everything in PAY; SHOP has nothing."""
    add = company.sim.add_token
    current = add(PAY, "ci", ["REPO_ADMIN"], created_days_ago=20, expires_in_days=70)
    add(PAY, "ci", created_days_ago=80, expires_in_days=10)
    add(PAY, "ci", created_days_ago=19, expires_in_days=71)
    due = add(PAY, "renamed", ["REPO_WRITE"], created_days_ago=80, expires_in_days=10, last_used_days_ago=1)
    for owner, name in ((PAY, "old-1"), (SHOP, "old-2"), (SHOP, "mine")):
        add(owner, name)
    return {**dict.fromkeys(REFERENCES), REFERENCES[0]: current.id, REFERENCES[1]: due.id}


def test_check_mode_writes_nothing_and_predicts_what_is_then_done(company):
    given = {"stored": mixture(company), "prune": ["old-*"]}
    predicted = run(company, check=True, **given)
    assert company.writes == []
    real = run(company, **given)
    assert Counter(request.split()[0] for request in company.writes) == {"POST": 2, "PUT": 3, "DELETE": 4}
    assert predicted["diff"] == real["diff"]
    assert predicted["counts"] == real["counts"]
    assert predicted.keys() == real.keys()
    assert [change["reason"] for change in predicted["changes"]] == [change["reason"] for change in real["changes"]]
    assert (predicted["secrets"], set(real["secrets"])) == ({}, set(REFERENCES[1:]))


def test_check_mode_can_assume_that_a_task_before_has_revoked_something(company):
    leaked, other = (company.sim.add_token(owner, "ci", expires_in_days=90) for owner in (PAY, SHOP))
    given = {"set": [entry()], "stored": {CI: leaked.id, f"{SHOP}/tokens/ci": other.id}, "missing_secret": "fail"}
    predicted = run(company, check=True, assume_revoked=[leaked.id], **given)
    assert [(step["reference"], step["reason"]) for step in predicted["changes"]] == [(CI, "secret_revoked")]
    assert predicted["diff"]["before"] == {CI: {}}
    # What is still there is not revoked, whatever is said.
    assert run(company, assume_revoked=[leaked.id], **given)["changes"] == []
    company.api().revoke(Owner(project="PAY"), leaked.id)
    assert run(company, **given)["diff"] == predicted["diff"]


def test_a_second_run_with_what_is_then_stored_changes_nothing(company):
    stored = mixture(company)
    first = run(company, stored=stored, prune=["old-*"])
    second = run(company, stored=held(first, stored), prune=["old-*"])
    assert (second["changed"], second["changes"], second["failures"]) == (False, [], [])
    assert second["counts"] == {
        "owners": 2,
        "owners_failed": 0,
        "tokens": 4,
        "issued": 0,
        "updated": 0,
        "revoked": 0,
    }


def test_nothing_to_do_is_one_request_for_each_owner_and_the_pages_of_globs(company):
    given: Result = {"projects": ["PAY", "S*"], "repositories": ["PAY/*"], "users": ["pat"], "set": [entry()]}
    for owner in (PAY, SHOP, LEDGER, "users/pat"):
        company.sim.add_token(owner, "ci", expires_in_days=80, created_days_ago=10)
    company.sim.requests.clear()
    assert run(company, **given)["changed"] is False
    assert Counter(company.requests) == Counter(
        ["GET projects", "GET repos", f"GET {PAY}", f"GET {SHOP}", f"GET {LEDGER}", "GET users/pat"]
    )
    company.sim.switches.page_cap = 2
    run(company, **given)
    assert Counter(company.requests)["GET projects"] == 2


@pytest.mark.parametrize("concurrency", [1, 8])
def test_one_owners_failure_stops_no_other(company, concurrency):
    company.sim.add_project("LAST")
    company.sim.faults.arm(
        "status", path="projects/SHOP", method="PUT", status=400, message="Too many tokens", times=None
    )
    owners = ["PAY", "NOPE", "SHOP", "LAST"]
    result = run(company, projects=owners, concurrency=concurrency)
    assert set(result["secrets"]) == {
        f"projects/{key}/tokens/{name}" for key in ("PAY", "LAST") for name in ("ci", "deploy")
    }
    assert [(item["owner"], item["reference"]) for item in result["failures"]] == [
        ("projects/NOPE", None),
        (SHOP, f"{SHOP}/tokens/ci"),
        (SHOP, f"{SHOP}/tokens/deploy"),
    ]
    assert result["failed"]
    assert result["msg"].startswith("3 failures: ")
    assert "Project NOPE does not exist." in result["msg"]
    assert result["counts"] == {**result["counts"], "owners": 4, "owners_failed": 2, "issued": 4}


def test_a_failure_message_stays_short(company):
    result = run(company, projects=[f"NO{number}" for number in range(5)])
    assert result["msg"].endswith("and 2 more, all in `failures`")


def test_a_wrong_password_costs_one_failed_login(company):
    with pytest.raises(LockoutError, match="password is wrong"):
        access_token_set.run(set_params(projects=["A", "B", "C"]), company.client(password="wrong"), False)
    assert len(company.requests) == 1


@pytest.mark.parametrize("kept", [{}, {"stored": None}], ids=["no store", "stored"])
def test_a_credential_refused_in_the_middle_stops_the_rest_and_loses_no_secret(company, kept):
    last = [f"projects/LAST/tokens/{name}" for name in ("ci", "deploy")]
    kept = {"stored": dict.fromkeys([*REFERENCES, *last])} if kept else {}
    company.sim.add_project("LAST")
    company.sim.add_token(PAY, "old-1")
    refusal = {"status": 401, "exception_name": "com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException"}
    company.sim.faults.arm("status", path="projects/SHOP", method="PUT", times=None, **refusal)
    result = run(company, projects=["PAY", "SHOP", "LAST"], prune=["old-*"], concurrency=1, **kept)
    assert set(result["secrets"]) == set(REFERENCES[:2])
    assert company.writes == [f"PUT {PAY}", f"PUT {PAY}", f"PUT {SHOP}"]
    reasons = [(item["owner"], item["reason"]) for item in result["failures"]]
    assert reasons == [(SHOP, "credential"), ("projects/LAST", "stopped")]


def grown(company: Company, count: int, **token: t.Any) -> Company:
    for number in range(count):
        company.sim.add_project(f"P{number}")
        company.sim.add_token(f"projects/P{number}", "ci", **token)
    company.sim.requests.clear()
    return company


GUARDS = [
    ({"set": [entry(state="absent")]}, "max_revocations", "would be revoked as undeclared or absent"),
    ({"set": [entry("new")], "prune": ["c?"]}, "max_revocations", "would be revoked as undeclared or absent"),
    ({"missing_secret": "reissue", "set": [entry()]}, "max_reissues", "check that `store` names the right place"),
]


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize(("given", "limit", "sentence"), GUARDS, ids=["absent", "undeclared", "reissues"])
def test_eleven_stop_the_run_before_the_first_write_and_ten_do_not(company, given, limit, sentence, check):
    grown(company, 11, last_used_days_ago=1)
    stored = {f"projects/P{number}/tokens/{given['set'][0]['name']}": None for number in range(11)}
    if check:
        result = run(company, check, projects=["P*"], stored=stored, **given)
        assert (result["failed"], result["failures"][-1]["reason"]) == (True, "guard")
        assert re.search(f"11 .*{sentence}.*{limit}", result["msg"])
        owners = {f"projects/P{number}" for number in range(11)}
        assert {owner_path(change["reference"]) for change in result["changes"]} == owners
        assert {owner_path(reference) for reference in result["diff"]["before"]} == owners
    else:
        with pytest.raises(GuardError, match=f"11 .*{sentence}.*{limit}"):
            run(company, check, projects=["P*"], stored=stored, **given)
    assert company.writes == []
    assert run(company, check, projects=["P?"], stored=stored, **given)["changed"]
    assert run(company, check, projects=["P*"], stored=stored, **{**given, limit: 11})["changed"]


def test_reissues_count_only_what_lives_and_was_used(company):
    grown(company, 6)
    for number in range(6, 12):
        company.sim.add_project(f"P{number}")
        company.sim.add_token(f"projects/P{number}", "ci", expires_in_days=-1, last_used_days_ago=2)
    stored = {f"projects/P{number}/tokens/ci": None for number in range(12)}
    given = {"projects": ["P*"], "set": [entry()], "stored": stored, "max_reissues": 0}
    assert run(company, **given)["counts"]["issued"] == 12


def test_without_a_store_all_are_issued(company):
    result = run(company, projects=["PAY"], set=[entry(f"t{number}") for number in range(201)])
    assert len(result["issued"]) == 201


def test_what_the_caller_said_it_stored_too_long_ago_revokes_nothing(company):
    clock = [0.0]
    token = company.sim.add_token(PAY, "ci", created_days_ago=9, expires_in_days=81)
    company.sim.add_token(PAY, "ci", created_days_ago=99, expires_in_days=-9)
    wait = {"when": "after", "run": lambda: clock.__setitem__(0, FRESH + 1)}
    company.sim.faults.arm("call", method="GET", path=f"{PAY}$", **wait)
    given = set_params(projects=["PAY"], set=[entry()], stored={CI: token.id})
    result = access_token_set.run(given, company.client(), False, runtime=Runtime(clock=lambda: clock[0]))
    assert [failure["reason"] for failure in result["failures"]] == ["too_slow"]
    assert result["changed"] is False


def test_a_reference_without_an_entry_fails_its_owner_before_any_write(company):
    result = run(company, stored={reference: None for reference in REFERENCES if reference != CI})
    assert [(item["owner"], item["msg"].split(":")[0]) for item in result["failures"]] == [
        (PAY, f"The store returned no answer for {CI}")
    ]
    assert set(company.writes) == {f"PUT {SHOP}"}


def test_pruning_spares_an_owner_for_which_anything_failed(company):
    company.sim.add_token(PAY, "ci", last_used_days_ago=1)
    company.sim.add_token(PAY, "old-1")
    company.sim.add_token(SHOP, "old-2")
    for check in (True, False):
        result = run(company, check, stored=dict.fromkeys(REFERENCES), prune=["old-*"])
        assert [change["reference"] for change in result["changes"] if change["step"] == "revoke"] == [
            f"{SHOP}/tokens/old-2"
        ]
    assert {token.name for token in company.sim.tokens(PAY)} == {"ci", "old-1", "deploy"}


@pytest.mark.parametrize("stores", ["the caller", "a delivery"])
def test_without_issuing_what_is_due_is_still_updated_and_revoked(company, stores):
    stored = mixture(company)
    if stores == "the caller":
        result = run(company, stored=stored, issue=False)
    else:
        given = set_params(store="file:/x", issue=False)
        result = access_token_set.run(given, company.client(), False, MemoryDelivery(stored))
    assert Counter(change["step"] for change in result["changes"]) == {"update": 1, "revoke": 2}


def test_where_the_caller_stores_retiring_waits_for_the_next_run(company):
    old = company.sim.add_token(PAY, "ci", created_days_ago=80, expires_in_days=10)
    given: Result = {"projects": ["PAY"], "set": [entry(grace_days=0)]}
    first = run(company, stored={CI: old.id}, **given)
    assert [change["step"] for change in first["changes"]] == ["issue"]
    company.sim.clock.advance(hours=1)
    second = run(company, stored=held(first, {}), **given)
    assert [change["reason"] for change in second["changes"]] == ["superseded"]


INPUT = [
    ({"projects": []}, "No owner is declared"),
    ({"repositories": ["ledger"]}, "must be written as KEY/slug"),
    ({"set": []}, "`set` is empty and no override adds one"),
    ({"set": [], "prune": ["*"]}, "`prune` would revoke every token it has"),
    ({"set": [entry(), entry()]}, "Two tokens of project PAY are declared with the same name, ci"),
    ({"set": [entry(" ci"), entry("ci ")]}, "with the same name, ci"),
    ({"overrides": {"PYA": [entry()]}}, "`overrides` names PYA, which is not one of the declared owners"),
    ({"overrides": {"PAY/ledger": [entry()]}}, "which is not one of the declared owners"),
    ({"overrides": {"PAY": "ci"}}, "`overrides.PAY` must be a list"),
    ({"overrides": {"PAY": [{"nmae": "ci"}]}}, "`overrides.PAY`: "),
    ({"overrides": {"PAY": [{"name": "ci", "expires_in_days": 2}]}}, "Token ci of project PAY: `expires_in_days` is 2"),
    ({"set": [entry(permissions="REPO_RED")]}, "did you mean REPO_READ?"),
    ({"set": [entry("n" * 256)]}, "at most 255 characters"),
    (
        {"repositories": ["PAY/ledger"], "set": [entry(permissions="PROJECT_READ")]},
        "Token ci of repository PAY/ledger: ",
    ),
    ({"stored": {CI: 12345670123}}, f"`stored.{CI}` is a number"),
    ({"rotate_created_before": "yesterday"}, "must be an ISO 8601 date or time"),
    ({"store": "file:/x"}, "is for the action plugin"),
]


@pytest.mark.parametrize(("given", "sentence"), INPUT, ids=[sentence for _given, sentence in INPUT])
def test_what_cannot_be_right_is_one_sentence_before_any_request(company, given, sentence):
    with pytest.raises(InputError) as caught:
        run(company, **given)
    assert sentence in str(caught.value)
    assert company.requests == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"projects": ["TEAM*"]}, "TEAM* matches no project that you administer"),
        ({"repositories": ["PAY/x*"]}, "PAY/x* matches no repository that you can see"),
        ({"repositories": ["SHOP/*"]}, "SHOP/* matches no repository that you can see"),
        ({"users": ["No Body"]}, "There is no user called No Body"),
    ],
    ids=str,
)
def test_what_is_not_found_is_a_failure_of_its_own_and_the_others_go_on(company, given, sentence):
    given = {**given, "projects": ["PAY", *given.get("projects", [])]}
    result = run(company, **given)
    (failure,) = result["failures"]
    assert (failure["reason"], failure["reference"]) == ("no_match", None)
    assert sentence in failure["msg"]
    assert (result["failed"], result["reason"], result["msg"]) == (True, "no_match", failure["msg"])
    assert (result["counts"]["owners"], result["counts"]["owners_failed"], result["counts"]["issued"]) == (2, 1, 2)


def test_nothing_found_is_a_failure_with_the_same_keys(company):
    result = run(company, projects=["TEAM*"], overrides={"TEAM1": [entry("more")]})
    assert (result["failed"], result["changed"], result["counts"]["owners_failed"]) == (True, False, 1)


def test_overrides_change_and_add_for_their_owner_only(company):
    changed = [{"name": "ci", "expires_in_days": 30}, entry("extra"), {"name": "deploy", "state": "absent"}]
    result = run(company, overrides={"pay": changed})
    lifetimes = {item["reference"]: item["days_left"] for item in result["issued"]}
    assert lifetimes == {CI: 30, f"{PAY}/tokens/extra": 90, REFERENCES[2]: 90, REFERENCES[3]: 90}


def test_a_moment_that_has_passed_replaces_what_is_older(company):
    company.sim.add_token(PAY, "ci", created_days_ago=2, expires_in_days=88)
    for moment, reasons in (
        ("2026-01-13T09:00:00Z", []),
        ("2026-01-13T09:00:01", ["forced"]),
        ("2026-01-14", ["forced"]),
    ):
        result = run(company, True, projects=["PAY"], set=[entry()], rotate_created_before=moment)
        assert [change["reason"] for change in result["changes"]] == reasons
    future = run(company, projects=["PAY"], set=[entry()], rotate_created_before="2026-01-16")
    assert "is later than the server's clock" in future["msg"]


def test_without_a_usable_date_nothing_is_revoked_by_age_and_the_rest_goes_on():
    company = new_company(switches={"date_header": "missing"})
    stored = mixture(company)
    result = run(company, stored=stored)
    assert {item["reason"] for item in result["failures"]} == {"no_clock"}
    assert set(result["secrets"]) == set(REFERENCES[2:])
    assert company.sim.requests.count("DELETE") == 0


def test_secrets_are_only_where_they_belong(company):
    result = run(company)
    secrets = result.pop("secrets")
    assert len(set(secrets.values())) == 4
    assert all(company.sim.authenticates(secret) for secret in secrets.values())
    assert not any(secret in str(result) for secret in secrets.values())


@pytest.mark.parametrize(("losers", "more"), [(1, []), (3, []), (5, ["2 more are in `notes`"])])
def test_a_race_lost_over_many_owners_is_one_warning(company, losers, more):
    keys = [f"P{number}" for number in range(losers)]
    stored, ids = {}, []
    for key in keys:
        company.sim.add_project(key)
        held = company.sim.add_token(f"projects/{key}", "ci", expires_in_days=90, created_days_ago=0.02)
        ids.append(company.sim.add_token(f"projects/{key}", "ci", expires_in_days=90, created_days_ago=0.01).id)
        stored[f"projects/{key}/tokens/ci"] = held.id
    result = run(company, projects=keys, set=[entry()], stored=stored)
    (warning,) = result["warned"]
    commands = [
        f"projects/P{number}/tokens/ci: ansible localhost -m tokensmith.bitbucket.access_token "
        f"-a 'project=P{number} id={token_id} state=absent'"
        for number, token_id in enumerate(ids[:3])
    ]
    assert f"were kept: {losers}. " in warning
    assert warning.endswith(f"revoke it. {'; '.join([*commands, *more])}")
    assert [(note["id"], note["reason"]) for note in result["notes"]] == [(token_id, "namesake") for token_id in ids]
