"""Git over HTTPS of Data Center, with the real git client (D4, D21): a token goes into a header, as Bearer."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.simulator import Simulator
from tests.simulator import git as backend
from tests.simulator.server import running

pytestmark = pytest.mark.skipif(not backend.available(), reason="git is not installed (Debian package git)")


@pytest.fixture
def sim():
    made = Simulator("10.4", seed=1)
    made.add_project("PAY")
    made.add_repository("PAY", "ledger")
    made.add_project("SHOP")
    return made


@pytest.fixture
def git(sim, tmp_path):
    with running(sim) as url:

        def run(*arguments, header="", user=""):
            address = url.replace("://", f"://{user}@") if user else url
            environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
            if header:
                environment.update(GIT_CONFIG_COUNT="1", GIT_CONFIG_KEY_0="http.extraHeader", GIT_CONFIG_VALUE_0=header)
            command = ["git", *arguments, f"{address}/scm/pay/ledger.git"]
            return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

        yield run


def test_a_token_that_may_read_clones_by_a_header(sim, git, tmp_path):
    token = sim.add_token("projects/PAY", "ci", ["PROJECT_READ"])
    cloned = git("clone", "--quiet", header=f"Authorization: Bearer {token.secret}")
    assert cloned.returncode == 0, cloned.stderr
    assert (tmp_path / "ledger" / "README.md").is_file()
    assert token.secret not in (tmp_path / "ledger" / ".git" / "config").read_text(encoding="utf-8")


@pytest.mark.parametrize("owner", ["projects/PAY", "projects/PAY/repos/ledger"])
def test_it_is_refused_in_a_url(sim, git, owner):
    token = sim.add_token(owner, "ci", ["REPO_READ"])
    assert git("ls-remote", user=f"x-token-auth:{token.secret.replace('/', '%2F')}").returncode != 0
    assert git("ls-remote", header=f"Authorization: Bearer {token.secret}").returncode == 0


def test_another_projects_token_finds_nothing_and_no_credential_is_asked_for_one(sim, git):
    token = sim.add_token("projects/SHOP", "ci", ["PROJECT_ADMIN"])
    assert "not found" in git("ls-remote", header=f"Authorization: Bearer {token.secret}").stderr
    assert "could not read Username" in git("ls-remote").stderr
    assert sim.requests[-1].status == 401


def test_reading_does_not_include_writing(sim, git, tmp_path):
    reader, writer = (sim.add_token("projects/PAY", name, [f"REPO_{name}"]) for name in ("READ", "WRITE"))
    assert git("clone", "--quiet", header=f"Authorization: Bearer {reader.secret}").returncode == 0
    pushing = ("-C", str(tmp_path / "ledger"), "push", "--quiet")
    assert git(*pushing, header=f"Authorization: Bearer {reader.secret}").returncode != 0
    assert git(*pushing, header=f"Authorization: Bearer {writer.secret}").returncode == 0
