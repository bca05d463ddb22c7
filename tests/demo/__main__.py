"""``python -m tests.demo``: ends by itself and leaves nothing running, whatever happens."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .needs import missing
from .signals import Stopped, deferred, listen

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def _workplace() -> Iterator[Path]:
    base = ROOT / ".cache" / "demo"
    with contextlib.ExitStack() as stack:
        with deferred():
            base.mkdir(parents=True, exist_ok=True)
            directory = Path(tempfile.mkdtemp(prefix="run-", dir=base))
            stack.callback(_clear, directory)
        yield directory


def _clear(directory: Path) -> None:
    with deferred():
        shutil.rmtree(directory, ignore_errors=True)
        with contextlib.suppress(OSError):
            directory.parent.rmdir()


def demonstrate() -> None:
    """All of it; imports late, so that a missing package is a sentence."""
    from tests.documented.sandbox import sandbox_in

    from .scenario import Scenario, introduce
    from .show import Screen

    screen = Screen()
    started = time.monotonic()
    screen.title(
        "The first example of README.md, on a simulated Bitbucket Data Center 10.4", "It stays on this machine."
    )
    with _workplace() as directory:
        screen.step("Start the simulator, with a small company in it")
        with sandbox_in(directory) as sandbox:
            introduce(screen, sandbox)
            Scenario(screen, sandbox).tell()
    screen.found("The simulator has ended, and its secrets are deleted")
    screen.end(f"\nAll of it as promised, in {time.monotonic() - started:.0f} s.")


def main() -> int:
    lack = missing("demo", ["rich"])
    if lack:
        print(f"demo: {lack}", file=sys.stderr)
        return 2
    from .commands import CommandError
    from .readme import ReadmeError
    from .scenario import ExpectationError

    listen()
    try:
        demonstrate()
    except CommandError as error:
        print(f"{_tail(error.output)}\ndemo: failed: {error}", file=sys.stderr)
        return 1
    except (ExpectationError, ReadmeError) as error:
        print(f"demo: failed: {error}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        print("\ndemo: stopped; nothing is left running", file=sys.stderr)
        return 128 + stopped.number
    return 0


def _tail(output: str) -> str:
    return "\n".join(output.rstrip().splitlines()[-30:])


if __name__ == "__main__":
    sys.exit(main())
