"""The playbook for the day when a secret leaked, run as a process with the built collection."""

from __future__ import annotations

import base64
import json
import re
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._secret import fingerprint
from tests.integration.conftest import ROOT, Bitbucket
from tests.integration.team import (
    NAMES,
    OWNERS,
    PROVISION,
    Outcome,
    Team,
    assert_nothing_shown,
    assert_succeeded,
    references,
)

REVOKE = "tokensmith.bitbucket.revoke_leaked"
GUIDE = ROOT / "docs" / "docsite" / "rst" / "guide_leaked.rst"
# A helper that takes no secrets while the file named last is there.
CLOSABLE = """
import io, json, pathlib, runpy, sys
text = sys.stdin.read()
asked = [json.loads(line) for line in text.splitlines()]
if pathlib.Path(sys.argv.pop()).exists() and asked[0]["verb"] == "write":
    for entry in asked:
        print(json.dumps({"reference": entry["reference"], "error": "unavailable"}))
else:
    sys.stdin, sys.argv = io.StringIO(text), sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
"""
API_TOKEN = "ATATT3xFfGF0nothing-real_in-here" + "=0BADCAFE"


@dataclass
class Incident(Team):
    """A team with a directory in which secrets turned up."""

    @property
    def spill(self) -> Path:
        return self.place / "spill"

    def leak(self, name: str, text: str) -> Path:
        self.spill.mkdir(exist_ok=True)
        path = self.spill / name
        path.write_text(text, encoding="utf-8")
        return path

    def add_token(self, owner: str, name: str = "by-hand", **more: t.Any) -> str:
        """A token that nobody declared; its secret."""
        token = {"owner": owner, "name": name, "permissions": ["REPO_READ"], **more}
        seeded = self.control("POST", "seed", {"tokens": [token], "return_secrets": True})
        return str(seeded["tokens"][0]["secret"])

    def revoke(self, *options: str, declared: dict[str, t.Any] | None = None, **given: t.Any) -> Outcome:
        """Run the playbook; ``given`` are its variables, by default the directory to search."""
        variables = {f"revoke_leaked_{name}": value for name, value in ({"files": [str(self.spill)]} | given).items()}
        path = self.place / "leaked.yml"
        path.write_text(yaml.safe_dump(variables), encoding="utf-8")
        return self.play(REVOKE, "-e", f"@{path}", *options, **(declared or {}))

    def writes(self) -> list[str]:
        return [entry["method"] for entry in self.requests() if entry["method"] != "GET"]


@pytest.fixture
def incident(bitbucket: Bitbucket, tmp_path: Path) -> Incident:
    place = tmp_path / "incident"
    place.mkdir()
    return Incident(bitbucket, place, {"ANSIBLE_SHOW_CUSTOM_STATS": "1"})


def report(outcome: Outcome) -> list[str]:
    """The lines that the task before the last shows."""
    (found,) = re.findall(r"TASK \[Report what was done\].*?=> (\{.*?^\})", outcome.output, re.DOTALL | re.MULTILINE)
    return t.cast("list[str]", json.loads(found)["msg"])


def stats(outcome: Outcome) -> dict[str, t.Any]:
    """What the next job of a workflow is told."""
    (found,) = re.findall(
        r"^\tRUN: (\{.*?\})$|^CUSTOM STATS: .*?RUN: (\{.*?^\})", outcome.output, re.DOTALL | re.MULTILINE
    )
    return t.cast("dict[str, t.Any]", json.loads("".join(found))["revoke_leaked"])


_NEXT_FAILURE = r"; (?=Left to do: |Not revoked|/\S+: not searched|and \d+ more|The role that reissues)"


