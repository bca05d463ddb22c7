"""Somebody who runs what ships as processes with the built collection, and what must hold of any of these."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import requests
import yaml

from tests.unit.plugins.plugin_utils.stores.places import play_vault
from tests.vault_variables import variables_of

if t.TYPE_CHECKING:
    from tests.integration.conftest import Bitbucket

PROVISION = "tokensmith.bitbucket.provision"
VAULT_PASSWORD = "a-vault-password-that-nobody-has-4711"
OWNERS, NAMES = ["DATA", "OPS", "PAY", "SHOP"], ["ci-read", "ci-write", "release-admin"]
SET = [
    {"name": "ci-read", "permissions": ["PROJECT_READ"], "expires_in_days": 90, "grace_days": 7},
    {"name": "ci-write", "permissions": ["PROJECT_READ", "REPO_WRITE"], "expires_in_days": 90},
    {"name": "release-admin", "permissions": ["REPO_ADMIN"], "expires_in_days": 60},
]
# A secret of any token, known or not, as this Bitbucket makes them.
SECRET_SHAPE = re.compile(r"BBDC-[A-Za-z0-9+/]{20}")


@dataclass(frozen=True)
class Outcome:
    """What a process left behind."""

    status: int
    output: str

    @property
    def changed(self) -> int:
        """The figure of the recap."""
        return sum(int(number) for number in re.findall(r"\bchanged=(\d+)", self.output))

    @property
    def failure(self) -> str:
        """The message of the task that failed."""
        found = re.findall(r"FAILED! => (\{.*?^\}|\{.*?\}$)", self.output, re.DOTALL | re.MULTILINE)
        assert found, self.output
        return str(json.loads(found[-1])["msg"])


@dataclass
class Team:
    """Somebody with a playbook, a vault password and a simulated Bitbucket."""

    bitbucket: Bitbucket
    place: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def vault_file(self) -> Path:
        return self.place / "tokens.yml"

    def declare(self, **more: t.Any) -> Path:
        variables = {"projects": ["*"], "set": SET, "store": f"ansible_vault:{self.vault_file}", **more}
        path = self.place / "declared.yml"
        given = {name: value for name, value in variables.items() if value is not ...}
        text = yaml.safe_dump({f"project_tokens_{name}": value for name, value in given.items()})
        path.write_text(text, encoding="utf-8")
        return path

    def play(self, playbook: str, *options: str, password: str | None = VAULT_PASSWORD, **more: t.Any) -> Outcome:
        arguments = [playbook, "-e", f"@{self.declare(**more)}", *options]
        if password is not None:
            key = self.place / "vault-password"
            key.write_text(password, encoding="utf-8")
            arguments += ["--vault-password-file", str(key)]
        return self.run("ansible-playbook", *arguments)

    def adhoc(self, module: str, arguments: str, *options: str) -> Outcome:
        return self.run("ansible", "localhost", "-m", f"tokensmith.bitbucket.{module}", "-a", arguments, *options)

    def run(self, program: str, *arguments: str) -> Outcome:
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        environment = {**self.bitbucket.environment(), **self.environment}
        environment = {name: value for name, value in environment.items() if value}
        done = subprocess.run(
            command, cwd=self.place, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        return Outcome(done.returncode, done.stdout + done.stderr)

    def control(self, method: str, resource: str, body: t.Any = None) -> t.Any:
        answer = requests.request(method, f"{self.bitbucket.url}/__simulator__/{resource}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def later(self, **by: float) -> None:
        self.control("POST", "clock", {f"advance_{unit}": value for unit, value in by.items()})

    def requests(self) -> list[dict[str, t.Any]]:
        """What arrived since this was last asked."""
        entries: list[dict[str, t.Any]] = self.control("GET", "requests")["requests"]
        self.control("DELETE", "requests")
        return entries

    def stored(self) -> dict[str, str]:
        variables = variables_of(play_vault(VAULT_PASSWORD).decrypt(self.vault_file.read_bytes()).decode())
        return t.cast("dict[str, str]", variables["bitbucket_tokens"])

    def alive(self, secret: str) -> bool:
        return bool(self.control("POST", "authenticate", {"secret": secret})["alive"])


def references(names: t.Iterable[str]) -> set[str]:
    return {f"projects/{key}/tokens/{name}" for key in OWNERS for name in names}


def assert_succeeded(outcome: Outcome) -> None:
    assert outcome.status == 0, outcome.output


def assert_nothing_shown(team: Team, text: str, secrets: list[str]) -> None:
    """No secret, no password; neither as they are nor encoded."""
    assert secrets
    assert all(map(SECRET_SHAPE.search, secrets))
    password = team.bitbucket.passwords["admin"]
    for secret in [*secrets, password, VAULT_PASSWORD, f"admin:{password}"]:
        forms = {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")}
        assert not [form[:4] for form in forms if form in text]
    assert not SECRET_SHAPE.search(text), "something that looks like a secret is shown"


def assert_refused(team: Team, outcome: Outcome, say: str, requests: int | None = None) -> None:
    """One readable sentence, and nothing was written."""
    assert outcome.status != 0, outcome.output
    assert say in outcome.failure
    assert "\n" not in outcome.failure
    assert len(outcome.failure) < 400
    assert "Traceback" not in outcome.output
    entries = team.requests()
    assert {entry["method"] for entry in entries} <= {"GET"}
    if requests is not None:
        assert len(entries) == requests
    # What can be said once should not be said thrice.
    assert outcome.failure.count(say) == 1
