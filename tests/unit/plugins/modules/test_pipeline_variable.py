"""Variables of Pipelines: what is written, when, and what shows of it."""

from __future__ import annotations

import base64
import html
import json
import typing as t
from urllib.parse import quote, quote_plus

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    BitbucketError,
    InputError,
    LostAnswerError,
    NotFoundError,
)
from ansible_collections.tokensmith.bitbucket.plugins.modules import pipeline_variable
from tests.unit.plugins.cloud_company import (
    PIPELINES,
    PRODUCTION,
    REPOSITORY,
    WORKSPACE,
    CloudCompany,
    cloud_company,
    params,
)

KEY, VALUE = "DEPLOY_TOKEN", "correct-horse-battery-staple-4711"
PLACES = {
    WORKSPACE: {"workspace": "acme"},
    REPOSITORY: {"workspace": "acme", "repository": "ledger"},
    PRODUCTION: {"workspace": "acme", "repository": "ledger", "environment": "Production"},
}


@pytest.fixture(params=PLACES)
def holder(request: pytest.FixtureRequest) -> str:
    return t.cast("str", request.param)


def run(cloud: CloudCompany, holder: str = REPOSITORY, *, check: bool = False, **given: t.Any) -> dict[str, t.Any]:
    asked = params(
        pipeline_variable.SPEC,
        pipeline_variable.CONSTRAINTS,
        **{"key": KEY, "value": VALUE, **PLACES[holder], **given},
    )
    client = cloud.as_user(cloud.ada, cloud.add("pipelines", scopes=PIPELINES).secret)
    return pipeline_variable.run(asked, client, check)


def held(cloud: CloudCompany, holder: str = REPOSITORY) -> dict[str, tuple[str, bool]]:
    return {variable.key: (variable.value, variable.secured) for variable in cloud.sim.variables(holder)}


def test_it_is_created_updated_and_deleted_wherever_variables_are(cloud, holder):
    assert run(cloud, holder)["reason"] == "absent"
    assert held(cloud, holder) == {KEY: (VALUE, True)}
    assert run(cloud, holder)["changed"] is False
    again = run(cloud, holder, value="another-value-altogether", update_secret="always")
    assert (again["changed"], again["reason"]) == (True, "always")
    assert held(cloud, holder) == {KEY: ("another-value-altogether", True)}
    assert run(cloud, holder, state="absent")["reason"] == "removed"
    assert held(cloud, holder) == {}
    assert run(cloud, holder, state="absent")["changed"] is False


def test_check_mode_says_the_same_and_writes_nothing(cloud, holder):
    for given in ({}, {"state": "absent"}, {"update_secret": "always"}, {"secured": False}):
        if given:
            run(cloud, holder)
        before, _seen = held(cloud, holder), cloud.requests
        said = run(cloud, holder, check=True, **given)
        assert (held(cloud, holder), cloud.writes) == (before, [])
        assert said["changed"] is True
        done = run(cloud, holder, **given)
        assert {**done, "variable": None} == {**said, "variable": None}


def test_other_variables_stay(cloud):
    cloud.sim.add_variable(REPOSITORY, "OTHER", "x")
    cloud.sim.add_variable(WORKSPACE, KEY, "the workspace's own")
    run(cloud)
    run(cloud, state="absent")
    assert held(cloud) == {"OTHER": ("x", True)}
    assert held(cloud, WORKSPACE) == {KEY: ("the workspace's own", True)}


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
    cloud = cloud_company(secured_value=reads_back, variable_put=put)
    cloud.sim.add_variable(REPOSITORY, KEY, there[0], secured=there[1])
    assert run(cloud, **declared)["reason"] == reason
    assert held(cloud)[KEY] == (there if reason is None else (declared["value"], declared["secured"]))
    if declared.get("update_secret") != "always":
        assert run(cloud, **declared)["changed"] is False


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("there", "declared", "warned"),
    [
        (None, {}, False),
        ((VALUE, True), {}, True),
        (("rotated-since", True), {}, True),
        ((VALUE, True), {"update_secret": "on_create"}, True),
        ((VALUE, True), {"update_secret": "always"}, False),
        ((VALUE, False), {}, False),
        ((VALUE, False), {"secured": False}, False),
        ((VALUE, True), {"state": "absent"}, False),
    ],
)
def test_a_secured_value_that_is_not_written_is_warned_of(cloud, there, declared, warned, check):
    if there:
        cloud.sim.add_variable(REPOSITORY, KEY, there[0], secured=there[1])
    result = run(cloud, check=check, **declared)
    said = result.get("warned", [])
    assert [f"The variable {KEY} of the repository acme/ledger exists" in text for text in said] == [True] * warned
    assert VALUE not in str(said)
    assert result["changed"] is not warned or there == (VALUE, False)


def test_it_is_found_whether_or_not_the_listing_wants_a_slash_at_its_end():
    for listing in ("empty", "full"):
        cloud = cloud_company(slashless_list=listing)
        run(cloud)
        assert run(cloud)["changed"] is False


def test_a_listing_of_many_pages_is_read_to_its_end(cloud):
    for number in range(250):
        cloud.sim.add_variable(REPOSITORY, f"V{number:03d}", "x")
    cloud.sim.add_variable(REPOSITORY, KEY, "x")
    assert run(cloud)["changed"] is False


@pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
@pytest.mark.parametrize("status", [None, 503])
def test_a_lost_answer_ends_with_one_variable_of_that_value(cloud, fault, status):
    when = fault.removeprefix("drop_")
    arm: dict[str, t.Any] = {"kind": "status", "status": status, "when": when} if status else {"kind": fault}
    cloud.sim.faults.arm(arm.pop("kind"), method="POST", **arm)
    assert run(cloud)["changed"] is True
    assert held(cloud) == {KEY: (VALUE, True)}


