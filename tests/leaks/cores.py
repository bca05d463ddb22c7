"""The ansible-cores that everything is tried on. ``python -m tests.leaks.cores`` builds an environment for each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".cache" / "cores"
#: What the collection and the tests need beside ansible-core.
BESIDE = ("-r", str(ROOT / "requirements.txt"), "-r", str(ROOT / "tests" / "requirements" / "core.txt"))

NO_INTERPRETER = "and none is installed"


class Core(NamedTuple):
    """A version of ansible-core, and the interpreters that it runs on, best first."""

    name: str
    wanted: str
    interpreters: tuple[str, ...]
    #: Whether a release candidate will do.
    early: bool = False

    @property
    def pip(self) -> list[str]:
        """What installs into its environment."""
        return [str(self.programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]

    @property
    def programs(self) -> Path:
        return PLACE / self.name / "bin"

    @property
    def excuse(self) -> Path:
        return PLACE / f"{self.name}.missing"


CORES = (
    Core("2.16", "ansible-core==2.16.*", ("3.11", "3.12", "3.10")),
    Core("2.18", "ansible-core==2.18.*", ("3.12", "3.11", "3.13")),
    Core("2.21", "ansible-core==2.21.*", ("3.12", "3.13", "3.14")),
    Core("2.22", "ansible-core==2.22.*", ("3.13", "3.14"), early=True),
)


def interpreter(versions: tuple[str, ...]) -> str | None:
    """One that runs: version managers leave commands that exist and fail."""
    for version in versions:
        for candidate in (f"python{version}", *_of_pyenv(version)):
            if _says(candidate, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])") == version:
                return candidate
    return None


def _of_pyenv(version: str) -> list[str]:
    root = _says("pyenv", "root")
    return [str(path) for path in sorted(Path(root, "versions").glob(f"{version}.*/bin/python"))] if root else []


def _says(*command: str) -> str:
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def build(core: Core) -> str:
    """Make the environment; what is missing, or nothing."""
    python = interpreter(core.interpreters)
    if python is None:
        return f"ansible-core {core.name} needs Python {' or '.join(core.interpreters)}, {NO_INTERPRETER}"
    shutil.rmtree(core.programs.parent, ignore_errors=True)
    subprocess.run([python, "-m", "venv", str(core.programs.parent)], check=True)
    early = ["--pre"] if core.early else []
    # The candidate alone may be early, not what it brings along.
    for arguments in (["--no-deps", *early, core.wanted], [core.wanted, *BESIDE]):
        done = subprocess.run([*core.pip, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(core.programs.parent)
            return f"pip cannot install {core.wanted}: {(done.stderr.strip() or 'no reason').splitlines()[-1]}"
    return ""


def refresh(core: Core) -> None:
    """A candidate is followed by others; without a network the one that is there will do."""
    subprocess.run([*core.pip, "--upgrade", "--no-deps", "--pre", core.wanted], check=False)


def main() -> int:
    PLACE.mkdir(parents=True, exist_ok=True)
    for core in CORES:
        if (core.programs / "ansible-playbook").exists():
            if core.early:
                refresh(core)
            continue
        print(f"make: ansible-core {core.name} into {core.programs.parent.relative_to(ROOT)} (once)", flush=True)
        missing = build(core)
        core.excuse.write_text(missing, encoding="utf-8")
        if missing:
            print(f"make: {missing}; what would run on it is skipped or fails", file=sys.stderr)
    for core in CORES:
        print(f"make: {_says(str(core.programs / 'ansible'), '--version').partition(chr(10))[0]}".rstrip(": "))
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
