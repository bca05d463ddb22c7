"""Runs every target in tests/integration/targets as a role, with the built collection, each against a fresh simulator.

The targets are laid out as ansible-test lays them out. Connection and credentials come from the environment; for those
of Bitbucket Cloud, from the variable `cloud`, since each of their tasks signs in as somebody else.
"""

from __future__ import annotations

import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.integration.conftest import bare_environment

TARGETS = sorted(tasks.parents[1] for tasks in Path(__file__).parent.glob("targets/*/tasks/main.yml"))
#: How the names of targets for Bitbucket Cloud begin.
CLOUD = ("api_token", "credential_info_cloud", "pipeline_variable")
OF_CLOUD = [each for each in TARGETS if each.name.startswith(CLOUD)]


@pytest.mark.parametrize("target", [each for each in TARGETS if each not in OF_CLOUD], ids=lambda target: target.name)
def test_target(target, bitbucket, tmp_path):
    play_target(target, tmp_path, bitbucket.environment())


@pytest.mark.parametrize("target", OF_CLOUD, ids=lambda target: target.name)
def test_target_of_the_cloud(target, cloud, tmp_path):
    play_target(target, tmp_path, bare_environment(), cloud.variables)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_target_begins_with_what_it_shows(target):
    """They are the examples that readers start from."""
    text = (target / "tasks" / "main.yml").read_text(encoding="utf-8")
    assert text.startswith("---\n# Shows ")


def play_target(
    target: Path, tmp_path: Path, environment: dict[str, str], variables: dict[str, t.Any] | None = None
) -> None:
    play: dict[str, t.Any] = {"name": target.name, "hosts": "localhost", "gather_facts": False, "roles": [str(target)]}
    # What a target writes, it writes below output_dir.
    play["vars"] = {"output_dir": str(tmp_path), "ansible_python_interpreter": sys.executable, **(variables or {})}
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "--inventory", "localhost,", "--connection", "local", str(playbook)]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
