"""Types commands as a reader does: in bash, on a terminal, and answers what asks for a password."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.demo.signals import deferred

LONGEST_COMMAND = 180
END_SECONDS = 10
#: Seconds without output after which a silent ``read -s`` is answered.
_QUIET = 0.3
_ECHO = 3
#: The state of the shell after each command, so that ``export`` and ``cd`` reach the next one.
_SCRIPT = """\
exec <{terminal} >{terminal} 2>&1
trap '{{ export -p; printf "cd %q\\n" "$PWD"; }} >{state}' EXIT
if [[ -e {state} ]]; then . {state}; fi
{command}
"""


@dataclass(frozen=True)
class Finished:
    """How a command ended, and what the terminal showed. Status 124: it did not end."""

    status: int
    output: str


@dataclass
class Terminal:
    """A shell in one directory. ``answers`` are regular expressions for prompts, and what is typed then. A ``read -s``
    shows no prompt: there they are for the command, and the empty one is for any other.
    """

    directory: Path
    environment: Mapping[str, str]
    answers: Mapping[str, str] = field(default_factory=dict)
    state: Path = field(init=False)

    def __post_init__(self) -> None:
        self.state = self.directory.parent / f"{self.directory.name}.shell"

    def run(self, command: str) -> Finished:
        """Run one command to its end."""
        bash = shutil.which("bash")
        assert bash is not None
        master, slave = pty.openpty()
        with contextlib.ExitStack() as stack:
            stack.callback(os.close, master)
            # A session leader gets the first terminal that it opens: so the shell opens it itself.
            terminal, state = shlex.quote(os.ttyname(slave)), shlex.quote(str(self.state))
            script = _SCRIPT.format(terminal=terminal, state=state, command=command)
            stack.callback(os.close, slave)
            with deferred():
                process = subprocess.Popen(
                    [bash, "--norc", "-c", script],
                    cwd=self.directory,
                    env=dict(self.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                stack.callback(_end, process)
            return _Session(process, master, slave, command, self.answers).watch()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a command: gently first, so that ansible ends the workers that it has detached."""
    with deferred():
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)


@dataclass
class _Session:
    process: subprocess.Popen[bytes]
    master: int
    slave: int
    command: str
    answers: Mapping[str, str]
    shown: bytearray = field(default_factory=bytearray)
    #: How much had been shown at the last answer; none was given yet: -1.
    answered: int = -1
    last: float = field(default_factory=time.monotonic)

    def watch(self) -> Finished:
        deadline = time.monotonic() + LONGEST_COMMAND
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                return Finished(124, f"{self._text()}\nstill running after {LONGEST_COMMAND} seconds")
            self._read(0.05)
            if not termios.tcgetattr(self.slave)[_ECHO] & termios.ECHO:
                self._answer()
        while self._read(0):
            pass
        return Finished(self.process.returncode, self._text())

    def _read(self, patience: float) -> bool:
        if not select.select([self.master], [], [], patience)[0]:
            return False
        self.shown += os.read(self.master, 65536)
        self.last = time.monotonic()
        return True

    def _answer(self) -> None:
        fresh = self.shown[max(self.answered, 0) :].decode(errors="replace").strip()
        silent = self.answered < 0 and time.monotonic() - self.last > _QUIET
        asked = self.command if silent else fresh
        for prompt in sorted(self.answers, reverse=True):
            if (prompt and re.search(prompt, asked)) or (silent and not prompt):
                self.answered = len(self.shown)
                os.write(self.master, f"{self.answers[prompt]}\n".encode())
                return

    def _text(self) -> str:
        return self.shown.decode(errors="replace").replace("\r\n", "\n")
