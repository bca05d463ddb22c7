"""A run with a store, step by step: read, observe, issue, verify, write, read again, retire."""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
import time

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._limits import FRESH, RECENT
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Interruption
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens import _reconcile
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import REFUSED, UNCERTAIN

from .harness import CI, PAY, Site, SpoiltStore, Watched, ci, new_site, tree

OLD = {"created_days_ago": 80, "expires_in_days": 10, "last_used_days_ago": 1}
IDENTITY = "application-properties$"
MANY = [f"P{number}" for number in range(1, 251)]


def rotated(result):
    return [(change["step"], change["reason"]) for change in result["changes"]]


def reasons(result):
    return [failure["reason"] for failure in result["failures"]]


# Step 1: the store comes first.


def test_the_store_is_proven_and_read_before_the_first_request(site):
    site.store = Watched(site.store, before=lambda _verb: asked.append(len(site.sim.requests)))
    asked: list[int] = []
    site.run(ci())
    assert site.store.diary[:2] == ["prepare", "read"]
    assert asked[:2] == [0, 0]


@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check"])
def test_a_store_that_cannot_be_read_stops_the_run_before_any_request(site, check_mode):
    site.store = SpoiltStore(site.place, reads=0)
    result = site.run(ci(), check_mode=check_mode)
    assert (result["failed"], result["changed"], result["reason"]) == (True, False, "store")
    assert result["msg"] == f"file:{site.place} does not answer. Nothing was changed."
    assert len(site.sim.requests) == 0


@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check"])
def test_a_missing_directory_stops_the_run_before_any_request(site, check_mode):
    site.place.rmdir()
    site.place.parent.rename(site.place.parent.with_name("moved"))
    result = site.run(ci(), check_mode=check_mode)
    assert result["failed"]
    assert f"{site.place.parent} does not exist: create it first" in result["msg"]
    assert len(site.sim.requests) == 0


def test_a_place_below_which_the_reference_cannot_be_written_is_found_out_before_any_request(site):
    (site.place / "projects").write_text("somebody's notes", encoding="utf-8")
    result = site.run(ci())
    assert result["failed"]
    assert site.counts().get("PUT", 0) == 0, "a token was created although its secret cannot be kept"


# Step 2: issuing.


def test_a_first_run_delivers_what_works_and_a_second_changes_nothing(site):
    first = site.run(ci(), ci(name="deploy", permissions=["REPO_WRITE"]))
    assert rotated(first) == [("issue", "absent")] * 2
    assert first["changed"]
    for name in ("ci", "deploy"):
        assert site.sim.authenticates(site.secret(f"{PAY}/tokens/{name}"))
    site.sim.requests.clear()
    second = site.run(ci(), ci(name="deploy", permissions=["REPO_WRITE"]))
    assert (second["changed"], second["changes"], second["diff"]) == (False, [], {"before": {}, "after": {}})
    assert site.counts() == {"GET": 1}


def test_with_nothing_to_do_each_owner_costs_one_request(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY[:30])
    site.run(ci(), projects=MANY[:30])
    site.sim.requests.clear()
    assert not site.run(ci(), projects=MANY[:30])["changed"]
    assert site.counts() == {"GET": 30}


def test_many_tokens_are_delivered_while_others_are_issued_and_no_owner_is_listed_twice(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY)
    site.store = Watched(site.store)
    result = site.run(ci(), projects=MANY)
    assert result["counts"]["issued"] == 250
    assert site.store.diary[:2] == ["prepare", "read"]
    assert set(site.store.diary[2:]) == {"write"}
    assert site.counts() == {"GET": 250, "PUT": 250}
    assert all(site.sim.authenticates(site.secret(f"projects/{key}/tokens/ci")) for key in MANY)


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_no_more_secrets_wait_for_the_store_than_it_takes_in_one_write(tmp_path, batch):
    site = new_site(tmp_path / "secrets", projects=MANY[:40])
    waiting: list[int] = []
    site.store = Watched(site.store, before=lambda verb: verb == "write" and waiting.append(undelivered(site)))
    site.store.batch = batch
    site.run(ci(), projects=MANY[:40])
    assert max(waiting) <= batch
    assert len(waiting) >= 40 / batch


def undelivered(site: Site) -> int:
    """How many tokens of the simulator the store does not hold, a moment after the write was begun."""
    time.sleep(0.01)
    references = [f"projects/{key}/tokens/ci" for key in MANY[:40]]
    return len(list(site.sim.model.all_tokens())) - sum(map(bool, site.files().read(references).values()))


def test_more_than_two_hundred_tokens_of_one_owner_that_all_fail_come_to_an_end(site):
    site.sim.faults.arm("status", method="PUT", status=400, message="No more tokens", times=None)
    result = site.run(*[ci(name=f"t{number}") for number in range(205)])
    assert len(result["failures"]) == 205
    assert site.counts()["PUT"] == 205


