"""The inventory plugin through Ansible's own programs, and AWX's job slices: what several processes do side by side."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.doubles.slices import job_variables, sliced, write_script
from tests.integration.conftest import Bitbucket, company
from tests.integration.team import (
    NAMES,
    OWNERS,
    PROVISION,
    Outcome,
    Team,
    assert_refused,
    assert_succeeded,
    references,
)

DAY = 24 * 60 * 60 * 1000
HOSTS = ["-e", "project_tokens_hosts=all"]


@pytest.fixture
def team(bitbucket: Bitbucket, tmp_path: Path) -> Team:
    return at(bitbucket, tmp_path / "team")


def at(bitbucket: Bitbucket, place: Path) -> Team:
    place.mkdir()
    return Team(bitbucket, place)


def inventory(team: Team, **more: t.Any) -> Path:
    """The file of an inventory, whose connection comes from the environment."""
    path = team.place / "bitbucket.yml"
    path.write_text(yaml.safe_dump({"plugin": "tokensmith.bitbucket.projects", **more}), encoding="utf-8")
    return path


def listed(team: Team, *options: str) -> dict[str, t.Any]:
    outcome = team.run("ansible-inventory", "-i", "bitbucket.yml", "--list", "--export", *options)
    assert_succeeded(outcome)
    return t.cast("dict[str, t.Any]", json.loads(outcome.output[outcome.output.index("{\n") :]))


# What Ansible's own programs make of it.


def test_projects_are_hosts_with_variables_and_groups(team):
    inventory(team, groups={"money": "bitbucket_key == 'PAY'"}, keyed_groups=[{"key": "bitbucket_key[0]"}])
    found = listed(team)
    assert sorted(found["_meta"]["hostvars"]) == OWNERS
    assert (found["money"]["hosts"], found["_P"]["hosts"]) == (["PAY"], ["PAY"])
    pay = found["_meta"]["hostvars"]["PAY"]
    # AWX keeps an export and gives it back: a template stays one, and nothing is wrapped into something else.
    assert (pay["ansible_connection"], pay["bitbucket_key"], pay["bitbucket_name"]) == ("local", "PAY", "Payments")
    assert pay["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"
    assert [entry["slug"] for entry in pay["bitbucket_repositories"]] == ["fraud-rules", "gateway", "ledger"]


def test_repositories_are_hosts_and_are_shown_as_a_graph(team):
    inventory(team, host_for_each="repository", include=["D*", "PAY"], exclude_repositories=["PAY/f*"])
    outcome = team.run("ansible-inventory", "-i", "bitbucket.yml", "--graph")
    assert_succeeded(outcome)
    hosts = [line.rpartition("--")[2] for line in outcome.output.splitlines() if "." in line]
    assert hosts == ["DATA.warehouse", "PAY.gateway", "PAY.ledger"]


def test_a_vaulted_credential_of_the_file_is_decrypted(team):
    (team.place / "key").write_text("a-vault-password-4711\n", encoding="utf-8")
    key = ["--vault-password-file", "key"]
    password = team.bitbucket.passwords["admin"]
    encrypted = team.run("ansible-vault", "encrypt_string", password, "--name", "password", *key)
    text = encrypted.output[encrypted.output.index("password: !vault") :]
    text = text[: text.index("\n\n")] if "\n\n" in text else text.replace("Encryption successful", "")
    path = inventory(team, username="admin")
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    team.environment = {"BITBUCKET_USERNAME": "", "BITBUCKET_PASSWORD": "", "BITBUCKET_TOKEN": "of-somebody-else"}
    assert sorted(listed(team, *key)["_meta"]["hostvars"]) == OWNERS
    refused = team.run("ansible-inventory", "-i", "bitbucket.yml", "--list")
    assert "decrypt" in refused.output
    assert "PAY" not in refused.output


def test_a_cache_answers_until_it_is_flushed(team):
    options = {"cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(team.place / "cache")}
    inventory(team, cache=True, **options)
    first = listed(team)
    team.requests()
    assert listed(team) == first
    assert team.requests() == []
    team.control("POST", "seed", {"projects": [{"key": "NEW"}]})
    flushed = listed(team, "--flush-cache")
    assert "NEW" in flushed["_meta"]["hostvars"]
    for file in (team.place / "cache").iterdir():
        assert_nothing_kept(team, file.name + file.read_text(encoding="utf-8"))


def assert_nothing_kept(team: Team, text: str) -> None:
    assert not [user for user, password in team.bitbucket.passwords.items() if password in text]
    assert "admin" not in text


def test_the_most_talkative_listing_shows_no_secret(team):
    inventory(team)
    outcome = team.run("ansible-inventory", "-i", "bitbucket.yml", "--list", "-vvvvv")
    assert_succeeded(outcome)
    assert_nothing_kept(team, outcome.output.replace("/admin", ""))


@pytest.mark.parametrize(
    ("environment", "say"),
    [
        ({"BITBUCKET_PASSWORD": "certainly-not-the-password"}, "password is wrong"),
        ({"BITBUCKET_URL": "http://127.0.0.1:9"}, "No connection to 127.0.0.1:9"),
        ({"BITBUCKET_USERNAME": "", "BITBUCKET_PASSWORD": ""}, "No credential"),
    ],
)
def test_a_server_that_cannot_be_asked_ends_the_run_where_that_is_wanted(team, environment, say):
    inventory(team)
    team.environment = {**environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    outcome = team.run("ansible-inventory", "-i", "bitbucket.yml", "--list")
    assert outcome.status != 0
    assert say in " ".join(outcome.output.split())
    assert "certainly-not" not in outcome.output
    assert "Traceback" not in outcome.output


# The role on such hosts.


@pytest.mark.long
def test_each_host_does_its_own_project_or_repository(team):
    inventory(team)
    overrides = {"PAY": [{"name": "ci-read", "expires_in_days": 30}]}
    assert_succeeded(team.play(PROVISION, "-i", "bitbucket.yml", *HOSTS, overrides=overrides, projects=...))
    assert set(team.stored()) == references(NAMES)
    lives = {f"{owner}/{name}": days for owner, name, _permissions, days in tokens(team) if name in NAMES}
    assert lives["projects/PAY/ci-read"] == 30
    assert lives["projects/SHOP/ci-read"] == 90

    inventory(team, host_for_each="repository", include=["OPS"])
    standard = [{"name": "deploy", "permissions": ["REPO_READ"], "expires_in_days": 90}]
    more = {"set": standard, "projects": ...}
    assert_succeeded(team.play(PROVISION, "-i", "bitbucket.yml", *HOSTS, **more))
    added = set(team.stored()) - references(NAMES)
    assert added == {f"projects/OPS/repos/{slug}/tokens/deploy" for slug in ("ansible", "terraform")}
    assert team.play(PROVISION, "-i", "bitbucket.yml", *HOSTS, **more).changed == 0


@pytest.mark.parametrize("declared", [{"projects": ["*"]}, {"projects": ["PAY"]}, {"repositories": ["PAY/ledger"]}])
def test_a_host_for_which_others_projects_are_declared_is_refused(team, declared):
    inventory(team, include=["SHOP"])
    outcome = team.play(PROVISION, "-i", "bitbucket.yml", *HOSTS, **{"projects": ..., **declared})
    # Those of the inventory.
    assert_refused(team, outcome, "The host SHOP processes only its own project or repository", requests=2)


# Slices.


def job(number: int, workflow: str = "Tokens") -> list[str]:
    return ["-e", json.dumps(job_variables("Tokens", workflow, number))]


def slices(team: Team, count: int = 3) -> list[Path]:
    """The inventories of a job's slices, as AWX writes them from what it has synchronised before."""
    inventory(team)
    exported = listed(team)
    return [
        write_script(team.place / f"slice{number}of{count}", sliced(exported, number, count))
        for number in range(1, count + 1)
    ]


