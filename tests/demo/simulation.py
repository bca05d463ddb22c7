"""The simulator in a process of its own, and its control endpoints."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import typing as t
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from .signals import deferred

ROOT = Path(__file__).resolve().parents[2]
END_SECONDS = 10


class SimulationError(Exception):
    """The simulator did not start, or did not answer."""


class Simulation:
    """A running simulator: its URL, the passwords of its users, and the control calls."""

    def __init__(self, url: str, passwords: dict[str, str]) -> None:
        self.url = url
        self.passwords = passwords
        # Whatever proxy the user has, the simulator is on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def control(self, method: str, resource: str, body: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/__simulator__/{resource}", data, method=method)
        try:
            with self._opener.open(request, timeout=300) as answer:
                found: dict[str, t.Any] = json.load(answer)
        except OSError as error:
            raise SimulationError(f"the simulator does not answer {method} {resource}: {error}") from None
        return found

    def requests(self) -> int:
        """How many requests it has answered."""
        return int(self.control("GET", "requests?count=1")["count"])

    def alive(self, secret: str) -> bool:
        """Whether a secret would be accepted now; asking is no use of it."""
        return bool(self.control("POST", "authenticate", {"secret": secret})["alive"])


@contextlib.contextmanager
def simulation(directory: Path, *options: str, seed: Path | None = None) -> Iterator[Simulation]:
    """A fresh simulator on a free loopback port while the block runs."""
    credentials, errors = directory / "passwords.json", directory / "simulator.log"
    command = [sys.executable, "-m", "tests.simulator", "--credentials", str(credentials), *options]
    if seed is not None:
        command += ["--seed", str(seed)]
    with errors.open("wb") as log, _child(command, log) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            said = errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise SimulationError(f"the simulator did not start: {said[-1] if said else 'it said nothing'}")
        yield Simulation(url, json.loads(credentials.read_text(encoding="utf-8")))


@contextlib.contextmanager
def _child(command: Sequence[str], log: t.IO[bytes]) -> Iterator[subprocess.Popen[str]]:
    with contextlib.ExitStack() as stack:
        with deferred():
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # A session of its own: Ctrl-C in the terminal is for the caller, who then ends this child.
                start_new_session=True,
            )
            stack.callback(end, process)
        yield process


def end(process: subprocess.Popen[t.Any]) -> None:
    """End a child, gently first, so that it can end its own."""
    with deferred():
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
