"""Time and memory of one command."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.demo.signals import deferred
from tests.demo.simulation import ROOT, end

from .sandbox import Sandbox

SAMPLE_SECONDS = 0.02
MIB = 1024 * 1024


class CommandError(Exception):
    """A measured command failed."""


@dataclass
class Peaks:
    """The most memory that a process of each kind has had, in bytes."""

    by_kind: dict[str, int] = field(default_factory=dict)

    def note(self, kind: str, size: int) -> None:
        self.by_kind[kind] = max(size, self.by_kind.get(kind, 0))

    def merge(self, other: Peaks) -> None:
        for kind, size in other.by_kind.items():
            self.note(kind, size)

    @property
    def worst(self) -> int:
        return max(self.by_kind.values(), default=0)


def seconds(sandbox: Sandbox, command: Sequence[str]) -> float:
    """Wall time of a command, from its start to its end."""
    return times(sandbox, command)[0]


def times(sandbox: Sandbox, command: Sequence[str]) -> tuple[float, float]:
    """Wall time, and the processor time of the command and all its children."""
    before = _children()
    with _running(sandbox, command) as process:
        started = time.perf_counter()
        process.wait()
        took = time.perf_counter() - started
    return took, _children() - before


def processor_seconds(command: Sequence[str], expected: int = 0) -> float:
    """The processor time of a command in this checkout, and of all its children.

    :raises CommandError: if it does not end with the expected exit code.
    """
    before = _children()
    run = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if run.returncode != expected:
        raise CommandError(f"{run.stdout[-2000:]}{run.stderr[-2000:]}\n{command[0]} ended with {run.returncode}")
    return _children() - before


def _children() -> float:
    """Processor time of the children that have ended. The simulator has not: it runs until its sandbox ends."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory(sandbox: Sandbox, command: Sequence[str]) -> tuple[float, Peaks]:
    """Wall time, with the peaks of all its processes; watching them costs a little time itself."""
    peaks, over = Peaks(), threading.Event()
    with _running(sandbox, command) as process:
        started = time.perf_counter()
        watcher = threading.Thread(target=_watch, args=(process.pid, peaks, over), daemon=True)
        watcher.start()
        process.wait()
        took = time.perf_counter() - started
        over.set()
        watcher.join()
    return took, peaks


@contextlib.contextmanager
def _running(sandbox: Sandbox, command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(tempfile.TemporaryFile())
        with deferred():
            process = subprocess.Popen(
                command,
                cwd=sandbox.directory,
                env=sandbox.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            stack.callback(end, process)
        yield process
        if process.returncode:
            output.seek(0)
            tail = output.read().decode("utf-8", "replace").splitlines()[-20:]
            raise CommandError("\n".join([*tail, f"{command[0]} ended with exit code {process.returncode}"]))


def _watch(pid: int, peaks: Peaks, over: threading.Event) -> None:
    while not over.wait(SAMPLE_SECONDS):
        with contextlib.suppress(psutil.Error, OSError):
            main = psutil.Process(pid)
            peaks.note("ansible", _peak(main))
            for child in main.children(recursive=True):
                with contextlib.suppress(psutil.Error, OSError):
                    kind = _kind(child.cmdline())
                    if kind:
                        peaks.note(kind, _peak(child))


def _kind(arguments: list[str]) -> str:
    if any("AnsiballZ_" in argument for argument in arguments):
        return "module"
    # What is left are shells, for a moment.
    return "worker" if any("ansible-playbook" in argument for argument in arguments) else ""


def _peak(process: psutil.Process) -> int:
    """The kernel's own high-water mark where there is one, so that nothing between two looks is missed."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(process.memory_info().rss)
