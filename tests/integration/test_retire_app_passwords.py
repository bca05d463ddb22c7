"""The playbook that retires app passwords, over hosts with real files, and a real git that tries the new tokens."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._secret import fingerprint
from tests.doubles import proxy
from tests.integration.conftest import bare_environment
from tests.integration.team import Outcome
from tests.simulator import git as backend
from tests.simulator.cloud import Account, Cloud, Token
from tests.simulator.server import Tls, running
from tests.simulator.tls import make_certificates

RETIRE = "tokensmith.bitbucket.retire_app_passwords"
REPOSITORY = "https://bitbucket.org/acme/ledger.git"
OTHERS = "https://jdoe:of-another-site-4711@example.com\n"
needs_git = pytest.mark.skipif(not backend.available(), reason="git is not installed (Debian package git)")


@dataclass
class Site:
    """Two hosts with a home each; git in them reaches the simulated cloud under its real name."""

    place: Path
    cloud: Cloud
    tunnel: str
    ca: str
    ada: Account
    bob: Account
    token: Token

    def __post_init__(self) -> None:
        self.secrets = {name: self.cloud.add_app_password(who) for name, who in (("ada", self.ada), ("bob", self.bob))}
        for host in ("build1", "build2"):
            self.home(host).mkdir(parents=True)

    def home(self, host: str) -> Path:
        return self.place / host / "home"

    def leave(self, host: str, name: str, text: str) -> Path:
        path = self.home(host) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return path

    def leave_everywhere(self) -> list[Path]:
        """Ada's in git's store and in a repository, Bob's in a netrc file, and another site's in between."""
        ada = f"https://ada-bb:{self.secrets['ada']}@bitbucket.org"
        repository = self.home("build1") / "src" / "ledger"
        subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
        remote = repository / ".git" / "config"
        remote.write_text(f'[remote "origin"]\n\turl = {ada}/acme/ledger.git\n', encoding="utf-8")
        netrc = f"machine bitbucket.org login bob-bb password {self.secrets['bob']}\n"
        return [
            self.leave("build1", ".git-credentials", f"{OTHERS}{ada}\n{OTHERS}"),
            self.leave("build2", ".netrc", netrc),
            remote,
        ]

    def retire(self, *options: str, inventory: str = "", strategy: str = "linear", **given: t.Any) -> Outcome:
        hosts = {
            host: {"retire_app_passwords_homes": [str(self.home(host))], "home": str(self.home(host))}
            for host in ("build1", "build2")
        }
        hosts["build1"]["retire_app_passwords_search_paths"] = [str(self.home("build1") / "src")]
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        (self.place / "hosts.yml").write_text(
            inventory or yaml.safe_dump({"all": {"hosts": hosts, "vars": local}}), encoding="utf-8"
        )
        variables = {f"retire_app_passwords_{name}": value for name, value in given.items()}
        (self.place / "retire.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
        command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", RETIRE]
        environment = {
            **bare_environment(),
            "HOME": str(self.place),
            "ANSIBLE_STRATEGY": strategy,
            # For git alone: the playbook speaks to Bitbucket in no other way.
            "https_proxy": self.tunnel,
            "GIT_SSL_CAINFO": self.ca,
        }
        done = subprocess.run(
            [*command, "-e", "@retire.yml", *options],
            cwd=self.place,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        outcome = Outcome(done.returncode, done.stdout + done.stderr)
        shown = outcome.output + "".join(path.read_text(encoding="utf-8") for path in self.reports if path.exists())
        secrets = [*self.secrets.values(), self.token.secret, "of-another-site-4711"]
        assert not [secret for secret in secrets if secret in shown]
        return outcome

    @property
    def reports(self) -> list[Path]:
        return [self.place / f"app_passwords.{ending}" for ending in ("csv", "json")]

    @property
    def rows(self) -> set[tuple[str, str, str, str]]:
        """Host, user, kind and action of every row of the CSV file."""
        with self.reports[0].open(newline="", encoding="utf-8") as lines:
            return {
                (row["inventory_hostname"], row["user"], row["kind"], row["action"]) for row in csv.DictReader(lines)
            }


@pytest.fixture
def place() -> Iterator[Path]:
    """Unlike pytest's own, a directory that other users may pass through."""
    with tempfile.TemporaryDirectory(prefix="retire-") as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


@pytest.fixture
def site(place: Path) -> Iterator[Site]:
    cloud = Cloud(seed=7)
    ada, bob = cloud.add_account("ada"), cloud.add_account("bob")
    cloud.add_workspace("acme", members=[ada, bob])
    cloud.add_repository("acme", "ledger")
    token = cloud.add_api_token(ada, "git", ["read:repository:bitbucket"])
    made = make_certificates(place, host="bitbucket.org")
    with running(cloud, Tls(made.server_certificate, made.server_key)) as url:
        address = urlsplit(url)
        with proxy.running(destination=(str(address.hostname), int(address.port or 0))) as tunnel:
            yield Site(place, cloud, tunnel.url, made.ca, ada, bob, token)


