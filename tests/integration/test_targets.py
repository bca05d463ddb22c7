"""Runs every target in tests/integration/targets as a role, with the built collection, each against a fresh simulator.

The targets are laid out as ansible-test lays them out. Connection and credentials come from the environment.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

TARGETS = sorted(tasks.parents[1] for tasks in Path(__file__).parent.glob("targets/*/tasks/main.yml"))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_target(target, bitbucket, tmp_path):
    play = {"name": target.name, "hosts": "localhost", "gather_facts": False, "roles": [str(target)]}
    # What a target writes, it writes below output_dir.
    play["vars"] = {"output_dir": str(tmp_path), "ansible_python_interpreter": sys.executable}
    playbook = tmp_path / "play.yml"
    playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
    program = Path(sys.executable).with_name("ansible-playbook")
    command = [str(program), "--inventory", "localhost,", "--connection", "local", str(playbook)]
    run = subprocess.run(
        command, cwd=tmp_path, env=bitbucket.environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
