"""Launches a job template of the double as AWX launches one: a private data directory, and ansible-runner.

What the credentials inject is rendered by AWX's own code. The directory and the settings are as AWX's source has them;
in place of a container the programs of this virtual environment run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

import yaml
from awx_plugins.interfaces import _temporary_private_api as plugins
from awx_plugins.interfaces._temporary_private_inject_api import inject_credential

from tests.doubles import awx_rules, slices
from tests.doubles.awx import AwxDouble

_IN_CONTAINER = "/runner/"


@dataclass(frozen=True)
class Job:
    """What a job left: how it ended, what it showed, and what AWX keeps of it."""

    status: int
    output: str
    #: What set_stats kept, which AWX shows with the job and passes on in a workflow.
    stats: dict[str, t.Any]
    folder: Path

    def kept(self) -> str:
        """Everything in the folder of artifacts but the file ``command``: there the runner keeps the environment that
        it was given. AWX takes what it shows of that from a copy without secrets, and deletes the directory.
        """
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.name != "command"]
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)

    @property
    def changed(self) -> int:
        return sum(int(number) for number in re.findall(r"\bchanged=(\d+)", self.output))


@dataclass
class Launcher:
    """:param environment: what a container would have of its own."""

    awx: AwxDouble
    project: Path
    place: Path
    environment: dict[str, str]
    number: int = 0

    def launch(self, template: str, answers: t.Mapping[str, t.Any] | None = None) -> Job:
        """Run a job. ``answers`` are those to the survey; AWX passes over variables that it does not ask for."""
        self.number += 1
        private = self.place / f"awx_{self.number}"
        for folder in ("env", "inventory"):
            (private / folder).mkdir(parents=True)
        shutil.copytree(self.project, private / "project")
        item = next(entry for entry in self.awx.objects["job_templates"].values() if entry["name"] == template)
        environment = self.injected(item, private)
        answered = awx_rules.answered(self.awx.surveys.get(item["id"], {}), answers or {})
        variables = {**json.loads(item["extra_vars"]), **answered, **slices.job_variables(template)}
        for name, content in {"envvars": environment, "extravars": variables}.items():
            (private / "env" / name).write_text(yaml.safe_dump(content), encoding="utf-8")
        verbose = "-" + "v" * item["verbosity"] if item.get("verbosity") else ""
        options = f"{verbose} {'--diff' if item.get('diff_mode') else ''}"
        (private / "env" / "cmdline").write_text(options, encoding="utf-8")
        exported = self._inventory(private, environment)
        slices.write_script(private / "inventory" / "hosts", slices.sliced(exported, 1, 1))
        return self._run(private, item["playbook"])

    def injected(self, template: dict[str, t.Any], private: Path) -> dict[str, str]:
        """The environment, with what the template's credentials inject."""
        environment: dict[str, t.Any] = dict(self.environment)
        for number in self.awx.attached.get(template["id"], []):
            credential = self.awx.credentials[number]
            kind = self.awx.type_of(credential)
            made = plugins.ManagedCredentialType("", kind["name"], kind["kind"], kind["inputs"], kind["injectors"])
            inject_credential(made, plugins.Credential(credential["inputs"]), environment, {}, [], str(private))
        return {name: value.replace(_IN_CONTAINER, f"{private}/") for name, value in environment.items()}

    def _inventory(self, private: Path, environment: dict[str, str]) -> dict[str, t.Any]:
        """As an update of the inventory source reads it."""
        (source,) = self.awx.objects["inventory_sources"].values()
        command = ["ansible-inventory", "-i", str(private / "project" / source["source_path"]), "--list", "--export"]
        done = self._call(command, {**environment, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"})
        assert done.returncode == 0, done.stderr
        return t.cast("dict[str, t.Any]", json.loads(done.stdout))

    def _run(self, private: Path, playbook: str) -> Job:
        done = self._call(["ansible-runner", "run", str(private), "--playbook", playbook, "--ident", "1"], {})
        folder = private / "artifacts" / "1"
        stats: dict[str, t.Any] = {}
        for path in (folder / "job_events").glob("*.json"):
            event = json.loads(path.read_text(encoding="utf-8"))
            if event["event"] == "playbook_on_stats":
                stats = event["event_data"].get("artifact_data", {})
        return Job(done.returncode, done.stdout + done.stderr, stats, folder)

    def _call(self, command: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        programs = str(Path(sys.executable).parent)
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ANSIBLE_", "BITBUCKET_", "CONTROLLER_", "VAULT_"))
        }
        environment = {**clean, **self.environment, **more, "PATH": f"{programs}:{os.environ['PATH']}"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
