"""A simulated Bitbucket behind a real port, a real store, and the declaration that a role keeps between them."""

from __future__ import annotations

import contextlib
import itertools
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._ansible_vault import AnsibleVaultStore
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._file import FileStore
from tests.reliability.role import SHIM, Role
from tests.simulator import Simulator, Token
from tests.simulator.server import running
from tests.unit.plugins.plugin_utils.harness import Site
from tests.unit.plugins.plugin_utils.stores.places import play_vault

PASSWORD = "correct-horse-battery-staple-4711"
VAULT_PASSWORD = "a-vault-password-that-nobody-has-4711"
NAME = "ci"


@dataclass
class Sandbox:
    """One token for each of so many projects: ten days, replaced three days before it expires."""

    sim: Simulator
    url: str
    place: Path
    kind: str
    owners: list[str]
    grace: int = 2
    _runs: t.Iterator[int] = field(default_factory=itertools.count)

    @property
    def references(self) -> list[str]:
        return [f"{owner}/tokens/{NAME}" for owner in self.owners]

    @property
    def entry(self) -> dict[str, t.Any]:
        lifetime = {"expires_in_days": 10, "rotate_before_days": 3, "grace_days": self.grace}
        return {"name": NAME, "permissions": ["REPO_READ"], **lifetime}

    @property
    def store_place(self) -> Path:
        return self.place / "store"

    @property
    def store_name(self) -> str:
        return f"{self.kind}:{self.store_place}" + ("/tokens.yml" if self.kind == "ansible_vault" else "")

    def store(self) -> Store:
        """The store as somebody else opens it."""
        if self.kind == "file":
            return FileStore(self.store_place, single=False)
        return AnsibleVaultStore(self.store_place / "tokens.yml", play_vault(VAULT_PASSWORD))

    def role(self, **more: t.Any) -> Role:
        """The role as it is declared, ready to start."""
        variables = {"projects": [owner.rpartition("/")[2] for owner in self.owners], "set": [self.entry], **more}
        variables.setdefault("store", self.store_name)
        options: tuple[str, ...] = ()
        if self.kind == "ansible_vault":
            password = self.place / "vault-password"
            password.write_text(VAULT_PASSWORD, encoding="utf-8")
            options = ("--vault-password-file", str(password))
        environment = {
            "BITBUCKET_URL": self.url,
            "BITBUCKET_USERNAME": "admin",
            "BITBUCKET_PASSWORD": PASSWORD,
            "PYTHONPATH": str(SHIM),
            "no_proxy": "127.0.0.1",
        }
        return Role(
            self.place, {f"project_tokens_{key}": value for key, value in variables.items()}, environment, options
        )

    def run(self) -> dict[str, t.Any]:
        """The same in this process: action plugin and module without what Ansible puts between them."""
        site = Site(self.sim, self.store_place, self.store())
        return site.run(self.entry, projects=[owner.rpartition("/")[2] for owner in self.owners])

    def plant(self, *, stored: bool, **token: t.Any) -> None:
        """A token for every owner that is there before the run, and in the store or not."""
        made = [self.sim.add_token(owner, NAME, ["REPO_READ"], **token) for owner in self.owners]
        if stored:
            held = self.store().read(self.references)
            entries = [
                Entry(reference, item.id, item.secret, held[reference])
                for reference, item in zip(self.references, made, strict=True)
            ]
            assert set(self.store().write(entries).values()) == {"written"}

    def stored(self) -> dict[str, str]:
        """Every secret that the store holds."""
        store = self.store()
        held = store.read(self.references)
        return {reference: store.secret(reference) for reference, value in held.items() if value is not None}

    def dead(self) -> list[str]:
        """References whose stored secret does not authenticate."""
        return [reference for reference, secret in self.stored().items() if not self.sim.authenticates(secret)]

    def tokens(self) -> list[Token]:
        return [token for owner in self.owners for token in self.sim.tokens(owner)]

    def strays(self) -> list[str]:
        """What is listed and not stored, or stored and not listed."""
        held = self.store().read(self.references)
        return sorted({token.id for token in self.tokens()} ^ {value or "nothing" for value in held.values()})

    def settle(self) -> None:
        """Let pass what makes an older token due: the settle time, and the grace."""
        self.sim.clock.advance(days=self.grace, hours=1, minutes=1)


@contextlib.contextmanager
def sandbox(place: Path, kind: str = "file", owners: int = 1, grace: int = 2, **switches: t.Any) -> Iterator[Sandbox]:
    place.mkdir(parents=True, exist_ok=True)
    (place / "store").mkdir()
    sim = Simulator("9.4", seed=11, switches=switches)
    sim.add_user("admin", PASSWORD, roles=("SYS_ADMIN",))
    keys = [f"P{number:02d}" for number in range(1, owners + 1)]
    for key in keys:
        sim.add_project(key)
    with running(sim) as url:
        yield Sandbox(sim, url, place, kind, [f"projects/{key}" for key in keys], grace)
