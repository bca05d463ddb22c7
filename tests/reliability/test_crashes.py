"""The crash matrix: the role is killed at every point where the world can differ, and nothing is lost.

Points are before and after each HTTP write, held by the simulator, and before and after each step of the store's
write, held by tests/reliability/shim. Which steps those are is asserted as well: a write in one step would have fewer
points, and might survive them all. The killed run and the one after it are real processes; those after the settle
time and the grace run the same code in this process, but for one point of each case. So does the one after the kill
where a step comes by once for every owner, at all owners between the first and the last: their points differ in how
many owners are done, and starting Ansible twice for each would be most of what the matrix costs.
"""

from __future__ import annotations

import itertools
import re
import signal
import typing as t
from pathlib import Path

import pytest

from tests.promises import FULL
from tests.reliability.sandbox import Sandbox, sandbox
from tests.unit.plugins.plugin_utils.harness import tree

CASES = [
    (kind, owners, phase, grace)
    for kind, owners, phase, grace in itertools.product(
        ("file", "ansible_vault"), (1, 20), ("first", "rotation", "renamed", "retirement"), (0, 2)
    )
    # Without a grace, retirement is part of the rotation.
    if (phase, grace) != ("retirement", 0)
]

NEVER_REACHED = "never reached"
#: How often a point is tried that a run did not come by, and which part of them may stay untried after that.
ATTEMPTS = 3
MOST_MISSED = 0.2 if FULL else 0
LOCKED = ["open-lock", "lock-lock"]
#: The new file is whole and on the disk before it gets the name, and the name is on the disk before the write is over.
REPLACED = ["open-tmp", "fsync-tmp", "rename-tmp", "open-directory", "fsync-directory"]
#: So is each folder that a new owner needs.
MADE = ["make-directory", "open-directory", "fsync-directory"]

# What make test tries: for each phase and grace one point with either store and either number of owners, or none.
SAMPLE = {
    ("first", 0): ["after PUT", "", "", "after lock-lock"],
    ("first", 2): ["", "after rename-tmp", "after open-tmp", ""],
    ("rotation", 0): ["", "before DELETE", "before rename-tmp", ""],
    ("rotation", 2): ["after PUT", "", "", "after fsync-directory"],
    ("renamed", 0): ["after POST", "", "", "before POST"],
    ("renamed", 2): ["", "before POST", "after POST", ""],
    ("retirement", 2): ["before DELETE", "", "", "after DELETE"],
}


def prepare(place: Sandbox, phase: str) -> None:
    if phase == "rotation":
        place.plant(stored=True, created_days_ago=8, expires_in_days=2, last_used_days_ago=1)
    if phase == "renamed":
        # Gets its name back before it is replaced, and one that may do more than is declared loses that afterwards.
        place.plant(stored=False, created_days_ago=9, expires_in_days=1, last_used_days_ago=4)
        for token in place.tokens():
            token.permissions = ("REPO_ADMIN",)
        place.plant(stored=True, created_days_ago=8, expires_in_days=2, last_used_days_ago=1)
        for token in place.tokens():
            token.name = "renamed" if token.permissions == ("REPO_READ",) else token.name
    if phase == "retirement":
        place.plant(stored=False, created_days_ago=9, expires_in_days=1, last_used_days_ago=4)
        place.plant(stored=True, created_days_ago=3, expires_in_days=7, last_used_days_ago=1)


def required(owners: int, phase: str, grace: int) -> dict[str, int]:
    """The HTTP writes that there must be."""
    issues = phase != "retirement"
    revokes = phase == "retirement" or (issues and phase != "first" and not grace)
    updates = 2 * (phase == "renamed")
    wanted = {"PUT": owners * issues, "POST": owners * updates, "DELETE": owners * revokes}
    return {method: number for method, number in wanted.items() if number}