def test_an_owner_that_fails_does_not_keep_the_others_from_theirs(tmp_path):
    site = new_site(tmp_path / "secrets", projects=["PAY", "SHOP"])
    result = site.run(ci(), projects=["PAY", "GONE", "SHOP"])
    assert result["failed"]
    assert [failure["owner"] for failure in result["failures"]] == ["projects/GONE"]
    assert result["counts"]["owners_failed"] == 1
    for key in ("PAY", "SHOP"):
        assert site.sim.authenticates(site.secret(f"projects/{key}/tokens/ci"))


def test_a_credential_that_is_refused_in_the_middle_loses_nothing_that_was_issued(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY)
    refusal = "com.atlassian.bitbucket.auth.IncorrectPasswordAuthenticationException"
    site.sim.faults.arm("status", method="PUT", nth=201, times=None, status=401, exception_name=refusal)
    result = site.run(ci(), projects=MANY, concurrency=1)
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["counts"]["issued"] == 200
    stored = [key for key in MANY if site.stored(f"projects/{key}/tokens/ci")]
    assert len(stored) == 200
    assert all(site.sim.authenticates(site.secret(f"projects/{key}/tokens/ci")) for key in stored)
    assert site.counts()["PUT"] == 201, "a refused credential was tried again"


# Step 3: verifying.


def test_a_first_secret_is_not_used_by_us(site):
    site.run(ci())
    assert site.sim.token(site.stored()).last_used is None
    assert site.counts() == {"GET": 1, "PUT": 1}


def test_a_successor_is_seen_to_work_before_it_is_written(site):
    site.issue_elsewhere(**OLD)
    site.store = Watched(site.store, before=lambda verb: used.append((verb, site.sim.tokens(PAY)[-1].last_used)))
    used: list[tuple[str, int | None]] = []
    site.run(ci())
    assert dict(used)["write"] is not None


def test_a_successor_that_the_server_refuses_is_revoked_and_nothing_else_is_touched(tmp_path):
    site = new_site(tmp_path / "secrets", projects=["PAY", "SHOP"])
    old = site.issue_elsewhere(**OLD)
    before = site.secret()
    site.sim.faults.arm("wrong_secret", method="PUT", path="projects/PAY", secret="dead")
    result = site.run(ci(grace_days=0), projects=["PAY", "SHOP"])
    assert reasons(result) == ["rejected"]
    assert site.secret() == before
    assert site.ids() == [old.id]
    assert site.alive(old)
    assert site.sim.authenticates(site.secret("projects/SHOP/tokens/ci"))


@pytest.mark.parametrize("options", [{}, {"prune": ["old-*"]}], ids=["alone", "with something to prune"])
def test_a_successor_that_could_not_be_verified_is_handed_over_and_nothing_is_retired_for_it(site, options):
    old = site.issue_elsewhere(**OLD)
    stray = site.sim.add_token(PAY, "old-jenkins")
    site.sim.faults.arm("status", path=IDENTITY, status=503, times=None)
    result = site.run(ci(grace_days=0), **options)
    assert site.alive(stray), "an owner is pruned although not every step of it succeeded"
    assert site.stored() not in (None, old.id)
    assert site.alive(old), "the predecessor is gone although nobody has seen the successor work"
    assert ("revoke", "superseded") not in rotated(result)


def test_an_older_token_keeps_its_rights_while_nobody_has_seen_the_successor_work(site):
    old = site.issue_elsewhere(permissions=["REPO_ADMIN"], **OLD)
    site.sim.faults.arm("status", path=IDENTITY, status=503, times=None)
    site.run(ci())
    assert site.stored() != old.id
    assert site.sim.token(old.id).permissions == ("REPO_ADMIN",)


def test_a_verification_that_is_refused_for_want_of_permission_counts_as_working(site):
    old = site.issue_elsewhere(**OLD)
    refusal = "com.atlassian.bitbucket.AuthorisationException"
    site.sim.faults.arm("status", path=IDENTITY, status=401, exception_name=refusal)
    result = site.run(ci(grace_days=0))
    assert "failed" not in result
    assert not site.alive(old)


# Step 4: writing, compare-and-set.


def test_every_entry_says_what_it_replaces(tmp_path):
    site = new_site(tmp_path / "secrets", projects=["PAY", "SHOP"])
    old = site.issue_elsewhere(**OLD)
    site.store = Watched(site.store)
    site.run(ci(), projects=["PAY", "SHOP"])
    assert {entry.reference: entry.replaces for entry in site.store.entries} == {
        CI: old.id,
        "projects/SHOP/tokens/ci": None,
    }


@pytest.mark.parametrize("rotation", [False, True], ids=["first issue", "rotation"])
def test_a_lost_race_is_no_error_and_leaves_the_winners_token(site, rotation):
    if rotation:
        site.issue_elsewhere(**OLD)
    rival = dataclasses.replace(site)
    winners = []
    # The rival runs from read to write while our create is on its way.
    site.sim.faults.arm("call", method="PUT", when="before", run=lambda: winners.append(rival.run(ci())))
    result = site.run(ci())
    assert "failed" not in result
    assert (result["changed"], result["changes"], result["issued"]) == (False, [], [])
    assert result["counts"]["issued"] == 0
    (won,) = (item["id"] for item in winners[0]["issued"])
    assert site.stored() == won
    assert site.sim.authenticates(site.secret())
    assert [(note["reason"], note["id"] in site.sim.model.revoked) for note in result["notes"]] == [("lost_race", True)]
    assert len(site.ids()) == 1 + rotation


