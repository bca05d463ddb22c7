"""The build context of an execution environment, as ansible-builder makes it, and what it reads of the collection."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.integration.conftest import ROOT

PROJECT = ROOT / "playbooks" / "files" / "awx_project"
COLLECTIONS = ROOT / ".cache" / "collections"
# As in AWX's own source, awx/main/utils/ansible.py, which lists a project's playbooks by their lines.
OFFERED = re.compile(r"^\s*?-?\s*?(?:hosts|include|import_playbook):\s*?.*?$")


def builder(*arguments: str) -> str:
    program = str(Path(sys.executable).with_name("ansible-builder"))
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_context_is_created_that_installs_this_collection(tmp_path):
    builder(
        "create",
        "--file",
        str(PROJECT / "execution-environment.yml"),
        "--context",
        str(tmp_path),
        "--output-filename",
        "Containerfile",
    )
    recipe = (tmp_path / "Containerfile").read_text(encoding="utf-8")
    assert "quay.io/centos/centos:stream10" in recipe
    assert "ansible-core~=2.19" in recipe
    assert 'ARG PYPKG="python3"' in recipe
    assert "RUN $PKGMGR install $PYPKG -y" in recipe
    assert "ansible-runner~=2.4" in recipe
    # This step reads meta/execution-environment.yml of the collection inside the image.
    assert "introspect.py introspect" in recipe
    galaxy = yaml.safe_load((tmp_path / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert galaxy == {"collections": [{"name": "tokensmith.bitbucket"}]}


def test_the_collection_says_what_it_needs_in_one(tmp_path):
    python, system = tmp_path / "python.txt", tmp_path / "system.txt"
    builder("introspect", str(COLLECTIONS), "--write-pip", str(python), "--write-bindep", str(system))
    wanted = {line.split("#")[0].strip() for line in python.read_text(encoding="utf-8").splitlines()}
    assert wanted - {""} == {"requests>=2.28", "hvac>=2.3,<3"}
    assert not system.exists() or not system.read_text(encoding="utf-8").strip()


def test_awx_finds_the_playbooks_of_the_project():
    found = {
        path.name
        for path in PROJECT.glob("*.yml")
        if any(OFFERED.match(line) for line in path.read_text(encoding="utf-8").splitlines())
    }
    assert found == {"audit.yml", "provision.yml", "revoke_leaked.yml", "rotate.yml"}
