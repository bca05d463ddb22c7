"""A simulated Bitbucket with the seeded company, in a process of its own for every test."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPANY = ROOT / "tests" / "simulator" / "seeds" / "company.yml"


@dataclass(frozen=True)
class Bitbucket:
    url: str
    passwords: dict[str, str]

    def environment(self, user: str = "admin") -> dict[str, str]:
        """What a playbook needs to speak to it, and to find the built collection."""
        return {
            # So that make and a bare pytest run the same: nothing of the user's own Ansible.
            **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "BITBUCKET_"))},
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
            "ANSIBLE_CONFIG": str(ROOT / "tests" / "ansible.cfg"),
            "ANSIBLE_HOME": str(ROOT / ".cache" / "home" / ".ansible"),
            "BITBUCKET_URL": self.url,
            "BITBUCKET_USERNAME": user,
            "BITBUCKET_PASSWORD": self.passwords[user],
        }


@contextlib.contextmanager
def company(credentials: Path) -> Iterator[Bitbucket]:
    command = [sys.executable, "-m", "tests.simulator", "--seed", str(COMPANY), "--credentials", str(credentials)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            url = simulator.stdout.readline().strip()
            assert url, "the simulator did not start; what it said is above"
            yield Bitbucket(url, json.loads(credentials.read_text(encoding="utf-8")))
        finally:
            simulator.terminate()


@pytest.fixture
def bitbucket(tmp_path: Path) -> Iterator[Bitbucket]:
    with company(tmp_path / "credentials.json") as running:
        yield running
