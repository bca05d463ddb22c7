"""What is done when answers get lost, secrets are none, and servers give other than what was asked (invariant 3)."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._permissions import declared
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._apply import Applied, apply, discard
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._spec import TokenSpec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._types import (
    UNKNOWN,
    Fail,
    Issue,
    Keep,
    Policy,
    Revoke,
    Step,
    Update,
    View,
)
from tests.unit.plugins.company import CI, PAY, Company

PROJECT = Owner(project="PAY")
IDENTITY = "application-properties"


def spec(days: int | None = 90, window: int = 14, grace: int = 7) -> TokenSpec:
    return TokenSpec("ci", declared(["REPO_READ"]), days, window, grace)


def carried_out(company: Company, *steps: Step) -> Applied:
    """``steps`` applied; the log of requests begins after the look at the owner."""
    api = company.api()
    listing = api.tokens(PROJECT)
    company.sim.requests.clear()
    return apply(api, View(PROJECT, listing.tokens, listing.now), Policy(), steps)


def issued(company: Company, replaces: str | None = None, wanted: TokenSpec | None = None) -> Applied:
    return carried_out(company, Issue(wanted or spec(), "absent", replaces))


def said(applied: Applied) -> str:
    assert applied.error is not None
    assert applied.issued is None
    return str(applied.error)


@pytest.mark.parametrize(
    ("fault", "arguments"),
    [
        ("drop_before", {}),
        ("drop_after", {}),
        ("timeout", {"when": "after"}),
        ("status", {"status": 500, "when": "after"}),
        ("status", {"status": 503, "when": "after"}),
        ("cut_json", {}),
        ("broken_json", {"at": "before_id"}),
        ("html", {"when": "after"}),
        ("status", {"status": 200, "body": "empty", "when": "after"}),
    ],
)
def test_after_a_lost_answer_the_owner_is_listed_and_the_create_tried_once_more(company, fault, arguments):
    company.sim.faults.arm(fault, method="PUT", **arguments)
    result = issued(company)
    assert company.requests == [f"PUT {PAY}", f"GET {PAY}", f"PUT {PAY}"]
    assert result.issued is not None
    assert company.sim.authenticates(result.issued.secret)


@pytest.mark.parametrize("where", ["listed", "stored", "in use"])
@pytest.mark.parametrize("answer", ["whole", "no secret", "cut"])
def test_a_create_answered_with_the_id_of_a_token_that_was_there_before_revokes_nothing(company, answer, where):
    old = company.sim.add_token(PAY, "ci", token_id="000000000001")

    company.sim.model.token_id = lambda: old.id
    if answer == "no secret":
        company.sim.faults.arm("no_secret", method="PUT", times=None)
    if answer == "cut":
        company.sim.faults.arm("broken_json", method="PUT", times=None)
    view = View(PROJECT, (), None, old.id if where == "in use" else None)
    if where == "listed":
        view = view._replace(tokens=company.api().tokens(PROJECT).tokens)
    policy = Policy(stored={CI: old.id} if where == "stored" else None)
    company.sim.requests.clear()
    result = apply(company.api(), view, policy, [Issue(spec(), "absent", None)])
    assert "happened twice" in said(result)
    assert company.requests == [f"PUT {PAY}", f"GET {PAY}", f"PUT {PAY}"]


def test_a_lost_token_is_not_revoked_by_guess(company):
    company.sim.faults.arm("drop_after", method="PUT")
    result = issued(company)
    assert result.issued is not None
    assert result.issued.token.id == company.ids()[1]


def test_an_answer_lost_twice_is_a_clear_failure(company):
    company.sim.faults.arm("drop_after", method="PUT", times=2)
    result = issued(company)
    assert "This happened twice, and no secret of projects/PAY/tokens/ci arrived" in said(result)
    assert result.error is not None
    assert result.error.reason == "lost_answer"
    assert company.requests == [f"PUT {PAY}", f"GET {PAY}", f"PUT {PAY}"]
    assert len(company.ids()) == 2


def test_nothing_is_created_again_while_the_owner_cannot_be_listed(company):
    company.sim.faults.arm("drop_after", method="PUT")
    api, view = company.api(), View(PROJECT, (), company.sim.clock.now_ms())
    company.sim.faults.arm("status", method="GET", status=500)
    result = apply(api, view, Policy(), [Issue(spec(), "absent")])
    assert "status 500" in said(result)
    assert company.sim.requests.count("PUT") == 1


@pytest.mark.parametrize(("fault", "arguments"), [("no_secret", {}), ("broken_json", {"at": "in_secret"})])
def test_an_id_without_a_secret_is_revoked_and_the_create_tried_once_more(company, fault, arguments):
    company.sim.faults.arm(fault, method="PUT", **arguments)
    result = issued(company)
    lost = next(iter(company.sim.model.revoked))
    assert company.requests == [f"PUT {PAY}", f"DELETE {PAY}/{lost}", f"PUT {PAY}"]
    assert result.issued is not None
    assert company.ids() == [result.issued.token.id]


def test_ids_without_secrets_are_revoked_the_second_time_too(company):
    company.sim.faults.arm("no_secret", method="PUT", times=2)
    assert "the answer holds no secret. This happened twice" in said(issued(company))
    assert (company.ids(), len(company.sim.model.revoked)) == ([], 2)


def test_one_that_cannot_be_revoked_is_named(company):
    company.sim.faults.arm("no_secret", method="PUT")
    company.sim.faults.arm("status", method="DELETE", status=400)
    text = said(issued(company))
    assert f"Token {company.ids()[0]} of project PAY was issued, is stored nowhere and could not be revoked" in text
    assert company.sim.requests.count("PUT") == 1


@pytest.mark.parametrize("replaces", [None, "1"], ids=["first", "replacing"])
@pytest.mark.parametrize("secret", ["other_id", "template"])
def test_a_secret_of_another_token_or_a_template_is_not_delivered(company, replaces, secret):
    old = company.sim.add_token(PAY, "ci")
    company.sim.faults.arm("wrong_secret", method="PUT", secret=secret)
    result = issued(company, replaces and old.id)
    assert "the server's answer contains no valid secret of token" in said(result)
    assert "The token was revoked." in said(result)
    assert "lookup" not in said(result)
    assert company.ids() == [old.id]


def test_a_dead_secret_that_replaces_one_is_revoked_and_the_predecessor_lives(company):
    old = company.sim.add_token(PAY, "ci")
    company.sim.faults.arm("wrong_secret", method="PUT", secret="dead")
    result = issued(company, old.id)
    assert "refuses the secret of the token it has just issued. The token was revoked" in said(result)
    assert [request.split()[0] for request in company.requests] == ["PUT", "GET", "DELETE"]
    assert company.ids() == [old.id]
    assert company.sim.authenticates(old.secret)


@pytest.mark.parametrize("replaces", [None, UNKNOWN])
def test_a_secret_that_replaces_nothing_is_not_used(company, replaces):
    result = issued(company, replaces)
    assert (result.verified, company.requests) == (True, [f"PUT {PAY}"])
    assert company.sim.tokens(PAY)[0].last_used is None


def test_a_secret_that_replaces_one_is_used_once_with_its_own_name(company):
    result = issued(company, "000000000001")
    assert (result.verified, result.error) == (True, None)
    assert company.requests == [f"PUT {PAY}", f"GET {IDENTITY}"]
    assert company.sim.tokens(PAY)[0].last_used is not None


@pytest.mark.parametrize(
    ("answer", "verified"),
    [
        ({"status": 503, "times": None}, False),
        ({"status": 403}, False),
        ({"status": 200}, False),
        ({"status": 401, "exception_name": "com.atlassian.bitbucket.AuthorisationException"}, True),
    ],
    ids=["no-answer", "a-filter", "names-nobody", "known-without-permission"],
)
def test_without_a_clear_answer_it_is_handed_over_unverified(company, answer, verified):
    company.sim.faults.arm("status", path=IDENTITY, **answer)
    result = issued(company, "000000000001")
    assert (result.verified, result.error) == (verified, None)
    assert result.issued is not None
    assert company.ids() == [result.issued.token.id]


def test_new_secrets_that_meet_the_rate_limit_are_tried_once_in_a_run(company):
    """Each would wait ten minutes, and every worker with it."""
    company.sim.faults.arm("status", path=IDENTITY, status=429, times=None)
    view = View(Owner(project="PAY"), (), None)
    api, step = company.api(), Issue(spec(), "expiring", "000000000001")
    results = [apply(api, view, Policy(), [step]) for _number in range(2)]
    assert [(result.verified, result.error) for result in results] == [(False, None)] * 2
    methods = [request.partition(" ")[0] for request in company.requests]
    assert [method for method, _same in itertools.groupby(methods)] == ["PUT", "GET", "PUT"]
    assert sum(company.sleeps) < 2 * 600


@pytest.mark.parametrize(
    ("wanted", "switches", "given"),
    [
        pytest.param(spec(), {"expiry_ignored": True}, "asked for 90 days, the server gave no expiry", id="ignored"),
        pytest.param(spec(), {"expiry_clamp_days": 14}, "asked for 90 days, the server gave 14 days", id="clamped"),
        pytest.param(spec(5, 1, 1), {"expiry_rounding": "down"}, None, id="rounded-down-with-room"),
        pytest.param(
            spec(4, 1, 1), {"expiry_rounding": "down"}, "asked for 4 days, the server gave 4", id="rounded-down"
        ),
        pytest.param(spec(4, 1, 1), {"expiry_rounding": "up"}, None, id="rounded-up"),
        pytest.param(spec(4, 1, 1), {"expiry_shift_hours": -1}, "asked for 4 days", id="an-hour-less"),
        pytest.param(spec(4, 1, 1), {"expiry_shift_hours": 48}, None, id="two-days-more"),
        pytest.param(spec(4, 1, 1), {"expiry_shift_hours": 49}, "the server gave 7 days", id="over-two-days-more"),
        pytest.param(spec(), {"expiry_clamp_days": 30}, None, id="clamped-with-room"),
        pytest.param(
            spec(None),
            {"max_expiry_days": 10, "expiry_missing": "maximum"},
            "asked for no expiry, the server gave 10 days",
            id="an-expiry-nobody-asked-for",
        ),
        pytest.param(spec(3, 1, 0), {}, None, id="the-shortest-lifetime"),
    ],
)
@pytest.mark.parametrize("date", ["server", "missing"])
def test_a_token_that_would_be_replaced_again_is_revoked(company, wanted, switches, given, date):
    old = company.sim.add_token(PAY, "ci")
    company.sim.switches.update({**switches, "date_header": date})
    result = issued(company, wanted=wanted)
    if given is None:
        assert result.error is None
        return
    assert given in said(result)
    assert company.ids() == [old.id]


def test_an_expiry_that_the_server_refuses_is_an_error_in_its_words(company):
    company.sim.switches.max_expiry_days = 30
    assert "status 400" in said(issued(company))
    assert company.sim.requests.count("PUT") == 1


def test_steps_are_done_in_order_and_a_failure_ends_them(company):
    for name in ("a", "b"):
        company.sim.add_token(PAY, name)
    listed = company.api().tokens(PROJECT).tokens
    rename = Update(listed[0], "name", "c", declared(["REPO_ADMIN"]))
    result = carried_out(company, Keep(listed[0]), rename, Fail("no_clock", "No."), Revoke(listed[1], "orphan"))
    assert result.done == [rename]
    assert result.error is not None
    assert (str(result.error), result.error.reason) == ("No.", "no_clock")
    assert company.requests == [f"POST {PAY}/{listed[0].id}"]
    renamed = company.sim.token(listed[0].id)
    assert (renamed.name, renamed.permissions) == ("c", ("REPO_ADMIN",))


def test_a_token_that_is_already_gone_is_as_good_as_revoked(company):
    company.sim.add_token(PAY, "ci")
    (token,) = company.api().tokens(PROJECT).tokens
    for _time in range(2):
        assert carried_out(company, Revoke(token, "orphan")).error is None
    assert company.ids() == []


def test_a_project_that_is_gone_is_not_a_token_that_is(company):
    company.sim.add_token(PAY, "ci")
    (token,) = company.api().tokens(PROJECT).tokens
    view: t.Any = View(Owner(project="NOPE"), (), None)
    result = apply(company.api(), view, Policy(), [Revoke(token, "orphan")])
    assert "Project NOPE does not exist" in said(result)


def test_discarding_names_what_lives_on(company):
    token = company.sim.add_token(PAY, "ci")
    discard(company.api(), PROJECT, token.id)
    assert company.ids() == []
    discard(company.api(), PROJECT, token.id)
    with pytest.raises(BitbucketError, match=f"Token {token.id} of project PAY .* revoke it manually"):
        discard(company.api("pat", token="gone"), PROJECT, token.id)


def test_an_issued_token_shows_no_secret(company):
    result = issued(company)
    assert result.issued is not None
    assert result.issued.secret not in repr(result)