def side_by_side(team: Team, scripts: list[Path]) -> list[Outcome]:
    """All slices at once, each a process of its own."""
    declared = team.declare(projects=...)
    key = team.place / "vault-password"
    key.write_text("a-vault-password-that-nobody-has-4711", encoding="utf-8")
    common = ["-e", f"@{declared}", "--vault-password-file", str(key), *HOSTS]

    def play(numbered: tuple[int, Path]) -> Outcome:
        number, script = numbered
        return team.run("ansible-playbook", PROVISION, "-i", str(script), *common, *job(number))

    with ThreadPoolExecutor(len(scripts)) as pool:
        return list(pool.map(play, enumerate(scripts, start=1)))


def tokens(team: Team, state: str = "tokens") -> list[tuple[str, str, tuple[str, ...], int | None]]:
    """What lives, or is revoked, without ids and moments: owner, name, permissions, lifetime in days."""
    return sorted(
        (
            token["owner"],
            token["name"],
            tuple(token["permissions"]),
            None if token["expires"] is None else round((token["expires"] - token["created"]) / DAY),
        )
        for token in team.control("GET", "state")[state]
    )


@pytest.fixture
def two_teams(tmp_path: Path) -> Iterator[tuple[Team, Team]]:
    """Two companies that are alike, with more projects than slices."""
    with company(tmp_path / "one.json") as one, company(tmp_path / "other.json") as other:
        pair = at(one, tmp_path / "one"), at(other, tmp_path / "other")
        for team in pair:
            team.control("POST", "seed", {"bulk_projects": 6, "prefix": "B", "tokens_each": 1})
        yield pair


