"""Where a page is followed: a directory, an environment, and the company that the documentation speaks of."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.documented import network
from tests.documented.blocks import blocks_of
from tests.documented.network import Network
from tests.documented.terminal import Finished, Terminal
from tests.doubles.loopback import Double
from tests.simulator import Clock, Simulator, seed
from tests.simulator.cloud import Cloud
from tests.simulator.model import Model

ROOT = Path(__file__).resolve().parents[2]
#: What the clock of Bitbucket says at the beginning of each page.
START = "2026-12-01T09:00:00Z"
VAULT_PASSWORD = "a-vault-password-of-the-documentation-4711"
#: Settings of the user and of pytest that no command must see.
_FOREIGN = ("ANSIBLE_", "ATLASSIAN_", "AWX_", "BITBUCKET_", "CONTROLLER_", "GIT_", "PYTEST_", "TOWER_", "VAULT_")


class _Model(Model):
    """All secrets have the characters that break examples which put them into a URL as they are."""

    def secret(self, token_id: str, prefix: str = "") -> str:
        while not {"/", "+"} <= set(found := super().secret(token_id, prefix)):
            pass
        return found


@dataclass
class Sandbox:
    """``variables`` are those of plays that a page prints without naming a file."""

    place: Path
    network: Network
    bitbucket: Simulator
    cloud: Cloud
    passwords: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    variables: dict[str, t.Any] = field(default_factory=dict)
    #: Stand-ins for other services, to look at afterwards.
    doubles: list[Double] = field(default_factory=list)
    _terminal: Terminal | None = None

    @property
    def directory(self) -> Path:
        """Where the commands are typed."""
        return self.place / "here"

    @property
    def home(self) -> Path:
        return self.place / "home"

    def run(self, command: str) -> Finished:
        if self._terminal is None:
            self._terminal = Terminal(self.directory, self.environment, self.answers)
        return self._terminal.run(command)

    def write(self, name: str | Path, text: str, *, add: bool = False) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text(encoding="utf-8") if add else ""
        path.write_text(before + text, encoding="utf-8")
        return path

    def take(self, page: str, *names: str) -> None:
        """Write files as another page prints them."""
        blocks = blocks_of(ROOT / page, ROOT)
        for name in names:
            printed = [block for block in blocks if block.name and block.name["name"] == name]
            assert printed, f"{page} prints no {name}"
            for block in printed:
                self.write(name, block.text, add=block is not printed[0])

    def leak(self, name: str | Path, owner: str) -> None:
        """Write the log of a build that shows the secret of a token of the owner."""
        secret = self.bitbucket.tokens(owner)[0].secret
        self.write(name, f"cloning\nAuthorization: Bearer {secret}\ndone\n")

    def hosts(self, *names: str) -> None:
        """Write an inventory ``hosts``; each host is this machine, with the home of the page."""
        own = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
        self.write("hosts", "".join(f"{name} {own}\n" for name in names))

    def sign_in(self, user: str = "automation") -> None:
        """Put a user's credential into the environment."""
        self.environment.update(BITBUCKET_USERNAME=user, BITBUCKET_PASSWORD=self.passwords[user])
        self.environment.update(BITBUCKET_URL=f"https://{network.BITBUCKET}")


@contextlib.contextmanager
def sandbox() -> Iterator[Sandbox]:
    """An empty directory, and the company."""
    # Short: ansible-core puts a socket below it, whose path may have 108 characters.
    with tempfile.TemporaryDirectory(prefix="page-", dir="/tmp") as name, sandbox_in(Path(name)) as made:
        yield made


@contextlib.contextmanager
def sandbox_in(place: Path) -> Iterator[Sandbox]:
    """The company, and directories below ``place``."""
    with network.network(place / "network") as net:
        bitbucket = Simulator("10.4", clock=Clock(START, frozen=False), model=_Model(11))
        passwords = seed.plant(bitbucket, seed.load(Path(__file__).with_name("company.yml"))).passwords
        cloud = Cloud(clock=Clock(START, frozen=False), seed=7)
        made = Sandbox(place, net, bitbucket, cloud, passwords)
        made.directory.mkdir()
        made.home.mkdir()
        net.offer_simulator(bitbucket, network.BITBUCKET)
        net.offer_simulator(cloud, *network.CLOUD)
        made.environment.update(_environment(made))
        made.answers.update({"(?i)vault password": VAULT_PASSWORD, "": passwords["automation"]})
        _sudo(made)
        yield made


def _environment(made: Sandbox) -> dict[str, str]:
    """Nothing of the user's own, and nothing left outside the page's place."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    ansible = made.place / "ansible"
    return {
        **kept,
        **made.network.environment,
        "PATH": os.pathsep.join(
            [str(made.place / "bin"), str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]
        ),
        "HOME": str(made.home),
        "TERM": "dumb",
        "LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_CONFIG": str(ROOT / "tests" / "ansible.cfg"),
        "ANSIBLE_HOME": str(ansible),
        "ANSIBLE_REMOTE_TMP": str(ansible / "tmp"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def _sudo(made: Sandbox) -> None:
    """In place of the system's: it changes no user, and asks for no password."""
    path = made.place / "bin" / "sudo"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@"\n', encoding="utf-8")
    path.chmod(0o755)


def copy_checkout(made: Sandbox, *names: str) -> None:
    """Parts of this checkout, where the commands are typed."""
    for name in names:
        source, target = ROOT / name, made.directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
