"""A small model, and the same conversation over either front."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.adapter import SimulatorAdapter
from tests.simulator.server import running

PASSWORD = "correct-horse-battery-staple-4711"
PAY = "projects/PAY"
LEDGER = "projects/PAY/repos/ledger"
NO_CHECK = {"X-Atlassian-Token": "no-check"}


@dataclass
class Front:
    """A client of the simulator: ``front("GET", "projects/PAY")`` asks as admin below /rest/access-tokens/latest."""

    sim: Simulator
    url: str
    session: requests.Session
    timeout: float = 5.0

    def __call__(self, method: str, path: str, json: t.Any = None, **options: t.Any) -> requests.Response:
        url = f"{self.url}{path}" if path.startswith("/") else f"{self.url}/rest/access-tokens/latest/{path}"
        options.setdefault("auth", ("admin", PASSWORD))
        options.setdefault("headers", NO_CHECK)
        options.setdefault("timeout", self.timeout)
        return self.session.request(method, url, json=json, allow_redirects=False, **options)

    def create(
        self,
        owner: str = PAY,
        name: str = "ci",
        permissions: t.Any = ("REPO_READ",),
        *,
        stream: bool = False,
        **more: t.Any,
    ) -> t.Any:
        return self("PUT", owner, {"name": name, "permissions": list(permissions), **more}, stream=stream)

    def bearer(self, secret: str) -> dict[str, t.Any]:
        return {"auth": None, "headers": {**NO_CHECK, "Authorization": f"Bearer {secret}"}}

    def control(self, method: str, resource: str, json: t.Any = None) -> t.Any:
        response = self.session.request(method, f"{self.url}/__simulator__/{resource}", json=json, timeout=10)
        response.raise_for_status()
        return response.json()


def new_simulator(profile: str = "9.4", **options: t.Any) -> Simulator:
    sim = Simulator(profile, seed=7, **options)
    sim.add_user("admin", PASSWORD, roles=("SYS_ADMIN",))
    sim.add_user("pat", PASSWORD)
    sim.add_user("rita", PASSWORD)
    sim.add_user("Joe Doe", PASSWORD, display_name="Joe")
    sim.add_project("PAY", admins=["pat"])
    sim.add_project("SHOP")
    sim.add_repository("PAY", "ledger", admins=["rita"])
    sim.add_repository("PAY", "old", archived=True)
    return sim


@contextlib.contextmanager
def in_process(sim: Simulator) -> Iterator[Front]:
    with requests.Session() as session:
        SimulatorAdapter(sim).install(session)
        yield Front(sim, f"https://bitbucket.test{sim.context_path}", session)


@contextlib.contextmanager
def over_http(sim: Simulator) -> Iterator[Front]:
    with running(sim) as url, requests.Session() as session:
        session.trust_env = False
        yield Front(sim, url, session)


@pytest.fixture
def front() -> Iterator[Front]:
    """In process: for what does not depend on how it travels."""
    with in_process(new_simulator()) as made:
        yield made


@pytest.fixture(params=[in_process, over_http], ids=["in-process", "http"])
def either(request: pytest.FixtureRequest) -> Iterator[Front]:
    """Both fronts, for what does."""
    with request.param(new_simulator()) as made:
        yield made


def error_of(response: requests.Response) -> tuple[int, str, str | None]:
    """Status, message and the last part of the exception's name."""
    (error,) = response.json()["errors"]
    name = error["exceptionName"]
    return response.status_code, error["message"], name and name.rpartition(".")[2]