def failures(outcome: Outcome) -> list[str]:
    assert outcome.status != 0, outcome.output
    assert "Traceback" not in outcome.output
    (found,) = re.findall(r"TASK \[Fail if.*?FAILED! => (\{.*?^\}|\{.*?\}$)", outcome.output, re.DOTALL | re.MULTILINE)
    message = json.loads(found)["msg"]
    count = re.match(r"(\d+) failures: ", message)
    lines = re.split(_NEXT_FAILURE, message[count.end() :] if count else message)
    assert len(lines) == (int(count[1]) if count else 1)
    return lines


def test_leaked_tokens_are_revoked_declared_ones_reissued_and_no_secret_is_shown(incident):
    assert_succeeded(incident.play(PROVISION))
    before = incident.stored()
    declared = before["projects/PAY/tokens/ci-read"]
    personal = incident.add_token("users/svc-ci")
    archived = incident.add_token("projects/DATA/repos/reports-2019")
    bystander = incident.add_token("projects/PAY")
    header = base64.b64encode(f"svc-ci:{personal}".encode()).decode()
    incident.leak("build.log", f"ok\nclone https://x:{quote(declared, safe='')}@company.example/pay.git\n")
    incident.leak("git.config", f"[http]\n\textraHeader = Authorization: Basic {header}\n")
    options = ["-vvvv", "--diff"]

    incident.requests()
    assert_succeeded(predicted := incident.revoke(*options, "--check", text=f"see {archived}"))
    assert incident.writes() == []
    assert incident.stored() == before
    assert_succeeded(outcome := incident.revoke(*options, text=f"see {archived}"))

    assert not any(incident.alive(secret) for secret in (declared, personal, archived))
    assert incident.alive(bystander)
    after = incident.stored()
    assert {reference for reference in before if before[reference] != after[reference]} == {
        "projects/PAY/tokens/ci-read"
    }
    assert all(incident.alive(secret) for secret in after.values())
    places = {declared: f"{incident.spill}/build.log:2", personal: f"{incident.spill}/git.config:2", archived: "text:1"}
    assert_told(report(predicted), report(outcome), places)
    shown = predicted.output + outcome.output
    assert_nothing_shown(incident, shown, [*before.values(), personal, archived, *after.values()])
    assert header not in shown
    assert_nothing_left_to_do(incident, f"see {archived}")


def assert_told(foretold: list[str], said: list[str], places: dict[str, str]) -> None:
    """What was done, where each secret stood, and the same from check mode."""
    assert said[0].startswith("2 files searched, 3 tokens leaked, 3 revoked, 1 reissued, 0 other secrets, ")
    assert foretold[0] == said[0].replace("revoked", "would be revoked").replace("reissued", "would be reissued")
    assert len(said) == len(foretold) == 5
    for secret, place in places.items():
        (line,) = [line for line in said if line.endswith(f"secret {fingerprint(secret)} in {place}")]
        assert line.startswith("revoked: ")
        assert f"would be {line}" in foretold
    assert any(line.startswith("revoked: projects/PAY/tokens/ci-read, token ") for line in said)
    assert "reissued: projects/PAY/tokens/ci-read" in said
    assert "would be reissued: projects/PAY/tokens/ci-read" in foretold


def assert_nothing_left_to_do(incident: Incident, text: str) -> None:
    stored = incident.stored()
    incident.requests()
    assert_succeeded(again := incident.revoke(text=text))
    assert again.changed == 0
    assert incident.writes() == []
    assert incident.stored() == stored
    assert [line.partition(":")[0] for line in report(again)[1:]] == ["nothing to do"] * 3


@pytest.mark.long
def test_without_a_declaration_tokens_are_only_revoked(incident):
    secret = incident.add_token("projects/SHOP/repos/storefront")
    incident.leak("a.txt", secret)
    assert_succeeded(outcome := incident.revoke(set=[], reissue=True, files=str(incident.spill), projects=[]))
    assert not incident.alive(secret)
    assert "1 revoked, 0 reissued" in report(outcome)[0]


