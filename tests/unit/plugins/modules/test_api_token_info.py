"""Listing and filtering API tokens (C10, C11)."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.modules import api_token_info
from tests.unit.plugins.cloud_company import CloudCompany, info_params

ALL = ["ci-deploy", "ci-read", "dead", "laptop", "never"]


@pytest.fixture(autouse=True)
def _tokens(cloud: CloudCompany) -> None:
    cloud.add("ci-read", created_days_ago=100, last_active_days_ago=1, expires_in_days=20)
    cloud.add("ci-deploy", created_days_ago=50, last_active_days_ago=40, expires_in_days=300)
    cloud.add("laptop", cloud.petra, created_days_ago=300, last_active_days_ago=90, expires_in_days=30)
    cloud.add("never", cloud.petra, created_days_ago=60, expires_in_days=31)
    cloud.add("dead", cloud.petra, created_days_ago=10, last_active_days_ago=9, expires_in_days=-1)
    cloud.add("not-managed", cloud.fred)


def listed(cloud: CloudCompany, check: bool = False, **given: t.Any) -> list[dict[str, t.Any]]:
    given = {"organization": cloud.company.id, **given}
    result = api_token_info.run(info_params(**given), cloud.administrator(), check)
    assert result["changed"] is False
    assert not any(secret in str(result) for secret in cloud.secrets())
    return t.cast("list[dict[str, t.Any]]", result["api_tokens"])


def labels(*arguments: t.Any, **given: t.Any) -> list[str]:
    return sorted(token["label"] for token in listed(*arguments, **given))


@pytest.mark.parametrize("check", [False, True])
def test_everything_that_is_managed_is_listed_in_order(cloud, check):
    tokens = listed(cloud, check)
    assert [token["label"] for token in tokens] == ["ci-deploy", "ci-read", "dead", "laptop", "never"]
    (laptop,) = [token for token in tokens if token["label"] == "laptop"]
    assert (laptop["days_left"], laptop["unused_days"], laptop["status"]) == (30, 90, "ALLOWED")
    assert laptop["user"] == {"account_id": cloud.petra.account_id, "name": "Petra", "email": cloud.petra.email}
    assert cloud.writes == []


def test_days_go_by_the_servers_clock(cloud):
    cloud.sim.clock.advance(days=7)
    (laptop,) = listed(cloud, label="laptop")
    assert (laptop["days_left"], laptop["unused_days"]) == (23, 97)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"label": "ci-*"}, ["ci-deploy", "ci-read"]),
        ({"label": "CI-*"}, []),
        ({"user": "Pet*"}, ["dead", "laptop", "never"]),
        ({"user_email": "PETRA@*"}, ["dead", "laptop", "never"]),
        ({"user_email": "*@company.example", "label": "l*"}, ["laptop"]),
        ({"status": "allowed"}, ALL),
        ({"status": "BLOCKED"}, []),
        ({"expiring_within_days": 30}, ["ci-read", "laptop"]),
        ({"expiring_within_days": 31}, ["ci-read", "laptop", "never"]),
        ({"expiring_within_days": 0}, []),
        ({"unused_for_days": 60}, ["laptop", "never"]),
        ({"unused_for_days": 61}, ["laptop"]),
        ({"unused_for_days": 0}, ALL),
        ({"expired": True}, ["dead"]),
        ({"expired": False, "unused_for_days": 9}, ["ci-deploy", "laptop", "never"]),
    ],
    ids=str,
)
def test_filters(cloud, given, expected):
    assert labels(cloud, **given) == expected


def test_a_user_can_be_named_by_id(cloud):
    assert labels(cloud, user=cloud.ada.account_id) == ["ci-deploy", "ci-read"]


def test_one_account_alone(cloud):
    tokens = listed(cloud, account_id=cloud.petra.account_id, expired=False)
    assert [(token["label"], token["status"]) for token in tokens] == [("laptop", None), ("never", None)]
    assert cloud.requests == [f"GET /users/{cloud.petra.account_id}/manage/api-tokens"]
    assert listed(cloud, account_id=cloud.ada.account_id, organization="", label="x") == []


@pytest.mark.parametrize("date", ["no_date", "date"])
def test_without_a_clock_no_filter_by_time_matches(cloud, date):
    for given in ({"expiring_within_days": 1000}, {"unused_for_days": 0}, {"expired": False}, {"expired": True}):
        cloud.sim.faults.arm(date, **({"date": "Thu, 01 Jan 1970 00:00:00 GMT"} if date == "date" else {}))
        assert labels(cloud, **given) == []
    cloud.sim.faults.arm("no_date")
    assert {token["days_left"] for token in listed(cloud)} == {None}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"organization": ""}, "Set `organization`"),
        ({"expiring_within_days": -1}, "`expiring_within_days` cannot be negative"),
        ({"unused_for_days": -1}, "`unused_for_days` cannot be negative"),
        ({"account_id": "a", "status": "ALLOWED"}, "`status` cannot be set with `account_id`"),
        ({"account_id": "a", "user": "x"}, "`user` cannot be set with `account_id`"),
        ({"account_id": "a", "user_email": "x"}, "`user_email` cannot be set with `account_id`"),
    ],
)
def test_what_cannot_be_asked(cloud, given, sentence):
    with pytest.raises(InputError, match=sentence):
        listed(cloud, **given)
    assert cloud.requests == []
