"""The token resource: D1 to D3, D6 to D8, D11 to D19."""

from __future__ import annotations

import base64

import pytest

from .conftest import LEDGER, PAY, error_of

DAY_MS = 86_400_000


def test_create_is_put_answers_200_and_alone_carries_the_secret(front):
    created = front.create(expiryDays=30)
    listed, read = front("GET", PAY).json()["values"], front("GET", f"{PAY}/{created.json()['id']}").json()
    assert created.status_code == 200
    assert "token" in created.json()
    assert listed == [read] == [{key: value for key, value in created.json().items() if key != "token"}]


def test_the_body_is_the_recorded_one_and_not_the_published_schema(front):
    created = front.create("users/admin", "ci", ["PROJECT_READ", "REPO_ADMIN"], expiryDays=1).json()
    assert list(created) == ["id", "createdDate", "expiryDate", "name", "permissions", "user", "token"]
    assert isinstance(created["createdDate"], int)
    assert created["expiryDate"] == created["createdDate"] + DAY_MS
    assert created["permissions"] == ["REPO_ADMIN", "PROJECT_READ"]
    assert created["user"] == {
        "name": "admin",
        "emailAddress": "admin@example.com",
        "id": 1,
        "displayName": "admin",
        "active": True,
        "slug": "admin",
        "type": "NORMAL",
        "links": {"self": [{"href": "https://bitbucket.test/users/admin"}]},
    }


def test_ids_have_twelve_digits_some_with_a_leading_zero_and_the_secret_names_its_id(front):
    created = [front.create().json() for _number in range(12)]
    assert {len(token["id"]) for token in created} == {12}
    assert sum(token["id"].startswith("0") for token in created) >= 3
    for token in created:
        prefix, secret = token["token"][:5], token["token"][5:]
        decoded = base64.b64decode(secret)
        assert (prefix, len(secret), len(decoded)) == ("BBDC-", 44, 33)
        assert decoded[:13].decode() == f"{token['id']}:"


def test_update_alters_only_what_is_sent_and_never_expiry_or_secret(front):
    created = front.create(expiryDays=30).json()
    path = f"{PAY}/{created['id']}"
    renamed = front("POST", path, {"name": "new", "expiryDays": 300}).json()
    raised = front("POST", path, {"permissions": ["REPO_ADMIN"]}).json()
    assert (renamed["name"], renamed["permissions"]) == ("new", ["REPO_READ"])
    assert (raised["name"], raised["permissions"]) == ("new", ["REPO_ADMIN"])
    assert raised["expiryDate"] == created["expiryDate"]
    assert "token" not in raised
    assert front.sim.authenticates(created["token"])