@pytest.mark.long
def test_a_declared_token_that_the_store_did_not_have_counts_as_reissued_too(incident):
    incident.leak("a.txt", incident.add_token("projects/PAY", "ci-read"))
    assert_succeeded(predicted := incident.revoke("--check"))
    assert_succeeded(outcome := incident.revoke())
    assert "1 revoked, 1 reissued" in report(outcome)[0]
    assert "1 would be revoked, 1 would be reissued" in report(predicted)[0]
    assert "reissued: projects/PAY/tokens/ci-read" in report(outcome)
    assert incident.alive(incident.stored()["projects/PAY/tokens/ci-read"])


@pytest.mark.long
def test_what_is_declared_can_be_left_to_later(incident):
    assert_succeeded(incident.play(PROVISION))
    before = incident.stored()
    incident.leak("a.txt", before["projects/OPS/tokens/ci-write"])
    assert_succeeded(incident.revoke(reissue=False))
    assert incident.stored() == before
    assert not incident.alive(before["projects/OPS/tokens/ci-write"])
    # As after a run that was killed in between: the next one finishes it.
    assert_succeeded(outcome := incident.revoke())
    assert report(outcome)[0].split(", ")[1:4] == ["0 tokens leaked", "0 revoked", "1 reissued"]
    assert set(incident.stored()) == references(NAMES)
    assert all(incident.alive(secret) for secret in incident.stored().values())


@pytest.mark.long
def test_the_token_that_signs_in_stays_and_the_run_says_so_after_it_revoked_the_others(incident):
    signs_in, other = (
        incident.add_token("users/admin", permissions=["PROJECT_ADMIN"]),
        incident.add_token("projects/OPS"),
    )
    incident.leak("a.txt", f"{signs_in}\n{other}\n")
    incident.environment = {"BITBUCKET_USERNAME": "", "BITBUCKET_PASSWORD": "", "BITBUCKET_TOKEN": signs_in}
    outcome = incident.revoke("-vvvv", reissue=False)
    (line,) = failures(outcome)
    assert line.startswith(
        "Left to do: revoke it with another credential, since this run signs in with it: users/admin/tokens/by"
    )
    assert (incident.alive(signs_in), incident.alive(other)) == (True, False)
    assert_nothing_shown(incident, outcome.output, [signs_in, other])


@pytest.mark.long
def test_a_revocation_that_fails_stops_no_other_and_no_reissue(incident):
    assert_succeeded(incident.play(PROVISION))
    before = incident.stored()
    stubborn, other = incident.add_token("projects/DATA"), before["projects/SHOP/tokens/ci-read"]
    incident.leak("a.txt", f"{stubborn}\n{other}\n")
    incident.control(
        "POST", "faults", {"kind": "status", "status": 500, "method": "DELETE", "path": "DATA", "times": None}
    )
    (line,) = failures(incident.revoke())
    assert line.startswith("Not revoked: DELETE /rest/access-tokens/latest/projects/DATA/")
    assert (incident.alive(stubborn), incident.alive(other)) == (True, False)
    assert incident.alive(incident.stored()["projects/SHOP/tokens/ci-read"])


@pytest.mark.long
def test_a_role_that_fails_is_told_after_the_tokens_were_revoked(incident):
    assert_succeeded(incident.play(PROVISION))
    leaked = incident.stored()["projects/PAY/tokens/ci-read"]
    incident.leak("a.txt", leaked)
    incident.vault_file.write_text("in: plain text\n", encoding="utf-8")
    (line,) = failures(incident.revoke())
    assert "Run tokensmith.bitbucket.provision once this is fixed" in line
    assert "is not encrypted with ansible-vault" in line
    assert not incident.alive(leaked)


