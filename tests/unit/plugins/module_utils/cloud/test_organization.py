"""API tokens as the administration lists them (C10, C11, C16), whichever way the facts are silent."""

from __future__ import annotations

import itertools
import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud._organization import (
    Account,
    ApiToken,
    Organization,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    ForbiddenError,
    GuardError,
    InputError,
    LockoutError,
    LostAnswerError,
    NotFoundError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _client, _cloud_answers
from tests.simulator.cloud.model import Token
from tests.unit.plugins.cloud_company import CloudCompany
from tests.unit.plugins.fake_transport import FakeTransport, answer

NOW = 1_768_467_600_000


@pytest.fixture
def tokens(cloud: CloudCompany) -> list[Token]:
    """Three managed ones and one that is not."""
    cloud.add("foreign", cloud.fred)
    return [
        cloud.add("laptop", cloud.petra, created_days_ago=10, last_active_days_ago=3, expires_in_days=20.5),
        cloud.add("laptop", cloud.ada, created_days_ago=7),
        cloud.add("endless", cloud.ada, expires_in_days=None, created_days_ago=2),
    ]


STYLES = ["iso", "iso_millis", "iso_micros", "offset", "epoch_ms"]


@pytest.mark.parametrize("missing", ["absent", "null", "empty"])
@pytest.mark.parametrize("style", STYLES)
def test_times_are_read_however_they_are_written(cloud, tokens, style, missing):
    cloud.sim.switches.update({"time_format": style, "missing_time": missing})
    api = cloud.organization()
    listing = api.tokens(cloud.company.id)
    assert [token.id for token in listing.tokens] == [token.id for token in reversed(tokens)]
    both = {token.id: token for token in (*api.account_tokens(cloud.ada.account_id).tokens, *listing.tokens)}
    for made in tokens:
        read = both[made.id]
        # What is written to the second has lost its fraction.
        for given, told in (
            (made.created, read.created),
            (made.expires, read.expires),
            (made.last_active, read.last_active),
        ):
            assert given == told or (style == "iso" and given // 1000 == told // 1000)


def test_a_listing_tells_whose_tokens_they_are(cloud, tokens):
    listing = cloud.organization().tokens(cloud.company.id)
    (first,) = [token for token in listing.tokens if token.id == tokens[0].id]
    assert first.describe(listing.now) == {
        "id": tokens[0].id,
        "label": "laptop",
        "user": {"account_id": cloud.petra.account_id, "name": "Petra", "email": cloud.petra.email},
        "status": "ALLOWED",
        "created": "2026-10-23T09:00:00Z",
        "expires": "2026-11-22T21:00:00Z",
        "last_active": "2026-10-30T09:00:00Z",
        "days_left": 20,
        "unused_days": 3,
    }


def test_one_accounts_tokens_are_named_by_it(cloud, tokens):
    listing = cloud.organization().account_tokens(cloud.ada.account_id)
    assert [(token.label, token.status, token.user) for token in listing.tokens] == [
        ("endless", None, Account(cloud.ada.account_id)),
        ("laptop", None, Account(cloud.ada.account_id)),
    ]
    assert listing.now == cloud.sim.clock.now_ms()
    assert cloud.requests == [f"GET /users/{cloud.ada.account_id}/manage/api-tokens"]
    assert len(tokens) == 3


@pytest.mark.parametrize(
    ("following", "last", "cap"),
    list(itertools.product(["url", "path", "cursor"], ["absent", "null", "empty"], [1, 2, 100])),
)
def test_cursors_are_followed_in_any_form(cloud, following, last, cap):
    cloud.sim.switches.update({"admin_next": following, "admin_last_next": last, "admin_page_cap": cap})
    expected = {cloud.add(f"t{number}").id for number in range(5)}
    assert {token.id for token in cloud.organization().tokens(cloud.company.id).tokens} == expected
    assert {entry.query.split("&")[0].split("=")[0] for entry in cloud.sim.requests} <= {"pageSize", "cursor"}


def test_an_organization_without_tokens_has_a_clock(cloud):
    assert cloud.organization().tokens(cloud.company.id) == ((), cloud.sim.clock.now_ms())
    assert cloud.organization().account_tokens(cloud.ada.account_id) == ((), cloud.sim.clock.now_ms())


@pytest.mark.parametrize("reset", ["iso", "iso_millis", "offset", "missing"])
def test_the_rate_limit_is_waited_for_until_its_reset(cloud, monkeypatch, reset):
    cloud.sim.switches.update(
        {"admin_rate_limit": 1, "admin_rate_window": 60.0, "admin_reset": reset, "admin_page_cap": 1}
    )
    for number in range(3):
        cloud.add(f"t{number}")
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        cloud.sim.clock.advance(seconds=seconds)

    # Time passes by waiting only.
    monkeypatch.setattr(_client, "time", SimpleNamespace(monotonic=lambda: sum(waits)))
    client = cloud.administrator()
    client._gate._sleep = client._sleep = sleep
    assert len(Organization(client).tokens(cloud.company.id).tokens) == 3
    if reset == "missing":
        assert len(waits) > 2
    else:
        assert waits == [60, 60]


@pytest.mark.parametrize("body", ["errors", "message", "empty"])
def test_refusals_are_sentences(cloud, body):
    cloud.sim.switches.admin_error_body = body
    api = cloud.organization()
    with pytest.raises(
        ForbiddenError, match=r"^GET /admin/api-access/v1/orgs/other/api-tokens: the caller is known but"
    ):
        api.tokens("other")
    with pytest.raises(NotFoundError, match=r"^GET /users/712020%3Anobody/manage/api-tokens: it does not exist"):
        api.account_tokens("712020:nobody")
    with pytest.raises(NotFoundError):
        api.account_tokens(cloud.fred.account_id)
    with pytest.raises(LockoutError, match="`admin_api_key` must be an API key") as caught:
        Organization(cloud.administrator("wrong-key-of-nobody")).tokens(cloud.company.id)
    assert "wrong-key-of-nobody" not in str(caught.value)


# ---- revoking one ----


@pytest.mark.parametrize("status", [204, 200, 202])
def test_exactly_one_is_revoked_and_again_is_nothing(cloud, tokens, status):
    cloud.sim.switches.revoke_status = status
    api = cloud.organization()
    assert api.revoke(cloud.ada.account_id, tokens[1].id) is True
    assert [token.label for token in cloud.sim.tokens(cloud.ada)] == ["endless"]
    assert len(cloud.sim.tokens(cloud.petra)) == 1
    assert api.revoke(cloud.ada.account_id, tokens[1].id) is False
    assert cloud.sim.disasters == []


@pytest.mark.parametrize("body", [b"OK", b"<html>done</html>", b'"x"', b""], ids=["text", "html", "json", "none"])
def test_any_success_is_one_whatever_its_body(body):
    assert Organization(FakeTransport(answer(200, body)).client()).revoke("a:1", "t1") is True


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "timeout"])
def test_a_lost_revocation_is_sent_again(cloud, tokens, fault):
    cloud.sim.faults.arm(fault, method="DELETE")
    cloud.organization().revoke(cloud.ada.account_id, tokens[1].id)
    assert [token.label for token in cloud.sim.tokens(cloud.ada)] == ["endless"]
    assert cloud.writes == [f"DELETE /users/{cloud.ada.account_id}/manage/api-tokens/{tokens[1].id}"] * 2


