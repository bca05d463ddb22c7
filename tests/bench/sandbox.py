"""What is measured against: a simulator with many projects, 20 ms a request, and Ansible's commands beside it."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import subprocess
import tempfile
import typing as t
from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.demo.playbooks import environment, program
from tests.demo.signals import deferred
from tests.demo.simulation import ROOT, Simulation, simulation

LATENCY_MS = 20
CONCURRENCY = 8
FILES = Path(__file__).parent / "files"
STANDARD_SET = [
    {"name": "ci-read", "permissions": ["PROJECT_READ", "REPO_READ"], "expires_in_days": 90},
    {"name": "ci-write", "permissions": ["PROJECT_READ", "REPO_WRITE"], "expires_in_days": 90},
    {"name": "release-admin", "permissions": ["PROJECT_ADMIN", "REPO_ADMIN"], "expires_in_days": 90},
]
VAULT = ("--vault-password-file", "vault-password")


class Sandbox:
    """A fresh simulator with ``projects`` projects, and a directory in which the playbooks run."""

    def __init__(self, running: Simulation, directory: Path, projects: int, repositories: int = 0) -> None:
        self.simulation = running
        self.directory = directory
        self.projects = projects
        self.environment = environment(running, "admin", directory)
        running.control("POST", "seed", {"bulk_projects": projects, "prefix": "B", "repositories_each": repositories})
        (directory / "vault-password").write_text(f"{secrets.token_urlsafe(32)}\n", encoding="utf-8")
        declared = {
            "project_tokens_projects": ["*"],
            "project_tokens_set": STANDARD_SET,
            "project_tokens_store": "ansible_vault:secrets.yml",
            "project_tokens_concurrency": CONCURRENCY,
        }
        (directory / "tokens.yml").write_text(yaml.safe_dump(declared), encoding="utf-8")
        for playbook in FILES.iterdir():
            shutil.copy(playbook, directory)

    def provisioned(self) -> Sandbox:
        """With all tokens there, and their secrets in the vaulted file, as a run would have left them."""
        tokens = [
            {**token, "owner": f"projects/B{number}", "created_days_ago": 1, "expires_in_days": 89}
            for number in range(1, self.projects + 1)
            for token in STANDARD_SET
        ]
        planted = self.simulation.control("POST", "seed", {"tokens": tokens, "return_secrets": True})["tokens"]
        stored: dict[str, dict[str, str]] = {"bitbucket_tokens": {}, "bitbucket_token_ids": {}}
        for token in planted:
            reference = f"{token['owner']}/tokens/{token['name']}"
            stored["bitbucket_tokens"][reference] = token["secret"]
            stored["bitbucket_token_ids"][reference] = token["id"]
        path = self.directory / "secrets.yml"
        dumper: t.Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        path.write_text(yaml.dump(stored, Dumper=dumper), encoding="utf-8")
        encrypt = [command("ansible-vault"), "encrypt", path.name, *VAULT]
        subprocess.run(encrypt, cwd=self.directory, env=self.environment, check=True, capture_output=True)
        return self

    def role(self, **more: t.Any) -> list[str]:
        """The role as declared, with other values of its variables."""
        changed = json.dumps({f"project_tokens_{name}": value for name, value in more.items()})
        provision = [command("ansible-playbook"), "tokensmith.bitbucket.provision", "-e", "@tokens.yml", *VAULT]
        return [*provision, "-e", changed]

    def rotation(self) -> list[str]:
        """The role with a set whose old tokens are revoked in the run that replaces them."""
        return self.role(set=[{**token, "grace_days": 0} for token in STANDARD_SET])

    def pass_days(self, days: int) -> None:
        self.simulation.control("POST", "clock", {"advance_days": days})

    def listing(self, **options: t.Any) -> list[str]:
        """The inventory plugin, with every project's repositories unless told otherwise."""
        document = {"plugin": "tokensmith.bitbucket.projects", "concurrency": CONCURRENCY, **options}
        (self.directory / "bitbucket.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
        return [command("ansible-inventory"), "-i", "bitbucket.yml", "--list", "--export"]

    def role_on_hosts(self, hosts: int, forks: int) -> list[str]:
        """The role on hosts that each do their own project; the inventory is written down, as AWX has it."""
        entries = {
            f"B{number}": {"bitbucket_kind": "project", "bitbucket_key": f"B{number}"} for number in range(1, hosts + 1)
        }
        variables = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        inventory = yaml.safe_dump({"all": {"hosts": entries, "vars": variables}})
        (self.directory / "hosts.yml").write_text(inventory, encoding="utf-8")
        declared = yaml.safe_load((self.directory / "tokens.yml").read_text(encoding="utf-8"))
        del declared["project_tokens_projects"]
        (self.directory / "own.yml").write_text(yaml.safe_dump(declared), encoding="utf-8")
        return [
            *(
                command("ansible-playbook"),
                "tokensmith.bitbucket.provision",
                "-i",
                "hosts.yml",
                "-e",
                "@own.yml",
                *VAULT,
            ),
            *("-e", "project_tokens_hosts=all", "--forks", str(forks)),
        ]

    def peopled(self) -> Sandbox:
        """With three repositories for each project, a token for each of them, and two for the project."""
        numbers = range(1, self.projects + 1)
        repositories = [{"project": f"B{number}", "slug": f"r{count}"} for number in numbers for count in (1, 2, 3)]
        template = {"created_days_ago": 40, "expires_in_days": 50, "permissions": ["REPO_READ"]}
        owners = [f"projects/{item['project']}/repos/{item['slug']}" for item in repositories]
        owners += [f"projects/B{number}" for number in numbers for _copy in range(2)]
        tokens = [{**template, "owner": owner, "name": f"ci-{place}"} for place, owner in enumerate(owners)]
        self.simulation.control("POST", "seed", {"repositories": repositories, "tokens": tokens})
        return self

    def audit(self) -> list[str]:
        return [command("ansible-playbook"), "tokensmith.bitbucket.audit", "-e", "token_audit_output_dir=audit"]

    def uri_loop(self) -> list[str]:
        return [command("ansible-playbook"), "uri.yml", "-e", "@tokens.yml"]

    def ping(self) -> list[str]:
        return [command("ansible-playbook"), "ping.yml"]


def command(name: str) -> str:
    found = program(name)
    if found is None:
        raise FileNotFoundError(f"{name} was not found: run `make bench`")
    return found


@contextlib.contextmanager
def sandbox(projects: int, repositories: int = 0) -> Iterator[Sandbox]:
    base = ROOT / ".cache" / "bench"
    with contextlib.ExitStack() as stack:
        with deferred():
            base.mkdir(parents=True, exist_ok=True)
            directory = Path(tempfile.mkdtemp(prefix="run-", dir=base))
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
        running = stack.enter_context(simulation(directory, "--profile", "10.4", "--latency", str(LATENCY_MS)))
        yield Sandbox(running, directory, projects, repositories)
