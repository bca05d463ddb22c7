"""The role as a user runs it: ansible-playbook, a process with children, and the means to end all of it at once."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import typing as t
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHIM = Path(__file__).resolve().parent / "shim"
MARK = "RELIABILITY_RUN"
PATIENCE = 180.0


@dataclass
class Role:
    """``ansible-playbook tokensmith.bitbucket.provision`` with variables; output goes to files in ``place``."""

    place: Path
    variables: dict[str, t.Any]
    environment: dict[str, str]
    options: tuple[str, ...] = ()
    #: Where the programs of Ansible are.
    programs: Path = Path(sys.executable).parent
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def start(self, **more: str) -> subprocess.Popen[str]:
        program = self.programs / "ansible-playbook"
        command = [str(program), "tokensmith.bitbucket.provision", "-e", json.dumps(self.variables), *self.options]
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "BITBUCKET_"))}
        environment = {
            **clean,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
            "ANSIBLE_CONFIG": str(ROOT / "tests" / "ansible.cfg"),
            "ANSIBLE_HOME": str(ROOT / ".cache" / "home" / ".ansible"),
            # A killed run cannot tidy up.
            "ANSIBLE_LOCAL_TEMP": str(self.place / "local"),
            "ANSIBLE_REMOTE_TMP": str(self.place / "remote"),
            MARK: self.mark,
            **self.environment,
            **more,
        }
        with self.output.open("w", encoding="utf-8") as output:
            return subprocess.Popen(
                command,
                cwd=self.place,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
            )

    def run(self, **more: str) -> tuple[int, str]:
        """To its end: the status, and what it said."""
        process = self.start(**more)
        try:
            return process.wait(PATIENCE), self.said
        finally:
            self.kill(process)

    def kill(self, process: subprocess.Popen[str]) -> None:
        """SIGKILL for the process group, and for those that Ansible has put into sessions of their own."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        while found := list(self._processes()):
            for number in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            time.sleep(0.005)
        process.wait()

    def kill_when(self, reached: Callable[[], bool], **more: str) -> bool:
        """Start, and kill as soon as the point is reached; ``False`` where the run ended without getting there."""
        process = self.start(**more)
        try:
            self._wait(lambda: reached() or process.poll() is not None)
            return reached()
        finally:
            self.kill(process)

    def interrupt_when(
        self, reached: Callable[[], bool], resume: Callable[[], object], number: int, **more: str
    ) -> float:
        """Start, send a signal as soon as the point is reached, and let the run go on from there.

        SIGINT goes to the process group, as from a terminal; another signal to the process alone.

        :returns: the seconds until every process had ended; infinity if the point was never reached.
        """
        process = self.start(**more)
        try:
            if not self._wait(lambda: reached() or process.poll() is not None) or not reached():
                return float("inf")
            began = time.monotonic()
            if number == signal.SIGINT:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            # The signal reaches the worker through Ansible's own process.
            time.sleep(0.5)
            resume()
            self._wait(lambda: process.poll() is not None and not list(self._processes()), 30)
            return time.monotonic() - began
        finally:
            self.kill(process)

    @staticmethod
    def _wait(reached: Callable[[], bool], patience: float = PATIENCE) -> bool:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if reached():
                return True
            time.sleep(0.01)
        return False

    @property
    def output(self) -> Path:
        return self.place / f"output-{self.mark}"

    @property
    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def _processes(self) -> Iterator[int]:
        """Whatever carries this run's mark in its environment, and so was started by it."""
        wanted = f"{MARK}={self.mark}".encode()
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError):
                    if wanted in (folder / "environ").read_bytes():
                        yield int(folder.name)