def torn(taken: list[str], kind: str, owners: int, phase: str) -> str:
    """What is wrong with the steps of the store: nothing else is done than whole writes, each under the lock.

    How many secrets share a lock, or with `ansible_vault` a file, depends on how fast they were issued.
    """
    locked, replaced = " ".join([*LOCKED, ""]), " ".join([*REPLACED, ""])
    # The folder that all owners share is the first one's to make.
    folders = f"(?:{' '.join([*MADE, ''])}){{{2 * (phase == 'first')},{3 * (phase == 'first')}}}"
    written = f"(?:{folders}{replaced})+" if kind == "file" else replaced
    # The store is locked for the first time to clear away what a killed run left.
    steps = f"{locked}unlock-lock (?:{locked}{written}unlock-lock )*"
    text = "".join(f"{step} " for step in taken)
    if not re.fullmatch(steps, text):
        return f"steps that a crash can tear: {text}"
    writes = taken.count("rename-tmp")
    fits = writes == owners if kind == "file" else 1 <= writes <= owners
    return "" if fits or phase == "retirement" else f"{writes} writes of {owners} secrets"


def all_points(directory: Path, kind: str, owners: int, phase: str, grace: int) -> list[str]:
    """From one run that nobody disturbs, which takes the steps that are required and no others."""
    log = directory / "points"
    with sandbox(directory / "undisturbed", kind, owners, grace) as place:
        prepare(place, phase)
        status, said = place.role().run(RELIABILITY_STORE=str(place.store_place), RELIABILITY_LOG=str(log))
        assert status == 0, said
        counts = place.sim.requests.counts()
    steps = log.read_text(encoding="utf-8").split("\n")[:-1]
    taken = [point.split()[1] for point in steps if point.startswith("after ")]
    assert not torn(taken, kind, owners, phase)
    assert {method: number for method, number in counts.items() if method != "GET"} == required(owners, phase, grace)
    http = [
        f"{when} {method} {number}"
        for method in ("PUT", "POST", "DELETE")
        for number in range(1, counts.get(method, 0) + 1)
        for when in ("before", "after")
    ]
    return http + steps


def sampled(case: tuple[str, int, str, int]) -> list[str]:
    """One point for every case, or none; where a point comes by once for every owner, the last one's."""
    kind, owners, phase, grace = case
    alike = [other for other in CASES if other[2:] == (phase, grace)]
    point = SAMPLE[phase, grace][alike.index(case)]
    if not point:
        return []
    each = point.split()[1].isupper() or (kind == "file" and point.endswith(("-tmp", "-directory")))
    return [f"{point} {owners if each else 1}"]


#: A long list of points is divided, so that several processes can share it.
SLICES = [
    pytest.param(case, part, slices, id="-".join(map(str, (*case, part))))
    for case in CASES
    for slices in [{1: 2, 20: 8}[case[1]] if FULL else 1]
    for part in range(slices)
    if FULL or sampled(case)
]


def crash(place: Sandbox, point: str) -> bool:
    """Kill the role there; ``False`` where it never came by."""
    when, step, number = point.split()
    role, sim = place.role(), place.sim
    if not step.isupper():
        flag = place.place / "flag"
        told = {"STORE": str(place.store_place), "STOP": point, "FLAG": str(flag)}
        return role.kill_when(flag.exists, **{f"RELIABILITY_{name}": value for name, value in told.items()})
    sim.faults.arm("hold", method=step, nth=int(number), when=when)
    try:
        return role.kill_when(lambda: len(sim.holds) > 0)
    finally:
        sim.holds.release(abandon=True)
        sim.faults.clear()