@pytest.mark.long
def test_what_may_still_work_fails_the_run_unless_somebody_says_that_it_was_dealt_with(incident):
    unseen = incident.add_token("projects/SHOP")
    incident.leak("a.txt", f"{unseen}\nCLOUD={API_TOKEN}\n")
    user = "petra@company.example"
    incident.environment = {"BITBUCKET_USERNAME": user, "BITBUCKET_PASSWORD": incident.bitbucket.passwords[user]}
    incident.control("POST", "switches", {"basic_auth": True})
    outcome = incident.revoke("-vvvv", reissue=False)
    shop, cloud = failures(outcome)
    assert shop.startswith(
        f"Left to do: secret {fingerprint(unseen)} in {incident.spill}/a.txt:1. No owner that answered"
    )
    assert cloud.startswith(
        f"Left to do: secret {fingerprint(API_TOKEN)} in {incident.spill}/a.txt:2. An API token of Atl"
    )
    assert any(line.startswith("not asked: GET /rest/access-tokens/latest/projects/SHOP") for line in report(outcome))
    assert API_TOKEN not in outcome.output
    assert_nothing_shown(incident, outcome.output, [unseen])
    assert incident.alive(unseen)
    assert_succeeded(incident.revoke(reissue=False, ignore=[fingerprint(unseen), fingerprint(API_TOKEN)]))


@pytest.mark.long
def test_a_secret_that_was_made_up_to_have_a_token_revoked_does_not_where_secrets_are_verified(incident):
    secret = incident.add_token("projects/OPS")
    token_id = base64.b64decode(secret.rpartition("-")[2]).partition(b":")[0]
    made_up = base64.b64encode(token_id + b":" + b"\0" * 20).decode()
    incident.leak("a.txt", made_up)
    assert_succeeded(outcome := incident.revoke(reissue=False, verify=True))
    assert report(outcome)[1].startswith("left alone, since the secret is refused: projects/OPS/tokens/by-hand")
    assert incident.alive(secret)
    incident.leak("b.txt", secret)
    assert_succeeded(incident.revoke(reissue=False, verify=True))
    assert not incident.alive(secret)


@pytest.mark.long
def test_a_file_that_cannot_be_read_fails_the_run_after_the_others_were_searched(incident):
    secret = incident.add_token("projects/OPS")
    incident.leak("a.txt", secret)
    (incident.spill / "b.txt").symlink_to("nowhere")
    (line,) = failures(incident.revoke(reissue=False))
    assert line == f"{incident.spill}/b.txt: not searched, it could not be read: No such file or directory."
    assert not incident.alive(secret)


def test_a_missing_file_fails_the_run_after_the_others_were_searched_where_ansible_was_started(incident):
    secret = incident.add_token("projects/OPS")
    (incident.place / "chat.txt").write_text(secret, encoding="utf-8")
    outcome = incident.revoke(reissue=False, files=["chat.txt", "nowhere.log"])
    (line,) = failures(outcome)
    assert line == f"{incident.place}/nowhere.log: not searched, it does not exist."
    assert line in report(outcome)
    assert not incident.alive(secret)


@pytest.mark.parametrize("named", ["variable", "environment"])
def test_a_store_that_cannot_be_opened_is_said_before_anything_is_revoked(incident, named):
    store = {}
    if named == "environment":
        incident.environment["BITBUCKET_TOKEN_STORE"] = f"ansible_vault:{incident.vault_file}"
        store = {"store": ...}
    secret = incident.add_token("projects/OPS")
    incident.leak("a.txt", secret)
    incident.vault_file.write_text("not encrypted: true\n", encoding="utf-8")
    outcome = incident.revoke(declared=store)
    assert "The store for new secrets cannot be opened: " in outcome.output
    assert outcome.output.index("cannot be opened: ") < outcome.output.index("TASK [Revoke them]")
    assert not incident.alive(secret)
    assert any("is not encrypted" in line for line in failures(outcome))


@pytest.mark.long
def test_what_the_report_has_no_room_for_is_counted(incident):
    incident.leak("a.txt", "nothing")
    for number in range(23):
        (incident.spill / f"{number:02d}.txt").symlink_to("nowhere")
    outcome = incident.revoke(reissue=False)
    told = failures(outcome)
    assert len(told) == 21
    assert told[-1] == "and 3 more files that were not searched"
    lines = report(outcome)
    assert len([line for line in lines if ": not searched" in line]) == 20
    assert "and 3 more files that were not searched" in lines


