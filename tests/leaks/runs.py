"""The runs: many cases in one process of ansible-playbook or ansible-runner, and what must hold after it."""

from __future__ import annotations

import itertools
import json
import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.leaks.cases import Case, Data
from tests.leaks.file_cases import TASKS
from tests.leaks.host_cases import HOSTS
from tests.leaks.net import Net
from tests.leaks.sandbox import CREDENTIALS, Sandbox

COLLECTION = "tokensmith.bitbucket"


@dataclass
class Report:
    """What one run showed."""

    cases: int
    problems: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)


def here(programs: Path, name: str = "") -> Data:
    """A host that is this machine, by the interpreter of the core that is tested."""
    variables = {"ansible_connection": "talkative", "ansible_python_interpreter": str(programs / "python")}
    return {**variables, "ansible_host": "gone" if name == "gone" else "here"}


def sample(cases: Sequence[Case] = TASKS.cases) -> list[Case]:
    """Of each thing one case that works and one that fails, and that can run under the runner."""
    first = {(case.covers, case.succeeds): case for case in reversed(cases) if not case.environment}
    return sorted(first.values(), key=cases.index)


def others() -> list[Case]:
    """Those that are not in the sample."""
    sampled = sample()
    return [case for case in TASKS.cases if case not in sampled]


def tasks(sandbox: Sandbox, programs: Path, cases: Sequence[Case], check: bool = False) -> Report:
    """All in one play."""
    play, named = _play(sandbox, cases)
    inventory = sandbox.tell("inventory.yml", _inventory(programs))
    path = sandbox.tell("play.yml", [play])
    output = sandbox.play(programs, str(path), "-i", str(inventory), *(["--check"] if check else []))
    problems = _surprises_of_tasks(sandbox, named, output, check)
    return _report(sandbox, problems, named.values(), named)


def playbook(sandbox: Sandbox, programs: Path, name: str, check: bool = False) -> Report:
    """A playbook of the collection, on a host for each case."""
    cases = [case for case in HOSTS.cases if f"playbooks/{name}" in case.covers]
    hosts, variables = _hosts(sandbox, programs, cases)
    inventory = sandbox.tell("inventory.yml", variables)
    options = ["-i", str(inventory), "-e", f"{_prefix(name)}_hosts=all", *(["--check"] if check else [])]
    output = sandbox.play(programs, f"{COLLECTION}.{name}", *options)
    problems = _surprises_of_hosts(sandbox, hosts, output, check)
    return _report(sandbox, problems, cases)


def playbook_by_runner(sandbox: Sandbox, programs: Path, name: str) -> Report:
    """The same under ansible-runner, without the cases that take the credential from the environment."""
    cases = [case for case in HOSTS.cases if f"playbooks/{name}" in case.covers and not case.environment]
    hosts, variables = _hosts(sandbox, programs, cases)
    play = {"name": "A playbook of the collection", "ansible.builtin.import_playbook": f"{COLLECTION}.{name}"}
    output = _by_runner(sandbox, programs, [play], variables, {f"{_prefix(name)}_hosts": "all"})
    return _report(sandbox, [*_surprises_of_hosts(sandbox, hosts, output), *_without_events(sandbox, output)], cases)


def _hosts(sandbox: Sandbox, programs: Path, cases: Iterable[Case]) -> tuple[dict[str, Case], Data]:
    """A host for each case, and the inventory with their variables."""
    hosts = {f"h{number:02d}": case for number, case in enumerate(cases, 1)}
    variables = {host: {**here(programs), **case.build(sandbox.scenario())} for host, case in hosts.items()}
    return hosts, {"all": {"hosts": variables}}


def _prefix(name: str) -> str:
    """What the variables of a playbook begin with."""
    return {"provision": "project_tokens", "rotate": "project_tokens", "audit": "token_audit"}.get(name, name)


