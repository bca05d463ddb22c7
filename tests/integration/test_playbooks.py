"""The playbooks that ship, run as processes with the built collection, and what they say when something is wrong."""

from __future__ import annotations

import json
import re
import sys

import pytest
import yaml

from tests.integration.team import (
    NAMES,
    OWNERS,
    PROVISION,
    Team,
    assert_nothing_shown,
    assert_refused,
    assert_succeeded,
    references,
)

ROTATE = "tokensmith.bitbucket.rotate"


def test_tokens_are_issued_delivered_rotated_and_retired(team):
    assert_succeeded(first := team.play(PROVISION))
    assert "4 owners, 12 tokens: 12 issued, 0 updated, 0 revoked, 0 owners failed" in first.output
    old = team.stored()
    assert set(old) == references(NAMES)
    assert all(team.alive(secret) for secret in old.values())

    team.requests()
    assert_succeeded(second := team.play(PROVISION))
    assert second.changed == 0
    seen = [f"{entry['method']} {entry['path'].rpartition('/latest/')[2]}" for entry in team.requests()]
    assert sorted(seen) == ["GET projects", *(f"GET projects/{key}" for key in OWNERS)]
    assert team.stored() == old

    team.later(days=76)
    assert_succeeded(third := team.play(PROVISION))
    new = team.stored()
    assert {reference for reference in old if old[reference] != new[reference]} == references(NAMES)
    within_grace = references(["ci-read", "ci-write"])
    assert all(team.alive(new[reference]) for reference in new)
    assert all(team.alive(old[reference]) for reference in within_grace), "the grace was cut short"
    assert third.changed == 1
    assert team.play(PROVISION).changed == 0

    team.later(days=7)
    assert_succeeded(fourth := team.play(PROVISION))
    assert "0 issued, 0 updated, 8 revoked" in fourth.output
    assert not any(team.alive(secret) for secret in old.values())
    assert all(team.alive(secret) for secret in new.values())
    assert team.stored() == new
    assert team.play(PROVISION).changed == 0


@pytest.mark.long
def test_rotate_replaces_what_is_older_than_the_moment_once(team):
    team.play(PROVISION)
    old = team.stored()
    team.later(hours=2)
    moment = team.control("GET", "clock")["now"]
    team.later(minutes=5)
    option = ["-e", f"project_tokens_rotate_created_before={moment}"]
    assert_succeeded(team.play(ROTATE, *option))
    new = team.stored()
    assert all(old[reference] != new[reference] for reference in old)
    assert all(team.alive(secret) for secret in [*old.values(), *new.values()])
    assert_succeeded(again := team.play(ROTATE, *option))
    assert again.changed == 0
    assert team.stored() == new


def test_rotate_without_a_moment_says_how_to_name_one(team):
    outcome = team.play(ROTATE)
    assert outcome.status != 0
    assert "project_tokens_rotate_created_before=" in outcome.failure
    assert team.requests() == []


def test_check_mode_shows_what_would_be_done_and_writes_nothing(team):
    assert_succeeded(outcome := team.play(PROVISION, "--check", "--diff"))
    assert "4 owners, 12 tokens: 12 would be issued, 0 would be updated, 0 would be revoked" in outcome.output
    assert "would issue projects/PAY/tokens/ci-read (absent)" in outcome.output
    assert "12 issued" not in outcome.output
    assert not team.vault_file.exists()
    assert {entry["method"] for entry in team.requests()} == {"GET"}


def test_failures_are_one_message_that_names_the_variables_of_the_role(team):
    gone = [{"name": name, "state": "absent"} for name in NAMES]
    assert_succeeded(team.play(PROVISION, projects=["PAY"]))
    outcome = team.play(PROVISION, projects=["PAY", "NOSUCH*"], set=gone, max_revocations=1)
    assert outcome.status != 0
    assert (
        "3 tokens would be revoked as undeclared or absent, and `project_tokens_max_revocations` is 1"
        in outcome.failure
    )
    checked = team.play(PROVISION, "--check", projects=["PAY", "NOSUCH*"], set=gone, max_revocations=1)
    assert "2 failures: " in checked.failure
    assert "The glob NOSUCH* matches no project" in checked.failure
    assert "`project_tokens_max_revocations` is 1" in checked.failure
    assert '"failed: The glob NOSUCH* matches no project' in checked.output
    assert "would revoke projects/PAY/tokens/" in checked.output


@pytest.mark.long
def test_hosts_that_each_do_their_own_project_lose_nothing(team):
    inventory = team.place / "inventory.yml"
    hosts = {key: {"project_tokens_projects": [key], "ansible_connection": "local"} for key in OWNERS}
    variables = {"ansible_python_interpreter": sys.executable}
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
    declared = {"projects": "{{ [inventory_hostname] }}"}
    options = ["-i", str(inventory), "-e", "project_tokens_hosts=all", "--forks", "4"]
    assert_succeeded(team.play(PROVISION, *options, **declared))
    assert set(team.stored()) == references(NAMES)
    assert all(team.alive(secret) for secret in team.stored().values())
    assert team.play(PROVISION, *options, **declared).changed == 0


