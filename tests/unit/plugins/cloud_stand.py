"""A small simulated workspace in the cloud, and module parameters as Ansible would pass them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _cloud_answers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._transport import Settings, Transport
from tests.simulator.adapter import SimulatorAdapter
from tests.simulator.cloud import Account, Cloud

API = "https://api.bitbucket.org"
SCOPES = ["read:user:bitbucket", "read:pipeline:bitbucket", "admin:pipeline:bitbucket"]
WORKSPACE, REPOSITORY, PRODUCTION = "acme", "acme/ledger", "acme/ledger/Production"


@dataclass
class CloudStand:
    """The simulator, an account in it, and whoever talks to it without ever waiting."""

    sim: Cloud
    ada: Account
    sleeps: list[float] = field(default_factory=list)

    def client(self, secret: str = "") -> Client:
        """Signed in as ``ada`` with that API token, by default one that may do anything."""
        secret = secret or self.sim.add_api_token(self.ada, "everything", SCOPES).secret
        transport = Transport(Settings(), adapters={"https://": SimulatorAdapter(self.sim)})
        credential = Credential(self.ada.email, secret)
        return Client(API, credential, transport, self.sleeps.append, _cloud_answers.CLOUD)

    @property
    def requests(self) -> list[str]:
        """What arrived, such as ``GET /2.0/user``, and the log is empty again."""
        seen = [f"{entry.method} {entry.path}" for entry in self.sim.requests]
        self.sim.requests.clear()
        return seen

    @property
    def writes(self) -> list[str]:
        """The methods of those that change something."""
        return [method for method in (request.split()[0] for request in self.requests) if method != "GET"]


def cloud(**switches: t.Any) -> CloudStand:
    sim = Cloud(seed=7, switches=switches)
    ada = sim.add_account("ada")
    sim.add_workspace(WORKSPACE, members=[ada])
    sim.add_repository(*REPOSITORY.split("/"))
    for name in ("Test", "Production"):
        sim.add_environment(REPOSITORY, name)
    return CloudStand(sim, ada)


def params(module: t.Any, **given: t.Any) -> dict[str, t.Any]:
    """The module's parameters with its defaults, refused where Ansible would refuse them."""
    result = ArgumentSpecValidator(module.SPEC, **getattr(module, "CONSTRAINTS", {})).validate(given)
    assert not result.error_messages, result.error_messages
    return t.cast("dict[str, t.Any]", result.validated_parameters)
