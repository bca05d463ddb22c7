"""Ansible's programs, and an environment for them with nothing of the user's settings."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from .simulation import ROOT, Simulation

COLLECTIONS = ROOT / ".cache" / "collections"


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
