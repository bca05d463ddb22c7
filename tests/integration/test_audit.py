"""The playbook `audit` as a process, over a simulated company: what it finds, writes, says, and how it ends."""

from __future__ import annotations

import csv
import json
import re
import stat
import typing as t
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.integration.conftest import Bitbucket
from tests.integration.team import SECRET_SHAPE, Outcome, Team, assert_succeeded
from tests.report.browser import lack, running
from tests.report.schema import violations

AUDIT = "tokensmith.bitbucket.audit"
EXPECTED = {
    "projects/OPS/tokens/jenkins": {"never_expires", "unused", "administrator"},
    "projects/SHOP/tokens/deploy": {"duplicate_name", "never_used"},
    "projects/DATA/repos/warehouse/tokens/export": {"expired"},
    "users/svc-ci/tokens/automation": {"expiring"},
}
HOSTILE = [
    "</script><img src=x onerror=\"document.title='pwned'\">",
    "\u202egnp.exe",
    "two\nlines",
    "=1+1",
    "{{ 7*7 }}",
]


class Auditor(Team):
    """Somebody who audits, and keeps the files in ``reports``."""

    @property
    def reports(self) -> Path:
        return self.place / "reports"

    def audit(self, *options: str, **variables: t.Any) -> Outcome:
        given = {f"token_audit_{name}": value for name, value in {"output_dir": "reports", **variables}.items()}
        return self.run("ansible-playbook", AUDIT, "-e", json.dumps(given), *options)

    @property
    def found(self) -> dict[str, t.Any]:
        document: dict[str, t.Any] = json.loads((self.reports / "audit.json").read_text(encoding="utf-8"))
        assert violations(document) == []
        return document

    def findings(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for token in self.found["tokens"]:
            found.setdefault(token["reference"], set()).update(finding["code"] for finding in token["findings"])
        return found

    @property
    def rows(self) -> list[dict[str, str]]:
        with (self.reports / "audit.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def plant(self, **tokens: t.Any) -> None:
        self.control("POST", "seed", tokens)


@pytest.fixture
def auditor(bitbucket: Bitbucket, tmp_path: Path) -> Auditor:
    place = tmp_path / "team"
    place.mkdir()
    return Auditor(bitbucket, place)


def test_a_whole_company_is_audited_and_nothing_is_written_to_it(auditor):
    outcome = auditor.audit()
    assert_succeeded(outcome)
    assert "19 owners, 5 tokens: 5 with findings, 0 critical, 1 high, 0 owners not read" in outcome.output
    assert auditor.findings() == EXPECTED
    seen = auditor.requests()
    assert {entry["method"] for entry in seen} == {"GET"}
    asked = [entry["path"].rpartition("/latest/")[2] for entry in seen if "/access-tokens/" in entry["path"]]
    # No personal project is listed, so each user's is tried: nothing says that they would be listed.
    assert len([path for path in asked if "~" not in path]) == 19
    assert len(set(asked)) == len(asked)
    assert "projects/DATA/repos/reports-2019" in asked, "archived ones too"
    for path in auditor.reports.iterdir():
        assert not SECRET_SHAPE.search(path.read_text(encoding="utf-8"))
        assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


@pytest.mark.long
def test_what_the_terminal_leaves_out_is_counted(auditor):
    auditor.plant(bulk_projects=15, prefix="B", tokens_each=2)
    outcome = auditor.audit()
    assert_succeeded(outcome)
    findings = sum(auditor.found["counts"]["findings"].values())
    lines = [line for line in outcome.output.splitlines() if "/tokens/" in line]
    assert len(lines) == 20
    assert f"and {findings - 20} more findings" in outcome.output


FAR = """
- name: Audit on the controller
  hosts: all
  gather_facts: false
  environment:
    BITBUCKET_URL: "{{ url }}"
  tasks:
    - name: Audit every token
      tokensmith.bitbucket.access_token_audit:
        output_dir: reports
      environment:
        BITBUCKET_USERNAME: "{{ username }}"
        BITBUCKET_PASSWORD: "{{ password }}"
      delegate_to: elsewhere
"""


def test_it_runs_on_the_controller_whatever_the_host_and_with_the_environment_of_play_and_task(auditor):
    """Neither host exists: they would be unreachable."""
    (auditor.place / "far.yml").write_text(FAR, encoding="utf-8")
    (auditor.place / "hosts").write_text("far ansible_host=192.0.2.1\n", encoding="utf-8")
    given = auditor.bitbucket.environment()
    variables = {name: given[f"BITBUCKET_{name.upper()}"] for name in ("url", "username", "password")}
    auditor.environment = dict.fromkeys((f"BITBUCKET_{name.upper()}" for name in variables), "")
    outcome = auditor.run("ansible-playbook", "-i", "hosts", "far.yml", "-e", json.dumps(variables))
    assert_succeeded(outcome)
    assert auditor.findings() == EXPECTED


@pytest.mark.long
def test_a_slow_audit_says_how_far_it_is(auditor):
    auditor.plant(bulk_projects=56, prefix="B")
    auditor.control("POST", "switches", {"latency_ms": 200})
    outcome = auditor.audit(projects=["OPS"], repositories=["*/ledger"], users=[], concurrency=1)
    assert_succeeded(outcome)
    # There are four other projects.
    assert re.search(r"^audit: repositories of [45][0-9] of 60 projects$", outcome.output, re.M)
    assert re.search(r"^audit: [34][0-9] of 6[0-9] owners$", outcome.output, re.M)


@pytest.mark.long
def test_the_second_run_has_changed_nothing_and_check_mode_writes_nothing(auditor):
    check = auditor.audit("--check", "--diff")
    assert_succeeded(check)
    assert check.changed == 1
    assert "+high administrator projects/OPS/tokens/jenkins" in check.output
    assert "report would be: " in check.output
    assert not auditor.reports.exists()
    assert auditor.audit().changed == 1
    assert auditor.audit().changed == 0
    auditor.plant(tokens=[{"owner": "projects/PAY", "name": "new", "permissions": ["PROJECT_ADMIN"]}])
    later = auditor.audit("--check", "--diff")
    assert later.changed == 1
    assert "+high administrator projects/PAY/tokens/new" in later.output
    assert "projects/PAY/tokens/new" not in auditor.findings()


@pytest.mark.long
@pytest.mark.parametrize(("fail_on", "fails"), [("high", True), ("critical", False)])
def test_fail_on_fails_at_the_end_with_the_files_written(auditor, fail_on, fails):
    outcome = auditor.audit(fail_on=fail_on)
    assert (outcome.status != 0) == fails
    root = ET.parse(auditor.reports / "audit.junit.xml").getroot()
    assert root.get("failures") == str(int(fails))
    assert root.get("tests") == "5"
    if fails:
        assert outcome.failure.startswith(
            "Findings of severity high or worse (`token_audit_fail_on`): 1 of 5 tokens, the first being "
        )
        assert re.search(r"projects/OPS/tokens/jenkins, token \d{12} \(administrator\)", outcome.failure)


@pytest.mark.long
def test_a_policy_changes_severities_figures_and_leaves_out_what_has_a_reason(auditor):
    policy = {
        "expiring_days": 3,
        "severities": {"expired": "critical", "duplicate_name": "none"},
        "ignore": [{"reference": "projects/OPS/*", "reason": "CHG-4711", "until": "2999-12-31"}],
    }
    assert_succeeded(auditor.audit(policy=policy))
    found = auditor.findings()
    assert found["users/svc-ci/tokens/automation"] == set()
    assert found["projects/SHOP/tokens/deploy"] == {"never_used"}
    assert found["projects/OPS/tokens/jenkins"] == set()
    assert auditor.found["worst"] == "critical"
    assert auditor.found["counts"]["ignored"] == 3
    assert "CHG-4711" in (auditor.reports / "audit.html").read_text(encoding="utf-8")


@pytest.mark.long
def test_the_variables_of_project_tokens_say_what_is_declared(auditor):
    declared = {
        "project_tokens_projects": ["SHOP", "OPS"],
        "project_tokens_set": [{"name": "deploy", "permissions": ["REPO_READ"], "expires_in_days": 90}],
    }
    assert_succeeded(auditor.audit("-e", json.dumps(declared)))
    found = auditor.findings()
    assert found["projects/OPS/tokens/jenkins"] == {*EXPECTED["projects/OPS/tokens/jenkins"], "undeclared"}
    assert found["projects/SHOP/tokens/deploy"] == {*EXPECTED["projects/SHOP/tokens/deploy"], "wider_than_declared"}
    assert found["users/svc-ci/tokens/automation"] == {"expiring"}


@pytest.mark.long
def test_tokens_that_are_declared_for_no_owner_are_told_to_be_compared_with_nothing(auditor):
    tokens = {"project_tokens_set": [{"name": "deploy", "permissions": ["REPO_READ"]}]}
    outcome = auditor.audit("-e", json.dumps(tokens))
    assert_succeeded(outcome)
    assert auditor.findings() == EXPECTED
    said = "Nothing is compared with the declaration: it names no owners."
    assert said in outcome.output
    assert auditor.found["notes"][0].startswith(said)
    assert said in (auditor.reports / "audit.html").read_text(encoding="utf-8")


@pytest.mark.long
def test_a_declaration_for_the_hosts_of_an_inventory_needs_owners_on_localhost(auditor):
    tokens = [{"name": "deploy", "permissions": ["REPO_READ"]}]
    hosts = {"project_tokens_repositories": ["{{ bitbucket_key }}/*"], "project_tokens_set": tokens}
    (auditor.place / "tokens.yml").write_text(json.dumps(hosts), encoding="utf-8")
    outcome = auditor.audit("-e", "@tokens.yml")
    assert outcome.status != 0
    assert outcome.failure.startswith("project_tokens_repositories uses a variable that localhost does not have")
    assert "token_audit_declared" in outcome.failure
    assert not auditor.reports.exists()
    assert auditor.requests() == []
    assert_succeeded(auditor.audit("-e", "@tokens.yml", declared=[{"projects": ["OPS"], "set": tokens}]))
    assert "undeclared" in auditor.findings()["projects/OPS/tokens/jenkins"]


@pytest.mark.long
def test_owners_that_refuse_are_named_everywhere_and_fail_nothing(auditor):
    auditor.environment = {"BITBUCKET_USERNAME": "svc-ci", "BITBUCKET_PASSWORD": auditor.bitbucket.passwords["svc-ci"]}
    outcome = auditor.audit()
    assert_succeeded(outcome)
    assert "1 owners, 1 tokens" in outcome.output
    assert "not read: projects/PAY (forbidden)" in outcome.output
    assert "The administrators' list of users was refused" in outcome.output
    assert len(auditor.found["unread"]) == 18
    assert auditor.found["complete"]
    for name in ("audit.csv", "audit.junit.xml", "audit.html"):
        text = (auditor.reports / name).read_text(encoding="utf-8")
        assert all(entry["owner"] in text for entry in auditor.found["unread"]), name


@pytest.mark.long
def test_an_owner_that_cannot_be_read_fails_the_run_after_the_files(auditor):
    auditor.control("POST", "faults", {"kind": "status", "path": "projects/PAY$", "status": 500, "times": None})
    outcome = auditor.audit()
    assert outcome.status != 0
    assert "The audit is incomplete, since 1 owners could not be read, the first being projects/PAY" in outcome.failure
    assert len(auditor.found["owners"]) == 18
    assert not auditor.found["complete"]


@pytest.mark.long
def test_archived_repositories_personal_tokens_and_deactivated_users_are_seen(auditor):
    tokens = [
        {"owner": owner, "name": "left", "permissions": ["REPO_READ"], "created_days_ago": 1, "expires_in_days": 99}
        for owner in ("projects/DATA/repos/reports-2019", "users/former", "users/sam.shop")
    ]
    auditor.plant(tokens=tokens)
    auditor.control("POST", "switches", {"deactivated_users_listed": False})
    assert_succeeded(auditor.audit())
    found = auditor.findings()
    assert found["projects/DATA/repos/reports-2019/tokens/left"] == {"owner_inactive"}
    assert found["users/former/tokens/left"] == {"owner_inactive"}
    assert found["users/sam.shop/tokens/left"] == set()


def test_without_the_servers_clock_nothing_is_said_to_be_late(auditor):
    auditor.control("POST", "switches", {"date_header": "missing"})
    outcome = auditor.audit()
    assert_succeeded(outcome)
    assert "no_clock: 4 owners" in outcome.output
    codes = set().union(*auditor.findings().values())
    assert codes == {"never_expires", "administrator", "duplicate_name"}


def test_hostile_names_stay_text_from_the_server_to_the_browser(auditor):
    auditor.plant(
        projects=[{"key": "EVIL", "name": HOSTILE[0]}],
        tokens=[
            {"owner": "projects/EVIL", "name": name, "permissions": ["REPO_ADMIN"], "expires_in_days": 300}
            for name in HOSTILE
        ],
    )
    assert_succeeded(auditor.audit())
    assert {token["name"] for token in auditor.found["tokens"]} >= set(HOSTILE)
    assert {row["name"] for row in auditor.rows} >= {"'=1+1", "two⟨U+000A⟩lines"}
    ET.parse(auditor.reports / "audit.junit.xml")
    if lack():
        pytest.skip(str(lack()))
    with running() as browser:
        page = browser.new_page()
        page.goto((auditor.reports / "audit.html").as_uri())
        page.locator("#search").fill("evil")
        assert page.locator("#table tbody tr").count() == len(HOSTILE)
        assert page.title() == "Access token audit"
        assert page.locator("img").count() == 0


@pytest.mark.long
def test_a_task_file_is_told_the_figures_and_nothing_secret(auditor):
    notify = auditor.place / "notify.yml"
    told = auditor.place / "told.json"
    copy = {"content": "{{ token_audit_summary | to_json }}", "dest": str(told), "mode": "0600"}
    notify.write_text(json.dumps([{"name": "Tell", "ansible.builtin.copy": copy}]), encoding="utf-8")
    outcome = auditor.audit(notify=str(notify), fail_on="high")
    assert outcome.status != 0
    summary = json.loads(told.read_text(encoding="utf-8"))
    assert summary["failed"]
    assert summary["counts"]["severities"]["high"] == 1
    assert summary["findings"][0]["reference"] == "projects/OPS/tokens/jenkins"
    assert summary["files"]["html"] == str(auditor.reports / "audit.html")
    assert set(summary) == {
        "failed",
        "msg",
        "changed",
        "server_time",
        "complete",
        "counts",
        "worst",
        "since_last",
        "findings",
        "unread",
        "files",
        "role",
        "lines",
    }


@pytest.mark.parametrize(
    ("variables", "say"),
    [
        ({"policy": {"expiring": 3}}, "did you mean expiring_days?"),
        ({"output_dir": ""}, "The role needs a directory"),
        ({"fail_on": "bad"}, "value of token_audit_fail_on must be one of"),
        ({"declared": [{"projects": ["*"], "set": [{"name": "x", "permissions": ["REPO_REED"]}]}]}, "REPO_READ"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_variables_that_cannot_be_right_are_answered_in_a_sentence(auditor, variables, say):
    outcome = auditor.audit(**variables)
    assert outcome.status != 0
    assert say in outcome.output
    assert "Traceback" not in outcome.output
    assert not (auditor.reports / "audit.json").exists()


def test_a_glob_without_a_match_is_one_failure_and_the_report_of_the_others_is_written(auditor):
    outcome = auditor.audit(projects=["OPS", "NO*"], repositories=[], users=[])
    assert outcome.status != 0
    assert "The glob NO* matches no project that you can see" in outcome.output
    report = json.loads((auditor.reports / "audit.json").read_text(encoding="utf-8"))
    assert "NO* matches no project" in json.dumps(report["unread"])
    assert {token["owner"] for token in report["tokens"]} == {"projects/OPS"}


def test_a_missing_password_is_named_as_the_roles_variable(auditor):
    auditor.environment = {"BITBUCKET_PASSWORD": ""}
    outcome = auditor.audit(username="audit")
    assert "`token_audit_password` is missing: set it or BITBUCKET_PASSWORD." in outcome.failure


def test_a_wrong_password_is_tried_once(auditor):
    auditor.environment = {"BITBUCKET_PASSWORD": "certainly-not-the-password-of-anyone"}
    outcome = auditor.audit()
    assert outcome.status != 0
    assert "password" in outcome.failure
    assert len(auditor.requests()) == 1
    assert "certainly-not-the-password-of-anyone" not in outcome.output


def test_ad_hoc_it_needs_nothing_but_a_line(auditor):
    arguments = {"projects": ["OPS"], "repositories": [], "users": [], "output_dir": "reports"}
    outcome = auditor.adhoc("access_token_audit", json.dumps(arguments))
    assert_succeeded(outcome)
    assert auditor.findings() == {"projects/OPS/tokens/jenkins": EXPECTED["projects/OPS/tokens/jenkins"]}
