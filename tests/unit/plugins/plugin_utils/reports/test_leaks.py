"""The report of revoke_leaked: what was revoked and reissued on each host, what failed, and all of it together."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.reports._leaks import report_of

Data = dict[str, t.Any]


def token(name: str, works: bool | None = None) -> Data:
    return {"reference": f"projects/PAY/tokens/{name}", "msg": f"token {name}", "works": works}


def change(name: str, reason: str, step: str = "issue") -> Data:
    return {"reference": f"projects/PAY/tokens/{name}", "step": step, "reason": reason}


def searched(*tokens: Data, **more: t.Any) -> Data:
    found = {"access_tokens": list(tokens), "unresolved": [], "unread": [], "failures": [], "files_searched": 2}
    return {"revoke_leaked_found": {**found, "summary": [], "left_to_do": [], **more}}


def revoked(*tokens: Data) -> Data:
    return {"revoke_leaked_run": {"results": [{"changed": True, "item": token} for token in tokens]}}


def role(*changes: Data, failures: t.Sequence[Data] = ()) -> Data:
    return {"__project_tokens_run": {"changes": list(changes), "failures": list(failures)}}


def lines_of(variables: Data, check_mode: bool = False) -> list[str]:
    return t.cast("list[str]", report_of({"h1": variables}, ["h1"], check_mode)["hosts"]["h1"]["lines"])


def failures_of(variables: Data) -> list[str]:
    return t.cast("list[str]", report_of({"h1": variables}, ["h1"], False)["hosts"]["h1"]["failures"])


@pytest.mark.parametrize("would", ["", "would be "])
def test_it_says_what_was_revoked_and_reissued_or_would_be(would):
    found = searched(token("a"), token("b"), summary=["nothing to do: c"], unresolved=[{}], failures=[{}])
    variables = {**found, **revoked(token("a")), **role(change("a", "secret_revoked"))}
    assert lines_of(variables, bool(would)) == [
        f"2 files searched, 2 tokens leaked, 1 {would}revoked, 1 {would}reissued, 1 other secrets, 1 owners not asked",
        f"{would}revoked: token a",
        f"{would}reissued: projects/PAY/tokens/a",
        "nothing to do: c",
    ]


@pytest.mark.parametrize(
    ("changes", "failures", "reissued"),
    [
        ([change("a", "secret_revoked"), change("a", "secret_revoked")], [], ["a"]),
        ([change("a", "absent"), change("b", "absent")], [], ["a"]),
        ([change("b", "secret_revoked")], [], ["b"]),
        ([change("a", "expiring", "update"), change("b", "expiring")], [], []),
        ([change("a", "secret_revoked")], [{"reference": "projects/PAY/tokens/a"}], []),
        ([change("a", "secret_revoked")], [{"reference": None}, {}], ["a"]),
    ],
    ids=["once", "the store had none", "after a run that was killed", "others", "not delivered", "an owner failed"],
)
def test_a_token_counts_as_reissued_if_it_replaces_a_revoked_one_and_was_delivered(changes, failures, reissued):
    variables = {**searched(token("a")), **revoked(token("a")), **role(*changes, failures=failures)}
    outcome = report_of({"h1": variables}, ["h1"], False)["outcome"]
    assert outcome["reissued"] == [f"projects/PAY/tokens/{name}" for name in reissued]


def test_what_was_not_revoked_and_what_is_left_to_do_are_failures():
    run = {"revoke_leaked_run": {"results": [{"msg": "no answer came.", "item": token("a")}]}}
    variables = {**searched(token("a"), left_to_do=["Left to do: c"]), **run, "revoke_leaked_role_failed": "It failed."}
    assert failures_of(variables) == [
        "Not revoked: no answer came.",
        "Left to do: c",
        "The role that reissues failed. Run tokensmith.bitbucket.provision once this is fixed: It failed.",
    ]
    message = report_of({"h1": variables}, ["h1"], False)["hosts"]["h1"]["message"]
    assert message.startswith("3 failures: Not revoked: no answer came.; Left to do: c; The role")


def test_the_message_of_a_role_may_be_a_list():
    (failure,) = failures_of({**searched(), "revoke_leaked_role_failed": ["One.", "Two."]})
    assert failure.endswith(": One. Two.")


def test_the_outcome_is_that_of_all_hosts_and_names_those_without_a_report():
    hosts = {
        "h1": {**searched(token("a"), token("x", works=False)), **revoked(token("a"))},
        "h2": {**searched(token("b"), left_to_do=["Left to do: c"]), **revoked(token("b"))},
        "h3": {"revoke_leaked_found": {"failed": True, "msg": "nothing to search"}},
        "h4": {},
    }
    outcome = report_of(hosts, list(hosts), False)["outcome"]
    assert [item["msg"] for item in outcome["revoked"]] == ["token a", "token b"]
    assert [item["msg"] for item in outcome["left_alone"]] == ["token x"]
    assert outcome["failures"] == [
        "Left to do: c",
        "h3: its report is missing, see its own failure.",
        "h4: its report is missing, see its own failure.",
    ]