def test_a_lost_race_shows_in_no_diff(site):
    site.store = SpoiltStore(site.place, lands=0, answer=REFUSED)
    result = site.run(ci())
    assert result["changed"] is False
    assert all(side.get(CI, {}) == {} for side in result["diff"].values())


def test_only_what_was_refused_is_revoked(tmp_path):
    site = new_site(tmp_path / "secrets", projects=["PAY", "SHOP"])
    theirs = site.sim.add_token(PAY, "ci")
    site.store = Watched(site.store, before=lambda verb: verb == "write" and site.keep(theirs))
    result = site.run(ci(), projects=["PAY", "SHOP"])
    assert "failed" not in result
    assert site.stored() == theirs.id
    assert site.alive(theirs)
    assert len(site.sim.model.revoked) == 1
    assert site.sim.authenticates(site.secret("projects/SHOP/tokens/ci"))


def test_a_refused_token_that_cannot_be_revoked_is_named_for_the_hand_that_must(site):
    site.store = SpoiltStore(site.place, lands=0, answer=REFUSED)
    site.sim.faults.arm("status", method="DELETE", status=500, times=None)
    result = site.run(ci())
    assert result["failed"]
    assert site.ids()[0] in result["msg"]


def test_after_a_refused_login_nothing_else_is_discarded_and_every_id_is_named(tmp_path):
    keys = MANY[:30]
    site = new_site(tmp_path / "secrets", projects=keys)
    site.store = SpoiltStore(site.place, lands=0, answer=REFUSED)
    site.sim.faults.arm("status", method="DELETE", status=401, message="Wrong.", times=None)
    result = site.run(ci(), projects=keys)
    assert site.counts()["DELETE"] == 1
    left = [token_id for key in keys for token_id in site.ids(f"projects/{key}")]
    assert left
    assert [token_id for token_id in left if token_id not in result["msg"]] == []


@pytest.mark.parametrize(
    "spoilt", [{"answer": UNCERTAIN}, {"error": "The connection broke."}], ids=["says so", "raises"]
)
def test_a_write_that_landed_and_did_not_say_so_is_found_by_reading_again(site, spoilt):
    site.store = SpoiltStore(site.place, **spoilt)
    result = site.run(ci())
    assert site.sim.authenticates(site.secret())
    assert site.ids() == [site.stored()]
    assert not site.sim.model.revoked
    assert not any("is not known" in failure["msg"] for failure in result["failures"])


@pytest.mark.parametrize(
    "spoilt",
    [{"answer": UNCERTAIN}, {"error": "The connection broke."}, {"error": "The connection broke.", "reads": 1}],
    ids=["says so", "raises", "reads no more"],
)
def test_a_write_that_nothing_is_known_of_leaves_the_token_alone_and_names_it(site, spoilt):
    old = site.issue_elsewhere(**OLD)
    site.store = SpoiltStore(site.place, lands=0, **spoilt)
    result = site.run(ci(grace_days=0))
    assert result["failed"]
    (new,) = set(site.ids()) - {old.id}
    assert new in result["msg"]
    assert CI in result["msg"]
    assert not site.sim.model.revoked
    assert site.stored() == old.id


def test_what_a_half_done_write_has_taken_is_kept_and_the_rest_is_named(tmp_path):
    keys = MANY[:40]
    site = new_site(tmp_path / "secrets", projects=keys)
    # Secrets pile up behind the first write, so that the second one has several.
    spoilt = SpoiltStore(site.place, lands=2, error="No space left on device.", spoilt_from=2)
    site.store = Watched(spoilt, before=lambda verb: verb == "write" and time.sleep(0.3))
    result = site.run(ci(), projects=keys)
    stored = [key for key in keys if site.stored(f"projects/{key}/tokens/ci")]
    assert len(stored) >= 3
    unknown = {failure["reference"]: failure["id"] for failure in result["failures"] if failure["reference"]}
    assert unknown
    assert {item for key in keys for item in site.ids(f"projects/{key}")} == {
        *(site.stored(f"projects/{key}/tokens/ci") for key in stored),
        *unknown.values(),
    }
    assert not site.sim.model.revoked
    assert all(site.sim.authenticates(site.secret(f"projects/{key}/tokens/ci")) for key in stored)


def test_after_a_store_has_failed_nothing_more_is_issued_into_it(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY)
    site.store = SpoiltStore(site.place, lands=0, error="No space left on device.")
    result = site.run(ci(), projects=MANY)
    assert site.counts()["PUT"] <= site.store.batch
    assert "No space left on device. Owners left: " in result["msg"]


# Step 6: retiring and pruning.


def test_within_the_grace_the_predecessor_stays_and_after_it_goes(site):
    old = site.issue_elsewhere(**OLD)
    assert rotated(site.run(ci())) == [("issue", "expiring")]
    assert site.alive(old)
    site.sim.clock.advance(days=6.9)
    assert not site.run(ci())["changed"]
    site.sim.clock.advance(days=0.1)
    assert rotated(site.run(ci())) == [("revoke", "superseded")]
    assert not site.alive(old)
    assert site.sim.authenticates(site.secret())


