"""The measurements. Ratios are taken within one run of this program; figures are medians."""

from __future__ import annotations

import statistics
import subprocess
import sys
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass

from tests.demo.simulation import ROOT
from tests.unit.plugins.plugin_utils.stores import openbao

from .measure import MIB, CommandError, Peaks, memory, processor_seconds, seconds, times
from .report import Goal, Line, progress, table
from .sandbox import CONCURRENCY, Sandbox, command, sandbox

BARE = "a bare asynchronous client with the same requests, the start of a playbook subtracted"
PING = "``ansible localhost -m ping``"
AD_HOC = "ad-hoc ``access_token`` with a store, nothing to do"
FIRST_ISSUE = Goal("first issue of 200 × 3 tokens", "a loop of ``uri`` tasks", "≥ 60 × as fast")
UNCHANGED_URI = Goal("200 × 3 tokens, nothing to do", "a loop of ``uri`` tasks", "≥ 40 × as fast")
UNCHANGED = Goal("2,000 × 3 tokens, nothing to do", BARE, "≤ 1.15 ×")
AD_HOC_CPU = Goal(f"{AD_HOC}, processor time", PING, "≤ 1.0 ×")
AD_HOC_TIME = Goal(f"{AD_HOC}, time", PING, "≤ 1.0 ×")
ROTATION = Goal("rotation of 200 × 3 tokens with grace 0", BARE, "≤ 1.3 ×")
MEMORY = Goal("10,000 × 3 tokens, nothing to do, memory of the largest process", "", "≤ 150 MiB")
OPENBAO = Goal("first issue of 200 × 3 tokens into OpenBao", "the same into a directory of files", "≤ 2 ×")
COLLECTION = Goal("collecting the unit tests as ``make unit`` does, processor time", "", "≤ 20 s")
#: How pytest ends where no test is selected.
NO_TESTS = 5
#: The table of the guide.
GOALS = (AD_HOC_CPU, AD_HOC_TIME, UNCHANGED, FIRST_ISSUE, UNCHANGED_URI, ROTATION, MEMORY, OPENBAO, COLLECTION)


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 5
    uri_rounds: int = 1
    issued: int = 200
    unchanged: int = 2000
    sizes: tuple[int, ...] = (2500, 5000, 10000)
    listed: int = 2000
    hosts: int = 100
    forks: tuple[int, ...] = (1, 2, 5)
    audited: int = 2000
    first_issue: bool = False


def against_uri(plan: Plan) -> None:
    """The role against a loop of uri tasks."""
    ours_first, theirs_first, ours_again, theirs_again = _uri_samples(plan)
    table(
        f"1. {plan.issued} projects × 3 tokens, the role against a loop of uri tasks",
        [
            _line("first issue, role", ours_first),
            _line("first issue, uri", theirs_first),
            _ratio("first issue, uri / role", FIRST_ISSUE, _median(theirs_first) / _median(ours_first)),
            _line("nothing to do, role", ours_again),
            _line("nothing to do, uri", theirs_again),
            _ratio("nothing to do, uri / role", UNCHANGED_URI, _median(theirs_again) / _median(ours_again)),
        ],
        [
            f"medians: role {plan.rounds} rounds; uri {len(theirs_first)} for the first issue, which takes minutes, "
            f"and {len(theirs_again)} where nothing is to do"
        ],
    )


def _uri_samples(plan: Plan) -> tuple[list[float], ...]:
    ours_first, theirs_first, ours_again, theirs_again = [], [], [], []
    for number in range(plan.rounds):
        progress(f"1. first issue, round {number + 1} of {plan.rounds}")
        with sandbox(plan.issued) as place:
            ours_first.append(seconds(place, place.role()))
        if number < plan.uri_rounds:
            progress("1. first issue with uri tasks: this takes minutes")
            with sandbox(plan.issued) as place:
                theirs_first.append(seconds(place, place.uri_loop()))
    with sandbox(plan.issued) as place:
        place.provisioned()
        for number in range(plan.rounds):
            progress(f"1. nothing to do, round {number + 1} of {plan.rounds}")
            ours_again.append(seconds(place, place.role()))
            theirs_again.append(seconds(place, place.uri_loop()))
        _unchanged(place)
    return ours_first, theirs_first, ours_again, theirs_again