def interrupt(place: Sandbox, point: str, number: int) -> float:
    """Send the role a signal there, and let it go on; the seconds until it had ended, or infinity."""
    when, step, count = point.split()
    role, sim = place.role(), place.sim
    if not step.isupper():
        flag = place.place / "flag"
        told = {"STORE": str(place.store_place), "STOP": point, "FLAG": str(flag)}
        environment = {f"RELIABILITY_{name}": value for name, value in told.items()}
        return role.interrupt_when(flag.exists, flag.unlink, number, **environment)
    sim.faults.arm("hold", method=step, nth=int(count), when=when)
    try:
        return role.interrupt_when(lambda: len(sim.holds) > 0, sim.holds.release, number)
    finally:
        sim.faults.clear()


def between(points: list[str]) -> set[str]:
    """Points of a step that comes by once for every owner, without those of the first and of the last owner."""
    last: dict[str, int] = {}
    for point in points:
        step, _space, number = point.rpartition(" ")
        last[step] = max(last.get(step, 0), int(number))
    return {f"{step} {number}" for step, count in last.items() for number in range(2, count)}


def once_more(place: Sandbox, *, real: bool) -> tuple[str, bool]:
    """Run the role again: what it said where it failed, and whether it calls anything changed."""
    if not real:
        result = place.run()
        return (result["msg"] if result.get("failed") else ""), result["changed"]
    status, said = place.role().run()
    return (said if status else ""), "changed=0 " not in said


def trouble(place: Sandbox, point: str, phase: str, *, real_next: bool, real_last: bool) -> str:
    """What went wrong at this point; nothing where everything that is promised held."""
    if not crash(place, point):
        return NEVER_REACHED
    if dead := place.dead():
        return f"stored and dead after the crash: {dead}"
    if phase != "first" and set(place.stored()) != set(place.references):
        return "the store lost a secret"
    return recovered(place, real_next=real_next, real_last=real_last)


def recovered(place: Sandbox, *, real_next: bool, real_last: bool) -> str:
    """The runs after one that ended early: what went wrong in them."""
    place.sim.clock.advance(minutes=1)
    failure, _changed = once_more(place, real=real_next)
    if failure or place.dead() or set(place.stored()) != set(place.references):
        return f"the next run: dead {place.dead()}, stored {sorted(place.stored())} {failure}"
    place.settle()
    return finished(place, real=real_last) or nothing_to_do(place, real=real_last)


def finished(place: Sandbox, *, real: bool) -> str:
    """One more run, after which exactly what is declared lives, each with its secret stored."""
    failure, _changed = once_more(place, real=real)
    if failure or place.dead() or place.strays():
        return f"after the settle time: dead {place.dead()}, strays {place.strays()} {failure}"
    left = [str(path) for path in place.store_place.rglob("*") if path.name.endswith(".tmp")]
    return f"temporary files are left: {left}" if left else ""


def nothing_to_do(place: Sandbox, *, real: bool) -> str:
    """The run after that one: it changes nothing, writes nothing, and says so."""
    before = tree(place.store_place)
    place.sim.requests.clear()
    failure, changed = once_more(place, real=real)
    writes = {method for method in place.sim.requests.counts() if method != "GET"}
    if failure or changed or writes or tree(place.store_place) != before:
        return f"a run with nothing to do: changed {changed}, wrote {writes or 'the store'} {failure}"
    return ""


def half_done(points: list[str]) -> str:
    """Where a run was killed with its work half done."""
    return next((point for point in points if point.startswith(("after rename-tmp", "after DELETE"))), points[0])


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_a_store_is_written_in_steps_that_a_crash_cannot_tear(tmp_path: Path, kind: str) -> None:
    """The sample below takes its points for granted, so this asserts them."""
    assert "after unlock-lock 2" in all_points(tmp_path, kind, 2, "rotation", 0)