def test_without_grace_the_predecessor_goes_in_the_same_run_once_the_store_was_read_back(site):
    old = site.issue_elsewhere(**OLD)
    site.store = Watched(site.store, before=lambda verb: seen.append((verb, site.alive(old))))
    seen: list[tuple[str, bool]] = []
    result = site.run(ci(grace_days=0))
    assert rotated(result) == [("issue", "expiring"), ("revoke", "superseded")]
    assert seen == [("prepare", True), ("read", True), ("write", True), ("read", True)]
    assert not site.alive(old)
    assert site.sim.authenticates(site.secret())


def test_without_grace_a_predecessor_stays_whose_successor_was_taken_from_the_store_again(site):
    old = site.issue_elsewhere(**OLD)
    site.store = Watched(site.store)

    site.store.before = lambda verb: verb == "read" and "write" in site.store.diary and site.keep(old)
    site.run(ci(grace_days=0))
    assert site.stored() == old.id
    assert site.alive(old), "the store holds it, and it is dead"


def test_an_older_token_with_more_rights_is_lowered_only_after_the_hand_over(site):
    old = site.issue_elsewhere(permissions=["REPO_ADMIN"], **OLD)
    site.store = Watched(site.store, before=lambda verb: seen.append((verb, site.sim.token(old.id).permissions)))
    seen: list[tuple[str, tuple[str, ...]]] = []
    result = site.run(ci())
    assert rotated(result) == [("issue", "expiring"), ("update", "permissions")]
    assert dict(seen)["write"] == ("REPO_ADMIN",)
    assert site.sim.token(old.id).permissions == ("REPO_READ",)


def test_an_expired_predecessor_goes_in_the_run_that_replaces_it(site):
    old = site.issue_elsewhere(created_days_ago=90, expires_in_days=-1)
    assert rotated(site.run(ci())) == [("issue", "expired"), ("revoke", "expired")]
    assert old.id in site.sim.model.revoked


def test_pruning_comes_after_every_hand_over(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY[:202])
    stray = site.sim.add_token("projects/P1", "old-jenkins")
    site.store = Watched(site.store, before=lambda verb: seen.append((verb, site.alive(stray))))
    seen: list[tuple[str, bool]] = []
    result = site.run(ci(), projects=MANY[:202], prune=["old-*"])
    assert ("revoke", "undeclared") in rotated(result)
    assert [verb for verb, alive in seen if alive][-2:] == ["write", "read"]
    assert not site.alive(stray)


def test_pruning_comes_after_everything_that_is_retired(tmp_path):
    site = new_site(tmp_path / "secrets", projects=["PAY", "SHOP"])
    site.issue_elsewhere(**OLD)
    site.sim.add_token("projects/SHOP", "old-jenkins")
    result = site.run(ci(grace_days=0), projects=["PAY", "SHOP"], prune=["old-*"])
    assert [reason for _step, reason in rotated(result)] == ["expiring", "absent", "superseded", "undeclared"]


def test_only_owners_for_which_all_went_well_are_pruned(tmp_path):
    keys = ["PAY", "SHOP", "DATA"]
    site = new_site(tmp_path / "secrets", projects=keys)
    strays = {key: site.sim.add_token(f"projects/{key}", "old-jenkins") for key in keys}
    # PAY's token is refused, SHOP's secret reaches nobody.
    site.sim.faults.arm("status", method="PUT", path="projects/PAY", status=400)
    site.store = SpoiltStore(site.place)
    healthy = site.store.write
    site.store.write = lambda entries: {
        **healthy([entry for entry in entries if "SHOP" not in entry.reference]),
        "projects/SHOP/tokens/ci": UNCERTAIN,
    }
    result = site.run(ci(), projects=keys, prune=["old-*"])
    assert {key: site.alive(stray) for key, stray in strays.items()} == {"PAY": True, "SHOP": True, "DATA": False}
    assert sorted(failure["owner"] for failure in result["failures"]) == ["projects/PAY", "projects/SHOP"]


def test_a_stored_token_is_never_pruned_whatever_it_is_called(site):
    token = site.issue_elsewhere(permissions=["REPO_READ"], created_days_ago=1, expires_in_days=89)
    token.name = "old-renamed"
    site.run(ci(), prune=["old-*"])
    assert site.alive(token)
    assert site.sim.token(token.id).name == "ci"


# How old the store's word may be.


def slow(site: Site, seconds: float, times: int | None = 1, path: str = f"{PAY}$", method: str = "GET") -> None:
    """Have requests take so many seconds."""

    def wait() -> None:
        site.clock.now += seconds

    site.sim.faults.arm("call", method=method, path=path, run=wait, times=times, when="after")


