"""Every finding at its edge, and what it must not rest on."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit import _registry

from .samples import CI, LEDGER, NOW, PAY, audit, found, token

LONG_AGO = NOW - 400 * DAY
ARCHIVED, GONE = LEDGER._replace(archived=True), CI._replace(active=False)

EDGES = [
    ("nothing", {}, []),
    # The instant itself has expired.
    ("expired now", {"expires": NOW}, ["expired"]),
    ("expires in a millisecond", {"expires": NOW + 1}, ["expiring"]),
    ("the last instant of expiring", {"expires": NOW + 30 * DAY}, ["expiring"]),
    ("just not expiring", {"expires": NOW + 30 * DAY + 1}, []),
    ("no expiry", {"expires": None}, ["never_expires"]),
    ("used just long enough ago", {"created": LONG_AGO, "last_used": NOW - 90 * DAY}, ["unused"]),
    ("used a millisecond later", {"created": LONG_AGO, "last_used": NOW - 90 * DAY + 1}, []),
    ("never used, just old enough", {"created": NOW - 30 * DAY, "last_used": None}, ["never_used"]),
    ("never used, a millisecond younger", {"created": NOW - 30 * DAY + 1, "last_used": None}, []),
    ("never used is not unused", {"created": LONG_AGO, "last_used": None}, ["never_used"]),
    ("expired and more", {"expires": NOW, "created": LONG_AGO, "last_used": None}, ["expired", "never_used"]),
]


@pytest.mark.parametrize(("more", "expected"), [case[1:] for case in EDGES], ids=[case[0] for case in EDGES])
def test_edges(more, expected):
    assert found(token(**more)) == expected


@pytest.mark.parametrize(
    ("policy", "more", "expected"),
    [
        ({"expiring_days": 0}, {"expires": NOW + 1}, []),
        ({"expiring_days": 60}, {"expires": NOW + 60 * DAY}, ["expiring"]),
        ({"unused_days": 1}, {"last_used": NOW - DAY}, ["unused"]),
        ({"never_used_days": 0}, {"created": NOW, "last_used": None}, ["never_used"]),
        ({"severities": {"never_expires": "none"}}, {"expires": None}, []),
    ],
    ids=str,
)
def test_figures_are_the_policys(policy, more, expected):
    assert found(token(**more), policy=policy) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"expires": NOW - 400 * DAY}, []),
        ({"expires": NOW + DAY}, []),
        ({"created": 0, "last_used": None}, []),
        ({"created": 0, "last_used": 1}, []),
        ({"expires": None, "created": 0}, ["never_expires"]),
    ],
    ids=str,
)
def test_without_a_clock_nothing_has_expired_or_is_unused_and_the_report_says_so(more, expected):
    judged = audit(token(**more), now=None)
    assert [finding.code for finding in judged.tokens[0].findings] == expected
    assert judged.notes[0].startswith("no_clock: 1 owners")


def test_an_owner_without_tokens_needs_no_clock():
    assert audit(now=None).notes == ()


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        (["PROJECT_ADMIN", "REPO_ADMIN"], "PROJECT_ADMIN, REPO_ADMIN"),
        (["REPO_ADMIN"], "REPO_ADMIN"),
        (["PROJECT_WRITE", "REPO_WRITE"], None),
        (["SYSTEM_ADMIN"], "SYSTEM_ADMIN"),
        (["ADMIN_READ"], None),
    ],
    ids=str,
)
def test_administrators_are_told_by_any_permission_to_administer(permissions, expected):
    details = [finding.detail for finding in audit(token("ci", *permissions)).tokens[0].findings]
    assert details == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], False),
        ([token("ci", token_id="2")], True),
        ([token(" ci ", token_id="2")], True),
        ([token("CI", token_id="2")], False),
        ([token("ci", token_id="2", expires=NOW)], False),
    ],
    ids=["alone", "another", "spaces", "another case", "an expired one"],
)
def test_duplicates_are_live_tokens_of_the_same_owner(others, expected):
    assert found(token(), *others) == (["duplicate_name"] if expected else [])


def test_each_of_two_namesakes_is_told_from_the_other_and_has_its_own_command():
    details = [finding.detail for judged in audit(token(), token(token_id="2")).tokens for finding in judged.findings]
    command = "ansible localhost -m tokensmith.bitbucket.access_token -a 'project=PAY id={} state=absent'"
    assert sorted(details) == sorted(
        f"2 of this name. To revoke this one: {command.format(token_id)}" for token_id in (token().id, "2")
    )


@pytest.mark.parametrize(
    ("listed", "detail"), [(PAY, None), (ARCHIVED, "the repository is archived"), (GONE, "the user is deactivated")]
)
def test_an_inactive_owner_is_an_archived_repository_or_a_deactivated_user(listed, detail):
    details = [finding.detail for finding in audit(token(), listed=listed).tokens[0].findings]
    assert details == ([detail] if detail else [])


SET = {"set": [{"name": "ci", "permissions": ["REPO_WRITE"]}]}
PROJECTS = {"projects": ["P*"], **SET}


@pytest.mark.parametrize(
    ("name", "permissions", "declared", "expected"),
    [
        ("ci", ["REPO_WRITE"], [], []),
        ("ci", ["REPO_WRITE"], [PROJECTS], []),
        ("ci", ["REPO_READ"], [PROJECTS], []),
        # To read the project itself is more than REPO_WRITE allows.
        ("ci", ["REPO_WRITE", "PROJECT_READ"], [PROJECTS], ["wider_than_declared"]),
        ("ci", ["SOMETHING_NEW", "REPO_READ"], [PROJECTS], ["wider_than_declared"]),
        (" ci ", ["REPO_ADMIN"], [PROJECTS], ["administrator", "wider_than_declared"]),
        ("other", ["REPO_READ"], [PROJECTS], ["undeclared"]),
        ("other", ["REPO_READ"], [{"projects": ["SHOP"], **SET}], []),
        ("other", ["REPO_READ"], [{"users": ["*"], **SET}], []),
        ("ci", ["REPO_READ"], [{**PROJECTS, "set": [{"name": "ci", "state": "absent"}]}], ["undeclared"]),
        (
            "ci",
            ["REPO_WRITE"],
            [{**PROJECTS, "overrides": {"pay": [{"name": "ci", "permissions": ["REPO_READ"]}]}}],
            ["wider_than_declared"],
        ),
        (
            "ci",
            ["REPO_WRITE"],
            [{**PROJECTS, "overrides": {"SHOP": [{"name": "ci", "permissions": ["REPO_READ"]}]}}],
            [],
        ),
        # Two uses of the role on one owner: what either declares is declared.
        ("ci", ["REPO_WRITE"], [{**PROJECTS, "set": [{"name": "ci", "permissions": ["REPO_READ"]}]}, PROJECTS], []),
        ("b", ["REPO_READ"], [PROJECTS, {**PROJECTS, "set": [{"name": "b", "permissions": ["REPO_READ"]}]}], []),
    ],
    ids=str,
)
def test_what_is_declared_for_a_project(name, permissions, declared, expected):
    assert found(token(name, *permissions), declared=declared) == expected


@pytest.mark.parametrize(
    ("listed", "patterns", "compared"),
    [
        (LEDGER, ["PAY/*"], True),
        (LEDGER, ["pay/LEDGER"], True),
        (LEDGER, ["*/l*"], True),
        (LEDGER, ["PAY/gateway"], False),
        (LEDGER, ["SHOP/*"], False),
        # As the role does: globs leave archived repositories out.
        (ARCHIVED, ["PAY/*"], False),
        (ARCHIVED, ["PAY/ledger"], True),
        (ARCHIVED, ["P*/ledger"], True),
        (PAY, ["PAY/*"], False),
    ],
    ids=str,
)
def test_what_is_declared_for_repositories(listed, patterns, compared):
    codes = found(token("other"), listed=listed, declared=[{"repositories": patterns, **SET}])
    assert ("undeclared" in codes) == compared


def test_a_declaration_that_cannot_be_right_is_told():
    with pytest.raises(InputError, match="REPO_READ"):
        audit(token(), declared=[{"projects": ["PAY"], "set": [{"name": "ci", "permissions": ["REPO_REED"]}]}])
    with pytest.raises(InputError, match=r"`overrides\.PAY` must be a list"):
        audit(token(), declared=[{"projects": ["PAY"], **SET, "overrides": {"PAY": "x"}}])


def test_what_has_expired_is_worth_a_remark_only_whatever_it_could_do():
    judged = audit(token("ci", "REPO_ADMIN", expires=NOW), listed=ARCHIVED).tokens[0]
    assert {finding.code: finding.severity for finding in judged.findings} == {
        "expired": "low",
        "administrator": "info",
        "owner_inactive": "info",
    }
    assert judged.severity == "low"


def test_tokens_are_sorted_by_reference_and_age():
    tokens = [
        token("b", created=NOW - 5, token_id="1"),
        token("a", token_id="2"),
        token("b", created=NOW - 9, token_id="3"),
    ]
    assert [item.token.id for item in audit(*tokens).tokens] == ["2", "3", "1"]


def test_every_code_of_the_issue_can_be_found():
    everything = audit(
        token("a", "PROJECT_ADMIN", expires=NOW, last_used=NOW - 90 * DAY),
        token("ci", "REPO_ADMIN", expires=NOW + 1, created=LONG_AGO, last_used=None),
        token("ci", expires=None, token_id="2"),
        listed=ARCHIVED,
        declared=[{"repositories": ["PAY/ledger"], **SET}],
    )
    assert {finding.code for item in everything.tokens for finding in item.findings} == set(_registry.codes())


TOKENS_ONLY = {"set": [{"name": "ci", "permissions": ["REPO_READ"]}]}
OVERRIDES_ONLY = {"overrides": {"PAY": [{"name": "ci", "permissions": ["REPO_READ"]}]}}


@pytest.mark.parametrize(
    "declared", [[TOKENS_ONLY], [OVERRIDES_ONLY], [TOKENS_ONLY, OVERRIDES_ONLY], [TOKENS_ONLY, {}]]
)
def test_tokens_declared_for_nobody_are_told_to_be_compared_with_nothing(declared):
    seen = audit(token("other"), declared=declared)
    assert [finding.code for finding in seen.tokens[0].findings] == []
    (note,) = seen.notes
    assert note.startswith("Nothing is compared with the declaration: it names no owners.")
    assert "token_audit_declared" in note


def test_an_entry_that_names_nobody_is_told_beside_one_that_does():
    seen = audit(token("other"), declared=[{"projects": ["PAY"], **TOKENS_ONLY}, TOKENS_ONLY])
    assert [finding.code for finding in seen.tokens[0].findings] == ["undeclared"]
    (note,) = seen.notes
    assert note.startswith("Nothing is compared with 1 of 2 entries that declare tokens: they name no owners.")


@pytest.mark.parametrize("declared", [[], [{}], [{"projects": ["PAY"], **TOKENS_ONLY}], [{"users": ["*"]}, {}]])
def test_where_owners_are_named_or_no_tokens_declared_nothing_is_noted(declared):
    assert audit(token(), declared=declared).notes == ()
