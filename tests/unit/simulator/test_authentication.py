"""Who may do what, and what a refusal looks like: D4, D9, D10, D19 to D25."""

from __future__ import annotations

import typing as t

import pytest

from .conftest import LEDGER, NO_CHECK, PASSWORD, PAY, error_of, in_process, new_simulator

SPEC = {"name": "x", "permissions": ["REPO_READ"]}
DENIED = (401, "You are not permitted to access this resource", "AuthorisationException")
BAD = (
    401,
    "Authentication failed. Please check your credentials and try again.",
    "IncorrectPasswordAuthenticationException",
)


def status(front, method, path, who, body=None) -> t.Any:
    return front(method, path, body, auth=(who, PASSWORD)).status_code


@pytest.mark.parametrize(
    ("who", "owner", "expected"),
    [
        ("admin", PAY, 200),
        ("pat", PAY, 200),
        ("rita", PAY, 401),
        ("pat", LEDGER, 200),
        ("rita", LEDGER, 200),
        ("Joe Doe", LEDGER, 401),
        ("pat", "projects/SHOP", 401),
        ("pat", "users/pat", 200),
        ("admin", "users/pat", 401),  # D19: not even an administrator
        ("rita", "users/pat", 401),
    ],
)
def test_who_may_create(front, who, owner, expected):
    assert status(front, "PUT", owner, who, SPEC) == expected


@pytest.mark.parametrize(("answer", "expected"), [("allow", [200, 200, 204]), ("refuse", [200, 401, 401])])
def test_administrators_and_other_peoples_tokens(front, answer, expected):
    front.sim.switches.admin_edits_others = answer
    path = f"users/pat/{front.sim.add_token('users/pat', 'own').id}"
    calls = [("GET", None), ("POST", {"name": "y"}), ("DELETE", None)]
    assert [status(front, method, path, "admin", body) for method, body in calls] == expected
    assert status(front, "GET", "users/pat", "rita") == 401


def test_a_project_admin_can_bar_repository_admins(front):
    front.sim.switches.repository_admins_manage_tokens = False
    assert [status(front, "GET", LEDGER, who) for who in ("rita", "pat", "admin")] == [401, 200, 200]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"auth": None}, (401, "You are not permitted to access this resource", "AuthenticationRequiredException")),
        ({"auth": ("pat", "wrong")}, BAD),
        ({"auth": ("nobody", PASSWORD)}, BAD),
        ({"auth": None, "headers": {"Authorization": "Bearer nonsense"}}, BAD),
        ({"auth": None, "headers": {"Authorization": "Basic %%%"}}, BAD),
        ({"auth": ("Joe Doe", PASSWORD)}, DENIED),
    ],
)
def test_every_kind_of_401_has_its_own_exception(front, options, expected):
    assert error_of(front("GET", PAY, **options)) == expected


@pytest.mark.parametrize("lack", ["active", "licensed"])
def test_a_user_without_a_licence_has_no_access(front, lack):
    setattr(front.sim.model.users["pat"], lack, False)
    assert error_of(front("GET", PAY, auth=("pat", PASSWORD)))[::2] == (401, "NoAccessAuthenticationException")


def test_the_headers_name_the_caller_and_are_missing_for_anonymous(front):
    joe = front("GET", "/rest/api/latest/projects", auth=("joe doe", PASSWORD))
    nobody = front("GET", "/rest/api/latest/application-properties", auth=None)
    assert (joe.headers["X-AUSERNAME"], joe.headers["X-AUSERID"]) == ("Joe%20Doe", "4")
    assert not {"X-AUSERNAME", "X-AUSERID"} & set(nobody.headers)


def test_bearer_works_for_every_token_and_basic_only_for_personal_ones_of_that_user(front):
    secrets = {owner: front.sim.add_token(owner, "x", ["REPO_ADMIN"]).secret for owner in (PAY, LEDGER, "users/pat")}
    url = "/rest/api/latest/projects"
    for secret in secrets.values():
        assert front("GET", url, **front.bearer(secret)).status_code == 200
    basic = {owner: front("GET", url, auth=("pat", secret)).status_code for owner, secret in secrets.items()}
    assert basic == {PAY: 401, LEDGER: 401, "users/pat": 200}
    assert front("GET", url, auth=("rita", secrets["users/pat"])).status_code == 401