@pytest.mark.parametrize(("seconds", "again"), [(RECENT, 0), (RECENT + 1, 1)], ids=["recent", "older"])
def test_an_observation_older_than_ten_minutes_is_made_again_before_it_is_acted_on(site, seconds, again):
    site.store = Watched(site.store)
    slow(site, seconds)
    assert rotated(site.run(ci())) == [("issue", "absent")]
    assert site.store.diary == ["prepare", "read", *["read"] * again, "write"]
    assert site.counts() == {"GET": 1 + again, "PUT": 1}


def test_what_another_run_stored_in_the_meantime_is_found_by_observing_again(tmp_path):
    site = new_site(tmp_path / "secrets", projects=["PAY", "SHOP"])

    def meanwhile() -> None:
        site.clock.now += RECENT + 1
        site.issue_elsewhere(created_days_ago=1)

    site.sim.faults.arm("call", path="projects/SHOP$", run=meanwhile)
    result = site.run(ci(expires_in_days=None), projects=["PAY", "SHOP"], concurrency=1)
    assert [change["reference"] for change in result["changes"]] == ["projects/SHOP/tokens/ci"]
    assert len(site.ids()) == 1


def test_secrets_that_come_too_late_to_be_surely_ours_are_revoked_and_not_written(site):
    old = site.issue_elsewhere(**OLD)
    site.store = Watched(site.store)
    slow(site, FRESH + 1, method="PUT")
    result = site.run(ci())
    assert "write" not in site.store.diary
    assert site.stored() == old.id
    assert site.ids() == [old.id]
    assert (result["changed"], result["failed"]) == (False, True)
    assert [(entry["reference"], entry["reason"]) for entry in result["failures"]] == [(CI, "too_late")]
    assert "It was revoked, and the stored secret stays in use" in result["msg"]
    assert [note["reason"] for note in result["notes"]] == ["too_late"]


def test_of_what_came_too_late_and_could_not_be_revoked_only_that_is_said(site):
    site.issue_elsewhere(**OLD)
    site.sim.faults.arm("status", method="DELETE", status=500, times=None)
    slow(site, FRESH + 1, method="PUT")
    result = site.run(ci())
    (new,) = [token_id for token_id in site.ids() if token_id != site.stored()]
    assert [entry.get("id") for entry in result["failures"]] == [new]
    assert "could not be revoked: revoke it manually" in result["msg"]
    assert "stays in use" not in result["msg"]


def test_secrets_that_come_in_time_are_written(site):
    slow(site, FRESH, method="PUT")
    site.run(ci())
    assert site.sim.authenticates(site.secret())


def test_after_a_long_observation_of_all_owners_everything_is_done_in_the_same_run(site):
    """Ten thousand owners at five requests a second take longer than a secret may be on its way."""
    old = site.issue_elsewhere(**OLD)
    slow(site, FRESH + 1)
    result = site.run(ci(grace_days=0))
    assert "failed" not in result
    assert rotated(result) == [("issue", "expiring"), ("revoke", "superseded")]
    assert (site.sim.authenticates(site.secret()), site.alive(old)) == (True, False)


def test_an_owner_that_takes_too_long_fails_alone(tmp_path):
    keys = ["SHOP", "PAY", "DATA"]
    site = new_site(tmp_path / "secrets", projects=keys)
    old = {key: site.issue_elsewhere(owner=f"projects/{key}", **OLD) for key in keys}
    slow(site, FRESH + 1, times=None)
    result = site.run(ci(grace_days=0), projects=keys, concurrency=1)
    assert [(entry["owner"], entry["reason"]) for entry in result["failures"]] == [(PAY, "too_slow")]
    assert f"{PAY}: reading its tokens and what the store holds took more than half an hour" in result["msg"]
    assert {key: site.alive(token) for key, token in old.items()} == {"SHOP": False, "PAY": True, "DATA": False}
    assert site.stored() == old["PAY"].id


def test_of_many_tokens_of_one_owner_each_slow_revocation_counts(site):
    """More than half an hour passes; store and owner are read again before what is left is revoked."""
    names = [f"t{number}" for number in range(6)]
    for name in names:
        site.issue_elsewhere(name, **OLD)
    slow(site, FRESH / 3 + 1, times=None, path="tokens|projects/PAY/", method="DELETE")
    result = site.run(*(ci(name=name, grace_days=0) for name in names))
    assert "failed" not in result
    assert result["counts"]["revoked"] == 6
    assert len(site.ids()) == 6


def test_undeclared_tokens_are_not_revoked_by_what_was_seen_half_an_hour_ago(site):
    for number in range(6):
        site.sim.add_token(PAY, f"old-{number}")
    slow(site, FRESH / 3 + 1, times=None, path="projects/PAY/", method="DELETE")
    result = site.run(ci(), prune=["old-*"])
    assert reasons(result) == ["too_slow"]
    assert result["counts"]["revoked"] == 3


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_retirement_that_fails_ends_and_says_so(site, method):
    old = site.issue_elsewhere(**OLD)
    nth = 3 if method == "GET" else 1
    site.sim.faults.arm("status", method=method, nth=nth, status=401, times=None)
    result = site.run(ci(grace_days=0))
    assert result["failed"]
    assert site.counts()[method] == nth, "a refused credential was tried again"
    assert (site.alive(old), site.sim.authenticates(site.secret())) == (True, True)


