"""A simulated Bitbucket with the seeded company, in a process of its own for every test."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.team import Team

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "tests" / "simulator" / "seeds"


@dataclass(frozen=True)
class Bitbucket:
    url: str
    passwords: dict[str, str]

    def environment(self, user: str = "admin") -> dict[str, str]:
        """What a playbook needs to speak to it, and to find the built collection."""
        return {
            **bare_environment(),
            "BITBUCKET_URL": self.url,
            "BITBUCKET_USERNAME": user,
            "BITBUCKET_PASSWORD": self.passwords[user],
        }


@dataclass(frozen=True)
class Cloud:
    """A simulated Bitbucket Cloud; ``known`` is what the simulator wrote into its credentials file."""

    url: str
    known: dict[str, t.Any]

    @property
    def variables(self) -> dict[str, t.Any]:
        """What a playbook needs to speak to it."""
        return {"cloud": {"url": self.url, **self.known}}


def bare_environment() -> dict[str, str]:
    """So that make and a bare pytest run the same: nothing of the user's own Ansible, and the built collection."""
    own = ("ANSIBLE_", "ATLASSIAN_", "BITBUCKET_")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(own)},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_CONFIG": str(ROOT / "tests" / "ansible.cfg"),
        "ANSIBLE_HOME": str(ROOT / ".cache" / "home" / ".ansible"),
    }


@contextlib.contextmanager
def company(credentials: Path) -> Iterator[Bitbucket]:
    with simulated(credentials, "company.yml") as (url, known):
        yield Bitbucket(url, known)


@contextlib.contextmanager
def simulated(credentials: Path, seed: str, *options: str) -> Iterator[tuple[str, dict[str, t.Any]]]:
    """A simulator in a process of its own: its address, and what it wrote into its credentials file."""
    command = [sys.executable, "-m", "tests.simulator", "--seed", str(SEEDS / seed), *options]
    command += ["--credentials", str(credentials)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            url = simulator.stdout.readline().strip()
            assert url, "the simulator did not start; what it said is above"
            yield url, json.loads(credentials.read_text(encoding="utf-8"))
        finally:
            simulator.terminate()


@pytest.fixture
def bitbucket(tmp_path: Path) -> Iterator[Bitbucket]:
    with company(tmp_path / "credentials.json") as running:
        yield running


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with simulated(tmp_path / "credentials.json", "cloud.yml", "--product", "cloud") as (url, known):
        yield Cloud(url, known)


@pytest.fixture
def team(bitbucket: Bitbucket, tmp_path: Path) -> Team:
    place = tmp_path / "team"
    place.mkdir()
    return Team(bitbucket, place)