def test_an_answer_lost_twice_is_an_error_and_no_third_try(cloud):
    cloud.sim.faults.arm("drop_before", method="POST", times=None)
    with pytest.raises(LostAnswerError):
        run(cloud)
    assert [write.split()[0] for write in cloud.writes] == ["POST", "POST"]


@pytest.mark.parametrize(("given", "value"), [({}, "theirs"), ({"update_secret": "always"}, VALUE)])
def test_one_that_somebody_else_makes_in_between_is_treated_as_one_that_was_there(cloud, given, value):
    cloud.sim.faults.arm(
        "call", method="POST", when="before", run=lambda: cloud.sim.add_variable(REPOSITORY, KEY, "theirs")
    )
    assert run(cloud, **given)["changed"] is (value == VALUE)
    assert held(cloud) == {KEY: (value, True)}


def test_one_that_somebody_else_removes_in_between_is_gone_all_the_same(cloud):
    made = cloud.sim.add_variable(REPOSITORY, KEY, "x")
    remove = cloud.sim.model.holder(REPOSITORY).variables.remove
    cloud.sim.faults.arm("call", method="DELETE", when="before", run=lambda: remove(made))
    assert run(cloud, state="absent")["changed"] is True


def test_a_spelling_that_bitbucket_takes_for_the_same_is_an_error_of_one_sentence():
    cloud = cloud_company(variable_keys="any_case")
    cloud.sim.add_variable(REPOSITORY, KEY.lower(), "x")
    with pytest.raises(BitbucketError, match="409"):
        run(cloud)


def test_two_of_one_name_are_refused_with_their_ids(cloud):
    made = [cloud.sim.add_variable(REPOSITORY, KEY, "x") for _number in range(2)]
    with pytest.raises(BitbucketError) as refused:
        run(cloud, state="absent")
    assert all(variable.uuid in str(refused.value) for variable in made)
    assert cloud.writes == []


def test_an_environment_is_found_by_name_or_uuid(cloud):
    (uuid,) = [each.uuid for each in cloud.sim.model.holder(REPOSITORY).environments if each.name == "Production"]
    run(cloud, PRODUCTION)
    assert run(cloud, PRODUCTION, environment=uuid)["changed"] is False


def test_an_unknown_environment_is_refused_with_those_there_are(cloud):
    with pytest.raises(InputError, match=r"no environment Prod\. It has: Production, Test\."):
        run(cloud, PRODUCTION, environment="Prod")


def test_environments_of_one_name_are_refused_with_their_ids(cloud):
    second = cloud.sim.add_environment(REPOSITORY, "Production")
    with pytest.raises(InputError, match="Several environments") as refused:
        run(cloud, PRODUCTION)
    assert second.uuid in str(refused.value)


def test_a_place_that_does_not_exist_is_an_error(cloud):
    with pytest.raises(NotFoundError):
        run(cloud, repository="nowhere")


@pytest.mark.parametrize("marker", ["VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "********", "$REDACTED$"])
def test_what_a_log_filter_left_is_no_secret(cloud, marker):
    with pytest.raises(InputError, match="nothing was written"):
        run(cloud, value=marker)
    assert cloud.requests == []


def test_an_empty_name_is_refused(cloud):
    with pytest.raises(InputError, match="`key` is empty"):
        run(cloud, key=" ")


def test_the_value_is_in_no_result(cloud):
    shown = [run(cloud, check=True), run(cloud), run(cloud, update_secret="always"), run(cloud, secured=False)]
    assert VALUE not in json.dumps(shown)
    assert shown[2]["diff"]["before"] == {"key": KEY, "secured": True, "value": "(as it was)"}
    assert shown[2]["diff"]["after"] == {"key": KEY, "secured": True, "value": "(as declared)"}


@pytest.mark.parametrize(
    ("secured", "said"), [(True, "left it unsecured, so it can be read by others"), (False, "keeps it secured")]
)
def test_a_server_that_does_not_do_as_it_says_is_an_error(cloud, secured, said):
    cloud.sim.add_variable(REPOSITORY, KEY, VALUE, secured=not secured)
    cloud.sim.faults.arm("status", method="PUT", when="before", status=204, body="empty")
    with pytest.raises(BitbucketError, match=said):
        run(cloud, secured=secured)


def test_one_that_the_server_accepts_and_does_not_list_is_an_error(cloud):
    cloud.sim.faults.arm("status", method="POST", when="before", status=201, body="empty")
    with pytest.raises(BitbucketError, match="does not list it"):
        run(cloud)


ODD = "/+=&%<'" + VALUE
SPELLINGS = {
    "as it is": ODD,
    "percent-encoded": quote(ODD, safe=""),
    "in a form": quote_plus(ODD),
    "in JSON": json.dumps(ODD),
    "in HTML": html.escape(ODD),
    "in base64": base64.b64encode(ODD.encode()).decode(),
    "in hexadecimal": ODD.encode().hex(),
    "cut": ODD[:12],
}


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("spelling", list(SPELLINGS))
def test_a_server_that_quotes_the_value_in_any_spelling_is_not_quoted(cloud, method, spelling):
    if method == "PUT":
        cloud.sim.add_variable(REPOSITORY, KEY, "before")
    said = f"Refused {SPELLINGS[spelling]}"
    cloud.sim.faults.arm("status", method=method, status=400, message=said)
    with pytest.raises(BitbucketError) as failure:
        run(cloud, value=ODD, update_secret="always")
    assert not [text for text in SPELLINGS.values() if text[:12] in str(failure.value)]
    assert "[credential]" in str(failure.value) or "[withheld" in str(failure.value)