def test_the_limit_of_revocations_holds_for_what_appears_during_the_run(tmp_path):
    keys = ["PAY", "SHOP", "DATA"]
    site = new_site(tmp_path / "secrets", projects=keys)
    for key in keys:
        site.sim.add_token(f"projects/{key}", "old-1")
    more = {"method": "PUT", "path": "projects/DATA", "when": "after"}
    site.sim.faults.arm("call", run=lambda: site.sim.add_token("projects/DATA", "old-2"), **more)
    result = site.run(ci(), projects=keys, prune=["old-*"], max_revocations=3)
    assert result["counts"]["revoked"] == 3
    assert result["msg"].startswith(f"{site.store.name}: 4 tokens would be revoked")
    assert "Nothing more was changed." in result["msg"]


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_store_that_takes_none_of_twenty_secrets_gets_no_others_and_nothing_more_is_issued(tmp_path, concurrency):
    site = new_site(tmp_path / "secrets", projects=MANY)
    site.store = SpoiltStore(site.place, lands=0, answer=UNCERTAIN)
    result = site.run(ci(), projects=MANY, concurrency=concurrency)
    # The write that ends it may have a whole batch, and another one is issued meanwhile.
    assert 20 <= site.counts()["PUT"] < 20 + 2 * site.store.batch
    dead = f"{site.store.name} took none of the last secrets, so no more tokens are issued. Owners left: "
    assert dead in result["msg"]


def test_a_store_that_takes_some_gets_the_rest(tmp_path):
    """One owner's folder is unwritable, say, or the store is down for a moment."""
    site = new_site(tmp_path / "secrets", projects=MANY[:60])
    refused = itertools.cycle([UNCERTAIN] * 15 + [None])
    write = site.store.write

    def some(entries):
        return {entry.reference: next(refused) or write([entry])[entry.reference] for entry in entries}

    site.store.write = some
    site.run(ci(), projects=MANY[:60])
    assert site.counts()["PUT"] == 60


def test_once_new_secrets_meet_a_rate_limit_no_other_is_signed_in_with_in_this_run(tmp_path):
    keys = ["PAY", "SHOP", "DATA"]
    site = new_site(tmp_path / "secrets", projects=keys)
    old = [site.issue_elsewhere(owner=f"projects/{key}", **OLD) for key in keys]
    site.sim.faults.arm("status", path=IDENTITY, status=429, times=None)
    stray = site.sim.add_token(PAY, "old-jenkins")
    result = site.run(ci(grace_days=0), projects=keys, prune=["old-*"], concurrency=1)
    assert [item["verified"] for item in result["issued"]] == [False] * 3
    assert "Older and undeclared tokens are left to the next run" in result["warnings"][0]
    assert "3 owners, such as projects/PAY." in result["warnings"][0]
    # One request waits through 25 answers.
    assert len([entry for entry in site.sim.requests if entry.path.endswith("application-properties")]) < 40
    assert all(site.alive(token) for token in [*old, stray])


@pytest.mark.parametrize("seconds", [RECENT + 1, FRESH + 1])
def test_nothing_is_retired_by_a_read_that_took_long(site, seconds):
    """Another run may have stored another token in the meantime: here it puts back the old one."""
    old = site.issue_elsewhere(**OLD)

    def slow_second_read(verb):
        if verb == "read" and site.store.diary.count("read") == 1:
            site.clock.now += seconds
            after.append(len(site.store.diary))
        elif verb == "read" and site.store.diary.count("read") == 2:
            site.keep(old)

    after: list[int] = []
    site.store = Watched(site.store, before=slow_second_read)
    site.run(ci(grace_days=0))
    assert after, "the store was not read again before retiring"
    assert (site.alive(old), site.stored()) == (True, old.id)
    assert site.sim.authenticates(site.secret())


# Interruption.


@pytest.mark.parametrize("concurrency", [1, 8])
def test_an_interrupted_run_delivers_what_it_issued_and_issues_and_retires_nothing_more(tmp_path, concurrency):
    keys = MANY[:30]
    site = new_site(tmp_path / "secrets", projects=keys)
    old = [site.issue_elsewhere(owner=f"projects/{key}", **OLD) for key in keys]
    site.sim.faults.arm("call", method="PUT", nth=5, run=site.interruption.request)
    result = site.run(ci(grace_days=0), projects=keys, prune=["old-*"], concurrency=concurrency)
    issued = len(result["issued"])
    assert 5 <= issued < 5 + concurrency
    assert site.counts()["PUT"] == issued
    held = site.files().read([f"projects/{key}/tokens/ci" for key in keys])
    assert {item["id"] for item in result["issued"]} <= set(held.values())
    assert all(site.alive(token) for token in old)
    assert (result["failed"], result["reason"], result["changed"]) == (True, "interrupted", True)
    assert result["msg"] == (
        f"The run was interrupted. {issued} token(s) were issued and delivered before that. No older token was revoked "
        "afterwards. Run again: 30 owner(s) are left."
    )
    again = dataclasses.replace(site, interruption=Interruption()).run(ci(grace_days=0), projects=keys)
    assert ("failed" in again, again["counts"]["issued"]) == (False, 30 - issued)


