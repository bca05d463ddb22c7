"""One API token: asserted, or revoked and nothing else (C9 to C12)."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.modules import api_token
from tests.simulator.cloud.model import Token
from tests.unit.plugins.cloud_company import CloudCompany, token_params

PAGE = "https://id.atlassian.com/manage-profile/security/api-tokens"


@pytest.fixture
def laptop(cloud: CloudCompany) -> Token:
    """The only one of its label; petra has one of the same, and nobody else's business is touched."""
    cloud.add("laptop", cloud.petra)
    cloud.add("ci", created_days_ago=5)
    return cloud.add("laptop", created_days_ago=10, last_active_days_ago=2, expires_in_days=30)


@pytest.fixture(autouse=True)
def _nobody_elses_token(cloud: CloudCompany) -> t.Iterator[None]:
    yield
    assert cloud.sim.disasters == []
    assert all(token.revoked is None for token in cloud.sim.model.tokens if token.account is not cloud.ada)


def run(cloud: CloudCompany, check: bool = False, **given: t.Any) -> dict[str, t.Any]:
    given = {"account_id": cloud.ada.account_id, **given}
    result = api_token.run(token_params(**given), cloud.administrator(), check)
    assert not any(secret in str(result) for secret in cloud.secrets())
    return result


def absent(cloud: CloudCompany, check: bool = False, **given: t.Any) -> dict[str, t.Any]:
    return run(cloud, check, state="absent", **given)


def alive(cloud: CloudCompany) -> list[str]:
    return [token.label for token in cloud.sim.tokens(cloud.ada)]


# ---- revoking ----


@pytest.mark.parametrize("by", ["id", "label"])
@pytest.mark.parametrize("status", [204, 200, 202])
def test_one_is_revoked_and_again_nothing_changes(cloud, laptop, by, status):
    cloud.sim.switches.revoke_status = status
    meant = {by: getattr(laptop, by)}
    predicted = absent(cloud, check=True, **meant)
    assert (cloud.writes, alive(cloud)) == ([], ["laptop", "ci"])
    result = absent(cloud, **meant)
    assert result == predicted
    assert (result["changed"], result["revoked"], result["api_token"]) == (True, laptop.id, None)
    assert result["diff"]["after"] == {"api_token": None}
    assert result["diff"]["before"]["api_token"]["label"] == "laptop"
    assert cloud.writes == [f"DELETE /users/{cloud.ada.account_id}/manage/api-tokens/{laptop.id}"]
    assert alive(cloud) == ["ci"]
    again = absent(cloud, **meant)
    assert (again["changed"], again["revoked"], cloud.writes) == (False, None, [])
    assert again["diff"]["before"] == again["diff"]["after"]


@pytest.mark.parametrize("check", [False, True])
def test_an_ambiguous_label_is_refused_and_the_candidates_are_listed(cloud, laptop, check):
    other = cloud.add("laptop", created_days_ago=1)
    result = absent(cloud, check, label="laptop")
    assert (result["failed"], result["changed"], cloud.writes) == (True, False, [])
    assert result["msg"].startswith('2 API tokens are labeled "laptop": ')
    for token in (laptop, other):
        assert token.id in result["msg"]
    assert "never used" in result["msg"]
    assert sorted(token["id"] for token in result["candidates"]) == sorted([laptop.id, other.id])
    assert absent(cloud, id=other.id)["revoked"] == other.id
    assert alive(cloud) == ["laptop", "ci"]


@pytest.mark.parametrize("meant", [{"label": "Laptop"}, {"label": "lap*"}, {"id": "no-such-id"}], ids=str)
def test_what_is_not_there_is_absent(cloud, laptop, meant):
    result = absent(cloud, **meant)
    assert (result["changed"], result["api_token"], cloud.writes) == (False, None, [])
    assert laptop.revoked is None


def test_the_token_of_another_account_is_not_meant(cloud, laptop):
    (other,) = cloud.sim.tokens(cloud.petra)
    assert absent(cloud, id=other.id)["changed"] is False
    assert laptop.revoked is None


@pytest.mark.parametrize(("ids", "organization"), list(itertools.product(["same", "different"], [True, False])))
def test_an_id_that_only_the_organization_knows_is_not_called_absent(cloud, laptop, ids, organization):
    cloud.sim.switches.token_ids = ids
    known = laptop.id if ids == "same" else f"o-{laptop.id}"
    given = {"id": known, **({"organization": cloud.company.id} if organization else {})}
    if ids == "different" and organization:
        with pytest.raises(BitbucketError, match=r'Set `label` instead of `id`\. The label is "laptop"'):
            absent(cloud, **given)
    else:
        assert absent(cloud, **given)["changed"] is (ids == "same")
    assert absent(cloud, id="gone", organization=cloud.company.id)["changed"] is False


def test_a_listing_that_lags_behind_is_warned_of_and_still_no_second_change(cloud, laptop):
    cloud.sim.switches.revoked_lingers = 60.0
    first = absent(cloud, id=laptop.id)
    assert (first["changed"], laptop.revoked is not None) == (True, True)
    assert first["warned"] == [f"Atlassian says that API token {laptop.id} is revoked, but still lists it."]
    second = absent(cloud, id=laptop.id)
    assert (second["changed"], second["warned"]) == (False, first["warned"])
    cloud.sim.clock.advance(minutes=2)
    assert "warned" not in absent(cloud, id=laptop.id)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
