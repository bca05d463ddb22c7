"""Listings, pages, limits and the version: D22, D26, D27, D29, D30; and the Date header."""

from __future__ import annotations

import typing as t
from email.utils import parsedate_to_datetime

import pytest

from tests.simulator import PROFILES

from .conftest import LEDGER, PASSWORD, PAY, in_process, new_simulator

API = "/rest/api/latest"


def names(answer, key) -> list[str]:
    assert answer.status_code == 200
    return [value[key] for value in answer.json()["values"]]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_version_is_told_to_anyone(profile):
    with in_process(new_simulator(profile)) as front:
        version = front("GET", f"{API}/application-properties", auth=None).json()["version"]
        assert version.startswith(f"{profile}.")


@pytest.mark.parametrize(
    ("who", "query", "expected"),
    [
        ("admin", "", ["PAY", "SHOP", "~pat"]),
        ("admin", "?permission=PROJECT_ADMIN", ["PAY", "SHOP", "~pat"]),
        ("pat", "?permission=PROJECT_ADMIN", ["PAY", "~pat"]),
        ("rita", "", ["PAY", "SHOP"]),
        ("rita", "?permission=PROJECT_ADMIN", []),
    ],
)
def test_projects_by_permission(front, who, query, expected):
    front.sim.add_project("~pat")
    answer = front("GET", f"{API}/projects{query}", auth=(who, PASSWORD))
    assert names(answer, "key") == expected
    assert [project["type"] for project in answer.json()["values"] if project["key"] == "~pat"] in (["PERSONAL"], [])


def test_personal_projects_may_be_left_out_of_the_listing(front):
    front.sim.add_project("~pat")
    front.sim.switches.projects_list_personal = False
    assert names(front("GET", f"{API}/projects"), "key") == ["PAY", "SHOP"]
    assert front("GET", "/rest/access-tokens/latest/projects/~pat").status_code == 200


def test_tokens_see_what_their_owner_and_permissions_allow(front):
    def projects(holder, permission) -> list[str]:
        bearer = front.bearer(front.sim.add_token(holder, "x", [permission]).secret)
        return names(front("GET", f"{API}/projects?permission=PROJECT_ADMIN", **bearer), "key")

    assert projects(PAY, "PROJECT_ADMIN") == ["PAY"]
    assert projects("users/admin", "PROJECT_ADMIN") == ["PAY", "SHOP"]
    assert projects("users/admin", "PROJECT_READ") == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("repos", ["ledger"]),
        ("repos?projectkey=pay&archived=ALL", ["ledger", "old"]),
        ("repos?projectkey=PAY&archived=ARCHIVED", ["old"]),
        ("repos?projectkey=SHOP", []),
        ("projects/pay/repos", ["ledger"]),
    ],
)
def test_archived_repositories_are_hidden_unless_asked_for(front, path, expected):
    assert names(front("GET", f"{API}/{path}"), "slug") == expected


def test_a_project_may_list_its_archived_repositories_too(front):
    front.sim.switches.project_repos_show_archived = True
    assert names(front("GET", f"{API}/projects/PAY/repos"), "slug") == ["ledger", "old"]


@pytest.mark.parametrize(
    ("switch", "project", "repository"),
    [
        ("always", {"description": "Money", "public": False}, {"description": None, "public": True, "archived": False}),
        ("when_set", {"description": "Money"}, {"public": True}),
        ("never", {}, {}),
    ],
)
def test_what_listings_tell_beside_key_and_name_is_a_switch(front, switch, project, repository):
    front.sim.add_project("MONEY", description="Money")
    front.sim.add_repository("MONEY", "gold", public=True)
    front.sim.switches.listing_details = switch

    def told(path) -> dict[str, t.Any]:
        value = front("GET", f"{API}/{path}").json()["values"][-1]
        return {name: value[name] for name in ("description", "public", "archived") if name in value}

    assert told("projects") == project
    assert told("repos?projectkey=MONEY") == repository


def test_users_are_found_by_parts_of_their_names(front):
    front.sim.add_user("pat2")
    assert names(front("GET", f"{API}/users?filter=pat"), "name") == ["pat", "pat2"]
    assert names(front("GET", f"{API}/users?filter=joe"), "slug") == ["joe_doe"]
    assert names(front("GET", f"{API}/admin/users?filter=rita"), "name") == ["rita"]
    assert front("GET", f"{API}/admin/users", auth=("pat", PASSWORD)).status_code == 401