def test_an_interrupted_run_does_not_wait_for_a_verification_that_hangs(site):
    old = site.issue_elsewhere(**OLD)
    released = threading.Event()

    def hang() -> None:
        site.interruption.request()
        released.wait(30)

    site.sim.faults.arm("call", path=IDENTITY, run=hang)
    began = time.monotonic()
    result = site.run(ci(grace_days=0))
    assert time.monotonic() - began < 5
    released.set()
    assert (result["reason"], len(result["issued"])) == ("interrupted", 1)
    assert site.sim.authenticates(site.secret())
    assert site.stored() not in (None, old.id)
    assert site.alive(old)


def test_an_interruption_while_older_tokens_are_revoked_leaves_the_rest(tmp_path):
    keys = MANY[:10]
    site = new_site(tmp_path / "secrets", projects=keys)
    old = [site.issue_elsewhere(owner=f"projects/{key}", **OLD) for key in keys]
    site.sim.faults.arm("call", method="DELETE", nth=3, run=site.interruption.request)
    result = site.run(ci(grace_days=0), projects=keys, concurrency=1)
    assert (result["reason"], result["counts"]["issued"], result["counts"]["revoked"]) == ("interrupted", 10, 3)
    assert sum(map(site.alive, old)) == 7


def test_an_interruption_before_anything_was_issued_changes_nothing(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY[:10])
    site.sim.faults.arm("call", method="GET", nth=2, run=site.interruption.request)
    result = site.run(ci(), projects=MANY[:10], concurrency=1)
    assert (result["changed"], result["reason"]) == (False, "interrupted")
    assert set(site.counts()) == {"GET"}


def test_a_verification_that_ends_after_the_secret_was_delivered_revokes_nothing(site):
    old = site.issue_elsewhere(**OLD)
    released = threading.Event()

    def hang_and_refuse() -> None:
        site.interruption.request()
        released.wait(30)
        (new,) = (token for token in site.sim.tokens(PAY) if token.id != old.id)
        new.expires = site.sim.clock.now_ms() - 1

    site.sim.faults.arm("call", path=IDENTITY, run=hang_and_refuse)
    result = site.run(ci(grace_days=0))
    assert (result["reason"], len(result["issued"])) == ("interrupted", 1)
    released.set()
    deadline = time.monotonic() + 5
    while not [entry for entry in site.sim.requests if entry.status == 401] and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert site.stored() in site.ids(), "the store holds it, and it was revoked"


def test_after_an_interruption_a_lost_create_is_not_sent_again(site):
    site.sim.faults.arm("drop_after", method="PUT")
    site.sim.faults.arm("call", method="GET", nth=2, path=f"{PAY}$", run=site.interruption.request)
    result = site.run(ci())
    assert site.counts()["PUT"] == 1
    assert result["reason"] == "interrupted"


def test_a_create_that_hangs_is_named(site):
    released = threading.Event()

    def hang() -> None:
        site.interruption.request()
        released.wait(30)

    site.sim.faults.arm("call", method="PUT", run=hang)
    result = site.run(ci())
    released.set()
    assert "0 token(s) were issued and delivered" in result["msg"]
    assert "1 request(s) had no answer yet: a later run revokes the tokens that they create." in result["msg"]


@pytest.mark.parametrize("options", [{}, {"projects": ["P*"]}], ids=["names", "a glob"])
def test_an_interruption_in_check_mode_fails_the_task(tmp_path, options):
    site = new_site(tmp_path / "secrets", projects=MANY[:10])
    site.sim.faults.arm("call", method="GET", nth=2, run=site.interruption.request)
    result = site.run(ci(), projects=options.get("projects", MANY[:10]), concurrency=1, check_mode=True)
    assert (result["failed"], result["changed"] and not result["changes"]) == (True, False)
    assert "interrupted" in [failure["reason"] for failure in result["failures"]]


def test_a_store_that_ended_the_run_is_named_next_to_the_interruption(site):
    site.store = SpoiltStore(site.place, lands=0, error="The disk is full.")
    site.sim.faults.arm("call", method="PUT", run=site.interruption.request)
    result = site.run(ci())
    assert "The disk is full." in result["msg"]
    assert "0 token(s) were issued and delivered" in result["msg"]


# Defects of our own.


def test_a_defect_in_a_thread_loses_no_secret_of_the_others(tmp_path, monkeypatch):
    site = new_site(tmp_path / "secrets", projects=MANY[:20])
    apply, calls = _reconcile.apply, itertools.count()

    def broken(*args, **options):
        if next(calls) == 10:
            raise RuntimeError("a defect")
        return apply(*args, **options)

    monkeypatch.setattr(_reconcile, "apply", broken)
    with pytest.raises(RuntimeError, match="a defect"):
        site.run(ci(), projects=MANY[:20])
    live = {token.id for token in site.sim.model.all_tokens()}
    assert live == set(site.files().read([f"projects/{key}/tokens/ci" for key in MANY[:20]]).values()) - {None}