def said(outcome: Outcome) -> str:
    return " ".join(outcome.output.split())


def contents(paths: list[Path]) -> list[bytes]:
    return [path.read_bytes() for path in paths]


def test_by_itself_it_reports_and_changes_nothing(site):
    files = site.leave_everywhere()
    before = contents(files)
    outcome = site.retire("-vvvv", permissions=["repository", "pullrequest:write"])
    assert outcome.status == 0, outcome.output
    assert "3 secrets found on 2 hosts, 0 replaced, 0 removed, 3 dead ones left" in said(outcome)
    assert contents(files) == before
    assert site.rows == {
        ("build1", "ada-bb", "app_password", "found"),
        ("build2", "bob-bb", "app_password", "found"),
    }
    report = json.loads(site.reports[1].read_text(encoding="utf-8"))
    assert report["counts"]["dead_left"] == len(report["findings"]) == 3
    assert {finding["fingerprint"] for finding in report["findings"]} == set(map(fingerprint, site.secrets.values()))
    assert "read:pullrequest:bitbucket" in report["scopes"]


@pytest.mark.long
def test_the_report_is_made_once_whatever_strategy_is_configured(site):
    site.leave_everywhere()
    outcome = site.retire(strategy="free")
    assert outcome.status == 0, outcome.output
    assert said(outcome).count("3 secrets found on 2 hosts") == 1


@pytest.mark.long
def test_the_run_fails_where_something_dead_is_left_and_nothing_may_be(site):
    site.leave_everywhere()
    outcome = site.retire(fail_on_findings=True)
    assert outcome.status == 2
    assert outcome.failure.startswith("3 dead app passwords are left on 2 hosts")
    assert all(path.exists() for path in site.reports)
    assert site.retire(remove=True, fail_on_findings=True).status == 0
    assert site.retire(fail_on_findings=True).status == 0


@needs_git
def test_a_users_token_takes_the_place_of_the_dead_secret_and_git_works_again(site):
    credentials, netrc, remote = site.leave_everywhere()
    given = {"api_tokens": {"ada-bb": site.token.secret}, "verify_url": REPOSITORY}
    outcome = site.retire("-vvvv", **given)
    assert outcome.status == 0, outcome.output
    assert credentials.read_text(encoding="utf-8").split() == [
        OTHERS.strip(),
        f"https://x-bitbucket-api-token-auth:{site.token.secret.replace('=', '%3D')}@bitbucket.org",
        OTHERS.strip(),
    ]
    assert site.secrets["ada"] not in remote.read_text(encoding="utf-8")
    assert site.secrets["bob"] in netrc.read_text(encoding="utf-8")
    assert {entry.status for entry in site.cloud.requests if "/info/refs" in entry.path} <= {200, 401}
    listed = [entry.user for entry in site.cloud.requests if "/info/refs" in entry.path and entry.status == 200]
    assert listed == ["ada", "ada"]
    assert ("build1", "ada-bb", "app_password", "replaced") in site.rows
    assert "3 secrets found on 2 hosts, 2 replaced, 0 removed, 1 dead ones left" in said(outcome)
    assert "0 places not read, 0 new logins not tried" in said(outcome)
    again = site.retire(**given)
    assert (again.status, site.rows & {("build1", "ada-bb", "app_password", "replaced")}) == (0, set())


@pytest.mark.long
@needs_git
def test_a_token_that_git_cannot_use_fails_the_run_and_names_the_file(site):
    credentials, *_others = site.leave_everywhere()
    useless = site.cloud.add_api_token(site.bob, "jira", ["read:jira-work"])
    outcome = site.retire(api_tokens={"ada-bb": useless.secret}, verify_url=REPOSITORY)
    assert outcome.status == 2
    assert f"build1: {credentials}: has the new token, but git can not list a repository with it" in outcome.failure
    assert useless.secret not in outcome.output
    # Git's own helper forgets what a server refuses; nothing may be lost to a try.
    assert useless.secret.replace("=", "%3D") in credentials.read_text(encoding="utf-8")


@pytest.mark.long
def test_check_mode_says_what_would_be_done_and_does_none_of_it(site):
    files = site.leave_everywhere()
    before = contents(files)
    outcome = site.retire("--check", "--diff", api_tokens={"ada-bb": site.token.secret}, remove=True)
    assert outcome.status == 0, outcome.output
    assert "3 secrets found on 2 hosts, 2 would be replaced, 1 would be removed, 0 dead ones left" in said(outcome)
    assert contents(files) == before
    assert not any(path.exists() for path in site.reports)
    assert len(site.cloud.requests) == 0


