"""Runs at once: sixteen hosts at forks=16, and three processes on the same owners, watched all the time."""

from __future__ import annotations

import collections
import contextlib
import itertools
import subprocess
import threading
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.promises import FULL
from tests.reliability.role import PATIENCE
from tests.reliability.sandbox import Sandbox, sandbox
from tests.simulator import Token

EVERY = 0.05
# A look takes milliseconds, and tenths of a second where the machine is busy. Who looks less often than this misses
# what is stored and dead for a moment.
FEWEST, LONGEST = 50, 5.0
OWNERS = 16
WAYS = itertools.product(("sixteen hosts", "three processes"), ("file", "ansible_vault"), (0, 2))
SAMPLE = [
    ("sixteen hosts", "file", 2),
    ("three processes", "ansible_vault", 0),
]


@dataclass
class Watch:
    """Authenticates with every stored secret, again and again."""

    place: Sandbox
    looks: int = 0
    dead: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    longest: float = 0.0
    revoked: int = 0

    def look(self) -> None:
        # Read first, then ask: what was replaced in between may die by right where there is no grace.
        held = self.place.stored()
        self.seen.update(held.values())
        wrong = [reference for reference, secret in held.items() if not self.place.sim.authenticates(secret)]
        if wrong:
            now = self.place.stored()
            self.dead += [reference for reference in wrong if now.get(reference) == held[reference]]
        self.looks += 1

    def witness(self, revoke: t.Callable[..., None]) -> t.Callable[..., None]:
        """``revoke`` of the simulator, that first looks whether the store holds what is to die: between two looks
        nothing can die and be replaced unseen.
        """

        def seen(token: Token, now: int) -> None:
            held = self.place.store().read(self.place.references)
            self.dead += [reference for reference, token_id in held.items() if token_id == token.id]
            self.revoked += 1
            revoke(token, now)

        return seen

    @contextlib.contextmanager
    def running(self) -> Iterator[Watch]:
        done = threading.Event()

        def watch() -> None:
            last = time.monotonic()
            while not done.wait(EVERY):
                self.look()
                self.longest = max(self.longest, time.monotonic() - last)
                last = time.monotonic()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield self
        finally:
            done.set()
            thread.join()


def meet(place: Sandbox, processes: list[subprocess.Popen[str]]) -> None:
    """Hold all creates until every run is at the same owner: each has looked by then, and none has written.

    So they do collide, however far apart they have started.
    """
    sim, deadline = place.sim, time.monotonic() + PATIENCE / 3
    sim.faults.arm("hold", method="PUT", times=None)
    end = time.monotonic() + PATIENCE
    while any(process.poll() is None for process in processes):
        assert time.monotonic() < end, "the runs do not come to an end"
        held = collections.Counter(hold["path"] for hold in sim.holds.as_list())
        if len(processes) in held.values() or time.monotonic() > deadline:
            sim.faults.clear()
        # Again and again: one that is on its way to be held arrives after all others were let go.
        if not list(sim.faults):
            sim.holds.release()
        time.sleep(EVERY)


def together(place: Sandbox, number: int, hosts: list[str] | None) -> list[str]:
    """So many processes at once; what those said that failed."""
    more: dict[str, t.Any] = {}
    if hosts:
        more = {"projects": ["{{ inventory_hostname }}"], "hosts": "all"}
    roles = [place.role(**more) for _number in range(number)]
    for role in roles:
        if hosts:
            local = "{{ ansible_playbook_python }}"
            role.variables |= {"ansible_connection": "local", "ansible_python_interpreter": local}
            role.options += ("-i", ",".join(hosts) + ",", "--forks", "16")
    processes = [role.start() for role in roles]
    try:
        if number > 1:
            meet(place, processes)
        statuses = [process.wait(PATIENCE) for process in processes]
    finally:
        for role, process in zip(roles, processes, strict=True):
            role.kill(process)
    return [role.said for role, status in zip(roles, statuses, strict=True) if status]


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(("way", "kind", "grace"), list(WAYS) if FULL else SAMPLE)
def test_runs_at_once_lose_nothing(tmp_path, kind, grace, way, record_property, monkeypatch):
    with sandbox(tmp_path, kind, OWNERS, grace) as place:
        keys = [owner.rpartition("/")[2] for owner in place.owners]
        hosts, number = (keys, 1) if way == "sixteen hosts" else (None, 3)
        place.sim.clock.unfreeze()
        with Watch(place).running() as watch:
            monkeypatch.setattr(place.sim.model, "revoke", watch.witness(place.sim.model.revoke))
            for phase in (1, 2):
                assert together(place, number, hosts) == []
                assert set(place.stored()) == set(place.references)
                assert place.sim.requests.counts()["PUT"] == phase * number * OWNERS, "all issued for every owner"
                # What the store did not take was revoked at once; what it held before lives on for the grace.
                assert len(place.tokens()) == (phase if grace else 1) * OWNERS
                place.sim.clock.advance(days=7, hours=1)
            assert together(place, number, hosts) == []
        for _run in range(2):
            place.settle()
            assert not place.run().get("failed")
        assert (watch.dead, place.dead(), place.strays()) == ([], [], [])
        assert (watch.looks >= FEWEST, watch.revoked >= OWNERS) == (True, True)
        assert watch.longest < LONGEST
        assert len(watch.seen) >= 2 * OWNERS, "the first secrets, and those that took their place"
        assert len(place.tokens()) == OWNERS
    record_property("runs at once: looks at the store", watch.looks)
    record_property("runs at once: revocations witnessed", watch.revoked)