@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_the_rule_for_steps_can_fail(kind: str) -> None:
    """A write without its lock, without a step, or with one too many."""
    whole = [*LOCKED, "unlock-lock", *LOCKED, *REPLACED, "unlock-lock"]
    assert not torn(whole, kind, 1, "rotation")
    for number in range(len(whole)):
        assert torn(whole[:number] + whole[number + 1 :], kind, 1, "rotation")
        assert torn([*whole[:number], "write-file", *whole[number:]], kind, 1, "rotation")


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(("case", "part", "slices"), SLICES)
def test_killed_anywhere_nothing_is_lost(
    tmp_path: Path, case: tuple[str, int, str, int], part: int, slices: int, record_property: t.Any
) -> None:
    kind, owners, phase, grace = case
    every = all_points(tmp_path, *case) if FULL else sampled(case)
    points, alike, problems = every[part::slices], between(every) if FULL else set(), {}
    real_last = half_done(points) if FULL and part == 0 else ""
    for index, point in enumerate(points):
        problem = NEVER_REACHED
        for attempt in range(ATTEMPTS):
            with sandbox(tmp_path / f"{index}-{attempt}", kind, owners, grace) as place:
                prepare(place, phase)
                problem = trouble(place, point, phase, real_next=point not in alike, real_last=point == real_last)
            if problem != NEVER_REACHED:
                break
        if problem:
            problems[point] = problem
    missed = [point for point, problem in problems.items() if problem == NEVER_REACHED]
    record_property("crash points: tried", len(points) - len(missed))
    record_property("crash points: survived", len(points) - len(problems))
    record_property("crash points: not reached", len(missed))
    # How many secrets share a write depends on the time that each takes, so the last writes need not come.
    assert len(missed) <= len(points) * MOST_MISSED
    wrong = {point: problem for point, problem in problems.items() if problem != NEVER_REACHED}
    assert not wrong, "\n".join(f"{point}: {problem}" for point, problem in wrong.items())


#: A canceled run has ended after this many seconds, Ansible's own part included.
ENDED = 6.0
SIGNALS = [signal.SIGTERM, signal.SIGINT]
#: What make test tries of them.
SIGNALED = {
    ("file", 1, "first", 2): ["after PUT 1"],
    ("file", 20, "rotation", 0): ["before PUT 9", "before DELETE 3"],
    ("ansible_vault", 20, "first", 2): ["after fsync-tmp 1"],
}


def few(points: list[str]) -> list[str]:
    """Of each step the first, one in the middle and the last."""
    by_step: dict[str, list[str]] = {}
    for point in points:
        by_step.setdefault(point.rpartition(" ")[0], []).append(point)
    return [point for each in by_step.values() for point in dict.fromkeys((each[0], each[len(each) // 2], each[-1]))]


def interrupted(place: Sandbox, point: str, phase: str, number: int) -> str:
    """What went wrong; nothing if all that was issued was delivered, and the next runs finish the work."""
    planted = {token.id for token in place.tokens()}
    seconds = interrupt(place, point, number)
    if seconds > ENDED:
        return f"ended after {seconds:.1f} seconds"
    if dead := place.dead():
        return f"stored and dead: {dead}"
    stored = set(place.store().read(place.references).values())
    if lost := {token.id for token in place.tokens()} - planted - stored:
        return f"issued and not delivered: {sorted(lost)}"
    return recovered(place, real_next=False, real_last=False)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("case", CASES if FULL else SIGNALED, ids=lambda case: "-".join(map(str, case)))
def test_a_run_that_gets_a_signal_delivers_what_it_issued(
    tmp_path: Path, case: tuple[str, int, str, int], number: signal.Signals, record_property: t.Any
) -> None:
    kind, owners, phase, grace = case
    points, problems = few(all_points(tmp_path, *case)) if FULL else SIGNALED[case], {}
    for index, point in enumerate(points):
        with sandbox(tmp_path / str(index), kind, owners, grace) as place:
            prepare(place, phase)
            problem = interrupted(place, point, phase, number)
        if problem:
            problems[point] = problem
    record_property("signals: sent", len(points))
    record_property("signals: survived", len(points) - len(problems))
    assert not problems, "\n".join(f"{point}: {problem}" for point, problem in problems.items())