def against_bare(plan: Plan) -> None:
    """Nothing to do, against a bare asynchronous client that makes the same requests."""
    ours, bare, ping, counts = [], [], [], set()
    with sandbox(plan.unchanged) as place:
        place.provisioned()
        for number in range(plan.rounds):
            progress(f"2. nothing to do, round {number + 1} of {plan.rounds}")
            ping.append(seconds(place, place.ping()))
            before = place.simulation.requests()
            ours.append(seconds(place, place.role()))
            between = place.simulation.requests()
            bare.append(_bare_seconds(place))
            counts.add((between - before, place.simulation.requests() - between))
        _unchanged(place)
    requests = sorted(counts)
    table(
        f"2. {plan.unchanged:,} projects × 3 tokens, nothing to do, {CONCURRENCY} at a time",
        [
            _line("role", ours),
            _line("a playbook with one ping", ping),
            _line("bare asynchronous client", bare),
            _ratio("(role - ping) / bare", UNCHANGED, (_median(ours) - _median(ping)) / _median(bare)),
            Line("requests, role", _counted(requests, 0), _expected(plan.unchanged), _exact(requests, plan.unchanged)),
            Line("requests, bare client", _counted(requests, 1)),
        ],
    )


def _bare_seconds(place: Sandbox, *options: str) -> float:
    command_line = [sys.executable, "-m", "tests.bench.bare", str(CONCURRENCY), *options]
    run = subprocess.run(command_line, cwd=ROOT, env=place.environment, capture_output=True, text=True, check=True)
    found, took = run.stdout.split()
    if int(found) != 3 * place.projects:
        raise CommandError(f"the bare client found {found} tokens")
    return float(took)


def growth(plan: Plan) -> None:
    """Time and memory as the number of owners grows."""
    lines, times, worst = [], [], 0
    for size in plan.sizes:
        runs = []
        with sandbox(size) as place:
            place.provisioned()
            for number in range(plan.rounds):
                progress(f"3. {size:,} owners, round {number + 1} of {plan.rounds}")
                runs.append(memory(place, place.role()))
            _unchanged(place)
        took, peaks = statistics.median(took for took, _peaks in runs), Peaks()
        for _took, seen in runs:
            peaks.merge(seen)
        times.append(took)
        worst = max(worst, peaks.worst)
        lines.append(Line(f"{size:,} owners", f"{took:.1f} s, {1000 * took / size:.2f} ms each; {_kinds(peaks)}"))
    lines.append(MEMORY.measured("most memory of any process", worst / MIB, _mib(worst)))
    grown = (times[-1] / plan.sizes[-1]) / (times[0] / plan.sizes[0])
    lines.append(Line("time per owner, largest to smallest", f"{grown:.2f} ×", "≤ 1.10 ×", grown <= 1.1))
    table("3. Growing number of owners × 3 tokens, nothing to do", lines)
    if plan.first_issue:
        first_issue(plan.sizes[-1])


def first_issue(size: int) -> None:
    """What nobody waits for twice: every token of a large instance."""
    progress(f"3. {size:,} owners, first issue: this takes minutes")
    with sandbox(size) as place:
        took, peaks = memory(place, place.role())
    lines = [Line(f"first issue of {3 * size:,} tokens", f"{took:.0f} s; {_kinds(peaks)}")]
    lines.append(Line("most memory of any process", _mib(peaks.worst), "≤ 350 MiB", peaks.worst <= 350 * MIB))
    table(f"3b. {size:,} owners × 3 tokens, first issue, once", lines)


def against_ping(plan: Plan) -> None:
    """An ad-hoc access_token with nothing to do, against an ad-hoc ping."""
    arguments = "project=B1 name=ci permissions=REPO_READ expires_in_days=90 store=file:bitbucket.token"
    ours, pings = [], []
    with sandbox(1) as place:
        ansible = [command("ansible"), "localhost", "-m"]
        module = [*ansible, "tokensmith.bitbucket.access_token", "-a", arguments]
        ping = [*ansible, "ping"]
        for line in (module, ping):
            seconds(place, line)  # the first issues the token, and fills caches
        for number in range(2 * plan.rounds):
            progress(f"4. ad hoc, round {number + 1} of {2 * plan.rounds}")
            pings.append(times(place, ping))
            ours.append(times(place, module))
    (our_time, our_cpu), (ping_time, ping_cpu) = (map(_median, zip(*samples, strict=True)) for samples in (ours, pings))
    table(
        "4. Ad hoc, nothing to do",
        [
            Line("ansible localhost -m tokensmith.bitbucket.access_token", _both(our_time, our_cpu)),
            Line("ansible localhost -m ping", _both(ping_time, ping_cpu)),
            _ratio("access_token / ping, processor time", AD_HOC_CPU, our_cpu / ping_cpu),
            _ratio("access_token / ping, time", AD_HOC_TIME, our_time / ping_time),
        ],
        [f"medians of {2 * plan.rounds}, in turns"],
    )