def test_a_revoked_token_is_gone_and_its_404_names_no_exception(front):
    created = front.create().json()
    path = f"{PAY}/{created['id']}"
    gone = front("DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert not front.sim.authenticates(created["token"])
    assert front("GET", PAY).json()["values"] == []
    for method in ("GET", "DELETE"):
        assert error_of(front(method, path))[::2] == (404, None)
    assert front.sim.token(created["id"]).revoked is not None


@pytest.mark.parametrize("status", [404, 400])
def test_update_of_an_unknown_id(front, status):
    front.sim.switches.unknown_update_status = status
    assert front("POST", f"{PAY}/000000000000", {"name": "x"}).status_code == status


@pytest.mark.parametrize(
    ("owner", "body", "message"),
    [
        (PAY, {"permissions": ["REPO_READ"]}, "A name is required"),
        (PAY, {"name": " ", "permissions": ["REPO_READ"]}, "A name is required"),
        (PAY, {"name": "x"}, "Permissions are required"),
        (PAY, {"name": "x", "permissions": []}, "Permissions are required"),
        (PAY, {"name": "x", "permissions": ["ADMIN"]}, "Tokens may not have the following permission: ADMIN"),
        (PAY, {"name": "x", "permissions": ["ACCOUNT_READ"]}, "ACCOUNT_READ is not a valid permission"),
        (PAY, {"name": "x", "permissions": ["repo_read"]}, "repo_read is not a valid permission"),
        (
            LEDGER,
            {"name": "x", "permissions": ["PROJECT_READ"]},
            "Permissions for REPOSITORY scope must be one of PROJECT_READ",
        ),
        (PAY, {"name": "x", "permissions": ["REPO_READ"], "expiryDays": "30"}, "expiryDays must be a whole number"),
        (PAY, ["x"], "The request body is not an object"),
    ],
)
def test_a_create_that_is_not_right_is_400_and_makes_nothing(front, owner, body, message):
    assert error_of(front("PUT", owner, body))[:2] == (400, message)
    assert front.sim.tokens(owner) == []


def test_names_are_not_unique(front):
    assert front.create().json()["id"] != front.create().json()["id"]
    assert [token.name for token in front.sim.tokens(PAY)] == ["ci", "ci"]


@pytest.mark.parametrize(
    ("switches", "name", "outcome"),
    [
        ({}, " a ", " a "),
        ({"name_spaces": "trim"}, " a ", "a"),
        ({"name_spaces": "refuse"}, " a ", 400),
        ({}, "é" * 255, "é" * 255),
        ({}, "a" * 256, 400),
        ({"long_name": "truncate"}, "a" * 256, "a" * 255),
    ],
)
def test_spaces_and_long_names(front, switches, name, outcome):
    front.sim.switches.update(switches)
    created = front.create(name=name)
    assert outcome == (created.json()["name"] if created.ok else created.status_code)


@pytest.mark.parametrize(
    ("switches", "sent", "outcome"),
    [
        ({}, ["PROJECT_ADMIN"], ["PROJECT_ADMIN"]),
        ({"repository_below_project": "raise"}, ["PROJECT_ADMIN"], ["PROJECT_ADMIN"]),
        ({}, ["PROJECT_WRITE", "REPO_READ"], ["REPO_READ", "PROJECT_WRITE"]),
        ({"repository_below_project": "raise"}, ["PROJECT_WRITE", "REPO_READ"], ["REPO_WRITE", "PROJECT_WRITE"]),
        ({"repository_below_project": "refuse"}, ["PROJECT_WRITE", "REPO_READ"], 400),
        ({"repository_below_project": "refuse"}, ["PROJECT_READ", "REPO_READ"], ["REPO_READ", "PROJECT_READ"]),
        ({"repository_below_project": "refuse"}, ["PROJECT_READ", "REPO_ADMIN"], ["REPO_ADMIN", "PROJECT_READ"]),
        ({}, ["REPO_READ", "REPO_WRITE"], ["REPO_WRITE", "REPO_READ"]),
        (
            {"redundant_permissions": "drop"},
            ["REPO_READ", "REPO_WRITE", "PROJECT_READ"],
            ["REPO_WRITE", "PROJECT_READ"],
        ),
        ({"permission_order": "as_sent"}, ["PROJECT_READ", "REPO_WRITE"], ["PROJECT_READ", "REPO_WRITE"]),
        ({"permission_order": "project_first"}, ["REPO_WRITE", "PROJECT_READ"], ["PROJECT_READ", "REPO_WRITE"]),
    ],
)
def test_which_permissions_read_back(front, switches, sent, outcome):
    front.sim.switches.update(switches)
    created = front.create(permissions=sent)
    assert outcome == (created.json()["permissions"] if created.ok else created.status_code)


@pytest.mark.parametrize(
    ("switches", "days", "outcome"),
    [
        ({}, None, None),
        ({}, 30, 30),
        ({}, 0, 400),
        ({}, -1, 400),
        ({}, 2**31, 400),
        ({"expiry_zero": "never"}, 0, None),
        ({"expiry_zero": "store"}, 0, 0),
        ({"expiry_negative": "store"}, -1, -1),
        ({"expiry_negative": "never"}, -1, None),
        ({"expiry_required": True}, None, 400),
        ({"max_expiry_days": 90}, None, 400),
        ({"max_expiry_days": 90, "expiry_missing": "maximum"}, None, 90),
        ({"max_expiry_days": 90, "expiry_missing": "never"}, None, None),
        ({"max_expiry_days": 90}, 90, 90),
        ({"max_expiry_days": 90}, 91, 400),
        ({"max_expiry_days": 90, "expiry_over_maximum": "clamp"}, 365, 90),
        ({"max_expiry_days": 90, "expiry_over_maximum": "store"}, 365, 365),
        ({"expiry_clamp_days": 7}, 30, 7),
        ({"expiry_ignored": True}, 30, None),
        ({"expiry_rounding": "up"}, 30, 30 + 15 / 24),  # it is nine o'clock
        ({"expiry_rounding": "down"}, 30, 30 - 9 / 24),
        ({"expiry_shift_hours": -1}, 30, 30 - 1 / 24),
    ],
)
def test_what_becomes_of_expiry_days(front, switches, days, outcome):
    front.sim.switches.update(switches)
    created = front.create(**({} if days is None else {"expiryDays": days}))
    if outcome == 400 or not created.ok:
        assert created.status_code == outcome
        return
    body = created.json()
    given = None if "expiryDate" not in body else (body["expiryDate"] - body["createdDate"]) / DAY_MS
    assert given == outcome


def test_an_expired_token_stays_listed_and_no_longer_authenticates(front):
    token = front.create("users/admin", expiryDays=3).json()
    assert front("GET", "/rest/api/latest/users", **front.bearer(token["token"])).status_code == 200
    front.sim.clock.advance(days=3)
    assert error_of(front("GET", "/rest/api/latest/users", **front.bearer(token["token"])))[::2] == (
        401,
        "IncorrectPasswordAuthenticationException",
    )
    assert [listed["id"] for listed in front("GET", "users/admin").json()["values"]] == [token["id"]]


def test_the_token_limit(front):
    front.sim.switches.token_limit = 2
    assert [front.create().status_code for _number in range(3)] == [200, 200, 400]
    assert front.create(LEDGER).status_code == 200


@pytest.mark.parametrize(("carries", "expected"), [("user", "user"), ("project", "project"), ("neither", None)])
def test_what_the_body_of_a_project_token_names(front, carries, expected):
    front.sim.switches.service_owner = carries
    body = front.create().json()
    assert {"user", "project"} & set(body) == ({expected} if expected else set())
    if carries == "user":
        assert body["user"]["type"] == "SERVICE"
    if carries == "project":
        assert body["project"]["key"] == "PAY"


@pytest.mark.parametrize(
    ("switches", "seen"),
    [
        ({}, [True, True]),
        ({"last_authenticated_delay": 60}, [False, True]),
        ({"last_authenticated_shown": False}, [False, False]),
    ],
)
def test_when_a_use_shows(front, switches, seen):
    front.sim.switches.update(switches)
    token = front.create().json()
    assert "lastAuthenticated" not in front("GET", PAY).json()["values"][0]
    used = front.sim.clock.now_ms()
    front("GET", "/rest/api/latest/users", **front.bearer(token["token"]))
    shown = []
    for seconds in (0, 60):
        front.sim.clock.advance(seconds=seconds)
        shown.append(front("GET", PAY).json()["values"][0].get("lastAuthenticated"))
    assert shown == [used if there else None for there in seen]


@pytest.mark.parametrize(("order", "expected"), [("newest_first", ["3", "2", "1"]), ("oldest_first", ["1", "2", "3"])])
def test_the_order_of_a_list(front, order, expected):
    for age in (3, 2, 1):
        front.sim.add_token(PAY, str(4 - age), created_days_ago=age)
    front.sim.switches.list_order = order
    assert [token["name"] for token in front("GET", PAY).json()["values"]] == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("projects/NOPE", (404, "Project NOPE does not exist.", "NoSuchProjectException")),
        ("projects/PAY/repos/nope", (404, "Repository PAY/nope does not exist.", "NoSuchRepositoryException")),
        ("projects/NOPE/repos/x", (404, "Project NOPE does not exist.", "NoSuchProjectException")),
        ("users/nobody", (404, "User nobody does not exist.", "NoSuchUserException")),
        ("users/Joe Doe", (404, "User Joe Doe does not exist.", "NoSuchUserException")),
    ],
)
def test_owners_that_do_not_exist(front, path, expected):
    assert error_of(front("GET", path)) == expected


