"""What the inventory asks of Bitbucket, and the hosts that it makes of the answers."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    BitbucketError,
    InputError,
    LockoutError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import ListedOwner, Owner
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils import _inventory
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._inventory import Discovered, Project, Wanted

ALL = ["*"]
DENIED = {"kind": "status", "status": 401, "exception_name": "com.atlassian.bitbucket.AuthorisationException"}


def listed(path: str, *said: t.Any) -> ListedOwner:
    """A project, or a repository written as KEY/slug; its name, description, and whether it is archived or public."""
    names = ("name", "description", "archived", "public")
    return ListedOwner(Owner(*path.split("/")), **dict(zip(names, said, strict=False)))


def keys(found: Discovered) -> list[str]:
    return [project.listed.key for project in found.projects]


def repositories(found: Discovered) -> dict[str, list[str] | None]:
    return {project.key: None if known is None else [entry.key for entry in known] for project, known in found.projects}


# What is asked.


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["PAY", "SHOP"]),
        ({"include": ("p*",)}, ["PAY"]),
        ({"include": ("P*", "pay")}, ["PAY"]),
        ({"exclude": ("S*",)}, ["PAY"]),
        ({"include": ("*", "~*")}, ["PAY", "SHOP", "~pat"]),
        ({"include": ("~*",)}, ["~pat"]),
        ({"include": ("*", "~*"), "exclude": ("~pat",)}, ["PAY", "SHOP"]),
        ({"exclude": ("*",)}, []),
    ],
)
def test_globs_choose_projects_and_personal_ones_only_where_written(company, wanted, expected):
    assert keys(_inventory.discover(company.api(), Wanted(**wanted))) == expected


@pytest.mark.parametrize(("administered", "expected"), [(True, ["PAY"]), (False, ["PAY", "SHOP"])])
def test_the_caller_gets_what_it_administers_or_all_that_it_sees(company, administered, expected):
    assert keys(_inventory.discover(company.api("pat"), Wanted(administered=administered))) == expected


@pytest.mark.parametrize(("archived", "expected"), [(False, ["ledger"]), (True, ["ledger", "old"])])
def test_archived_repositories_are_there_on_request(company, archived, expected):
    assert repositories(_inventory.discover(company.api(), Wanted(archived=archived))) == {"PAY": expected, "SHOP": []}


def test_each_chosen_project_costs_one_request_and_without_repositories_none(company):
    _inventory.discover(company.api(), Wanted(include=("PAY", "SHOP")))
    assert company.requests == ["GET projects", "GET repos", "GET repos"]
    found = _inventory.discover(company.api(), Wanted(repositories=False))
    assert company.requests == ["GET projects"]
    assert repositories(found) == {"PAY": None, "SHOP": None}


def test_many_projects_are_found_over_many_pages_and_sorted(company):
    company.sim.switches.page_cap = 7
    for number in range(30):
        company.sim.add_project(f"T{number:02d}")
        company.sim.add_repository(f"T{number:02d}", "b")
        company.sim.add_repository(f"T{number:02d}", "a")
    found = _inventory.discover(company.api(), Wanted(include=("T*",)))
    assert repositories(found) == {f"T{number:02d}": ["a", "b"] for number in range(30)}


@pytest.mark.parametrize(
    ("administered", "say"), [(True, "matches no project that you administer"), (False, "that you can see")]
)
def test_a_glob_that_matches_nothing_is_warned_of(company, administered, say):
    found = _inventory.discover(company.api(), Wanted(include=("NOSUCH*", "PAY"), administered=administered))
    assert keys(found) == ["PAY"]
    (warning,) = found.warnings
    assert warning.startswith("NOSUCH* ")
    assert say in warning


def test_personal_projects_that_the_server_does_not_list_are_warned_of(company):
    company.sim.switches.projects_list_personal = False  # D29 [unknown]
    found = _inventory.discover(company.api(), Wanted(include=("*", "~*")))
    assert keys(found) == ["PAY", "SHOP"]
    assert found.warnings == ("~* matches no project that you administer.",)


# D29 says nothing of the bodies.


@pytest.mark.parametrize(
    ("details", "project", "repository"),
    [
        ("always", ("Money", None, False), (None, False, True)),
        ("when_set", ("Money", None, None), (None, None, True)),
        ("never", (None, None, None), (None, None, None)),
    ],
)
def test_what_a_listing_leaves_out_is_not_known(company, details, project, repository):
    company.sim.add_project("MONEY", "Money and more", description="Money")
    company.sim.add_repository("MONEY", "gold", public=True)
    company.sim.switches.listing_details = details
    (found,) = _inventory.discover(company.api(), Wanted(include=("MONEY",))).projects
    (gold,) = found.repositories
    assert found.listed._replace(link="") == listed("MONEY", "Money and more", *project)
    assert gold._replace(link="") == listed("MONEY/gold", "gold", *repository)


# What goes wrong.


@pytest.mark.parametrize(
    "answer", [DENIED, {"kind": "status", "status": 404, "exception_name": "NoSuchProjectException"}]
)
@pytest.mark.parametrize("refusing", ["PAY", "SHOP"])
def test_a_project_that_refuses_its_repositories_is_named_and_stays(company, answer, refusing):
    company.sim.faults.arm(**answer, query=f"projectkey={refusing}")
    found = _inventory.discover(company.api(), Wanted())
    assert repositories(found) == {"PAY": ["ledger"], "SHOP": [], refusing: None}
    (warning,) = found.warnings
    assert warning.startswith(f"The repositories of project {refusing} are not known: GET /rest/api/latest/repos")


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500},
        {"kind": "html"},
        {"kind": "broken_json", "at": "after_id"},
        {"kind": "drop_before", "times": None},
    ],
    ids=lambda fault: str(fault["kind"]),
)
@pytest.mark.parametrize("where", [{"path": "/projects$"}, {"query": "=SHOP"}], ids=["projects", "repositories"])
def test_every_other_failure_leaves_nothing(company, fault, where):
    company.sim.faults.arm(**fault, **where)
    with pytest.raises(BitbucketError):
        _inventory.discover(company.api(), Wanted())


def test_projects_that_may_not_be_listed_are_a_failure(company):
    company.sim.faults.arm(**DENIED, path="/projects$")
    with pytest.raises(BitbucketError, match="not permitted"):
        _inventory.discover(company.api(), Wanted())


def test_a_password_that_stops_working_meanwhile_is_told_and_not_tried_for_every_project(company):
    for number in range(50):
        company.sim.add_project(f"T{number:02d}")
    wrong = {"status": 401, "exception_name": "com.atlassian.IncorrectPasswordAuthenticationException"}
    company.sim.faults.arm("status", path="/repos$", nth=3, times=None, **wrong)
    with pytest.raises(LockoutError, match="is wrong"):
        _inventory.discover(company.api(), Wanted(include=("T*",), concurrency=1))
    assert len(company.requests) == 1 + 3


def test_a_listing_without_keys_is_no_listing(company):
    company.sim.faults.arm("call", path="/projects$", run=lambda: company.sim.add_project(""))
    with pytest.raises(AnswerError, match="has no usable key"):
        _inventory.discover(company.api(), Wanted())


# Caching.


def test_what_is_cached_is_plain_and_comes_back_as_it_was(company):
    company.sim.faults.arm(**DENIED, query="projectkey=SHOP")
    found = _inventory.discover(company.api(), Wanted(include=("*", "NOSUCH")))
    assert len(found.warnings) == 2
    assert _inventory.from_plain(json.loads(json.dumps(found.plain()))) == found


def test_the_fingerprint_tells_servers_callers_and_wishes_apart():
    first = ("https://a.example", "ann")
    wishes = [
        Wanted(include=("A",)),
        Wanted(exclude=("A",)),
        Wanted(administered=False),
        Wanted(archived=True),
        Wanted(repositories=False),
    ]
    made = [Wanted().fingerprint(*first), Wanted().fingerprint("https://b.example", "ann")]
    made += [Wanted().fingerprint("https://a.example", "bob"), *(wanted.fingerprint(*first) for wanted in wishes)]
    assert len(set(made)) == len(made)
    assert Wanted(concurrency=1).fingerprint(*first) == made[0]


# Hosts.

LEDGER, OLD = listed("PAY/ledger", "The ledger", "Money", False, True), listed("PAY/old", "old", None, True, None)
FOUND = Discovered(
    (
        Project(listed("PAY", "Payments", None, None, False), (LEDGER, OLD)),
        Project(listed("SHOP", "Shop"), ()),
        Project(listed("~pat", "Pat"), None),
    ),
    (),
)


def made(each: str = "project", include: t.Sequence[str] = ALL, exclude: t.Sequence[str] = ()) -> dict[str, t.Any]:
    return _inventory.hosts(FOUND, each, include, exclude)


def test_a_projects_host_says_what_is_known_of_it():
    hosts = made()
    assert list(hosts) == ["PAY", "SHOP", "~pat"]
    assert hosts["PAY"] == {
        "bitbucket_kind": "project",
        "bitbucket_key": "PAY",
        "bitbucket_name": "Payments",
        "bitbucket_description": None,
        "bitbucket_archived": None,
        "bitbucket_public": False,
        "bitbucket_repositories": [
            {"slug": "ledger", "name": "The ledger", "description": "Money", "archived": False, "public": True},
            {"slug": "old", "name": "old", "description": None, "archived": True, "public": None},
        ],
    }
    assert hosts["SHOP"]["bitbucket_repositories"] == []
    assert hosts["~pat"]["bitbucket_repositories"] is None


def test_a_repositorys_host_says_what_is_known_of_it():
    hosts = made("repository")
    assert list(hosts) == ["PAY.ledger", "PAY.old"]
    assert hosts["PAY.ledger"] == {
        "bitbucket_kind": "repository",
        "bitbucket_key": "PAY",
        "bitbucket_repository": "ledger",
        "bitbucket_name": "The ledger",
        "bitbucket_description": "Money",
        "bitbucket_archived": False,
        "bitbucket_public": True,
    }


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (ALL, [], ["ledger", "old"]),
        (["PAY/l*"], [], ["ledger"]),
        (["pay/*"], ["*/OLD"], ["ledger"]),
        (["SHOP/*"], [], []),
        ([], [], []),
    ],
)
def test_globs_choose_repositories(include, exclude, expected):
    assert list(made("repository", include, exclude)) == [f"PAY.{slug}" for slug in expected]
    described = made("project", include, exclude)["PAY"]["bitbucket_repositories"]
    assert [entry["slug"] for entry in described] == expected


def test_two_repositories_of_one_name_are_not_one_host():
    twins = Discovered((Project(listed("A"), (listed("A/1.c"),)), Project(listed("A.1"), (listed("A.1/c"),))), ())
    with pytest.raises(InputError, match=r"would be the host A\.1\.c"):
        _inventory.hosts(twins, "repository", ALL, [])


@pytest.mark.parametrize(
    ("each", "project"),
    [
        ("project", Project(listed("{{x}}"), ())),
        ("project", Project(listed("#jinja2:variable_start_string:'[[' [[x"), ())),
        ("repository", Project(listed("A"), (listed("A/{%x"),))),
    ],
)
def test_a_name_that_could_be_a_template_is_no_host(each, project):
    with pytest.raises(AnswerError, match="is not a valid key or slug"):
        _inventory.hosts(Discovered((project,), ()), each, ALL, [])
