"""A small simulated company, the collection's client of it, and module parameters as Ansible would pass them."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._api import DataCenter
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Exchange, Settings, Transport
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token, access_token_set
from tests.simulator import Simulator
from tests.simulator.adapter import SimulatorAdapter

URL = "http://bitbucket.test"
PASSWORD = "correct-horse-battery-staple-4711"
PAY, SHOP, LEDGER = "projects/PAY", "projects/SHOP", "projects/PAY/repos/ledger"
CI = f"{PAY}/tokens/ci"
LOGIN = {"url": URL, "username": "admin", "password": PASSWORD}


@dataclass
class Company:
    """The simulator, and whoever talks to it without ever waiting."""

    sim: Simulator
    sleeps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.adapter = SimulatorAdapter(self.sim)

    def client(
        self, username: str = "admin", password: str = PASSWORD, *, token: str = "", settings: Settings | None = None
    ) -> Client:
        credential = Credential(token=token) if token else Credential(username, password)
        transport = Transport(settings or Settings(), adapters={"http://": self.adapter})
        return Client(URL + self.sim.context_path, credential, transport, self.sleeps.append)

    def api(self, username: str = "admin", *, token: str = "") -> DataCenter:
        return DataCenter(self.client(username, token=token))

    @property
    def requests(self) -> list[str]:
        """What arrived, such as ``GET projects/PAY``, and the log is empty again."""
        seen = [f"{entry.method} {entry.path.split('/latest/')[-1]}" for entry in self.sim.requests]
        self.sim.requests.clear()
        return seen

    @property
    def writes(self) -> list[str]:
        """The same without what only reads."""
        return [request for request in self.requests if not request.startswith("GET ")]

    def ids(self, owner: str = PAY) -> list[str]:
        return [token.id for token in self.sim.tokens(owner)]


def new_company(profile: str = "9.4", **options: t.Any) -> Company:
    sim = Simulator(profile, seed=7, **options)
    sim.add_user("admin", PASSWORD, roles=("SYS_ADMIN",))
    sim.add_user("pat", PASSWORD)
    sim.add_user("Joe Doe", PASSWORD)
    sim.add_project("PAY", admins=["pat"])
    sim.add_project("SHOP")
    sim.add_project("~pat")
    sim.add_repository("PAY", "ledger")
    sim.add_repository("PAY", "old", archived=True)
    return Company(sim)


class CannedTransport:
    """Answers that no Bitbucket gives, and so not the simulator either."""

    def __init__(self, *bodies: t.Any) -> None:
        self.bodies = list(bodies)

    def exchange(self, *_request: t.Any) -> Exchange:
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        return Exchange(200, {"content-type": "application/json"}, json.dumps(body).encode())


def checked(spec: dict[str, t.Any], constraints: dict[str, t.Any], given: dict[str, t.Any]) -> dict[str, t.Any]:
    """Parameters after Ansible's own checks, defaults included."""
    result = ArgumentSpecValidator(spec, **constraints).validate(given)
    assert not result.error_messages, result.error_messages
    return t.cast("dict[str, t.Any]", result.validated_parameters)


def token_params(**given: t.Any) -> dict[str, t.Any]:
    """For ``access_token``: the token ``ci`` of PAY, for 90 days."""
    declared = {"name": "ci", "permissions": ["REPO_READ"], "expires_in_days": 90} if "state" not in given else {}
    owner = {} if given.keys() & {"repository", "user"} else {"project": "PAY"}
    wanted = {**LOGIN, **declared, **owner, **given}
    wanted = {name: value for name, value in wanted.items() if value is not ...}
    return checked(access_token.SPEC, access_token.CONSTRAINTS, wanted)


def set_params(**given: t.Any) -> dict[str, t.Any]:
    """For ``access_token_set``: two tokens in PAY and SHOP."""
    standard = [entry("ci"), entry("deploy", "REPO_WRITE")]
    wanted = {**LOGIN, "projects": ["PAY", "SHOP"], "set": standard, **given}
    return checked(access_token_set.SPEC, access_token_set.CONSTRAINTS, wanted)


def entry(name: str = "ci", permissions: str = "REPO_READ", **more: t.Any) -> dict[str, t.Any]:
    return {"name": name, "permissions": [permissions], "expires_in_days": 90, **more}
