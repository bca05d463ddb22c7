"""What an audit reads: every owner once, its progress, and what becomes of owners that do not answer."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError, LockoutError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._progress import INTERVAL, Progress
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_audit
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Observed
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._observe import observe
from tests.unit.plugins.company import LEDGER, LOGIN, PASSWORD, PAY, SHOP, URL, Company, checked

EVERYBODY = [PAY, LEDGER, "projects/PAY/repos/old", SHOP, "projects/~pat", "users/admin", "users/joe_doe", "users/pat"]
SILENT = Progress(lambda _line: None, "audit")


def read(company: Company, caller: str = "admin", progress: Progress = SILENT, **given: t.Any) -> Observed:
    params = checked(access_token_audit.SPEC, access_token_audit.CONSTRAINTS, {**LOGIN, **given})
    return observe(company.client(caller), params, progress)


def paths(observed: Observed) -> list[str]:
    return sorted(owner.listed.owner.path for owner in observed.owners)


def reasons(observed: Observed) -> dict[str, str]:
    return {failure.owner: failure.reason for failure in observed.unread}


def test_every_owner_is_asked_once_and_nothing_is_written(company):
    observed = read(company)
    assert paths(observed) == sorted(EVERYBODY)
    assert (observed.url, observed.unread, observed.notes, observed.complete) == (URL, (), (), True)
    requests = company.requests
    assert len(requests) == len(set(requests) - {"GET repos"}) + 3
    assert {request.partition(" ")[0] for request in requests} == {"GET"}


def test_owners_come_with_what_is_listed_about_them_and_tokens_with_exact_times(company):
    token = company.sim.add_token(LEDGER, "ci", created_days_ago=2, expires_in_days=5, last_used_days_ago=1)
    (owner,) = read(company, projects=[], repositories=["PAY/ledger"], users=[]).owners
    assert (owner.listed.title, owner.listed.link) == ("ledger", f"{URL}/{LEDGER}/browse")
    (found,) = owner.tokens
    assert (found.id, found.created, found.expires, found.last_used) == (
        token.id,
        token.created,
        token.expires,
        token.last_used,
    )
    assert owner.now == company.sim.clock.now_ms()


def test_without_a_date_the_clock_is_not_guessed(company):
    company.sim.switches.date_header = "missing"
    observed = read(company, projects=["PAY"])
    assert (observed.now, {owner.now for owner in observed.owners}) == (None, {None})


def test_a_name_that_repeats_the_credential_is_not_shown(company):
    company.sim.add_token(PAY, f"echo {PASSWORD}")
    owner = next(owner for owner in read(company).owners if owner.tokens)
    assert owner.tokens[0].name == "echo [credential]"


# Progress.


def test_progress_is_shown_once_in_an_interval_and_not_at_the_end():
    now, said = 0.0, []
    progress = Progress(lambda line: said.append((now, line)), "audit", lambda: now)
    search, read_owners = progress.of("repositories of {} of {} projects"), progress.of("{} of {} owners")
    for step, total in ((search, 3_000), (read_owners, 12_000)):
        for done in range(1, total + 1):
            now += 0.03
            step(done, total)
    moments = [moment for moment, _line in said]
    assert all(later - earlier >= INTERVAL for earlier, later in itertools.pairwise(moments))
    assert len(said) == int(15_000 * 0.03 / INTERVAL) - 1
    assert said[0][1].startswith("audit: repositories of ")
    assert said[0][1].endswith(" of 3,000 projects")
    assert said[-1][1].endswith(" of 12,000 owners")


def test_a_long_audit_says_how_far_it_is_with_its_projects_and_its_owners(company):
    for number in range(40):
        company.sim.add_project(f"T{number:02d}")
    said: list[str] = []
    seconds = itertools.count()
    read(company, progress=Progress(said.append, "audit", lambda: next(seconds)))
    assert said[0] == "audit: repositories of 10 of 43 projects"
    assert said[-1].startswith("audit: ")
    assert said[-1].endswith(" of 48 owners")
    assert 6 <= len(said) <= 9


def test_a_short_audit_says_nothing(company):
    said: list[str] = []
    read(company, progress=Progress(said.append, "audit"))
    assert said == []


# Owners that do not answer.


def test_owners_that_refuse_are_named_and_leave_the_audit_complete(company):
    observed = read(company, "pat")
    assert reasons(observed) == dict.fromkeys([SHOP, "users/admin", "users/joe_doe"], "forbidden")
    assert observed.complete


@pytest.mark.parametrize(("status", "said"), [(404, {}), (403, {"projects/~admin": "forbidden"})])
def test_a_personal_project_that_is_only_guessed_need_not_exist(company, status, said):
    """D29 [unknown]: whether personal projects are in the listing of projects."""
    company.sim.switches.projects_list_personal = False
    if status == 403:
        company.sim.faults.arm("status", path="projects/~admin$", status=403, times=None)
    observed = read(company)
    assert reasons(observed) == said
    assert paths(observed) == sorted(EVERYBODY)


@pytest.mark.parametrize("status", [403, 404])
def test_a_project_that_shows_no_repositories_is_named_and_the_others_are_read(company, status):
    company.sim.faults.arm("status", path="/repos$", query="projectkey=SHOP", status=status, times=None)
    observed = read(company)
    assert list(reasons(observed)) == [f"{SHOP}/repos"]
    assert paths(observed) == sorted(EVERYBODY)


@pytest.mark.parametrize(("kind", "reason"), [("refuse", "unreachable"), ("status", "rate_limit")])
def test_what_ends_the_search_for_repositories_loses_no_owner_that_was_found(company, kind, reason):
    more = {"status": 429} if kind == "status" else {}
    company.sim.faults.arm(kind, path="/repos$", times=None, **more)
    observed = read(company)
    assert paths(observed) == sorted(set(EVERYBODY) - {LEDGER, "projects/PAY/repos/old"})
    assert reasons(observed) == {f"{PAY}/repos": reason, f"{SHOP}/repos": "stopped", "projects/~pat/repos": "stopped"}
    assert not observed.complete


def test_where_no_project_can_be_searched_the_audit_says_why(company):
    company.sim.faults.arm("refuse", path="/repos$", times=None)
    with pytest.raises(BitbucketError, match="No connection"):
        read(company, projects=[], users=[])


def test_a_credential_that_is_refused_while_owners_are_searched_is_not_tried_again(company):
    company.sim.faults.arm("status", path="/repos$", status=401, nth=2, times=None)
    with pytest.raises(LockoutError):
        read(company, repositories=["*/*"], users=[], concurrency=1)
    assert company.requests == ["GET projects", "GET repos", "GET repos"]


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 401}, {"kind": "status", "status": 429}], ids=str)
def test_what_holds_for_all_in_the_middle_ends_it_and_names_everyone_left(company, fault):
    company.sim.faults.arm(**fault, path="access-tokens/", nth=3, times=None)
    observed = read(company, concurrency=1)
    assert len(observed.owners) == 2
    assert sorted([*paths(observed), *reasons(observed)]) == sorted(EVERYBODY)
    assert list(reasons(observed).values()).count("stopped") == len(EVERYBODY) - 3
    assert not observed.complete


def test_where_nothing_can_be_read_the_audit_says_why_after_one_login(company):
    company.sim.model.users["admin"].password = "another-one-since-yesterday"
    with pytest.raises(LockoutError):
        read(company)
    assert len(company.requests) == 1