def test_a_revocation_that_stays_lost_is_an_error(cloud, tokens):
    cloud.sim.faults.arm("drop_before", method="DELETE", times=None)
    with pytest.raises(LostAnswerError):
        cloud.organization().revoke(cloud.ada.account_id, tokens[1].id)


@pytest.mark.parametrize("value", ["", ".", "..", "a/b", "a\\b", "a b", "a%2fb", "a?b", "a#b", "ä", "a\n", ".x"])
def test_nothing_but_an_id_gets_into_a_path(value):
    transport = FakeTransport(answer(200, []))
    api = Organization(transport.client())
    for call in (
        lambda: api.revoke("712020:x", value),
        lambda: api.revoke(value, "t1"),
        lambda: api.account_tokens(value),
        lambda: api.tokens(value),
    ):
        with pytest.raises(InputError, match="is not an id"):
            call()
    assert transport.asked == []


def test_an_address_is_no_account_id():
    with pytest.raises(InputError, match="not an e-mail address"):
        Organization(FakeTransport(answer(200, [])).client()).account_tokens("ada@example.com")


def test_c12_the_simulated_company_keeps_its_tokens_whatever_is_deleted(cloud, tokens):
    """What would have happened is real in the simulator; the client does not let it."""
    client = cloud.administrator()
    path = f"/admin/api-access/v1/orgs/{cloud.company.id}/api-tokens"
    with pytest.raises(GuardError):
        client.delete(path)
    assert (cloud.requests, cloud.sim.disasters) == ([], [])
    assert len(cloud.sim.tokens(cloud.ada)) == len(tokens) - 1