def inventories(sandbox: Sandbox, programs: Path, cases: Sequence[Case]) -> Report:
    """What Ansible says of each inventory, as JSON and, where it has hosts, as a graph."""
    problems = []
    for number, case in enumerate(cases, 1):
        scenario = sandbox.scenario()
        path = sandbox.told / f"{number:02d}.bitbucket.yml"
        # The line that says which plugin comes first: where that one fails, Ansible's others show the first line.
        text = yaml.safe_dump(case.build(scenario), width=10**6, sort_keys=False)
        path.write_text(text, encoding="utf-8")
        said = sandbox.look(programs, str(path), "--list")
        if case.succeeds:
            said += sandbox.look(programs, str(path), "--graph", "--vars")
        hosts = f'"{scenario.key}' in said or f"--{scenario.key}" in said
        if hosts != case.succeeds or case.says not in said:
            problems.append(f"{case.name}: not as was meant: {said[-3000:]}")
        sandbox.sim.faults.clear()
    return _report(sandbox, problems, cases)


def runner(sandbox: Sandbox, programs: Path, cases: Sequence[Case]) -> Report:
    """Tasks under ansible-runner, as AWX runs them; its artifacts are searched like all else.

    None takes the credential from the environment, which the runner itself writes into the artifact ``command``.
    """
    cases = [case for case in cases if not case.environment]
    play, named = _play(sandbox, cases)
    output = _by_runner(sandbox, programs, [play], _inventory(programs), {})
    problems = [*_surprises_of_tasks(sandbox, named, output), *_without_events(sandbox, output)]
    return _report(sandbox, problems, cases, named)


def _by_runner(sandbox: Sandbox, programs: Path, plays: list[Data], inventory: Data, variables: Data) -> str:
    """Run these plays under ansible-runner, as talkative as it gets; what it said."""
    private = sandbox.told / "runner"
    for folder in ("project", "inventory", "env"):
        (private / folder).mkdir(parents=True)
    sandbox.tell("runner/project/play.yml", plays)
    sandbox.tell("runner/inventory/hosts.yml", inventory)
    sandbox.tell("runner/env/extravars", {**CREDENTIALS, **sandbox.variables, **variables})
    options = f"-vvvv --diff --vault-password-file {sandbox.told / 'vault-password'}"
    (private / "env" / "cmdline").write_text(options, encoding="utf-8")
    command = [str(programs / "python"), "-m", "ansible_runner", "run", str(private), "--playbook", "play.yml"]
    command += ["--artifact-dir", str(sandbox.written / "artifacts")]
    return sandbox.run(command, "output", credential=False)


def _without_events(sandbox: Sandbox, output: str) -> list[str]:
    """That the runner kept its artifacts, without which there is nothing to search."""
    there = list((sandbox.written / "artifacts").glob("*/job_events/*.json"))
    return [] if there else [f"the runner left no events: {output[-2000:]}"]


def _play(sandbox: Sandbox, cases: Iterable[Case]) -> tuple[Data, dict[str, Case]]:
    """A play in which no case stops another, and the cases by the names of their tasks."""
    named, tasks = {}, []
    for number, case in enumerate(cases, 1):
        name = f"{number:03d} {case.name}"
        named[name] = case
        tasks.append({"name": name, **case.build(sandbox.scenario())})
    careless = {"ignore_errors": True, "ignore_unreachable": True}
    return {"name": "Cases", "hosts": "there", "gather_facts": False, **careless, "tasks": tasks}, named


def _inventory(programs: Path) -> Data:
    return {"all": {"hosts": {name: here(programs, name) for name in ("there", "gone")}}}


def _surprises_of_tasks(sandbox: Sandbox, named: dict[str, Case], output: str, check: bool = False) -> list[str]:
    """Cases that ended in another way than is meant: they would prove nothing. In check mode, where less can fail,
    those that did not run, and those that failed and should not.
    """
    results = {line["task"]: line for line in sandbox.results() if not line["outcome"].startswith("item")}
    problems = []
    for name, case in named.items():
        line = results.get(name)
        if line is None:
            problems.append(f"{name}: did not run: {output[-3000:]}")
        elif check and not case.succeeds:
            continue
        elif (line["outcome"] == "ok") != case.succeeds or case.says not in _text(line["result"]):
            problems.append(f"{name}: {line['outcome']}, not as was meant: {_text(line['result'])[:1500]}")
    return problems