@pytest.mark.parametrize("path", ["projects/pay", "projects/pay/repos/LEDGER", "users/ADMIN", "users/joe_doe"])
@pytest.mark.parametrize("version", ["1.0", "latest"])
def test_owners_are_found_in_any_spelling_and_under_either_version(front, path, version):
    front.create(path)
    answer = front("GET", f"/rest/access-tokens/{version}/{path}")
    assert answer.status_code == (200)
    assert len(answer.json()["values"]) == (0 if path == "users/joe_doe" else 1)  # D19: nobody makes Joe's but Joe


@pytest.mark.parametrize(("method", "path"), [("POST", PAY), ("DELETE", PAY), ("PUT", f"{PAY}/1"), ("PATCH", PAY)])
def test_other_verbs_are_405(front, method, path):
    assert front(method, path, {}).status_code == 405


@pytest.mark.parametrize("path", ["groups/x", "projects", "projects/PAY/1/2", "projects/PAY/repos/ledger/1/2", "admin"])
def test_nothing_is_invented_beyond_the_known_paths(front, path):
    assert front("GET", path).status_code == 404


def test_the_expiry_policy_is_there_on_8_19_and_binds_creates():
    from .conftest import in_process, new_simulator

    with in_process(new_simulator("8.19")) as front:
        assert front("GET", "admin").json() == {}
        assert front("PUT", "admin", {"maxExpiryDays": 30}).json() == {"maxExpiryDays": 30}
        assert front.create(expiryDays=31).status_code == 400
        assert front("GET", "admin", auth=("pat", front.sim.model.users["pat"].password)).status_code == 401
        assert front("PUT", "admin", {"maxExpiryDays": 0}).status_code == 400
        assert front("DELETE", "admin").status_code == 204
        assert front.create().status_code == 200


@pytest.mark.parametrize("path", ["projects/pay", "projects/Pay/repos/Ledger", "users/ADMIN"])
def test_keys_and_slugs_are_found_in_any_case_or_only_as_they_are(front, path):
    """D1, open question 14."""
    assert front("GET", path).status_code == 200
    front.sim.switches.owner_paths_ignore_case = False
    status, message, exception = error_of(front("GET", path))
    assert (status, exception.rpartition(".")[2][:6]) == (404, "NoSuch")
    assert path.split("/")[1] in message
    assert front("GET", LEDGER).status_code == 200