def test_a_store_that_breaks_with_an_error_of_the_system_loses_no_answer(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY[:20])

    def broken(_entries):
        raise OSError(28, "No space left on device")

    site.store.write = broken
    result = site.run(ci(), projects=MANY[:20])
    assert f"file:{site.place}: No space left on device. Owners left: " in result["msg"]
    named = {failure.get("id") for failure in result["failures"]}
    assert {token.id for token in site.sim.model.all_tokens()} <= named


def test_progress_that_cannot_be_shown_ends_nothing(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY[:3])

    class Gone(list):
        def append(self, _line):
            raise BrokenPipeError

    site.said = Gone()
    site.clock.now = 0
    slow(site, 11, path="projects/P1$", times=None)
    assert site.run(ci(), projects=MANY[:3])["counts"]["issued"] == 3


def test_once_the_store_has_failed_the_rest_is_not_waited_for(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY)
    site.store = SpoiltStore(site.place, lands=0, error="The disk is full.")
    began = time.monotonic()
    site.run(ci(), projects=MANY)
    assert time.monotonic() - began < 4


def test_a_step_that_failed_is_not_tried_again_while_older_tokens_are_retired(site):
    site.issue_elsewhere("deploy", **OLD)
    renamed = site.issue_elsewhere(created_days_ago=1, expires_in_days=89)
    renamed.name = "renamed"
    site.sim.faults.arm("status", method="POST", status=400, times=None)
    result = site.run(ci(), ci(name="deploy", grace_days=0))
    assert site.counts()["POST"] == 1
    assert [failure["reference"] for failure in result["failures"]] == [CI]


# Check mode.


WORLDS = {
    "nothing there": {},
    "expiring": {"ci": OLD},
    "expired": {"ci": {"created_days_ago": 90, "expires_in_days": -1}},
    "other permissions": {"ci": {"permissions": ["REPO_ADMIN"], "created_days_ago": 1, "expires_in_days": 89}},
    "expiring with more rights": {"ci": {"permissions": ["PROJECT_ADMIN"], **OLD}},
    "right": {"ci": {"created_days_ago": 1, "expires_in_days": 89}},
}


@pytest.mark.parametrize("grace", [0, 7])
@pytest.mark.parametrize("world", WORLDS)
def test_check_mode_writes_nothing_and_predicts_what_the_run_then_does(site, world, grace):
    for name, more in WORLDS[world].items():
        site.issue_elsewhere(name, **more)
    site.sim.add_token(PAY, "old-jenkins")
    before, ids = tree(site.place), site.ids()
    predicted = site.run(ci(grace_days=grace), prune=["old-*"], check_mode=True)
    assert (tree(site.place), site.ids()) == (before, ids)
    assert set(site.counts()) == {"GET"}
    real = site.run(ci(grace_days=grace), prune=["old-*"])
    assert predicted["diff"] == real["diff"]
    assert predicted["changed"] == real["changed"] is True
    assert rotated(predicted) == rotated(real)
    assert predicted["counts"] == real["counts"]
    assert not site.run(ci(grace_days=grace), prune=["old-*"])["changed"]


def test_check_mode_leaves_no_lock_behind(site):
    site.run(ci(), check_mode=True)
    assert list(site.place.iterdir()) == []


def test_check_mode_predicts_every_batch(tmp_path):
    site = new_site(tmp_path / "secrets", projects=MANY)
    predicted = site.run(ci(), projects=MANY, check_mode=True)
    assert predicted["counts"]["issued"] == 250
    assert site.counts() == {"GET": 250}


# The result.


def test_a_guard_stops_the_run_before_anything_is_written(site):
    for number in range(11):
        site.sim.add_token(PAY, f"old-{number}")
    result = site.run(ci(), prune=["old-*"])
    assert (result["failed"], result["changed"], reasons(result)) == (True, False, ["guard"])
    assert set(site.counts()) == {"GET"}


def test_the_result_names_references_ids_and_reasons(site):
    old = site.issue_elsewhere(**OLD)
    result = site.run(ci(grace_days=0))
    issue, revoke = result["changes"]
    assert issue == {
        "reference": CI,
        "step": "issue",
        "reason": "expiring",
        "replaces": old.id,
        "id": site.stored(),
    }
    assert revoke == {"reference": CI, "step": "revoke", "reason": "superseded", "id": old.id}
    assert result["counts"] == {"owners": 1, "owners_failed": 0, "tokens": 1, "issued": 1, "updated": 0, "revoked": 1}
    assert "secrets" not in result


def test_a_store_whose_error_quotes_nothing_secret_keeps_the_result_clean(site):
    site.store = SpoiltStore(site.place, lands=0, error="The disk is full.")
    result = site.run(ci())
    (token,) = site.sim.tokens(PAY)
    assert token.secret not in json.dumps(result)
    assert "The disk is full." in result["msg"]


def test_entries_do_not_show_their_secret(site):
    site.store = Watched(site.store)
    site.run(ci())
    (entry,) = site.store.entries
    assert site.secret() == entry.secret
    assert entry.secret not in repr(entry)