def _surprises_of_hosts(sandbox: Sandbox, hosts: dict[str, Case], output: str, check: bool = False) -> list[str]:
    lines = sandbox.results()
    problems = []
    for host, case in hosts.items():
        mine = [line for line in lines if line["host"] == host]
        ended = [line for line in mine if line["outcome"] in ("failed", "unreachable")]
        failed = [_text(line["result"]) for line in ended if not _of_all(line, hosts)]
        failed += _told(lines, host)
        if not mine:
            problems.append(f"{host}, {case.name}: did not run: {output[-3000:]}")
        elif check and not case.succeeds:
            continue
        elif bool(failed) == case.succeeds or (failed and case.says not in failed[-1]):
            problems.append(f"{host}, {case.name}: not as was meant: {[*failed, _text(mine[-1]['result'])][0][:1500]}")
    return problems


def _told(lines: list[Data], host: str) -> list[str]:
    """The failures of a host where another play reports those of all hosts."""
    facts = [line["result"].get("ansible_facts", {}).get("retire_app_passwords_run") for line in lines]
    failures = [entry for made in facts if made for entry in made["report"]["failures"]]
    told = [entry for entry in failures if entry.startswith(f"{host}: ")]
    return ["\n".join(told)] if told else []


def _of_all(line: Data, hosts: Iterable[str]) -> bool:
    """Whether a failure is the sum of those of all hosts, which one of them has to show."""
    message = str(line["result"].get("msg"))
    return any(f"failures: {host}: " in message for host in hosts)


def _text(result: Data) -> str:
    return json.dumps(result, ensure_ascii=False)


def _report(
    sandbox: Sandbox, problems: list[str], cases: Iterable[Case], named: t.Mapping[str, Case] | None = None
) -> Report:
    """Look for every secret everywhere.

    :param named: the cases by the names of their tasks, where some may return secrets.
    """
    cases = list(cases)
    secrets = sandbox.secrets()
    requests = [*sandbox.sim.requests, *sandbox.cloud.requests]
    urls = "\n".join(f"{entry.method} {entry.path}?{entry.query}" for entry in requests)
    (sandbox.seen / "urls").write_text(urls, encoding="utf-8")
    net = Net(secrets)
    returned = _returned(sandbox, {name for name, case in (named or {}).items() if case.returns})
    problems += map(str, net.search(sandbox.written, sandbox.seen, *sandbox.odd, returned=returned))
    of_stores = Net(sandbox.credentials(), shape=False)
    problems += map(str, of_stores.search(*sandbox.stored()))
    problems += [f"{path} is left in a store" for path in sandbox.remains()]
    problems += [f"{path} could be read by anybody" for path in sandbox.exposed()]
    problems += [f"{path} is written where nothing is searched" for path in sandbox.elsewhere()]
    files = net.files + of_stores.files
    figures = {"runs": 1, "cases": len(cases), "files searched": files, "sentinels looked for": len(secrets)}
    return Report(len(cases), problems, figures)


def _returned(sandbox: Sandbox, names: t.Collection[str]) -> list[str]:
    """What those tasks that may do so returned under the documented keys."""
    results = [line["result"] for line in sandbox.results() if line["task"] in names]
    many = [list((result.get("secrets") or {}).values()) for result in results]
    return [*(result["secret"] for result in results if "secret" in result), *itertools.chain.from_iterable(many)]


def playbooks() -> list[str]:
    """Those of the collection that have cases."""
    covered = {path for case in HOSTS.cases for path in case.covers}
    return sorted(path.partition("/")[2] for path in covered if path.startswith("playbooks/"))