def rotation(plan: Plan) -> None:
    """Every token replaced and revoked, against a bare client that makes every request a rotation needs."""
    ours, bare, ping, counts = [], [], [], set()
    with sandbox(plan.issued) as place, sandbox(plan.issued) as yardstick:
        place.provisioned()
        yardstick.provisioned()
        for number in range(plan.rounds):
            progress(f"8. rotation, round {number + 1} of {plan.rounds}")
            place.pass_days(80)
            ping.append(seconds(place, place.ping()))
            before = place.simulation.requests(), yardstick.simulation.requests()
            ours.append(seconds(place, place.rotation()))
            bare.append(_bare_seconds(yardstick, "rotate"))
            after = place.simulation.requests(), yardstick.simulation.requests()
            counts.add((after[0] - before[0], after[1] - before[1]))
            _rotated(place, 3 * plan.issued * (number + 1))
            _rotated(yardstick, 3 * plan.issued * (number + 1))
    requests = sorted(counts)
    table(
        f"8. Rotation of {plan.issued} projects × 3 tokens with grace 0, {CONCURRENCY} at a time",
        [
            _line("role", ours),
            _line("a playbook with one ping", ping),
            _line("bare asynchronous client", bare),
            _ratio("(role - ping) / bare", ROTATION, (_median(ours) - _median(ping)) / _median(bare)),
            Line("requests, role", _counted(requests, 0)),
            Line("requests, bare client", _counted(requests, 1)),
        ],
    )


def _rotated(place: Sandbox, revoked: int) -> None:
    counts = place.simulation.control("GET", "state")["counts"]
    if (counts["tokens"], counts["revoked"]) != (3 * place.projects, revoked):
        raise CommandError(f"not every token was rotated: {counts}")


def into_openbao(plan: Plan) -> None:
    """A first issue into a real OpenBao in development mode, against one into a directory of files."""
    files, vault = [], []
    with openbao.running() as bao:
        for number in range(plan.rounds):
            progress(f"9. first issue into OpenBao, round {number + 1} of {plan.rounds}")
            with sandbox(plan.issued) as place:
                files.append(seconds(place, place.role(store="file:secrets")))
            with sandbox(plan.issued) as place:
                place.environment.update(VAULT_ADDR=bao.url, VAULT_TOKEN=openbao.ROOT_TOKEN)
                vault.append(seconds(place, place.role(store=f"hashi_vault:{openbao.MOUNT}/round-{number}")))
    table(
        f"9. First issue of {plan.issued} projects × 3 tokens",
        [
            _line("into a directory of files", files),
            _line("into OpenBao", vault),
            _ratio("OpenBao / files", OPENBAO, _median(vault) / _median(files)),
        ],
    )


def collection(plan: Plan) -> None:
    """What `make unit` takes before the first test runs: every process of pytest imports and collects all tests."""
    processor = []
    for number in range(plan.rounds):
        progress(f"10. collecting the unit tests, round {number + 1} of {plan.rounds}")
        pytest = [sys.executable, "-m", "pytest", "--numprocesses=auto", "--maxprocesses=4", "tests/unit"]
        processor.append(processor_seconds([*pytest, "-k", "no_test_has_this_name"], NO_TESTS))
    took = _median(processor)
    table("10. Collecting the unit tests", [COLLECTION.measured("processor time", took, f"{took:.1f} s")])


