"""Bitbucket's REST API: who may come how (C3–C9), what is retired, pipeline variables (C14), pages and limits."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from .cloud_client import ACME, ALL_SCOPES, LEDGER, OAUTH, REST, CloudClient, cloud_client, said

REJECTED = "Token is invalid, expired, or not supported for this endpoint."
JIRA = ["read:jira-work"]


@pytest.fixture
def client() -> Iterator[CloudClient]:
    with cloud_client() as made:
        yield made


# Who is calling


def test_an_api_token_with_the_email_is_its_user(client):
    answer = client("GET", "user")
    assert answer.status_code == 200
    assert answer.json() == {
        "type": "user",
        "uuid": client.ada.uuid,
        "account_id": client.ada.account_id,
        "display_name": "Ada",
        "nickname": "ada",
    }
    assert re.fullmatch(r"\{[0-9a-f-]{36}\}", client.ada.uuid)
    assert answer.headers["x-oauth-scopes"].split(", ") == ALL_SCOPES
    assert answer.headers["x-token-id"] == client.token.id


def test_secrets_look_as_the_facts_say(client):
    access = client.cloud.add_access_token("repository", "acme/ledger")
    assert client.token.secret.startswith("ATATT3xFf")
    assert access.secret.startswith("ATCTT3xFf")
    assert client.company.admin_key.startswith("ATCTT3xFf")
    assert client.cloud.add_app_password(client.ada).startswith("ATBB")
    assert int(client.token.secret[-8:], 16) == zlib.crc32(client.token.secret[:-8].encode())
    assert client.token.secret not in repr(client.token)


@pytest.mark.parametrize(
    ("user", "switch", "status"),
    [
        ("ada-admin", "email", 401),
        ("ada-admin", "username", 200),
        ("ADA@company.example", "email", 200),
        ("x-bitbucket-api-token-auth", "username", 401),
        ("x-bitbucket-api-token-auth", "anything", 200),
        ("eve@company.example", "email", 401),
    ],
)
def test_an_api_token_wants_the_email_on_rest(client, user, switch, status):
    client.cloud.switches.rest_user = switch
    assert client("GET", "user", **client.as_(client.token.secret, user)).status_code == status


@pytest.mark.parametrize(("switch", "status"), [("refuse", 401), ("accept", 200)])
def test_an_api_token_as_bearer_is_a_switch(client, switch, status):
    client.cloud.switches.api_token_bearer = switch
    assert client("GET", "user", **client.as_(client.token.secret)).status_code == status


def test_what_is_no_credential_is_rejected_with_the_recorded_words(client):
    for secret in (client.token.secret[:-1], "x", client.company.admin_key):
        assert said(client("GET", "user", **client.as_(secret, client.ada.email))) == (401, REJECTED)
        assert said(client("GET", "user", **client.as_(secret))) == (401, REJECTED)
    assert client("GET", "user", auth=None).status_code == 401
    assert client("GET", "user", auth=None, headers={"Authorization": "Basic ???"}).status_code == 401


def test_an_expired_token_is_rejected_from_its_last_instant_on(client):
    assert client.cloud.authenticates(client.token.secret)
    client.cloud.clock.advance(days=90)
    assert said(client("GET", "user")) == (401, REJECTED)
    assert not client.cloud.authenticates(client.token.secret)


@pytest.mark.parametrize(
    ("switch", "content_type", "text"),
    [
        ("empty", None, ""),
        ("token", "application/json", REJECTED),
        ("change", "application/json", "CHANGE-3222"),
        ("text", "text/plain", "Unauthorized"),
        ("html", "text/html", "Unauthorized"),
    ],
)
def test_an_app_password_is_refused_whatever_it_is_and_wherever_it_comes(client, switch, content_type, text):
    client.cloud.switches.app_password_body = switch
    dead = client.cloud.add_app_password(client.ada)
    for secret in (dead, "ATBBmadeupmadeupmadeup"):
        for user in (client.ada.username, client.ada.email, None):
            answer = client("GET", "user", **client.as_(secret, user))
            assert answer.status_code == 401
            assert text in answer.text
            assert (answer.headers.get("Content-Type") or "").split(";")[0] == (content_type or "")
    assert client.cloud.presented(dead) == 3
    assert not client.cloud.authenticates(dead)


@pytest.mark.parametrize(
    ("scopes", "switches", "status", "granted"),
    [
        (JIRA, {"foreign_token": "refuse"}, 401, None),
        (JIRA, {"foreign_token": "forbid"}, 403, JIRA),
        (JIRA, {"foreign_token": "forbid_unlisted"}, 403, []),
        ([], {"unscoped_token": "refuse"}, 401, None),
        ([], {"unscoped_token": "forbid"}, 403, []),
        ([], {"unscoped_token": "accept"}, 200, None),
    ],
)
def test_a_token_that_is_not_for_bitbucket_meets_what_the_switch_says(client, scopes, switches, status, granted):
    client.cloud.switches.update(switches)
    other = client.cloud.add_api_token(client.ada, "other", scopes)
    answer = client("GET", "user", **client.as_(other.secret, client.ada.email))
    assert answer.status_code == status
    if granted is not None:
        assert answer.json()["error"]["detail"] == {"granted": granted, "required": ["read:user:bitbucket"]}


def test_no_scope_of_an_api_token_implies_another(client):
    token = client.cloud.add_api_token(client.ada, "admin", ["admin:pipeline:bitbucket"])
    answer = client("GET", LEDGER, **client.as_(token.secret, client.ada.email))
    assert answer.status_code == 403
    detail = {"granted": ["admin:pipeline:bitbucket"], "required": ["read:pipeline:bitbucket"]}
    assert answer.json()["error"]["detail"] == detail
    made = client("POST", LEDGER, {"key": "A", "value": "b"}, **client.as_(token.secret, client.ada.email))
    assert made.status_code == 201


@pytest.mark.parametrize(
    ("kind", "reach", "header"),
    [
        ("repository", "acme/ledger", "repo_access_token"),
        ("project", "acme/PAY", "project_access_token"),
        ("workspace", "acme", "workspace_access_token"),
    ],
)
def test_an_access_token_has_no_user_and_says_what_it_is(client, kind, reach, header):
    access = client.cloud.add_access_token(kind, reach, ["repository", "pipeline"])
    answer = client("GET", "user", **client.as_(access.secret))
    assert (answer.status_code, answer.headers["x-credential-type"]) == (403, header)
    assert answer.json()["error"]["detail"]["granted"] == ["repository", "pipeline"]
    assert client("GET", LEDGER, **client.as_(access.secret)).status_code == 200
    shop = LEDGER.replace("ledger", "shop")
    assert client("GET", shop, **client.as_(access.secret)).status_code == (200 if kind == "workspace" else 404)


def test_headers_and_details_may_be_missing(client):
    client.cloud.switches.update(
        {"credential_headers": False, "credential_type_header": False, "access_token_user_detail": False}
    )
    access = client.cloud.add_access_token("workspace", "acme")
    answer = client("GET", "user", **client.as_(access.secret))
    assert answer.status_code == 403
    assert "detail" not in answer.json()["error"]
    assert not [name for name in answer.headers if name.lower().startswith("x-")]


@pytest.mark.parametrize(("switch", "status"), [("refuse", 401), ("accept", 200)])
def test_an_access_token_as_basic_is_a_switch(client, switch, status):
    client.cloud.switches.access_token_basic = switch
    access = client.cloud.add_access_token("workspace", "acme", ["pipeline"])
    assert client("GET", ACME, **client.as_(access.secret, "x-token-auth")).status_code == status
    assert client("GET", ACME, **client.as_(access.secret, "ada")).status_code == 401


@pytest.mark.parametrize("path", ["repositories", "workspaces/", "user/permissions/workspaces"])
def test_what_was_retired_answers_410_with_a_change(client, path):
    status, message = said(client("GET", path))
    assert (status, message[:7]) == (410, "CHANGE-")


def test_there_is_nothing_else(client):
    assert client("GET", "user/app-passwords").status_code == 404
    assert client("POST", "user").status_code == 405
    assert client("GET", REST.replace("/2.0", "/site/oauth2/access_token")).status_code == 404
    assert client("GET", "https://bitbucket.org/2.0/user").status_code == 404
    assert client("GET", "http://127.0.0.1:1/2.0/user").status_code == 200
    assert [entry.host for entry in client.cloud.requests][-2:] == ["bitbucket.org", "127.0.0.1:1"]


# OAuth


@pytest.mark.parametrize("way", ["basic", "form"])
@pytest.mark.parametrize("switch", ["both", "basic", "form"])
def test_a_consumer_gets_a_token_where_its_secret_may_stand(client, way, switch):
    client.cloud.switches.oauth_client = switch
    consumer = client.cloud.add_consumer("acme", scopes=["pipeline:variable"])
    form = {"grant_type": "client_credentials"}
    if way == "form":
        form |= {"client_id": consumer.client_id, "client_secret": consumer.client_secret}
    auth = (consumer.client_id, consumer.client_secret) if way == "basic" else None
    answer = client("POST", OAUTH, data=form, auth=auth)
    if switch not in ("both", way):
        assert answer.status_code == (401 if way == "basic" else 400)
        assert answer.json() == {"error": "invalid_client"}
        return
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("bearer", 7200)
    assert client("GET", ACME, **client.as_(body["access_token"])).status_code == 200
    client.cloud.clock.advance(seconds=7200)
    assert client("GET", ACME, **client.as_(body["access_token"])).status_code == 401


def test_a_consumer_that_is_wrong_gets_none(client):
    consumer = client.cloud.add_consumer("acme")
    form = {"grant_type": "client_credentials"}
    assert client("POST", OAUTH, data=form, auth=(consumer.client_id, "x")).status_code == 401
    assert client("POST", OAUTH, data={"grant_type": "password"}).status_code == 400
    assert client("GET", OAUTH).status_code == 405


@pytest.mark.parametrize(("switch", "status"), [("forbid", 403), ("account", 200)])
def test_who_a_consumer_is_is_a_switch(client, switch, status):
    client.cloud.switches.consumer_user = switch
    consumer = client.cloud.add_consumer("acme", account=client.ada)
    auth = (consumer.client_id, consumer.client_secret)
    secret = client("POST", OAUTH, data={"grant_type": "client_credentials"}, auth=auth).json()["access_token"]
    assert client("GET", "user", **client.as_(secret)).status_code == status


# Environments and workspaces


def test_environments_have_names_and_uuids(client):
    (one,) = client("GET", "repositories/acme/ledger/environments").json()["values"]
    assert (one["name"], one["uuid"][0], one["uuid"][-1]) == ("Production", "{", "}")
    client.cloud.switches.slashless_list = "empty_environments"
    assert client("GET", "repositories/acme/ledger/environments").json()["values"] == []
    assert len(client("GET", "repositories/acme/ledger/environments/").json()["values"]) == 1


@pytest.mark.parametrize(("switch", "slugs"), [("plain", ["acme"]), ("wrapped", [None])])
def test_workspaces_of_the_caller_only(client, switch, slugs):
    client.cloud.switches.workspaces_shape = switch
    client.cloud.add_workspace("others")
    values = client("GET", "user/workspaces").json()["values"]
    assert [value.get("slug") for value in values] == slugs
    assert [value.get("workspace", value)["slug"] for value in values] == ["acme"]


@pytest.mark.parametrize("path", ["repositories/acme/none/environments", "repositories/others/secret/environments"])
def test_what_is_not_there_or_not_ones_own_is_not_found(client, path):
    client.cloud.add_workspace("others")
    client.cloud.add_repository("others", "secret")
    assert client("GET", path).status_code == 404


# Pipeline variables


@pytest.mark.parametrize("holder", ["acme", "acme/ledger", "acme/ledger/Production"])
def test_variables_are_made_listed_changed_and_deleted(client, holder):
    path = {"acme": ACME, "acme/ledger": LEDGER}.get(holder) or client.production
    made = client("POST", path, {"key": "KEY", "value": "one", "secured": False})
    assert made.status_code == 201
    item = path + quote(made.json()["uuid"])
    assert "%7B" in item
    assert client("POST", path, {"key": "KEY", "value": "two"}).status_code == 409
    assert [each["value"] for each in client("GET", path).json()["values"]] == ["one"]
    assert client("PUT", item, {"key": "KEY", "value": "two", "secured": True}).status_code == 200
    (variable,) = client.cloud.variables(holder)
    assert (variable.key, variable.value, variable.secured) == ("KEY", "two", True)
    assert client("GET", item).status_code == (405 if "Production" in holder else 200)
    deleted = client("DELETE", item)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert client("DELETE", item).status_code == 404
    assert client.cloud.variables(holder) == []


@pytest.mark.parametrize(
    ("switch", "shown"), [("absent", {}), ("empty", {"value": ""}), ("null", {"value": None})], ids=str
)
def test_a_secured_value_never_comes_back(client, switch, shown):
    client.cloud.switches.secured_value = switch
    made = client("POST", LEDGER, {"key": "KEY", "value": "hidden-4711", "secured": True})
    (listed,) = client("GET", LEDGER).json()["values"]
    for body in (made.json(), listed, client("GET", LEDGER + quote(listed["uuid"])).json()):
        assert {name: body[name] for name in ("value",) if name in body} == shown
    assert client.cloud.variables("acme/ledger")[0].value == "hidden-4711"


@pytest.mark.parametrize(("switch", "number"), [("empty", 0), ("empty_environments", 0), ("full", 1)])
def test_a_list_without_its_slash_is_seen_empty(client, switch, number):
    client.cloud.switches.slashless_list = switch
    client.cloud.add_variable("acme/ledger", "KEY", "x")
    client.cloud.add_variable("acme", "KEY", "x")
    for path in (LEDGER, ACME):
        assert len(client("GET", path.rstrip("/")).json()["values"]) == number
        assert len(client("GET", path).json()["values"]) == 1


@pytest.mark.parametrize(("switch", "value", "secured"), [("merge", "old", True), ("replace", "", False)])
def test_what_a_put_leaves_out(client, switch, value, secured):
    client.cloud.switches.variable_put = switch
    made = client.cloud.add_variable("acme", "KEY", "old")
    assert client("PUT", ACME + quote(made.uuid), {"key": "NEW"}).status_code == 200
    assert (made.key, made.value, made.secured) == ("NEW", value, secured)


@pytest.mark.parametrize(("switch", "status"), [("exact", 201), ("any_case", 409)])
def test_keys_in_another_case(client, switch, status):
    client.cloud.switches.variable_keys = switch
    client.cloud.add_variable("acme", "KEY", "old")
    assert client("POST", ACME, {"key": "key", "value": ""}).status_code == status


@pytest.mark.parametrize("status", [404, 204])
def test_a_variable_that_is_gone_is_deleted_again(client, status):
    client.cloud.switches.update({"delete_unknown": status, "delete_status": 200})
    item = ACME + quote(client.cloud.add_variable("acme", "KEY", "x").uuid)
    assert [client(verb, item).status_code for verb in ("DELETE", "DELETE", "GET")] == [200, status, 404]


def test_a_key_cannot_be_taken_from_another_variable(client):
    client.cloud.add_variable("acme", "ONE", "1")
    two = client.cloud.add_variable("acme", "TWO", "2")
    assert client("PUT", ACME + quote(two.uuid), {"key": "ONE"}).status_code == 409
    assert client("PUT", ACME + quote(two.uuid), {"key": "TWO", "value": "3"}).status_code == 200
    assert two.value == "3"


@pytest.mark.parametrize(
    "body", [{}, {"key": ""}, {"key": 1}, {"key": "A", "value": 5}, {"key": "A", "secured": 1}, []]
)
def test_a_variable_that_is_none_is_refused(client, body):
    assert client("POST", ACME, body).status_code == 400
    assert client.cloud.variables("acme") == []


def test_the_workspace_has_a_hyphen_and_the_repository_has_none(client):
    assert client("GET", ACME.replace("-", "_")).status_code == 404
    assert client("GET", LEDGER.replace("pipelines_config", "pipelines-config")).status_code == 404


def test_a_uuid_needs_its_braces(client):
    made = client.cloud.add_variable("acme", "KEY", "x")
    assert client("GET", ACME + made.uuid.strip("{}")).status_code == 404


# Pages and limits


def all_pages(client: CloudClient, path: str) -> list[str]:
    keys, url = [], f"{REST}/{path}"
    for _page in range(20):
        body = client("GET", url).json()
        keys += [value["key"] for value in body["values"]]
        if "next" not in body:
            return keys
        url = body["next"]
    return [*keys, "…"]


@pytest.mark.parametrize("style", ["number", "opaque"])
def test_next_leads_through_all_pages(client, style):
    client.cloud.switches.update({"page_style": style, "page_size_shown": style == "number"})
    for number in range(7):
        client.cloud.add_variable("acme", f"K{number}", "x")
    first = client("GET", f"{ACME}?pagelen=3").json()
    assert (first["pagelen"], first.get("size")) == (3, 7 if style == "number" else None)
    assert first["next"].startswith(f"{REST}/{ACME}?")
    assert all_pages(client, f"{ACME}?pagelen=3") == [f"K{number}" for number in range(7)]
    client.cloud.switches.page_overlap = 1
    overlapping = all_pages(client, f"{ACME}?pagelen=3")
    assert len(overlapping) > len(set(overlapping)) == 7


def test_pages_are_clamped_and_nonsense_is_refused(client):
    assert client("GET", f"{ACME}?pagelen=5000").json()["pagelen"] == 100
    for query in ("pagelen=0", "pagelen=x", "page=0", "page=pp"):
        assert client("GET", f"{ACME}?{query}").status_code == 400


def test_a_hostile_next_and_one_that_never_ends(client):
    client.cloud.switches.update({"next_host": "evil.example.net", "page_cap": 1})
    for key in ("A", "B"):
        client.cloud.add_variable("acme", key, "x")
    assert client("GET", ACME).json()["next"] == f"https://evil.example.net/2.0/{ACME}?page=2"
    client.cloud.switches.update({"next_host": "", "next_loop": True})
    assert all_pages(client, ACME)[-3:] == ["A", "A", "…"]


@pytest.mark.parametrize("kind", ["api_token", "access_token"])
def test_who_asks_too_often_waits(client, kind):
    client.cloud.switches.update({"rate_limit_capacity": 1, "rate_limit_refill": 0.5})
    access = client.cloud.add_access_token("workspace", "acme", ["pipeline"])
    options = client.as_(access.secret) if kind == "access_token" else {}
    answered = client("GET", ACME, **options)
    assert answered.status_code == 200
    assert answered.headers.get("X-RateLimit-NearLimit") == ("false" if kind == "access_token" else None)
    refused = client("GET", ACME, **options)
    assert said(refused) == (429, "Rate limit for this resource has been exceeded.")
    assert ("X-RateLimit-Limit" in refused.headers) is (kind == "access_token")
    assert "Retry-After" not in refused.headers
    client.cloud.switches.update({"retry_after": "seconds", "rate_limit_body": "text"})
    refused = client("GET", ACME, **options)
    assert (refused.headers["Retry-After"], refused.text) == ("2", "Rate limit for this resource has been exceeded.")
    client.cloud.clock.advance(seconds=2)
    assert client("GET", ACME, **options).status_code == 200


def test_a_fault_speaks_as_the_cloud_does(client):
    client.cloud.faults.arm("status", status=503, message="Later", headers={"X-Extra": "1"})
    answer = client("GET", "user")
    assert said(answer) == (503, "Later")
    assert answer.headers["X-Extra"] == "1"
