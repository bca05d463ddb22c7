"""Variables of Pipelines: what is written, when, and what shows of it."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils._errors import (
    BitbucketError,
    InputError,
    LostAnswerError,
    NotFoundError,
)
from ansible_collections.tokensmith.bitbucket.plugins.modules import pipeline_variable
from tests.unit.plugins.cloud_stand import PRODUCTION, REPOSITORY, WORKSPACE, CloudStand, cloud, params

KEY, VALUE = "DEPLOY_TOKEN", "correct-horse-battery-staple-4711"
PLACES = {
    WORKSPACE: {"workspace": "acme"},
    REPOSITORY: {"workspace": "acme", "repository": "ledger"},
    PRODUCTION: {"workspace": "acme", "repository": "ledger", "environment": "Production"},
}


@pytest.fixture
def stand() -> CloudStand:
    return cloud()


@pytest.fixture(params=PLACES)
def holder(request: pytest.FixtureRequest) -> str:
    return t.cast("str", request.param)


def run(stand: CloudStand, holder: str = REPOSITORY, *, check: bool = False, **given: t.Any) -> dict[str, t.Any]:
    given = {"key": KEY, "value": VALUE, **PLACES[holder], **given}
    return pipeline_variable.run(params(pipeline_variable, **given), stand.client(), check)


def held(stand: CloudStand, holder: str = REPOSITORY) -> dict[str, tuple[str, bool]]:
    return {variable.key: (variable.value, variable.secured) for variable in stand.sim.variables(holder)}


def test_it_is_created_updated_and_deleted_wherever_variables_are(stand, holder):
    assert run(stand, holder)["reason"] == "absent"
    assert held(stand, holder) == {KEY: (VALUE, True)}
    assert run(stand, holder)["changed"] is False
    again = run(stand, holder, value="another-value-altogether", update_secret="always")
    assert (again["changed"], again["reason"]) == (True, "always")
    assert held(stand, holder) == {KEY: ("another-value-altogether", True)}
    assert run(stand, holder, state="absent")["reason"] == "removed"
    assert held(stand, holder) == {}
    assert run(stand, holder, state="absent")["changed"] is False


def test_check_mode_says_the_same_and_writes_nothing(stand, holder):
    for given in ({}, {"state": "absent"}, {"update_secret": "always"}, {"secured": False}):
        if given:
            run(stand, holder)
        before, _seen = held(stand, holder), stand.requests
        said = run(stand, holder, check=True, **given)
        assert (held(stand, holder), stand.writes) == (before, [])
        assert said["changed"] is True
        done = run(stand, holder, **given)
        assert {**done, "variable": None} == {**said, "variable": None}


def test_other_variables_stay(stand):
    stand.sim.add_variable(REPOSITORY, "OTHER", "x")
    stand.sim.add_variable(WORKSPACE, KEY, "the workspace's own")
    run(stand)
    run(stand, state="absent")
    assert held(stand) == {"OTHER": ("x", True)}
    assert held(stand, WORKSPACE) == {KEY: ("the workspace's own", True)}


@pytest.mark.parametrize(
    ("there", "declared", "reason"),
    [
        (("a", False), {"value": "a", "secured": False}, None),
        (("a", False), {"value": "b", "secured": False}, "value"),
        (("a", False), {"value": "a", "secured": True}, "secured"),
        (("a", True), {"value": "a", "secured": False}, "secured"),
        (("a", True), {"value": "b", "secured": True}, None),
        (("a", True), {"value": "b", "secured": True, "update_secret": "always"}, "always"),
        (("a", False), {"value": "a", "secured": False, "update_secret": "always"}, None),
    ],
)
@pytest.mark.parametrize("reads_back", ["empty", "absent", "null"])
@pytest.mark.parametrize("put", ["replace", "merge"])
def test_what_can_be_compared_is(there, declared, reason, reads_back, put):
    stand = cloud(secured_value=reads_back, variable_put=put)
    stand.sim.add_variable(REPOSITORY, KEY, there[0], secured=there[1])
    assert run(stand, **declared)["reason"] == reason
    assert held(stand)[KEY] == (there if reason is None else (declared["value"], declared["secured"]))
    if declared.get("update_secret") != "always":
        assert run(stand, **declared)["changed"] is False


def test_it_is_found_whether_or_not_the_listing_wants_a_slash_at_its_end():
    for listing in ("empty", "full"):
        stand = cloud(slashless_list=listing)
        run(stand)
        assert run(stand)["changed"] is False


def test_a_listing_of_many_pages_is_read_to_its_end(stand):
    for number in range(250):
        stand.sim.add_variable(REPOSITORY, f"V{number:03d}", "x")
    stand.sim.add_variable(REPOSITORY, KEY, "x")
    assert run(stand)["changed"] is False


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
@pytest.mark.parametrize("status", [None, 503])
def test_a_lost_answer_ends_with_one_variable_of_that_value(stand, fault, status):
    when = fault.removeprefix("drop_")
    arm: dict[str, t.Any] = {"kind": "status", "status": status, "when": when} if status else {"kind": fault}
    stand.sim.faults.arm(arm.pop("kind"), method="POST", **arm)
    assert run(stand)["changed"] is True
    assert held(stand) == {KEY: (VALUE, True)}


def test_an_answer_lost_twice_is_an_error_and_no_third_try(stand):
    stand.sim.faults.arm("drop_before", method="POST", times=None)
    with pytest.raises(LostAnswerError):
        run(stand)
    assert stand.writes == ["POST", "POST"]


def test_one_that_somebody_else_makes_in_between_is_set(stand):
    stand.sim.faults.arm(
        "call", method="POST", when="before", run=lambda: stand.sim.add_variable(REPOSITORY, KEY, "theirs")
    )
    run(stand)
    assert held(stand) == {KEY: (VALUE, True)}


def test_one_that_somebody_else_removes_in_between_is_gone_all_the_same(stand):
    made = stand.sim.add_variable(REPOSITORY, KEY, "x")
    remove = stand.sim.world.holder(REPOSITORY).variables.remove
    stand.sim.faults.arm("call", method="DELETE", when="before", run=lambda: remove(made))
    assert run(stand, state="absent")["changed"] is True


def test_a_spelling_that_bitbucket_takes_for_the_same_is_an_error_of_one_sentence():
    stand = cloud(variable_keys="any_case")
    stand.sim.add_variable(REPOSITORY, KEY.lower(), "x")
    with pytest.raises(BitbucketError, match="409"):
        run(stand)


def test_two_of_one_name_are_refused_with_their_ids(stand):
    made = [stand.sim.add_variable(REPOSITORY, KEY, "x") for _number in range(2)]
    with pytest.raises(BitbucketError) as refused:
        run(stand, state="absent")
    assert all(variable.uuid in str(refused.value) for variable in made)
    assert stand.writes == []


def test_an_environment_is_found_by_name_or_uuid(stand):
    (uuid,) = [each.uuid for each in stand.sim.world.holder(REPOSITORY).environments if each.name == "Production"]
    run(stand, PRODUCTION)
    assert run(stand, PRODUCTION, environment=uuid)["changed"] is False


def test_an_unknown_environment_is_refused_with_those_there_are(stand):
    with pytest.raises(InputError, match=r"no environment Prod\. It has: Production, Test\."):
        run(stand, PRODUCTION, environment="Prod")


def test_environments_of_one_name_are_refused_with_their_ids(stand):
    second = stand.sim.add_environment(REPOSITORY, "Production")
    with pytest.raises(InputError, match="Several environments") as refused:
        run(stand, PRODUCTION)
    assert second.uuid in str(refused.value)


def test_a_place_that_does_not_exist_is_an_error(stand):
    with pytest.raises(NotFoundError):
        run(stand, repository="nowhere")


@pytest.mark.parametrize("marker", ["VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "********", "$REDACTED$"])
def test_what_a_log_filter_left_is_no_secret(stand, marker):
    with pytest.raises(InputError, match="nothing was written"):
        run(stand, value=marker)
    assert stand.requests == []


def test_an_empty_name_is_refused(stand):
    with pytest.raises(InputError, match="`key` is empty"):
        run(stand, key=" ")


def test_the_value_is_in_no_result(stand):
    shown = [run(stand, check=True), run(stand), run(stand, update_secret="always"), run(stand, secured=False)]
    assert VALUE not in json.dumps(shown)
    assert shown[2]["diff"]["before"] == {"key": KEY, "secured": True, "value": "(as it was)"}
    assert shown[2]["diff"]["after"] == {"key": KEY, "secured": True, "value": "(as declared)"}


@pytest.mark.parametrize(
    ("secured", "said"), [(True, "left it unsecured, so it can be read by others"), (False, "keeps it secured")]
)
def test_a_server_that_does_not_do_as_it_says_is_an_error(stand, secured, said):
    stand.sim.add_variable(REPOSITORY, KEY, VALUE, secured=not secured)
    stand.sim.faults.arm("status", method="PUT", when="before", status=204, body="empty")
    with pytest.raises(BitbucketError, match=said):
        run(stand, secured=secured)


def test_one_that_the_server_accepts_and_does_not_list_is_an_error(stand):
    stand.sim.faults.arm("status", method="POST", when="before", status=201, body="empty")
    with pytest.raises(BitbucketError, match="does not list it"):
        run(stand)