@pytest.mark.parametrize(
    ("switch", "holder", "permission", "target", "expected"),
    [
        ("allow", PAY, "PROJECT_ADMIN", PAY, [200, 200]),
        ("allow", PAY, "PROJECT_ADMIN", LEDGER, [200, 200]),
        ("allow", PAY, "PROJECT_WRITE", PAY, [401, 401]),
        ("allow", PAY, "PROJECT_ADMIN", "projects/SHOP", [401, 401]),
        ("allow", PAY, "REPO_ADMIN", LEDGER, [200, 200]),
        ("allow", LEDGER, "REPO_ADMIN", LEDGER, [200, 200]),
        ("allow", PAY, "REPO_WRITE", LEDGER, [401, 401]),
        ("allow", "users/rita", "REPO_WRITE", LEDGER, [401, 401]),
        ("allow", "users/rita", "REPO_ADMIN", LEDGER, [200, 200]),
        ("allow", LEDGER, "REPO_ADMIN", PAY, [401, 401]),
        ("allow", LEDGER, "REPO_ADMIN", "projects/PAY/repos/old", [401, 401]),
        ("allow", "users/pat", "PROJECT_ADMIN", PAY, [200, 200]),
        ("allow", "users/pat", "PROJECT_ADMIN", "users/pat", [200, 401]),  # D20: nothing on behalf of a user
        ("allow", "users/admin", "PROJECT_ADMIN", "users/pat", [401, 401]),  # D20: administration refuses tokens
        ("read", PAY, "PROJECT_ADMIN", PAY, [200, 401]),
        ("refuse", PAY, "PROJECT_ADMIN", PAY, [401, 401]),
        ("refuse", "users/pat", "PROJECT_ADMIN", "users/pat", [401, 401]),
    ],
)
def test_what_a_token_may_manage(front, switch, holder, permission, target, expected):
    front.sim.switches.token_manages_tokens = switch
    bearer = front.bearer(front.sim.add_token(holder, "x", [permission]).secret)
    assert [front("GET", target, **bearer).status_code, front("PUT", target, SPEC, **bearer).status_code] == expected


def test_an_oauth_bearer_is_as_good_as_the_password(front):
    bearer = front.bearer(front.sim.add_oauth_bearer("pat"))
    assert front("PUT", "users/pat", SPEC, **bearer).status_code == 200


def test_basic_is_off_on_10_4_until_the_user_or_the_path_is_allow_listed():
    with in_process(new_simulator("10.4")) as front:
        refused = front("GET", PAY)
        assert (refused.status_code, refused.json()) == (
            403,
            {"message": "Basic Authentication has been disabled on this instance."},
        )
        front.sim.switches.basic_auth_allowed_users = ("adm*",)
        assert [status(front, "GET", PAY, who) for who in ("admin", "pat")] == [200, 403]
        config = {"block-requests": True, "allowed-users": [], "allowed-paths": ["/rest/access-tokens/*"]}
        assert front("PUT", "/rest/basicauth/latest/config", config).json() == config
        assert front("GET", PAY).status_code == 200
        assert front("GET", "/rest/api/latest/projects").status_code == 403


def test_only_administrators_configure_basic_and_never_by_token(front):
    path, token = "/rest/basicauth/latest/config", front.sim.add_token("users/admin", "x", ["PROJECT_ADMIN"])
    assert status(front, "GET", path, "pat") == 401
    assert front("GET", path, **front.bearer(token.secret)).status_code == 401
    assert front("GET", path).json() == {"block-requests": False, "allowed-paths": [], "allowed-users": []}


def test_bad_passwords_lock_the_user_behind_a_captcha(front):
    front.sim.switches.captcha_after = 2
    for _attempt in range(2):
        assert error_of(front("GET", PAY, auth=("pat", "wrong"))) == BAD
    locked = error_of(front("GET", PAY, auth=("pat", PASSWORD)))
    assert locked[0] == 403
    assert locked[1].startswith("CAPTCHA required. Your Bitbucket account has been locked")
    assert locked[2] == "CaptchaRequiredAuthenticationException"
    assert status(front, "GET", PAY, "admin") == 200


def test_a_good_password_starts_the_count_again(front):
    front.sim.switches.captcha_after = 2
    for password, expected in [("wrong", 401), (PASSWORD, 200), ("wrong", 401), (PASSWORD, 200)]:
        assert front("GET", PAY, auth=("pat", password)).status_code == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 403),
        (NO_CHECK, 204),
        ({"Content-Type": "application/json"}, 204),
        ({"Content-Type": "text/plain"}, 403),
    ],
)
def test_xsrf_refuses_mutations_that_might_come_from_a_form(front, headers, expected):
    path = f"{PAY}/{front.sim.add_token(PAY, 'x').id}"
    answer = front("DELETE", path, headers=headers)
    assert answer.status_code == expected
    if expected == 403:
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "XSRF check failed" in answer.text
        front.sim.switches.xsrf_check = False
        assert front("DELETE", path, headers=headers).status_code == 204


@pytest.mark.parametrize(("switch", "expected"), [("redirect", 302), ("refuse", 401), ("honour", 404)])
def test_a_token_outside_rest_is_not_honoured(front, switch, expected):
    front.sim.switches.token_outside_rest = switch
    token = front.sim.add_token(PAY, "x")
    assert front("GET", "/projects/PAY", **front.bearer(token.secret)).status_code == expected
