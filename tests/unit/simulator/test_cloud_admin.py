"""Atlassian's admin API: the API tokens of an organization and of one account (C10–C12, C16)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .cloud_client import ADMIN, CloudClient, cloud_client


@pytest.fixture
def client() -> Iterator[CloudClient]:
    with cloud_client() as made:
        made.cloud.clock.advance(days=-1)
        made.cloud.add_api_token(made.ada, "used", [], expires_in_days=5, last_active_days_ago=2)
        made.cloud.clock.advance(days=1)
        yield made


def labels(response) -> list[str]:
    return [entry["label"] for entry in response.json()["data"]]


def test_the_organization_lists_its_managed_accounts_tokens(client):
    freelancer = client.cloud.add_account("fred")
    client.cloud.add_api_token(freelancer, "own")
    body = client.admin("GET", client.organization_tokens).json()
    assert [entry["label"] for entry in body["data"]] == ["all", "used"]
    never, used = body["data"]
    assert used == {
        "id": client.cloud.tokens(client.ada)[0].id,
        "label": "used",
        "status": "ALLOWED",
        "createdAt": "2026-11-01T09:00:00.000Z",
        "expiresAt": "2026-11-06T09:00:00.000Z",
        "lastActiveAt": "2026-10-30T09:00:00.000Z",
        "user": {
            "id": client.ada.account_id,
            "orgId": client.company.id,
            "name": "Ada",
            "email": "ada@company.example",
        },
    }
    assert "lastActiveAt" not in never
    assert "next" not in body["links"]
    assert client.token.secret not in str(body)


def test_one_account_has_a_plain_list(client):
    listed = client.admin("GET", client.account_tokens(client.ada)).json()
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
def test_times_are_written_as_the_switch_says(client, style, written):
    client.cloud.switches.time_format = style
    assert client.admin("GET", client.account_tokens(client.ada)).json()[1]["createdAt"] == written


@pytest.mark.parametrize(("switch", "value"), [("null", None), ("empty", "")])
def test_a_time_that_is_missing_may_be_written_as_nothing(client, switch, value):
    client.cloud.switches.missing_time = switch
    assert client.admin("GET", client.account_tokens(client.ada)).json()[0]["lastAccess"] == value


def test_only_the_organizations_key_as_bearer_opens_it(client):
    other = client.cloud.add_organization("other")
    assert client.admin("GET", client.organization_tokens, key="x").status_code == 401
    assert client.admin("GET", client.organization_tokens, key=client.token.secret).status_code == 401
    assert client.admin("GET", client.organization_tokens, key=other.admin_key).status_code == 403
    assert client.admin("GET", client.account_tokens(client.ada), key=other.admin_key).status_code == 404
    basic = client("GET", f"{ADMIN}/{client.organization_tokens}", auth=("x", client.company.admin_key))
    assert basic.status_code == 401
    assert client.cloud.authenticates(client.company.admin_key)


@pytest.mark.parametrize(("query", "found"), [("q=USED", ["used"]), ("q=ada@", ["all", "used"]), ("status=X", [])])
def test_it_filters_by_what_is_documented(client, query, found):
    assert labels(client.admin("GET", f"{client.organization_tokens}?{query}")) == found


@pytest.mark.parametrize("query", ["limit=5", "page=2"])
def test_a_query_name_that_is_unknown_breaks_it(client, query):
    assert client.admin("GET", f"{client.organization_tokens}?{query}").status_code == 500
    client.cloud.switches.admin_unknown_query = "ignore"
    assert client.admin("GET", f"{client.organization_tokens}?{query}").status_code == 200
    known = f"{client.organization_tokens}?createdAtAfter=x&lastActiveAtBefore=x&sort=x"
    client.cloud.switches.admin_unknown_query = "fail"
    assert client.admin("GET", known).status_code == 200


@pytest.mark.parametrize("last", ["absent", "null", "empty"])
@pytest.mark.parametrize("style", ["url", "path", "cursor"])
def test_next_is_written_as_the_switch_says_and_leads_on(client, style, last):
    client.cloud.switches.update({"admin_next": style, "admin_last_next": last, "admin_page_cap": 1})
    first = client.admin("GET", f"{client.organization_tokens}?pageSize=50")
    link = first.json()["links"]["next"]
    path = {"url": link.removeprefix(f"{ADMIN}/"), "path": link[1:]}.get(style)
    second = client.admin("GET", path or f"{client.organization_tokens}?cursor={link}")
    assert labels(first) + labels(second) == ["all", "used"]
    links = second.json()["links"]
    assert links.get("next", "absent") == {"absent": "absent", "null": None, "empty": ""}[last]
    assert "prev" in links


def test_a_hostile_next_is_the_admin_apis_too(client):
    client.cloud.switches.update({"next_host": "evil.example.net", "admin_page_cap": 1})
    link = client.admin("GET", client.organization_tokens).json()["links"]["next"]
    assert link.startswith("https://evil.example.net/admin/")


@pytest.mark.parametrize("query", ["pageSize=0", "pageSize=x", "cursor=zz"])
def test_a_page_that_is_none_is_refused(client, query):
    assert client.admin("GET", f"{client.organization_tokens}?{query}").status_code == 400


@pytest.mark.parametrize("status", [204, 200, 202])
def test_one_token_is_revoked_and_no_other(client, status):
    client.cloud.switches.revoke_status = status
    answer = client.admin("DELETE", f"{client.account_tokens(client.ada)}/{client.token.id}")
    assert answer.status_code == status
    assert not client.cloud.authenticates(client.token.secret)
    assert [token.label for token in client.cloud.tokens(client.ada)] == ["used"]
    assert labels(client.admin("GET", client.organization_tokens)) == ["used"]
    again = client.admin("DELETE", f"{client.account_tokens(client.ada)}/{client.token.id}")
    assert again.status_code == 404
    assert client.cloud.disasters == []


def test_a_revoked_token_may_linger_in_the_lists(client):
    client.cloud.switches.update({"revoked_lingers": 30, "revoked_status": "REVOKED", "revoke_unknown": 204})
    for _turn in range(2):
        assert client.admin("DELETE", f"{client.account_tokens(client.ada)}/{client.token.id}").status_code == 204
    assert client.admin("GET", client.organization_tokens).json()["data"][0]["status"] == "REVOKED"
    client.cloud.clock.advance(seconds=30)
    assert labels(client.admin("GET", client.organization_tokens)) == ["used"]


def test_the_two_lists_may_name_a_token_differently(client):
    client.cloud.switches.token_ids = "different"
    listed = client.admin("GET", client.organization_tokens).json()["data"][0]["id"]
    assert client.admin("DELETE", f"{client.account_tokens(client.ada)}/{listed}").status_code == 404
    assert client.admin("GET", client.account_tokens(client.ada)).json()[0]["id"] != listed


@pytest.mark.parametrize(("listed", "status", "found"), [(True, "EXPIRED", ["EXPIRED"]), (False, "ALLOWED", [])])
def test_expired_tokens_are_listed_or_not(client, listed, status, found):
    client.cloud.switches.update({"expired_listed": listed, "expired_status": status})
    client.cloud.clock.advance(days=6)
    entries = client.admin("GET", f"{client.organization_tokens}?q=used").json()["data"]
    assert [entry["status"] for entry in entries] == found


@pytest.mark.parametrize("beginning", ["admin/api-access/v1/", ""])
@pytest.mark.parametrize("end", ["", "/"])
def test_the_disaster_is_the_disaster_and_is_written_down(client, beginning, end):
    fred = client.cloud.add_account("fred")
    spared = client.cloud.add_api_token(fred, "own")
    answer = client.admin("DELETE", f"{beginning}orgs/{client.company.id}/api-tokens{end}")
    assert answer.status_code == 204
    assert client.cloud.tokens(client.ada) == []
    assert client.cloud.authenticates(spared.secret)
    assert client.cloud.disasters == client.cloud.state()["disasters"] == [client.company.id]


def test_an_account_has_no_disaster_of_its_own(client):
    assert client.admin("DELETE", f"{client.account_tokens(client.ada)}/").status_code == 405
    assert client.admin("POST", client.organization_tokens).status_code == 405
    assert len(client.cloud.tokens(client.ada)) == 2


def test_calls_are_counted_and_the_reset_is_iso_8601(client):
    client.cloud.switches.admin_rate_limit = 2
    answers = [client.admin("GET", client.organization_tokens) for _turn in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["X-RateLimit-Reset"] for answer in answers} == {"2026-11-02T09:01:00Z"}
    assert "Retry-After" not in answers[2].headers
    client.cloud.clock.advance(seconds=60)
    assert client.admin("GET", client.organization_tokens).status_code == 200


@pytest.mark.parametrize("switch", ["iso_millis", "offset", "missing"])
def test_the_reset_is_written_as_the_switch_says(client, switch):
    client.cloud.switches.update({"admin_rate_limit": 1, "admin_reset": switch, "retry_after": "seconds"})
    client.admin("GET", client.organization_tokens)
    refused = client.admin("GET", client.organization_tokens)
    known = {"iso_millis": "2026-11-02T09:01:00.000Z", "offset": "2026-11-02T09:01:00.000+00:00", "missing": None}
    assert refused.headers.get("X-RateLimit-Reset") == known[switch]
    assert refused.headers["Retry-After"] == "60"
    client.cloud.switches.admin_rate_limit = 0
    assert "X-RateLimit-Limit" not in client.admin("GET", client.organization_tokens).headers


@pytest.mark.parametrize(("switch", "empty"), [("errors", False), ("message", False), ("empty", True)])
def test_errors_have_the_shape_of_the_switch(client, switch, empty):
    client.cloud.switches.admin_error_body = switch
    answer = client.admin("GET", client.organization_tokens, key="x")
    assert answer.status_code == 401
    assert (answer.content == b"") is empty
    assert empty or switch in answer.json()