# What must never be shown.


@pytest.mark.long
def test_the_most_talkative_run_shows_no_secret(team):
    log = team.place / "ansible.log"
    team.environment = {"ANSIBLE_LOG_PATH": str(log)}
    shown = ""
    for days, playbook in ((0, PROVISION), (76, PROVISION), (7, PROVISION)):
        team.later(days=days)
        outcome = team.play(playbook, "-vvvv", "--diff")
        assert_succeeded(outcome)
        shown += outcome.output
        assert_nothing_shown(team, shown, list(team.stored().values()))
    assert_nothing_shown(team, log.read_text(encoding="utf-8"), list(team.stored().values()))


@pytest.mark.long
def test_a_failing_run_shows_no_secret(team):
    team.play(PROVISION)
    team.control("POST", "faults", {"kind": "status", "status": 400, "method": "PUT", "path": "PAY", "times": None})
    team.later(days=76)
    outcome = team.play(PROVISION, "-vvvv", "--diff")
    assert outcome.status != 0
    assert_nothing_shown(team, outcome.output, list(team.stored().values()))


def test_a_task_that_registers_its_result_shows_no_secret(team):
    secrets = team.place / "secrets"
    secrets.mkdir()
    task = {
        "tokensmith.bitbucket.access_token": {
            "project": "PAY",
            "name": "ci",
            "permissions": "REPO_READ",
            "store": f"file:{secrets}/ci.token",
        },
        "name": "Issue",
        "register": "run",
    }
    show = {"name": "Show", "ansible.builtin.debug": {"var": "run"}}
    play = [{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": [task, show]}]
    (team.place / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    assert_succeeded(outcome := team.run("ansible-playbook", "play.yml", "-vvvv"))
    assert '"store": "file:' in outcome.output
    assert_nothing_shown(team, outcome.output, [(secrets / "ci.token").read_text(encoding="utf-8").strip()])


# Ad-hoc use.

ADHOC = "project=PAY name=ci permissions=REPO_READ expires_in_days=90"


def test_the_adhoc_line_delivers_into_a_file_and_then_has_nothing_to_do(team):
    path = team.place / "bitbucket.token"
    assert_succeeded(first := team.adhoc("access_token", f"{ADHOC} store=file:{path}"))
    secret = path.read_text(encoding="utf-8").strip()
    assert team.alive(secret)
    assert "CHANGED" in first.output
    assert secret not in first.output
    team.requests()
    assert_succeeded(second := team.adhoc("access_token", f"{ADHOC} store=file:{path}"))
    assert "SUCCESS" in second.output
    assert len(team.requests()) == 1


def test_the_adhoc_line_without_a_store_prints_the_secret(team):
    assert_succeeded(outcome := team.adhoc("access_token", ADHOC))
    (secret,) = re.findall(r'"secret": "([^"]+)"', outcome.output)
    assert team.alive(secret)


@pytest.mark.long
def test_the_environment_names_a_store(team):
    path = team.place / "bitbucket.token"
    team.environment = {"BITBUCKET_TOKEN_STORE": f"file:{path}"}
    assert_succeeded(outcome := team.adhoc("access_token", ADHOC))
    assert path.read_text(encoding="utf-8").strip() not in outcome.output
    assert '"secret"' not in outcome.output


# What is said when something is wrong. Nothing is created in any of these.


@pytest.mark.parametrize(
    ("declared", "say"),
    [
        ({"store": ""}, "a place for their secrets (project_tokens_store"),
        ({"store": "paper:desk"}, "KIND:PLACE with one of the kinds ansible_vault, file"),
        ({"store": "file:nowhere/at/all"}, "nowhere/at does not exist: create it first"),
        ({"store": "ansible_vault:nowhere/at/tokens.yml"}, "nowhere does not exist: create it first"),
        ({"projects": ["NOSUCH*"]}, "NOSUCH* matches no project that you administer"),
        (
            {"overrides": {"NOSUCH": [{"name": "ci-read"}]}},
            "`project_tokens_overrides` names NOSUCH, which is not one of the declared",
        ),
        ({"projects": []}, "The role needs owners"),
        ({"set": [{"name": "ci", "permissions": ["REPO_REED"]}]}, "REPO_READ"),
        ({"set": [{"name": "ci", "permissions": ["REPO_READ"], "expires_in_days": 2}]}, "`expires_in_days` is 2"),
        ({"set": [], "prune": ["*"]}, "would revoke every token"),
        ({"store_options": {"colour": "red"}}, "`project_tokens_store_options` of ansible_vault has no colour"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_declaration_that_cannot_be_right_is_answered_in_a_sentence(team, declared, say):
    assert_refused(team, team.play(PROVISION, **declared), say)


@pytest.mark.long
def test_an_unknown_project_is_named(team):
    assert_refused(team, team.play(PROVISION, projects=["NOSUCH"]), "NOSUCH does not exist")


@pytest.mark.long
def test_an_unknown_project_among_others_fails_the_run_after_they_were_served(team):
    outcome = team.play(PROVISION, projects=["NOSUCH", "PAY"])
    assert outcome.status != 0
    assert "NOSUCH does not exist" in outcome.failure
    assert set(team.stored()) == {f"projects/PAY/tokens/{name}" for name in NAMES}
    assert all(team.alive(secret) for secret in team.stored().values())


def test_a_wrong_vault_password_is_told_before_any_request(team):
    team.play(PROVISION)
    team.requests()
    before = team.vault_file.read_bytes()
    outcome = team.play(PROVISION, password="not-the-password-of-this-file", projects=OWNERS)
    assert_refused(team, outcome, "cannot be decrypted: none of the vault secrets given", requests=0)
    assert team.vault_file.read_bytes() == before


@pytest.mark.long
def test_a_missing_vault_password_is_told_before_any_request(team):
    outcome = team.play(PROVISION, password=None, projects=OWNERS)
    assert_refused(team, outcome, "since there is no vault secret", requests=0)


def test_a_vault_file_in_plain_text_is_refused_before_any_request(team):
    team.vault_file.write_text("some: variable\n", encoding="utf-8")
    outcome = team.play(PROVISION, projects=OWNERS)
    assert_refused(team, outcome, "is not encrypted with ansible-vault", requests=0)
    assert team.vault_file.read_text(encoding="utf-8") == "some: variable\n"


def test_no_credentials_at_all_are_told_before_any_request(team):
    team.environment = {"BITBUCKET_USERNAME": "", "BITBUCKET_PASSWORD": ""}
    outcome = team.play(PROVISION, projects=OWNERS)
    assert_refused(
        team,
        outcome,
        "No credential: set `project_tokens_username` and `project_tokens_password`, or `project_tokens_token`",
        requests=0,
    )


@pytest.mark.long
def test_half_a_credential_is_told_before_any_request(team):
    team.environment = {"BITBUCKET_PASSWORD": ""}
    assert_refused(team, team.play(PROVISION, projects=OWNERS), "`project_tokens_password` is missing", requests=0)


@pytest.mark.parametrize("projects", [OWNERS, ["*"]], ids=["named", "glob"])
def test_a_wrong_password_is_tried_once(team, projects):
    team.environment = {"BITBUCKET_PASSWORD": "certainly-not-the-password-of-anyone"}
    outcome = team.play(PROVISION, projects=projects)
    assert_refused(team, outcome, "password", requests=1)
    assert "certainly-not-the-password-of-anyone" not in outcome.output
    assert_succeeded(Team(team.bitbucket, team.place).play(PROVISION))


def test_a_server_that_is_not_there_is_told_in_a_sentence(team):
    team.environment = {"BITBUCKET_URL": "http://127.0.0.1:9"}
    assert_refused(team, team.play(PROVISION, projects=["PAY"]), "No connection to 127.0.0.1:9", requests=0)


def test_nobody_creates_a_personal_token_for_somebody_else(team):
    path = team.place / "bitbucket.token"
    outcome = team.adhoc("access_token", f"user=svc-ci name=ci permissions=REPO_READ store=file:{path}")
    assert_refused(team, outcome, "only the user can create a personal token")
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        ("project=PAY name=ci permissions=REPO_REED", "REPO_READ"),
        ("project=PAY repository=ledger name=ci permissions=PROJECT_READ", "REPO_"),
        ("project=PAY name=ci permissions=PROJECT_ADMIN,REPO_READ", "REPO_"),
        ("repository=ledger name=ci permissions=REPO_READ", "`repository` needs `project`"),
        ("project=PAY name=ci permissions=REPO_READ expires_in_days=2", "`expires_in_days` is 2"),
        ("project=PAY name=ci permissions=REPO_READ grace_days=20 rotate_before_days=10", "`grace_days` is 20"),
        ("project=PAY permissions=REPO_READ", "name"),
        ("project=PAY name=ci permissions=REPO_READ store=paper:desk", "ansible_vault, file"),
        ("project=PAY state=absent id=012345670123 store=file:x", "mutually exclusive: id|secret|store"),
    ],
)
def test_an_adhoc_line_that_cannot_be_right_is_answered_before_any_request(team, arguments, say):
    outcome = team.adhoc("access_token", arguments)
    assert outcome.status != 0
    assert say in outcome.failure
    assert team.requests() == []


def test_an_id_that_is_a_number_is_refused(team):
    outcome = team.adhoc("access_token", json.dumps({"project": "PAY", "state": "absent", "id": 12345670123}))
    assert_refused(team, outcome, "`id` is a number, and must be a text. Put it in quotes", requests=0)