def test_a_lost_answer_does_not_hide_the_change(cloud, laptop, fault):
    cloud.sim.faults.arm(fault, method="DELETE")
    result = absent(cloud, id=laptop.id)
    assert (result["changed"], result["revoked"]) == (True, laptop.id)
    assert laptop.revoked is not None


def test_a_refused_revocation_fails(cloud, laptop):
    cloud.sim.faults.arm("status", method="DELETE", status=403)
    with pytest.raises(BitbucketError, match=r"^DELETE .*known but not permitted"):
        absent(cloud, id=laptop.id)
    assert laptop.revoked is None


# ---- asserting ----


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("given", [{}, {"min_days_left": 0}, {"min_days_left": 30}], ids=str)
@pytest.mark.parametrize("by", ["id", "label"])
def test_one_that_lives_long_enough_is_present(cloud, laptop, by, given, check):
    result = run(cloud, check, **{by: getattr(laptop, by)}, **given)
    assert "failed" not in result
    assert (result["changed"], result["api_token"]["id"], result["api_token"]["days_left"]) == (False, laptop.id, 30)
    assert result["diff"]["before"] == result["diff"]["after"]
    assert cloud.writes == []


@pytest.mark.parametrize(
    ("given", "days", "sentence"),
    [
        ({"label": "laptop", "min_days_left": 31}, 0, 'API token "laptop" has 30 days left, but `min_days_left` is 31'),
        ({"label": "laptop", "min_days_left": 30}, 1, 'API token "laptop" has 29 days left, but `min_days_left` is 30'),
        ({"label": "laptop"}, 30, 'API token "laptop" expired at 2026-12-02T09:00:00Z'),
        ({"label": "laptop", "min_days_left": 0}, 31, 'API token "laptop" expired at'),
        ({"label": "gone"}, 0, 'The account has no API token "gone".'),
        ({"id": "no-such-id"}, 0, "The account has no API token no-such-id."),
    ],
    ids=str,
)
def test_one_that_does_not_fails_and_names_the_page(cloud, laptop, given, days, sentence):
    cloud.sim.clock.advance(days=days)
    result = run(cloud, **given)
    assert (result["failed"], result["changed"], result["page"]) == (True, False, PAGE)
    assert result["msg"].startswith(sentence)
    assert result["msg"].endswith(f"ask the owner of the account to create one at {PAGE}.")
    assert (result["api_token"] is None) == ("no API token" in sentence)
    assert cloud.writes == []
    assert laptop.revoked is None


def test_of_several_the_one_that_lives_longest_counts(cloud, laptop):
    successor = cloud.add("laptop", expires_in_days=200)
    cloud.add("laptop", expires_in_days=-1)
    cloud.add("laptop", expires_in_days=None)
    assert run(cloud, label="laptop", min_days_left=100)["api_token"]["id"] == successor.id
    assert laptop.expires < successor.expires


@pytest.mark.parametrize("missing", ["absent", "null", "empty"])
def test_an_expiry_that_is_not_told_is_not_guessed(cloud, missing):
    cloud.sim.switches.missing_time = missing
    cloud.add("old", expires_in_days=None)
    assert run(cloud, label="old")["api_token"]["expires"] is None
    result = run(cloud, label="old", min_days_left=1)
    assert result["failed"]
    assert (
        result["msg"]
        == 'It is not known whether API token "old" has 1 days left: Atlassian does not say when it expires.'
    )


def test_without_a_clock_nothing_is_known_of_days(cloud, laptop):
    cloud.sim.faults.arm("no_date", times=2)
    assert run(cloud, id=laptop.id)["api_token"]["days_left"] is None
    assert run(cloud, id=laptop.id, min_days_left=1)["msg"].endswith("days left: the server sends no time.")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"label": ""}, "is empty. Set one of them"),
        ({"id": "", "state": "absent"}, "is empty. Set one of them"),
        ({"label": "x", "min_days_left": -1}, "`min_days_left` cannot be negative"),
        ({"label": "x", "account_id": "ada@company.example"}, "not an e-mail address"),
        ({"label": "x", "account_id": "../orgs"}, "`account_id` is not an id"),
    ],
)
def test_what_cannot_be_asked(cloud, given, sentence):
    with pytest.raises(InputError, match=sentence):
        run(cloud, **given)
    assert cloud.requests == []


@pytest.mark.parametrize("given", [{}, {"id": "x", "label": "y"}, {"label": "x", "state": "gone"}], ids=str)
def test_exactly_one_token_is_meant(given):
    with pytest.raises(AssertionError):
        token_params(account_id="a", **given)


def test_a_label_cannot_paint_the_terminal(cloud):
    cloud.add("a\x1b[31m\nb", expires_in_days=1)
    result = run(cloud, label="a\x1b[31m\nb", min_days_left=9)
    assert result["msg"].startswith('API token "a⟨U+001B⟩[31m b" has 1 days left')