# ---- answers that are none ----


def entry(**fields: t.Any) -> dict[str, t.Any]:
    return {"id": "t1", "label": "x", "createdAt": "2026-01-01T00:00:00Z", **fields}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"data": []}, "not a list of API tokens"),
        (None, "not a list of API tokens"),
        ([7], "without a usable id"),
        ([entry(id="")], "without a usable id"),
        ([entry(id=7)], "without a usable id"),
        ([entry(createdAt="soon")], "an invalid time"),
        ([entry(expiry=True)], "an invalid time"),
        ([entry(lastAccess=-1)], "an invalid time"),
        ([entry(lastAccess=10**20)], "an invalid time"),
        ([entry(expiry={})], "an invalid time"),
    ],
    ids=str,
)
def test_what_is_no_listing_is_an_error_and_not_empty(data, sentence):
    with pytest.raises(AnswerError, match=sentence):
        Organization(FakeTransport(answer(200, data)).client(_cloud_answers.ORGANIZATION)).account_tokens("a")


@pytest.mark.parametrize("seconds", [1_768_467_600, 1_768_467_600_000, 1_768_467_600.9])
def test_seconds_and_milliseconds_are_told_apart(seconds):
    listing = Organization(FakeTransport(answer(200, [entry(expiry=seconds)])).client()).account_tokens("a")
    assert listing.tokens[0].expires in (NOW, NOW + 900)


def test_what_is_missing_is_none():
    odd = {"id": "t\udc80", "label": None, "user": "x", "status": 7}
    listing = Organization(FakeTransport(answer(200, {"data": [odd]})).client()).tokens("o")
    assert listing.tokens == (ApiToken("t?", "", Account(None)),)


@pytest.mark.parametrize(
    ("token", "left", "unused", "expired"),
    [
        (ApiToken("t", "", Account("a"), None, NOW - DAY, NOW + DAY, NOW - 1), 1, 0, False),
        (ApiToken("t", "", Account("a"), None, NOW - DAY, NOW + DAY - 1), 0, 1, False),
        (ApiToken("t", "", Account("a"), None, NOW - DAY, NOW), 0, 1, True),
        (ApiToken("t", "", Account("a"), None, NOW - DAY, NOW - 1), -1, 1, True),
        (ApiToken("t", "", Account("a"), None, NOW + DAY), None, 0, False),
        (ApiToken("t", "", Account("a")), None, None, False),
    ],
)
def test_days_are_whole_and_the_instant_itself_has_expired(token, left, unused, expired):
    assert (token.days_left(NOW), token.unused_days(NOW), token.expired(NOW)) == (left, unused, expired)
    assert (token.days_left(None), token.unused_days(None), token.expired(None)) == (None, None, False)