@pytest.mark.long
def test_three_slices_together_do_exactly_what_one_run_does(two_teams):
    one, other = two_teams
    scripts = slices(other)
    hosts = [set(json.loads(run_script(script))["_meta"]["hostvars"]) for script in scripts]
    assert [len(found) for found in hosts] == [4, 3, 3]
    assert len(set.union(*hosts)) == 10
    # Issuing, rotating, and retiring what was rotated.
    for days in (0, 76, 7):
        for team in (one, other):
            team.later(days=days)
        assert_succeeded(one.play(PROVISION))
        for outcome in side_by_side(other, scripts):
            assert_succeeded(outcome)
        assert tokens(other) == tokens(one)
        assert tokens(other, "revoked") == tokens(one, "revoked")
        assert issued(other) == issued(one)
        assert set(other.stored()) == set(one.stored())
        assert all(other.alive(secret) for secret in other.stored().values())
    assert len(tokens(one, "revoked")) > 10, "nothing was retired, so that nothing was compared"

    other.requests()
    assert [outcome.changed for outcome in side_by_side(other, scripts)] == [0, 0, 0]
    assert {entry["method"] for entry in other.requests()} == {"GET"}


def issued(team: Team) -> int:
    return int(team.control("GET", "state")["counts"]["issued"])


def run_script(script: Path) -> str:
    return subprocess.run([sys.executable, str(script), "--list"], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("options", [[], ["-i", "localhost,", "-c", "local"]], ids=["implicit", "explicit"])
@pytest.mark.parametrize("prefixes", [("awx", "tower"), ("tower",), ("awx",)], ids="+".join)
def test_a_slice_on_localhost_is_refused_before_anything_is_asked(team, options, prefixes):
    variables = json.dumps(job_variables("Tokens", "Tokens", 2, prefixes=prefixes))
    outcome = team.play(PROVISION, *options, "-e", variables)
    assert_refused(team, outcome, "This job is one slice of several", requests=0)
    assert "project_tokens_hosts" in outcome.failure
    assert not team.vault_file.exists()


# A slice that is relaunched by itself looks like any other relaunched job, which must run.
@pytest.mark.long
@pytest.mark.parametrize(
    "variables",
    [job_variables("Tokens"), job_variables("Tokens", "Nightly"), job_variables("Tokens", launch_type="relaunch")],
    ids=["a job", "a job in a workflow", "a relaunched job"],
)
def test_a_job_that_is_no_slice_runs_on_localhost(team, variables):
    assert_succeeded(outcome := team.play(PROVISION, "--check", "-e", json.dumps(variables)))
    assert "12 would be issued" in outcome.output


WHOLE = {
    "tokensmith.bitbucket.audit": {"token_audit_output_dir": "reports"},
    "tokensmith.bitbucket.revoke_leaked": {"revoke_leaked_text": "a log in which there is no secret at all"},
}


@pytest.mark.long
@pytest.mark.parametrize("hosts", ["localhost", "all"])
@pytest.mark.parametrize("playbook", list(WHOLE))
def test_what_cannot_be_sliced_is_refused_in_a_slice_on_any_host(team, playbook, hosts):
    script, *_others = slices(team)
    team.requests()
    named = {"token_audit_hosts": hosts, "revoke_leaked_hosts": hosts}
    options = ["-i", str(script), "-e", json.dumps({**WHOLE[playbook], **named})]
    outcome = team.play(playbook, *options, *job(1))
    assert_refused(team, outcome, "This job is one slice of several", requests=0)
    assert "set the job template's slices to 1" in outcome.failure
    assert not (team.place / "reports").exists()


@pytest.mark.long
@pytest.mark.parametrize("playbook", list(WHOLE))
def test_what_cannot_be_sliced_runs_in_any_other_job(team, playbook):
    assert_succeeded(team.play(playbook, "-e", json.dumps(WHOLE[playbook]), *job(1, "Nightly")))
