"""Git over HTTPS with the real git client: app passwords meet 410, tokens a real repository (C4, C8)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.simulator import git as backend
from tests.simulator.server import running

from .cloud_client import CloudClient, cloud_client

pytestmark = pytest.mark.skipif(not backend.available(), reason="git is not installed (Debian package git)")

API_TOKEN_USER = "x-bitbucket-api-token-auth"
REMOVED = (
    "remote: CHANGE-3222 - Functionality has been deprecated\n"
    "remote: App passwords are deprecated and must be replaced with API tokens.\n"
)
READ = ["read:repository:bitbucket"]


@dataclass
class Git:
    """The real client in an empty home, against a real port."""

    client: CloudClient
    base: str
    home: Path

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"], "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        environment |= {"GIT_CONFIG_NOSYSTEM": "1", "no_proxy": "127.0.0.1"}
        command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@company.example", *arguments]
        return subprocess.run(
            command, env=environment, cwd=self.home, capture_output=True, text=True, timeout=60, check=False
        )

    def url(self, user: str = "", secret: str = "", path: str = "acme/ledger.git") -> str:
        scheme, rest = self.base.split("://")
        who = f"{quote(user, safe='')}:{secret}@" if secret else ""
        return f"{scheme}://{who}{rest}/{path}"

    def lists(self, user: str, secret: str, path: str = "acme/ledger.git") -> subprocess.CompletedProcess[str]:
        return self("ls-remote", self.url(user, secret, path))

    def credentials(self, user: str, secret: str) -> Path:
        """What ``git credential-store`` reads, as it is left on hosts."""
        file = self.home / ".git-credentials"
        file.write_text(f"http://{quote(user, safe='')}:{secret}@{urlsplit(self.base).netloc}\n", encoding="utf-8")
        file.chmod(0o600)
        return file


@contextlib.contextmanager
def client(home: Path, **switches: t.Any) -> Iterator[Git]:
    with cloud_client(**switches) as client, running(client.cloud) as base:
        yield Git(client, base, home)


@pytest.fixture
def git(tmp_path: Path) -> Iterator[Git]:
    with client(tmp_path) as made:
        yield made


def test_an_app_password_in_git_credentials_fails_and_the_api_token_in_its_place_works(git):
    """What replacement is for: the same file, the same command, another secret under the user that git wants."""
    dead = git.client.cloud.add_app_password(git.client.ada)
    listing = ["-c", "credential.helper=store", "ls-remote", git.url()]
    git.credentials(git.client.ada.username, dead)
    before = git(*listing)
    assert (before.returncode, before.stdout) == (128, "")
    assert REMOVED in before.stderr
    assert "error: 410" in before.stderr
    git.credentials(API_TOKEN_USER, git.client.token.secret)
    after = git(*listing)
    assert (after.returncode, after.stderr) == (0, "")
    assert [line.split("\t")[1] for line in after.stdout.splitlines()] == ["HEAD", "refs/heads/main"]
    assert git.client.cloud.presented(dead) == 1


@pytest.mark.parametrize("user", ["ada-admin", "ada@company.example", "x-token-auth", API_TOKEN_USER])
def test_an_app_password_is_gone_whatever_the_user(git, user):
    answer = git.lists(user, git.client.cloud.add_app_password(git.client.ada))
    assert answer.returncode == 128
    assert REMOVED in answer.stderr


@pytest.mark.parametrize(("switch", "said"), [("gone", "CHANGE-3222"), ("unauthorized", "Authentication failed")])
def test_what_only_looks_like_an_app_password_is_a_switch(git, switch, said):
    git.client.cloud.switches.unknown_app_password = switch
    assert said in git.lists("ada-admin", "ATBBlooksLikeOneButIsNot").stderr


@pytest.mark.parametrize("user", [API_TOKEN_USER, "ada-admin"])
def test_an_api_token_works_with_the_users_that_git_wants(git, user):
    token = git.client.cloud.add_api_token(git.client.ada, "git", READ)
    assert git.lists(user, token.secret).returncode == 0
    assert git.lists(user, token.secret, "acme/ledger").returncode == 0
    assert token.last_active == git.client.cloud.clock.now_ms()


@pytest.mark.parametrize(
    ("switch", "code", "said"), [("refuse", 128, "Authentication failed"), ("forbid", 128, "403"), ("accept", 0, "")]
)
def test_the_email_is_never_right_for_git(git, switch, code, said):
    git.client.cloud.switches.git_email = switch
    answer = git.lists("ada@company.example", git.client.token.secret)
    assert answer.returncode == code
    assert said in answer.stderr


@pytest.mark.parametrize("user", ["somebody", "x-token-auth"])
def test_an_api_token_with_another_user_fails(git, user):
    assert "Authentication failed" in git.lists(user, git.client.token.secret).stderr


@pytest.mark.parametrize(("switch", "code"), [("exact", 128), ("any", 0)])
def test_an_access_token_goes_by_x_token_auth_into_its_own_repository(git, switch, code):
    git.client.cloud.switches.git_access_token_user = switch
    access = git.client.cloud.add_access_token("repository", "acme/ledger")
    assert git.lists("x-token-auth", access.secret).returncode == 0
    assert git.lists("ada-admin", access.secret).returncode == code
    assert "not found" in git.lists("x-token-auth", access.secret, "acme/shop.git").stderr


@pytest.mark.parametrize(
    ("scopes", "switches", "said"),
    [
        ([], {"unscoped_token": "refuse"}, "Authentication failed"),
        ([], {"unscoped_token": "forbid"}, "403"),
        ([], {"unscoped_token": "accept"}, ""),
        (["read:jira-work"], {"foreign_token": "refuse"}, "Authentication failed"),
        (["read:jira-work"], {"foreign_token": "forbid"}, "403"),
        (["read:user:bitbucket"], {}, "403"),
        (["write:repository:bitbucket"], {}, "403"),
    ],
)
def test_a_token_without_the_scope_to_read_does_not(git, scopes, switches, said):
    git.client.cloud.switches.update(switches)
    token = git.client.cloud.add_api_token(git.client.ada, "other", scopes)
    answer = git.lists(API_TOKEN_USER, token.secret)
    assert said in answer.stderr
    assert (answer.returncode == 0) is (said == "")


def test_an_expired_token_and_none_at_all_are_asked_for_another(git):
    git.client.cloud.clock.advance(days=400)
    assert "Authentication failed" in git.lists(API_TOKEN_USER, git.client.token.secret).stderr
    assert "could not read Username" in git("ls-remote", git.url()).stderr
    assert [entry.status for entry in git.client.cloud.requests][-1] == 401


def test_a_clone_is_real_and_a_push_needs_the_scope_to_write(git):
    reader = git.client.cloud.add_api_token(git.client.ada, "reader", READ)
    url = git.url(API_TOKEN_USER, reader.secret)
    assert git("clone", "--quiet", url, "ledger").returncode == 0
    assert (git.home / "ledger" / "README.md").read_text() == "# A simulated repository\n"
    # Large enough that git compresses what it sends and sends it in chunks.
    (git.home / "ledger" / "noise").write_bytes(os.urandom(3_000_000))
    assert git("-C", "ledger", "add", "noise").returncode == 0
    assert git("-C", "ledger", "commit", "--quiet", "-m", "Second").returncode == 0
    assert "403" in git("-C", "ledger", "push", "--quiet").stderr
    pushed = git("-C", "ledger", "push", "--quiet", git.url(API_TOKEN_USER, git.client.token.secret), "HEAD:main")
    assert pushed.returncode == 0, pushed.stderr
    head = git("-C", "ledger", "rev-parse", "HEAD").stdout.strip()
    assert f"{head}\trefs/heads/main" in git.lists(API_TOKEN_USER, reader.secret).stdout


def test_the_same_repository_is_the_same_commit_in_every_simulator_and_goes_with_it(tmp_path):
    listings, roots = [], []
    for _simulator in range(2):
        with client(tmp_path) as git:
            listings.append(git.lists(API_TOKEN_USER, git.client.token.secret).stdout)
            roots.append(git.client.cloud.shelf.root)
            git.client.cloud.shelf.remove()
    assert listings[0] == listings[1] != ""
    assert [root.exists() for root in roots] == [False, False]


def test_without_git_the_simulator_says_so(git, monkeypatch):
    monkeypatch.setattr(backend, "available", lambda: False)
    assert "501" in git.lists(API_TOKEN_USER, git.client.token.secret).stderr
