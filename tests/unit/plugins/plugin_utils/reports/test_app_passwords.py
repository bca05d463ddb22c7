"""The report of all hosts: what was replaced, removed and left, and what failed where."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.reports import _app_passwords

Data = dict[str, t.Any]


def report_of(hostvars: Data, hosts: list[str], check_mode: bool = False) -> Data:
    return _app_passwords.report_of(hostvars, hosts, check_mode)


def finding(name: str, dead: bool | None = True, **more: t.Any) -> Data:
    return {"file": f"/home/{name}", "fingerprint": name, "dead": dead, "user": name, "host": "bitbucket.org", **more}


ADA, BOB = finding("ada"), finding("bob")
NEW = finding("new", dead=None)


def host(*findings: Data, **registered: t.Any) -> Data:
    """The variables of a host; each of ``registered`` is one more result."""
    results = {"found": {"findings": list(findings), "not_searched": []}, **registered}
    return {f"retire_app_passwords_{name}": value for name, value in results.items()}


def replaced(*findings: Data, **more: t.Any) -> Data:
    return {"results": [{"skipped": True}, {"changes": list(findings), **more}]}


def actions(made: Data) -> list[tuple[str, str]]:
    return [(entry["file"], entry["action"]) for entry in made["report"]["findings"]]


def test_what_was_found_and_not_touched_is_a_finding_of_its_host():
    made = report_of({"h1": host(ADA), "h2": host(BOB, finding("eve", dead=None))}, ["h1", "h2"])
    assert [entry["inventory_hostname"] for entry in made["report"]["findings"]] == ["h1", "h2", "h2"]
    assert made["report"]["counts"] == {
        "hosts": 2,
        "hosts_not_searched": 0,
        "findings": 3,
        "dead_left": 2,
        "hosts_with_dead_left": 2,
        "replaced": 0,
        "removed": 0,
        "unread": 0,
        "not_tried": 0,
    }
    assert made["message"] == ""
    assert made["csv"].splitlines()[1].startswith("h1,found,/home/ada,")


def test_only_hosts_of_the_play_are_in_it():
    assert report_of({"h1": host(ADA), "h2": host(BOB)}, ["h2"])["report"]["counts"]["findings"] == 1


@pytest.mark.parametrize(("check_mode", "would"), [(False, ""), (True, "would be ")])
def test_what_was_replaced_and_removed_is_no_longer_found(check_mode, would):
    more = {} if check_mode else {"left": {"findings": [NEW]}}
    variables = host(ADA, BOB, replacing=replaced(ADA, ADA), removing={"changes": [BOB]}, given=["new"])
    made = report_of(
        {"h1": {**variables, **host(ADA, BOB), **{f"retire_app_passwords_{k}": v for k, v in more.items()}}},
        ["h1"],
        check_mode,
    )
    assert actions(made) == [("/home/ada", f"{would}replaced"), ("/home/bob", f"{would}removed")]
    assert made["summary"] == (
        f"2 secrets found on 1 hosts, 1 {would}replaced, 1 {would}removed, 0 dead ones left; 0 places not read, "
        f"{0 if check_mode else 1} new logins not tried."
    )


@pytest.mark.parametrize(("status", "failures", "untried"), [(0, 0, 0), (1, 1, 0), (3, 0, 1)])
def test_a_new_login_that_git_refuses_fails_and_one_that_was_not_tried_is_counted(status, failures, untried):
    tried = {"results": [{"rc": status, "item": {"item": NEW}}, {"skipped": True, "item": {"item": BOB}}]}
    left = {"findings": [NEW]}
    made = report_of({"h1": host(ADA, replacing=replaced(ADA), left=left, tried=tried, given=["new"])}, ["h1"])
    message = "h1: /home/new: has the new token, but git can not list a repository with it"
    assert made["report"]["failures"] == [message] * failures
    assert made["report"]["counts"]["not_tried"] == untried


def test_a_host_that_was_not_searched_is_named_with_the_reason():
    unreachable = {"retire_app_passwords_found": {"unreachable": True, "msg": "ssh said {{ 6 * 7 }}"}}
    made = report_of({"h1": unreachable, "h2": {}, "h3": host()}, ["h1", "h2", "h3"])
    assert made["report"]["hosts_not_searched"] == ["h1", "h2"]
    assert made["report"]["failures"] == [
        "h1: not searched. ssh said {{ 6 * 7 }}",
        "h2: not searched. Its failure is shown above.",
    ]
    assert made["message"].startswith("2 failures: h1: not searched.")


def test_every_failure_is_in_the_report_and_the_message_has_the_first_ones():
    results = [{"msg": f"{number} failed.", "changes": []} for number in range(12)]
    variables = host(replacing={"results": results}, removing={"msg": "not removed."}, trouble="A task failed.")
    made = report_of({"h1": variables}, ["h1"])
    assert made["report"]["failures"][-2:] == ["h1: not removed.", "h1: A task failed."]
    assert made["message"].startswith("14 failures: h1: 0 failed.; ")
    assert made["message"].endswith("; and 4 more, all in the report")


def test_places_that_could_not_be_read_are_in_it_and_missing_ones_are_not():
    found = {
        "findings": [],
        "not_searched": [{"path": "/a", "reason": "unreadable"}, {"path": "/b", "reason": "missing"}],
    }
    made = report_of({"h1": {"retire_app_passwords_found": found}}, ["h1"])
    assert made["report"]["unread"] == [{"path": "/a", "reason": "unreadable", "inventory_hostname": "h1"}]


def test_a_cell_that_a_spreadsheet_would_run_is_defused():
    made = report_of({"h1": host(finding("ada", user="=cmd|1"))}, ["h1"])
    assert ",'=cmd|1," in made["csv"]
