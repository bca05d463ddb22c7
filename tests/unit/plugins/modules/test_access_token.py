"""One token, from parameters to what is left on the server."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token
from tests.unit.plugins.company import CI, LEDGER, PAY, Company, token_params
from tests.unit.plugins.memory_delivery import MemoryDelivery

Params = dict[str, t.Any]


def run(company: Company, check: bool = False, caller: str = "admin", **given: t.Any) -> dict[str, t.Any]:
    return access_token.run(token_params(**given), company.client(caller), check)


def stored(company: Company, age: float, left: float | None, permissions: str = "REPO_READ", **more: t.Any) -> Params:
    """The secret of a token made just so, as what the caller has stored."""
    name = more.pop("name", "ci")
    token = company.sim.add_token(PAY, name, [permissions], created_days_ago=age, expires_in_days=left, **more)
    return {"secret": token.secret}


def two(company: Company, *tokens: tuple[t.Any, ...]) -> Params:
    """Several of them; the first is the stored one."""
    first, *_others = [stored(company, *token) for token in tokens]
    return first


def by_id(company: Company) -> Params:
    company.sim.add_token(PAY, "ci")
    return {"state": "absent", "id": company.sim.add_token(PAY, "ci").id}


def by_secret(company: Company) -> Params:
    return {"state": "absent", **stored(company, 1, 1, name="anything")}


def by_name(company: Company) -> Params:
    two(company, (1, 10), (2, None), (3, 0))
    return {"state": "absent", "name": "ci"}


SCENARIOS: dict[str, tuple[t.Callable[[Company], Params], str | None, list[str]]] = {
    "absent": (lambda company: {}, "absent", ["PUT"]),
    "expiring": (lambda company: stored(company, 80, 10), "expiring", ["PUT"]),
    "expired, no store": (lambda company: stored(company, 90, 0) and {}, "expired", ["PUT", "DELETE"]),
    "gone": (lambda company: {**stored(company, 1, 89), "secret": _gone(company)}, "secret_revoked", ["PUT"]),
    "lost": (lambda company: stored(company, 1, 89) and {"secret": ""}, "secret_missing", ["PUT"]),
    "never expires": (lambda company: stored(company, 9, None), "lifetime", ["PUT"]),
    "renamed": (lambda company: stored(company, 9, 81, name="x"), "name", ["POST"]),
    "renamed and due": (lambda company: stored(company, 80, 10, name="x"), "expiring", ["POST", "PUT"]),
    "permissions": (lambda company: stored(company, 9, 81, "REPO_ADMIN", name="x"), "permissions", ["POST"]),
    "superseded": (lambda company: two(company, (9, 81), (80, 10)), None, ["DELETE"]),
    "orphan": (lambda company: two(company, (9, 81), (8, 82)), None, ["DELETE"]),
    "above": (lambda company: two(company, (3, 87), (80, 10, "REPO_ADMIN")), "permissions", ["POST"]),
    "revoke by id": (by_id, None, ["DELETE"]),
    "revoke by secret": (by_secret, None, ["DELETE"]),
    "revoke by name": (by_name, None, ["DELETE", "DELETE", "DELETE"]),
    "fine": (lambda company: stored(company, 9, 81), None, []),
}


def _gone(company: Company) -> str:
    token = company.sim.add_token(PAY, "ci")
    company.sim.model.revoke(token, 1)
    return token.secret


def nameless(result: Params) -> t.Any:
    """Changes without the ids that only the server can give."""
    return [{**change, "id": None} if change["step"] == "issue" else change for change in result["changes"]]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_check_mode_writes_nothing_and_predicts_what_is_then_done(company, scenario):
    setup, reason, methods = SCENARIOS[scenario]
    given = setup(company)
    predicted = run(company, check=True, **given)
    assert company.writes == []
    real = run(company, **given)
    assert [request.split()[0] for request in company.writes if "application" not in request] == methods
    assert (predicted["diff"], nameless(predicted)) == (real["diff"], nameless(real))
    assert (predicted["reason"], predicted["changed"]) == (real["reason"], real["changed"]) == (reason, bool(methods))
    assert [entry["reason"] for entry in predicted["revoked"]] == [entry["reason"] for entry in real["revoked"]]
    assert predicted.keys() == real.keys() - {"secret"}
    before, after = predicted["access_token"], real["access_token"]
    assert before == (after and {**after, "id": None if "PUT" in methods else after["id"]})


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_second_run_with_what_is_then_stored_changes_nothing(company, scenario):
    given = SCENARIOS[scenario][0](company)
    first = run(company, **given)
    kept = {"secret": first["secret"]} if "secret" in first else {}
    assert company.writes or scenario == "fine"
    second = run(company, **{**given, **kept})
    assert (second["changed"], second["changes"], company.writes) == (False, [], [])
    assert second["diff"] == {"before": {}, "after": {}}


def test_an_issued_token_is_told_in_full_and_its_secret_once(company):
    result = run(company)
    (token,) = company.sim.tokens(PAY)
    assert result["access_token"] == {
        "reference": CI,
        "id": token.id,
        "name": "ci",
        "permissions": ["REPO_READ"],
        "created": "2026-01-15T09:00:00Z",
        "expires": "2026-04-15T09:00:00Z",
        "last_used": None,
        "days_left": 90,
    }
    assert result["secret"] == token.secret
    change = {"reference": CI, "step": "issue", "reason": "absent", "replaces": None, "id": token.id}
    assert result["changes"] == [change]
    new = {"name": "ci", "permissions": ["REPO_READ"], "expires_in_days": 90}
    assert result["diff"] == {"before": {CI: {}}, "after": {CI: {"new": new}}}
    assert token.secret not in str({**result, "secret": None})
    assert "secret" not in run(company, secret=token.secret)


def test_nothing_to_do_is_one_request(company):
    given = stored(company, 9, 81)
    result = run(company, **given)
    assert company.requests == [f"GET {PAY}"]
    assert (result["changed"], result["notes"], result["warned"]) == (False, [], [])


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"project": "PAY"}, PAY),
        ({"project": "PAY", "repository": "ledger"}, LEDGER),
        ({"project": "PAY", "repository": "old"}, "projects/PAY/repos/old"),
        ({"project": "pay"}, PAY),
        ({"project": "pay", "repository": "Ledger"}, LEDGER),
        ({"project": "PAY", "repository": "OLD"}, "projects/PAY/repos/old"),
        ({"user": "admin", "project": ...}, "users/admin"),
        ({"project": ...}, "users/admin"),
    ],
    ids=str,
)
def test_whose_token_it_is_comes_in_the_servers_spelling(company, given, path):
    result = run(company, **given)
    assert result["access_token"]["reference"] == f"{path}/tokens/ci"
    assert len(company.sim.tokens(path)) == 1


def test_the_callers_own_token_is_found_by_the_slug(company):
    for given in ({}, {"user": "Joe Doe"}):
        result = run(company, caller="Joe Doe", project=..., name=f"n{len(given)}", **given)
        assert result["access_token"]["reference"].startswith("users/joe_doe/tokens/")


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("caller", ["admin", "oauth"])
def test_creating_a_token_for_another_user_fails_before_any_write(company, caller, check):
    client = company.client() if caller == "admin" else company.client(token=company.sim.add_oauth_bearer("admin"))
    result = access_token.run(token_params(user="pat", project=...), client, check)
    assert result["failed"]
    assert "only the user can create a personal token" in result["msg"]
    assert "Sign in as pat" in result["msg"]
    assert company.writes == []


def test_an_administrator_updates_and_revokes_the_tokens_of_another_user(company):
    token = company.sim.add_token("users/pat", "x", expires_in_days=80)
    run(company, user="pat", project=..., id=token.id)
    assert token.name == "ci"
    run(company, user="pat", project=..., id=token.id, state="absent")
    assert company.ids("users/pat") == []


def test_revoking_the_token_in_use_is_withheld(company):
    mine = company.sim.add_token(PAY, "ci", ["PROJECT_ADMIN"])
    result = access_token.run(token_params(state="absent", name="ci"), company.client(token=mine.secret), False)
    assert result["notes"] == [{"reference": CI, "id": mine.id, "reason": "in_use"}]
    assert (result["changed"], company.ids()) == (False, [mine.id])


def test_always_issues_each_time_and_never_does_not_rotate(company):
    given = stored(company, 80, 10)
    first = run(company, rotate="always", **given)
    second = run(company, rotate="always", secret=first["secret"])
    assert (first["reason"], second["reason"]) == ("always", "always")
    kept = run(company, rotate="never", **given)
    assert (kept["changed"], kept["access_token"]["days_left"]) == (False, 10)
    assert any("due for rotation (expiring)" in warning for warning in kept["warned"])


INPUT = [
    ({"id": 12345670123}, "`id` is a number, and must be a text. Put it in quotes"),
    ({"id": "12a"}, "`id` is not a token's id"),
    ({"repository": "ledger"}, "`repository` needs `project`"),
    ({"user": "pat", "project": "PAY"}, "both: `user` and `project`"),
    ({"project": "TEAM*"}, "is a glob"),
    ({"project": "../admin"}, "not a project's key"),
    ({"name": "  "}, "`name` is empty"),
    ({"name": "n" * 256}, "at most 255 characters; this one has 256"),
    ({"permissions": ["REPO_RAED"]}, "did you mean REPO_READ?"),
    ({"permissions": []}, "at least one permission"),
    ({"permissions": ["PROJECT_ADMIN, REPO_WRITE"]}, "raise it to REPO_ADMIN"),
    ({"permissions": ["PROJECT_READ"], "project": "PAY", "repository": "ledger"}, "takes REPO_* permissions only"),
    ({"expires_in_days": 2}, "must be from 3"),
    ({"grace_days": 8, "rotate_before_days": 7}, "Raise `rotate_before_days` to at least 8"),
    ({"rotate_before_days": 82, "grace_days": 7}, "at most 81"),
    ({"store": "file:/tmp/x"}, "is for the action plugin"),
    ({"state": "absent", "secret": "a password"}, "cannot be read from `secret`"),
]


@pytest.mark.parametrize(("given", "sentence"), INPUT, ids=[sentence for _given, sentence in INPUT])
def test_what_cannot_be_right_is_one_sentence_before_any_request(company, given, sentence):
    with pytest.raises(InputError) as caught:
        run(company, **given)
    assert sentence in str(caught.value)
    assert company.requests == []


def test_a_comma_separated_list_of_permissions_works(company):
    assert run(company, permissions="project_admin, REPO_ADMIN")["access_token"]["permissions"] == [
        "PROJECT_ADMIN",
        "REPO_ADMIN",
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"project": "NOPE"}, "Project NOPE does not exist."),
        ({"project": "PAY", "repository": "nope"}, "Repository PAY/nope does not exist."),
        ({"project": ..., "user": "nobody"}, "User nobody does not exist."),
        ({"project": ..., "user": "No Body"}, "There is no user called No Body."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_owner_that_does_not_exist_is_said_so(company, given, sentence):
    with pytest.raises(BitbucketError) as caught:
        run(company, **given)
    assert sentence in str(caught.value)


def test_a_token_that_may_not_manage_tokens_gets_the_hint(company):
    company.sim.switches.token_manages_tokens = "read"
    bearer = company.client(token=company.sim.add_token(PAY, "bot", ["PROJECT_ADMIN"]).secret)
    result = access_token.run(token_params(), bearer, False)
    assert "sign in with `username` and `password`" in result["msg"]


@pytest.mark.parametrize("check", [False, True])
def test_with_a_store_the_old_token_waits_for_the_delivery(company, check):
    old = company.sim.add_token(PAY, "ci", ["REPO_ADMIN"], created_days_ago=80, expires_in_days=10)
    company.sim.add_token(PAY, "ci", created_days_ago=90, expires_in_days=0)
    alive: list[bool] = []
    delivery = MemoryDelivery({CI: old.id}, lambda: alive.append(company.sim.authenticates(old.secret)))
    given = token_params(store="file:/x", grace_days=0)
    result = access_token.run(given, company.client(), check, delivery)
    assert [change["reason"] for change in result["changes"]] == ["expiring", "superseded", "expired"]
    assert "secret" not in result
    assert alive == ([] if check else [True])
    assert (delivery.stored == {CI: old.id}) is check
    assert company.sim.authenticates(old.secret) is check


def elsewhere(company: Company) -> Params:
    """A token of another owner."""
    token = company.sim.add_token("projects/SHOP", "ci")
    return {"id": token.id, "secret": token.secret}


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("option", ["id", "secret"])
def test_revoking_a_token_of_another_owner_warns(company, option, check):
    other = elsewhere(company)
    result = run(company, check, state="absent", **{option: other[option]})
    text = f"No such token: project PAY has no token {other['id']}, which `{option}` names"
    assert [warning[: len(text)] for warning in result["warned"]] == [text]
    assert other["secret"] not in str(result)
    assert (result["changed"], "failed" in result, "msg" in result) == (False, False, False)


@pytest.mark.parametrize("check", [False, True])
def test_revoking_a_name_that_is_not_there_says_so(company, check):
    result = run(company, check, state="absent", name="typo")
    assert result["msg"] == "No such token: project PAY has no token called typo. Nothing is revoked."
    assert (result["changed"], "failed" in result, result["warned"]) == (False, False, [])


def test_a_name_is_revoked_and_a_secret_of_another_owner_is_named(company):
    own, other = company.sim.add_token(PAY, "ci"), elsewhere(company)
    result = run(company, state="absent", name="ci", secret=other["secret"])
    assert [item["id"] for item in result["revoked"]] == [own.id]
    assert [other["id"] in warning for warning in result["warned"]] == [True]


def test_what_was_found_needs_no_words(company):
    token = company.sim.add_token(PAY, "ci")
    result = run(company, state="absent", id=token.id)
    assert (result["changed"], result["warned"], "msg" in result) == (True, [], False)