@pytest.mark.long
def test_a_place_where_secrets_are_kept_is_not_taken_for_a_leak(incident):
    assert_succeeded(incident.play(PROVISION))
    incident.leak("kept.txt", "\n".join(incident.stored().values()))
    incident.requests()
    outcome = incident.revoke()
    assert (
        "12 tokens would be revoked, and revoke_leaked_max_revocations is 10. Nothing was changed." in outcome.failure
    )
    assert incident.writes() == []
    assert_succeeded(incident.revoke(max_revocations=12))
    assert set(incident.stored()) == references(NAMES)
    assert all(incident.alive(secret) for secret in incident.stored().values())
    assert len(OWNERS) * len(NAMES) == 12


@pytest.mark.long
def test_an_incident_is_no_time_to_prune(incident):
    assert_succeeded(incident.play(PROVISION))
    stray = incident.add_token("projects/OPS")
    incident.leak("build.log", incident.stored()["projects/PAY/tokens/ci-read"])
    outcome = incident.revoke(declared={"prune": ["*"]})
    assert_succeeded(outcome)
    assert "1 tokens leaked, 1 revoked, 1 reissued" in report(outcome)[0]
    assert incident.alive(stray)
    assert_succeeded(incident.play(PROVISION, prune=["*"]))
    assert not incident.alive(stray)


@pytest.mark.long
@pytest.mark.parametrize("limit", [0, "0", "1"], ids=repr)
def test_answers_of_a_survey_are_texts_and_mean_the_same(incident, limit):
    assert_succeeded(incident.play(PROVISION))
    leaked = {name: incident.stored()[f"projects/PAY/tokens/{name}"] for name in ("ci-read", "ci-write")}
    paths = [str(incident.leak(f"{name}, of today.log", secret)) for name, secret in leaked.items()]
    made_up = leaked["ci-write"][:-4] + "AAAA"
    incident.leak("ci-write, of today.log", made_up)
    given = {"text": "", "files": f"{paths[0]}\r\n\n  {paths[1]} \n", "verify": "yes", "reissue": "no"}
    refused = incident.revoke(**given, max_revocations=limit)
    if int(limit) == 0:
        assert "1 tokens would be revoked, and revoke_leaked_max_revocations is 0." in refused.failure
        refused = incident.revoke(**given, max_revocations="")
    assert_succeeded(refused)
    assert "2 files searched, 2 tokens leaked, 1 revoked, 0 reissued" in report(refused)[0]
    assert "run tokensmith.bitbucket.provision next." in report(refused)[-1]
    assert [incident.alive(secret) for secret in leaked.values()] == [False, True]


