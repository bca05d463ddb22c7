"""Several calls, one result."""

from __future__ import annotations

import json

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._ledger import Ledger

REFERENCE = "projects/PAY/tokens/ci"
COUNTS = {"owners": 1, "owners_failed": 0, "tokens": 1, "issued": 0, "updated": 0, "revoked": 0}


def issued(token_id="012345670123"):
    """The module's result of a call that issued a token."""
    return {
        "changes": [{"reference": REFERENCE, "step": "issue", "reason": "absent", "replaces": None, "id": token_id}],
        "notes": [],
        "failures": [],
        "issued": [{"reference": REFERENCE, "id": token_id, "replaces": None}],
        "secrets": {REFERENCE: "the-secret"},
        "counts": {**COUNTS, "issued": 1},
        "diff": {"before": {REFERENCE: {}}, "after": {REFERENCE: {"new": {"name": "ci"}}}},
    }


def revoked(token_id="000000000001"):
    """The module's result of a call that revoked an older one."""
    return {
        "changes": [{"reference": REFERENCE, "step": "revoke", "reason": "superseded", "id": token_id}],
        "notes": [],
        "failures": [],
        "issued": [],
        "secrets": {},
        "counts": {**COUNTS, "revoked": 1},
        "diff": {"before": {REFERENCE: {token_id: {"name": "ci"}}}, "after": {REFERENCE: {}}},
    }


def test_nothing_taken_is_nothing_changed():
    result = Ledger().result()
    assert (result["changed"], result["changes"], "failed" in result) == (False, [], False)


def test_secrets_go_to_the_caller_and_not_into_the_result():
    ledger = Ledger()
    (item,) = ledger.take(issued())
    assert item["secret"] == "the-secret"
    assert "the-secret" not in json.dumps(ledger.result())


def test_changes_counts_and_diffs_of_all_calls_are_one():
    ledger = Ledger()
    ledger.take(issued())
    ledger.take(revoked())
    result = ledger.result()
    assert [change["step"] for change in result["changes"]] == ["issue", "revoke"]
    assert (result["counts"]["issued"], result["counts"]["revoked"], result["counts"]["tokens"]) == (1, 1, 1)
    assert result["diff"] == {
        "before": {REFERENCE: {"000000000001": {"name": "ci"}}},
        "after": {REFERENCE: {"new": {"name": "ci"}}},
    }


def test_what_one_call_updates_and_a_later_one_revokes_was_there_as_it_was_at_first():
    update = {
        **revoked(),
        "diff": {"before": {REFERENCE: {"1": {"name": "old"}}}, "after": {REFERENCE: {"1": {"name": "ci"}}}},
    }
    revoke = {**revoked(), "diff": {"before": {REFERENCE: {"1": {"name": "ci"}}}, "after": {REFERENCE: {}}}}
    ledger = Ledger()
    ledger.take(update)
    ledger.take(revoke)
    assert ledger.result()["diff"] == {"before": {REFERENCE: {"1": {"name": "old"}}}, "after": {REFERENCE: {}}}


def test_a_withdrawn_token_is_no_change():
    ledger = Ledger()
    ledger.take(issued())
    ledger.withdraw(REFERENCE, "012345670123", "lost_race")
    result = ledger.result()
    assert (result["changed"], result["changes"], result["issued"]) == (False, [], [])
    assert result["counts"]["issued"] == 0
    assert result["notes"] == [{"reference": REFERENCE, "id": "012345670123", "reason": "lost_race"}]


def test_a_withdrawn_token_takes_nothing_else_with_it():
    ledger = Ledger()
    ledger.take(revoked())
    ledger.take(issued())
    ledger.withdraw(REFERENCE, "012345670123", "too_late")
    result = ledger.result()
    assert [change["step"] for change in result["changes"]] == ["revoke"]
    assert result["changed"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"failed": True, "msg": "No such project.", "reason": "not_found"}, "No such project."),
        ({"unreachable": True, "msg": "ssh"}, "ssh"),
        ({}, "The module did not run."),
    ],
    ids=["failed", "unreachable", "no answer"],
)
def test_a_call_that_failed_whole_stops_the_run_and_is_told(answer, message):
    ledger = Ledger()
    ledger.take(issued())
    assert ledger.take(answer) == []
    result = ledger.result()
    assert ledger.stopped == message
    assert (result["failed"], result["msg"], result["changed"]) == (True, message, True)
    assert result.get("unreachable", False) == answer.get("unreachable", False)


def test_a_failure_of_one_reference_does_not_stop_the_run():
    ledger = Ledger()
    ledger.fail(BitbucketError("not known", "store"), REFERENCE)
    assert ledger.stopped is None
    assert ledger.failed_owners == {"projects/PAY"}
    assert ledger.result()["failed"]


def test_a_failure_of_the_store_itself_stops_the_run():
    ledger = Ledger()
    ledger.fail(BitbucketError("The disk is full.", "store"))
    assert ledger.stopped == "The disk is full."
    assert ledger.result()["failures"] == [
        {"owner": None, "reference": None, "reason": "store", "msg": "The disk is full."}
    ]


def test_failed_owners_are_counted_once():
    ledger = Ledger()
    ledger.take(issued())
    ledger.fail(BitbucketError("one"), REFERENCE)
    ledger.fail(BitbucketError("two"), "projects/PAY/tokens/other")
    assert ledger.result()["counts"]["owners_failed"] == 1


def test_warnings_of_all_calls_are_kept():
    ledger = Ledger()
    ledger.take({**issued(), "warnings": ["first"]})
    ledger.take({**revoked(), "warnings": ["second"]})
    assert ledger.result()["warnings"] == ["first", "second"]


def failed(reason, message="no"):
    """The module's result of a call in which one reference failed."""
    entry = {"owner": "projects/PAY", "reference": REFERENCE, "reason": reason, "msg": message}
    return {"changes": [], "notes": [], "failures": [entry], "issued": [], "secrets": {}, "counts": COUNTS}


def test_what_fails_in_two_calls_is_one_failure():
    ledger = Ledger()
    ledger.take(failed("secret_missing"))
    ledger.take(failed("secret_missing"))
    assert [entry["reason"] for entry in ledger.result()["failures"]] == ["secret_missing"]


@pytest.mark.parametrize(
    ("reason", "stops"), [("credential", True), ("unreachable", True), ("stopped", True), ("secret_missing", False)]
)
def test_what_would_fail_for_every_owner_ends_the_run(reason, stops):
    ledger = Ledger()
    ledger.take(failed(reason))
    assert (ledger.stopped is not None) is stops