def test_deactivated_users_may_be_left_out_of_the_list_that_everyone_reads(front):
    front.sim.add_user("gone", PASSWORD, active=False)
    assert "gone" in names(front("GET", f"{API}/users"), "name")
    front.sim.switches.deactivated_users_listed = False
    assert "gone" not in names(front("GET", f"{API}/users"), "name")
    assert "gone" in names(front("GET", f"{API}/admin/users"), "name")


@pytest.mark.parametrize("path", ["projects", "repos", "users", "admin/users", "projects/PAY/repos"])
def test_listings_need_a_login_and_take_only_get(front, path):
    assert front("GET", f"{API}/{path}", auth=None).status_code == 401
    assert front("POST", f"{API}/{path}", {}).status_code == 405


def collect(front, limit) -> tuple[list[str], list[int]]:
    """All entries by nextPageStart, and the starts."""
    seen: list[str] = []
    starts: list[int] = []
    start: t.Any = 0
    while start is not None:
        starts.append(start)
        body = front("GET", f"{PAY}?limit={limit}&start={start}").json()
        assert body["start"] == start
        assert body["size"] == len(body["values"]) <= limit
        assert ("nextPageStart" in body) is not body["isLastPage"]
        seen += [token["name"] for token in body["values"]]
        start = body.get("nextPageStart")
    return seen, starts


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, [0, 3, 6]),
        ({"page_cap": 2}, [0, 2, 4, 6]),
        ({"page_gaps": 4}, [0, 15, 30]),
        ({"list_order": "shuffled"}, [0, 3, 6]),
    ],
)
def test_pages_follow_next_page_start_to_the_end(front, switches, expected):
    front.sim.switches.update(switches)
    wanted = sorted(front.sim.add_token(PAY, str(number)).name for number in range(7))
    seen, starts = collect(front, 3)
    assert (sorted(seen), starts) == (wanted, expected)


def test_pages_may_overlap_and_then_repeat_entries(front):
    front.sim.switches.page_overlap = 1
    for number in range(5):
        front.sim.add_token(PAY, str(number))
    assert collect(front, 2) == (["4", "3", "3", "2", "2", "1", "1", "0"], [0, 1, 2, 3])


def test_the_default_page_has_25_entries_and_nonsense_is_400(front):
    for number in range(30):
        front.sim.add_token(PAY, str(number))
    assert front("GET", PAY).json()["size"] == 25
    assert front("GET", f"{PAY}?limit=5000").json()["limit"] == 1000
    assert [front("GET", f"{PAY}?{query}").status_code for query in ("limit=0", "limit=x", "start=-1")] == [400] * 3


@pytest.mark.parametrize("header", ["seconds", "date", "none"])
@pytest.mark.parametrize("body", ["json", "html", "empty"])
def test_the_rate_limit_is_per_user_and_refills(front, header, body):
    front.sim.switches.update(
        {"rate_limit_capacity": 2, "rate_limit_refill": 0.25, "retry_after": header, "rate_limit_body": body}
    )
    answers = [front("GET", PAY) for _number in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert front("GET", PAY, auth=("pat", PASSWORD)).status_code == 200
    wait = answers[2].headers.get("Retry-After")
    if header == "date":
        assert (parsedate_to_datetime(wait) - front.sim.clock.now()).total_seconds() == 4
    else:
        assert wait == ("4" if header == "seconds" else None)
    front.sim.clock.advance(seconds=4)
    assert front("GET", PAY).status_code == 200


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, "Thu, 15 Jan 2026 09:00:00 GMT"),
        ({"date_header": "missing"}, None),
        ({"date_header": "absurd"}, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ({"date_header": "yesterday"}, "yesterday"),
        ({"date_age_seconds": 3600}, "Thu, 15 Jan 2026 08:00:00 GMT"),
    ],
)
def test_the_date_header(either, switches, expected):
    either.sim.switches.update(switches)
    assert either("GET", LEDGER).headers.get("Date") == expected


def test_the_context_path_is_part_of_every_address():
    with in_process(new_simulator(context_path="bitbucket/")) as front:
        assert front.url.endswith("/bitbucket")
        answer = front("GET", f"{API}/projects")
        assert "/bitbucket/projects/PAY" in answer.json()["values"][0]["links"]["self"][0]["href"]
        for path in ("", "/bitbuckets"):
            outside = front.session.get(f"https://bitbucket.test{path}{API}/projects")
            assert (outside.status_code, outside.headers["Content-Type"][:9]) == (404, "text/html")
        logged = [f"{API}/projects", f"{API}/projects", f"/bitbuckets{API}/projects"]
        assert [entry.path for entry in front.sim.requests] == logged