@pytest.mark.parametrize(
    ("given", "say"),
    [
        ({}, "Say what leaked: name files in revoke_leaked_files"),
        ({"revoke_leaked_files": ["nowhere.log"]}, "nowhere.log: not searched, it does not exist."),
        ({"revoke_leaked_text": "", "revoke_leaked_files": ""}, "Say what leaked: name files in revoke_leaked_files"),
        ({"revoke_leaked_text": "", "revoke_leaked_files": []}, "Say what leaked: name files in revoke_leaked_files"),
        ({"revoke_leaked_text": "x"}, "is shorter than any secret"),
        (
            {"revoke_leaked_files": ["."], "revoke_leaked_ignore": [123]},
            "entry 1 is a number, and must be a text. Put it in quotes",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_searched_is_told_before_any_request(incident, given, say):
    outcome = incident.play(REVOKE, "-e", json.dumps(given))
    assert outcome.status != 0
    assert say in outcome.failure
    assert incident.requests() == []


def as_the_guide_says(text: str) -> str:
    """The guide's own ``leaked.yml`` with another text."""
    (example,) = re.findall(
        r"^  (revoke_leaked_text: .*)\n    git clone https://x-token-auth:",
        GUIDE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return f"{example}\n" + "".join(f"  {line}\n" for line in text.splitlines())


@pytest.mark.parametrize("after", ["", "{% if  %} {# {{"], ids=["one that runs", "one that fails"])
def test_text_that_looks_like_a_template_is_searched_and_not_run(incident, after):
    named, pasted = incident.add_token("projects/OPS"), incident.add_token("projects/DATA")
    lure = incident.place / "pwned"
    runs = f"{{{{ lookup('ansible.builtin.pipe', 'touch {lure}') }}}}"
    given = incident.place / "pasted.yml"
    given.write_text(as_the_guide_says(f"{runs}\n${{{{ secrets | d }}}} {pasted}\n{after}"), encoding="utf-8")
    # A stranger may name files as well, though not with a slash.
    named_so = incident.leak("{{ 6 * 7 }} {% if  %} {{ '1' * 3 }}.log", named)
    outcome = incident.revoke("-vvvv", "-e", f"@{given}", reissue=False)
    assert not lure.exists()
    assert_succeeded(outcome)
    assert (incident.alive(named), incident.alive(pasted)) == (False, False)
    assert any(line.endswith(f"secret {fingerprint(pasted)} in text:2") for line in report(outcome))
    assert any(line.endswith(f"secret {fingerprint(named)} in {named_so}:1") for line in report(outcome))
    assert_nothing_shown(incident, outcome.output, [named, pasted])


@pytest.mark.long
def test_text_that_fails_as_a_template_is_not_shown_and_how_to_mark_it_is(incident):
    pasted = incident.add_token("projects/DATA")
    given = incident.place / "pasted.yml"
    given.write_text(f"revoke_leaked_text: |\n  {{% if  %}} {pasted}\n", encoding="utf-8")
    outcome = incident.revoke("-vvvv", "-e", f"@{given}", reissue=False)
    assert outcome.status != 0
    assert "`revoke_leaked_text: !unsafe |`" in outcome.failure
    assert_nothing_shown(incident, outcome.output, [pasted])
    assert incident.alive(pasted)


def test_whoever_says_nothing_is_told_how_to_say_it_safely(incident):
    assert "`revoke_leaked_text: !unsafe |`" in incident.play(REVOKE).failure


def test_what_the_store_did_not_take_is_not_called_reissued(incident):
    program, closed = incident.place / "closable.py", incident.place / "closed"
    program.write_text(CLOSABLE, encoding="utf-8")
    kept = incident.place / "kept.json"
    double = ROOT / "tests" / "doubles" / "helper.py"
    store = f"helper:{sys.executable} {program} {double} {kept} {closed}"
    declared = {"projects": ["PAY", "OPS"], "store": store}
    assert_succeeded(incident.play(PROVISION, **declared))
    leaked = {key: entry["secret"] for key, entry in json.loads(kept.read_text(encoding="utf-8")).items()}
    incident.leak("a.txt", leaked["projects/PAY/tokens/ci-read"])
    closed.touch()
    outcome = incident.revoke(declared=declared)
    said = report(outcome)
    assert "1 revoked, 0 reissued" in said[0]
    assert not any(line.startswith("reissued: ") for line in said)
    assert any("is not known" in line for line in failures(outcome))
    assert stats(outcome)["reissued"] == []
    closed.unlink()
    assert_succeeded(again := incident.revoke(declared=declared))
    assert "1 reissued" in report(again)[0]


# Several hosts.


def hosts(incident: Incident, *, slow: str = "", **files: Path) -> list[str]:
    """Options for a run on hosts that each search a file of their own; modules of ``slow`` start late."""
    known: dict[str, dict[str, t.Any]] = {name: {"revoke_leaked_files": [str(path)]} for name, path in files.items()}
    if slow:
        late = incident.place / "late-python"
        late.write_text(f'#!/bin/sh\nsleep 5\nexec {sys.executable} "$@"\n', encoding="utf-8")
        late.chmod(0o755)
        known[slow]["ansible_python_interpreter"] = str(late)
    everywhere = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    inventory = incident.place / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": known, "vars": everywhere}}), encoding="utf-8")
    return ["-i", str(inventory), "-e", "revoke_leaked_hosts=all", "-e", '{"revoke_leaked_reissue": false}']


@pytest.mark.long
def test_the_stats_tell_of_all_hosts_also_of_one_that_failed(incident):
    first, second = incident.add_token("projects/OPS"), incident.add_token("projects/DATA")
    spilled = {
        "h01": incident.leak("a.txt", f"{first}\n{API_TOKEN}\n"),
        "h02": incident.leak("b.txt", second),
        "h03": incident.spill / "nowhere.txt",
    }
    outcome = incident.play(REVOKE, *hosts(incident, **spilled))
    assert outcome.status != 0
    told = stats(outcome)
    assert sorted(item["project"] for item in told["revoked"]) == ["DATA", "OPS"]
    assert [item["kind"] for item in told["unresolved"]] == ["api_token"]
    left, silent = told["failures"]
    assert left.startswith("Left to do: secret ")
    assert silent == "h03: its report is missing, see its own failure."
    assert (incident.alive(first), incident.alive(second)) == (False, False)


@pytest.mark.long
def test_the_limit_counts_the_tokens_of_all_hosts_each_once(incident):
    first, second = incident.add_token("projects/OPS"), incident.add_token("projects/DATA")
    spilled = {"h01": incident.leak("a.txt", first), "h02": incident.leak("b.txt", f"{first}\n{second}")}
    options = hosts(incident, **spilled)
    incident.requests()
    outcome = incident.play(REVOKE, *options, "-e", "revoke_leaked_max_revocations=1")
    assert "2 tokens would be revoked, and revoke_leaked_max_revocations is 1. Nothing was changed." in outcome.failure
    assert incident.writes() == []
    assert_succeeded(incident.play(REVOKE, *options, "-e", "revoke_leaked_max_revocations=2"))
    assert (incident.alive(first), incident.alive(second)) == (False, False)


@pytest.mark.long
def test_the_limit_stops_all_hosts_also_where_there_are_more_than_forks(incident):
    projects = ["OPS", "DATA", "PAY", "SHOP"]
    secrets = [incident.add_token(f"projects/{projects[number % 4]}", f"by-hand-{number}") for number in range(6)]
    spilled = {f"h{number}": incident.leak(f"{number}.txt", secret) for number, secret in enumerate(secrets)}
    options = [*hosts(incident, **spilled), "-e", "revoke_leaked_max_revocations=3", "--forks", "1"]
    outcome = incident.play(REVOKE, *options)
    assert outcome.status != 0
    assert [incident.alive(secret) for secret in secrets] == [True] * 6
    assert outcome.output.count("6 tokens would be revoked") >= 6


@pytest.mark.long
def test_the_limit_and_the_stats_hold_whatever_strategy_is_configured(incident):
    """Under ``free`` the first host revokes while the second one still searches."""
    first, second = incident.add_token("projects/OPS"), incident.add_token("projects/DATA")
    spilled = {"h01": incident.leak("a.txt", first), "h02": incident.leak("b.txt", second)}
    options = hosts(incident, slow="h02", **spilled)
    incident.environment["ANSIBLE_STRATEGY"] = "free"
    incident.requests()
    outcome = incident.play(REVOKE, *options, "-e", "revoke_leaked_max_revocations=1")
    assert incident.writes() == []
    assert "2 tokens would be revoked, and revoke_leaked_max_revocations is 1. Nothing was changed." in outcome.failure
    assert_succeeded(outcome := incident.play(REVOKE, *options))
    assert sorted(item["project"] for item in stats(outcome)["revoked"]) == ["DATA", "OPS"]
    assert stats(outcome)["failures"] == []