@pytest.mark.long
def test_a_finding_is_also_named_by_its_fingerprint(site):
    site.leave_everywhere()
    assert site.retire(api_tokens={fingerprint(site.secrets["bob"]): site.token.secret}).status == 0
    assert ("build2", "bob-bb", "app_password", "replaced") in site.rows
    assert ("build1", "ada-bb", "app_password", "found") in site.rows


@pytest.mark.long
def test_a_host_that_is_not_reached_is_said_and_fails_the_run(site):
    site.leave_everywhere()
    away = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
    hosts = {"all": {"hosts": {"away": away}}}
    outcome = site.retire(inventory=yaml.safe_dump(hosts))
    assert outcome.status != 0
    assert "away: not searched" in outcome.output
    assert json.loads(site.reports[1].read_text(encoding="utf-8"))["hosts_not_searched"] == ["away"]


@pytest.mark.long
def test_what_a_spreadsheet_would_run_is_defused(site):
    site.leave("build1", ".git-credentials", f"https://%3Dcmd%7C1:{site.secrets['ada']}@bitbucket.org\n")
    site.retire()
    assert {row[1] for row in site.rows} == {"'=cmd|1"}


@pytest.mark.long
@needs_git
def test_a_remote_is_tried_itself_and_not_the_one_that_git_would_take(site):
    _credentials, _netrc, remote = site.leave_everywhere()
    elsewhere = f'[remote "upstream"]\n\turl = {site.place}/build1/home/src/ledger\n'
    text = remote.read_text(encoding="utf-8").replace('"origin"', '"work"')
    remote.write_text(f"{elsewhere.replace('upstream', 'origin')}{text}", encoding="utf-8")
    invented = "ATATT3xFfGF0nothing-real_in-here4711x" + "=0BADCAFE"
    outcome = site.retire(api_tokens={"ada-bb": invented}, verify_url=REPOSITORY)
    assert outcome.status == 2
    assert f"{remote}: has the new token, but git can not list" in outcome.failure


@pytest.mark.long
@needs_git
@pytest.mark.skipif(os.geteuid() != 0, reason="files of other users take root")
def test_each_login_is_tried_as_the_owner_of_its_file(site):
    site.leave_everywhere()
    other = site.leave("build1", "other/.git-credentials", f"https://ada-bb:{site.secrets['ada']}@bitbucket.org\n")
    nobody = site.leave("build1", "nobody/.git-credentials", f"https://ada-bb:{site.secrets['ada']}@bitbucket.org\n")
    for path, owner in ((other, (1, 1)), (nobody, (54321, 54321))):
        os.chown(path.parent, *owner)
        os.chown(path, *owner)
    homes = [str(site.home("build1")), str(other.parent), str(nobody.parent)]
    given = {"api_tokens": {"ada-bb": site.token.secret}, "verify_url": REPOSITORY}
    options = ("--limit", "build1", "-e", json.dumps({"retire_app_passwords_homes": homes}))
    outcome = site.retire(*options, **given)
    assert outcome.status == 0, outcome.output
    report = json.loads(site.reports[1].read_text(encoding="utf-8"))
    assert [login["file"] for login in report["not_tried"]] == [str(nobody)]
    listed = [entry for entry in site.cloud.requests if "/info/refs" in entry.path and entry.status == 200]
    assert len(listed) == 3
    assert (other.stat().st_uid, nobody.stat().st_uid) == (1, 54321)


@pytest.mark.long
def test_a_limit_leaves_the_report_and_its_verdict_in_the_run(site):
    site.leave_everywhere()
    outcome = site.retire("--limit", "build1", fail_on_findings=True)
    assert outcome.status == 2
    assert outcome.failure.startswith("2 dead app passwords are left on 1 hosts")
    assert {row[0] for row in site.rows} == {"build1"}


@pytest.mark.long
def test_hosts_may_be_a_list_and_the_place_for_the_report_ones_home(site):
    site.leave_everywhere()
    outcome = site.retire(hosts=["build2"], remove=True, output_dir="~")
    assert outcome.status == 0, outcome.output
    assert site.rows == {("build2", "bob-bb", "app_password", "removed")}


@pytest.mark.long
def test_what_leads_out_of_a_home_is_in_the_report_and_keeps_the_run_from_passing(site):
    outside = site.place / "elsewhere"
    outside.write_text(f"https://ada-bb:{site.secrets['ada']}@bitbucket.org\n", encoding="utf-8")
    if os.geteuid() == 0:
        os.chown(outside, 1, 1)
    else:
        outside.chmod(0)
    (site.home("build1") / ".git-credentials").symlink_to(outside)
    outcome = site.retire(fail_on_findings=True)
    assert outcome.status == 2, outcome.output
    assert "1 places were not read" in outcome.failure
    assert len(json.loads(site.reports[1].read_text(encoding="utf-8"))["unread"]) == 1
