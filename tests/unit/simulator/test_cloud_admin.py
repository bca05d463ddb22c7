"""Atlassian's admin API: the API tokens of an organization and of one account (C10–C12, C16)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .cloud_stand import ADMIN, Stand, standing


@pytest.fixture
def stand() -> Iterator[Stand]:
    with standing() as made:
        made.cloud.clock.advance(days=-1)
        made.cloud.add_api_token(made.ada, "used", [], expires_in_days=5, last_active_days_ago=2)
        made.cloud.clock.advance(days=1)
        yield made


def labels(response) -> list[str]:
    return [entry["label"] for entry in response.json()["data"]]


def test_the_organization_lists_its_managed_accounts_tokens(stand):
    freelancer = stand.cloud.add_account("fred")
    stand.cloud.add_api_token(freelancer, "own")
    body = stand.admin("GET", stand.organization_tokens).json()
    assert [entry["label"] for entry in body["data"]] == ["all", "used"]
    never, used = body["data"]
    assert used == {
        "id": stand.cloud.tokens(stand.ada)[0].id,
        "label": "used",
        "status": "ALLOWED",
        "createdAt": "2026-11-01T09:00:00.000Z",
        "expiresAt": "2026-11-06T09:00:00.000Z",
        "lastActiveAt": "2026-10-30T09:00:00.000Z",
        "user": {
            "id": stand.ada.account_id,
            "orgId": stand.company.id,
            "name": "Ada",
            "email": "ada@company.example",
        },
    }
    assert "lastActiveAt" not in never
    assert "next" not in body["links"]
    assert stand.token.secret not in str(body)


def test_one_account_has_a_plain_list(stand):
    listed = stand.admin("GET", stand.account_tokens(stand.ada)).json()
    assert [set(entry) for entry in listed] == [
        {"id", "label", "createdAt", "expiry"},
        {"id", "label", "createdAt", "expiry", "lastAccess"},
    ]


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("iso", "2026-11-01T09:00:00Z"),
        ("iso_micros", "2026-11-01T09:00:00.000000Z"),
        ("offset", "2026-11-01T09:00:00.000+00:00"),
        ("epoch_ms", 1_793_523_600_000),
    ],
)
def test_times_are_written_as_the_switch_says(stand, style, written):
    stand.cloud.switches.time_format = style
    assert stand.admin("GET", stand.account_tokens(stand.ada)).json()[1]["createdAt"] == written


@pytest.mark.parametrize(("switch", "value"), [("null", None), ("empty", "")])
def test_a_time_that_is_missing_may_be_written_as_nothing(stand, switch, value):
    stand.cloud.switches.missing_time = switch
    assert stand.admin("GET", stand.account_tokens(stand.ada)).json()[0]["lastAccess"] == value


def test_only_the_organizations_key_as_bearer_opens_it(stand):
    other = stand.cloud.add_organization("other")
    assert stand.admin("GET", stand.organization_tokens, key="x").status_code == 401
    assert stand.admin("GET", stand.organization_tokens, key=stand.token.secret).status_code == 401
    assert stand.admin("GET", stand.organization_tokens, key=other.admin_key).status_code == 403
    assert stand.admin("GET", stand.account_tokens(stand.ada), key=other.admin_key).status_code == 404
    basic = stand("GET", f"{ADMIN}/{stand.organization_tokens}", auth=("x", stand.company.admin_key))
    assert basic.status_code == 401
    assert stand.cloud.authenticates(stand.company.admin_key)


@pytest.mark.parametrize(("query", "found"), [("q=USED", ["used"]), ("q=ada@", ["all", "used"]), ("status=X", [])])
def test_it_filters_by_what_is_documented(stand, query, found):
    assert labels(stand.admin("GET", f"{stand.organization_tokens}?{query}")) == found


@pytest.mark.parametrize("query", ["limit=5", "page=2"])
def test_a_query_name_that_is_unknown_breaks_it(stand, query):
    assert stand.admin("GET", f"{stand.organization_tokens}?{query}").status_code == 500
    stand.cloud.switches.admin_unknown_query = "ignore"
    assert stand.admin("GET", f"{stand.organization_tokens}?{query}").status_code == 200
    known = f"{stand.organization_tokens}?createdAtAfter=x&lastActiveAtBefore=x&sort=x"
    stand.cloud.switches.admin_unknown_query = "fail"
    assert stand.admin("GET", known).status_code == 200


@pytest.mark.parametrize("last", ["absent", "null", "empty"])
@pytest.mark.parametrize("style", ["url", "path", "cursor"])
def test_next_is_written_as_the_switch_says_and_leads_on(stand, style, last):
    stand.cloud.switches.update({"admin_next": style, "admin_last_next": last, "admin_page_cap": 1})
    first = stand.admin("GET", f"{stand.organization_tokens}?pageSize=50")
    link = first.json()["links"]["next"]
    path = {"url": link.removeprefix(f"{ADMIN}/"), "path": link[1:]}.get(style)
    second = stand.admin("GET", path or f"{stand.organization_tokens}?cursor={link}")
    assert labels(first) + labels(second) == ["all", "used"]
    links = second.json()["links"]
    assert links.get("next", "absent") == {"absent": "absent", "null": None, "empty": ""}[last]
    assert "prev" in links


def test_a_hostile_next_is_the_admin_apis_too(stand):
    stand.cloud.switches.update({"next_host": "evil.example.net", "admin_page_cap": 1})
    link = stand.admin("GET", stand.organization_tokens).json()["links"]["next"]
    assert link.startswith("https://evil.example.net/admin/")


@pytest.mark.parametrize("query", ["pageSize=0", "pageSize=x", "cursor=zz"])
def test_a_page_that_is_none_is_refused(stand, query):
    assert stand.admin("GET", f"{stand.organization_tokens}?{query}").status_code == 400


@pytest.mark.parametrize("status", [204, 200, 202])
def test_one_token_is_revoked_and_no_other(stand, status):
    stand.cloud.switches.revoke_status = status
    answer = stand.admin("DELETE", f"{stand.account_tokens(stand.ada)}/{stand.token.id}")
    assert answer.status_code == status
    assert not stand.cloud.authenticates(stand.token.secret)
    assert [token.label for token in stand.cloud.tokens(stand.ada)] == ["used"]
    assert labels(stand.admin("GET", stand.organization_tokens)) == ["used"]
    again = stand.admin("DELETE", f"{stand.account_tokens(stand.ada)}/{stand.token.id}")
    assert again.status_code == 404
    assert stand.cloud.disasters == []


def test_a_revoked_token_may_linger_in_the_lists(stand):
    stand.cloud.switches.update({"revoked_lingers": 30, "revoked_status": "REVOKED", "revoke_unknown": 204})
    for _turn in range(2):
        assert stand.admin("DELETE", f"{stand.account_tokens(stand.ada)}/{stand.token.id}").status_code == 204
    assert stand.admin("GET", stand.organization_tokens).json()["data"][0]["status"] == "REVOKED"
    stand.cloud.clock.advance(seconds=30)
    assert labels(stand.admin("GET", stand.organization_tokens)) == ["used"]


def test_the_two_lists_may_name_a_token_differently(stand):
    stand.cloud.switches.token_ids = "different"
    listed = stand.admin("GET", stand.organization_tokens).json()["data"][0]["id"]
    assert stand.admin("DELETE", f"{stand.account_tokens(stand.ada)}/{listed}").status_code == 404
    assert stand.admin("GET", stand.account_tokens(stand.ada)).json()[0]["id"] != listed


@pytest.mark.parametrize(("listed", "status", "found"), [(True, "EXPIRED", ["EXPIRED"]), (False, "ALLOWED", [])])
def test_expired_tokens_are_listed_or_not(stand, listed, status, found):
    stand.cloud.switches.update({"expired_listed": listed, "expired_status": status})
    stand.cloud.clock.advance(days=6)
    entries = stand.admin("GET", f"{stand.organization_tokens}?q=used").json()["data"]
    assert [entry["status"] for entry in entries] == found


@pytest.mark.parametrize("beginning", ["admin/api-access/v1/", ""])
@pytest.mark.parametrize("end", ["", "/"])
def test_the_disaster_is_the_disaster_and_is_written_down(stand, beginning, end):
    fred = stand.cloud.add_account("fred")
    spared = stand.cloud.add_api_token(fred, "own")
    answer = stand.admin("DELETE", f"{beginning}orgs/{stand.company.id}/api-tokens{end}")
    assert answer.status_code == 204
    assert stand.cloud.tokens(stand.ada) == []
    assert stand.cloud.authenticates(spared.secret)
    assert stand.cloud.disasters == stand.cloud.state()["disasters"] == [stand.company.id]


def test_an_account_has_no_disaster_of_its_own(stand):
    assert stand.admin("DELETE", f"{stand.account_tokens(stand.ada)}/").status_code == 405
    assert stand.admin("POST", stand.organization_tokens).status_code == 405
    assert len(stand.cloud.tokens(stand.ada)) == 2


def test_calls_are_counted_and_the_reset_is_iso_8601(stand):
    stand.cloud.switches.admin_rate_limit = 2
    answers = [stand.admin("GET", stand.organization_tokens) for _turn in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["X-RateLimit-Reset"] for answer in answers} == {"2026-11-02T09:01:00Z"}
    assert "Retry-After" not in answers[2].headers
    stand.cloud.clock.advance(seconds=60)
    assert stand.admin("GET", stand.organization_tokens).status_code == 200


@pytest.mark.parametrize("switch", ["iso_millis", "offset", "missing"])
def test_the_reset_is_written_as_the_switch_says(stand, switch):
    stand.cloud.switches.update({"admin_rate_limit": 1, "admin_reset": switch, "retry_after": "seconds"})
    stand.admin("GET", stand.organization_tokens)
    refused = stand.admin("GET", stand.organization_tokens)
    known = {"iso_millis": "2026-11-02T09:01:00.000Z", "offset": "2026-11-02T09:01:00.000+00:00", "missing": None}
    assert refused.headers.get("X-RateLimit-Reset") == known[switch]
    assert refused.headers["Retry-After"] == "60"
    stand.cloud.switches.admin_rate_limit = 0
    assert "X-RateLimit-Limit" not in stand.admin("GET", stand.organization_tokens).headers


@pytest.mark.parametrize(("switch", "empty"), [("errors", False), ("message", False), ("empty", True)])
def test_errors_have_the_shape_of_the_switch(stand, switch, empty):
    stand.cloud.switches.admin_error_body = switch
    answer = stand.admin("GET", stand.organization_tokens, key="x")
    assert answer.status_code == 401
    assert (answer.content == b"") is empty
    assert empty or switch in answer.json()
