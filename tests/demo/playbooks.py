"""Ansible's commands as a user types them, run in a directory of their own with nothing of the user's settings."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .signals import deferred
from .simulation import ROOT, Simulation, end

COLLECTIONS = ROOT / ".cache" / "collections"
LONGEST_RUN = 120
_RECAP = re.compile(r"^localhost\s+: ok=\d+\s+changed=(\d+)", re.MULTILINE)
_SECRET = re.compile(r"BBDC-[A-Za-z0-9+/=_-]*")
_BITBUCKET = ("BITBUCKET_USERNAME", "BITBUCKET_PASSWORD")


class PlaybookError(Exception):
    """A command failed. ``output`` is what it printed."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True)
class Finished:
    """What a command printed, and how long it took."""

    output: str
    seconds: float

    @property
    def changed(self) -> int:
        """``changed`` of the play's recap."""
        found = _RECAP.search(self.output)
        if found is None:
            raise PlaybookError("The playbook printed no recap.", self.output)
        return int(found[1])


def program(name: str) -> str | None:
    """A command of Ansible: the one beside this interpreter, else the first on the PATH."""
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)


def environment(simulation: Simulation, user: str, directory: Path) -> dict[str, str]:
    """Credentials go through the environment; nothing of the user's own Ansible gets in, nothing is left at home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "BITBUCKET_"))}
    return {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_CONFIG": str(ROOT / "tests" / "ansible.cfg"),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "ANSIBLE_REMOTE_TMP": str(directory / "ansible" / "tmp"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "BITBUCKET_URL": simulation.url,
        "BITBUCKET_USERNAME": user,
        "BITBUCKET_PASSWORD": simulation.passwords[user],
        # Ansible wants UTF-8, by a locale that is there on a bare machine too.
        "LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8",
        "no_proxy": "127.0.0.1,localhost",
        "NO_PROXY": "127.0.0.1,localhost",
    }


class Shell:
    """Runs command lines in ``directory``; what they print is kept, not shown."""

    def __init__(self, directory: Path, env: Mapping[str, str]) -> None:
        self.directory = directory
        self.printed: list[str] = []
        self._env = dict(env)

    def without_credentials(self) -> Shell:
        """The same for commands that must do with what they find in a store."""
        other = Shell(self.directory, {name: value for name, value in self._env.items() if name not in _BITBUCKET})
        other.printed = self.printed
        return other

    def run(self, line: str, remember: bool = True) -> Finished:
        """Run one command line to its end.

        :param remember: whether what it prints counts as shown to somebody.
        :raises PlaybookError: where it failed.
        """
        name, *arguments = shlex.split(line)
        executable = program(name)
        if executable is None:
            raise PlaybookError(f"{name} was not found.")
        started = time.monotonic()
        with _process([executable, *arguments], self.directory, self._env) as process:
            try:
                output, _nothing = process.communicate(timeout=LONGEST_RUN)
            except subprocess.TimeoutExpired:
                raise PlaybookError(f"`{line}` was still running after {LONGEST_RUN} seconds.") from None
        if remember:
            self.printed.append(output)
        if process.returncode:
            raise PlaybookError(f"`{line}` ended with exit code {process.returncode}.", self._clean(output))
        return Finished(output, time.monotonic() - started)

    def _clean(self, output: str) -> str:
        """What may be shown: should a secret have got in, it ends here."""
        password = self._env.get("BITBUCKET_PASSWORD") or "BBDC-"
        return _SECRET.sub("[secret]", output).replace(password, "[secret]")


@contextlib.contextmanager
def _process(command: list[str], directory: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, and with it the workers that it has detached."""
    with contextlib.ExitStack() as stack:
        with deferred():
            process = subprocess.Popen(
                command,
                cwd=directory,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
            stack.callback(end, process)
        yield process