def inventory(plan: Plan) -> None:
    """The inventory plugin: a request for each project, or one for a thousand of them, or none."""
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "cache"}
    kinds: tuple[tuple[str, dict[str, t.Any]], ...] = (
        ("with repositories", {}),
        ("without", {"repositories": False}),
        ("each repository a host", {"host_for_each": "repository"}),
        ("from the cache", cache),
    )
    lines = []
    with sandbox(plan.listed, repositories=3) as place:
        seconds(place, place.listing(**cache))  # fills it
        for what, options in kinds:
            progress(f"5. {plan.listed:,} projects, {what}")
            runs = [memory(place, place.listing(**options)) for _round in range(plan.rounds)]
            took, peak = statistics.median(took for took, _peaks in runs), max(peaks.worst for _took, peaks in runs)
            lines.append(Line(what, f"{took:.2f} s, {_mib(peak)}"))
    table(f"5. ansible-inventory, {plan.listed:,} projects × 3 repositories, {CONCURRENCY} at a time", lines)


def hosts(plan: Plan) -> None:
    """The role on a host for each project, against the same projects in one run on localhost; nothing to do."""
    lines = []
    with sandbox(plan.hosts) as place:
        place.provisioned()
        runs = [memory(place, place.role()) for _round in range(plan.rounds)]
        took, peaks = statistics.median(took for took, _peaks in runs), runs[0][1]
        lines.append(Line("localhost", f"{took:.1f} s; {_kinds(peaks)}"))
        for forks in plan.forks:
            progress(f"6. {plan.hosts} hosts, {forks} forks")
            took, peaks = memory(place, place.role_on_hosts(plan.hosts, forks))
            lines.append(
                Line(f"hosts, {forks} forks", f"{took:.1f} s, {took / plan.hosts:.2f} s each; {_kinds(peaks)}")
            )
        _unchanged(place)
    table(f"6. {plan.hosts} projects × 3 tokens, nothing to do, a host for each", lines)


def audit(plan: Plan) -> None:
    """Every owner of an instance, read and judged, with all files written."""
    size, runs = plan.audited, []
    with sandbox(size) as place:
        place.peopled()
        for number in range(plan.rounds):
            progress(f"7. audit, round {number + 1} of {plan.rounds}")
            runs.append(memory(place, place.audit()))
        report = place.directory / "audit" / "audit.html"
        written = report.stat().st_size
    peaks = Peaks()
    for _took, seen in runs:
        peaks.merge(seen)
    took = statistics.median(took for took, _peaks in runs)
    table(
        f"7. Audit of {size:,} projects × 3 repositories, {5 * size:,} tokens, {CONCURRENCY} at a time",
        [
            Line("audit", f"{took:.1f} s, {1000 * took / (4 * size):.2f} ms for each owner; {_kinds(peaks)}"),
            Line("most memory of any process", _mib(peaks.worst), "≤ 350 MiB", peaks.worst <= 350 * MIB),
            Line("audit.html", _mib(written)),
        ],
    )


def _unchanged(place: Sandbox) -> None:
    """What was measured as doing nothing must have done nothing."""
    state = place.simulation.control("GET", "state")["counts"]
    if state["tokens"] != 3 * place.projects or state["revoked"]:
        raise CommandError(f"something was issued or revoked where nothing was to do: {state}")


def _line(what: str, samples: Sequence[float]) -> Line:
    return Line(what, f"{statistics.median(samples):.2f} s")


def _median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def _ratio(what: str, goal: Goal, value: float) -> Line:
    return goal.measured(what, value, f"{value:.2f} ×")


def _both(time: float, processor: float) -> str:
    return f"{time:.2f} s, {processor:.2f} s of processor time"


def _mib(size: int) -> str:
    return f"{size / MIB:.0f} MiB"


def _kinds(peaks: Peaks) -> str:
    return ", ".join(f"{kind} {size / MIB:.0f}" for kind, size in sorted(peaks.by_kind.items())) + " MiB"


def _pages(projects: int) -> int:
    """What the glob needs: the simulator gives at most 1,000 a page."""
    return -(-projects // 1000)


def _expected(projects: int) -> str:
    return f"{projects:,} + {_pages(projects)}"


def _exact(requests: Sequence[tuple[int, int]], projects: int) -> bool:
    return all(ours == projects + _pages(projects) for ours, _bare in requests)


def _counted(requests: Sequence[tuple[int, int]], side: int) -> str:
    return ", ".join(sorted({f"{pair[side]:,}" for pair in requests}))
