"""What must be there before anything starts. It imports nothing that might be missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ansible", "requests", "uvicorn", "yaml")
COLLECTION = ROOT / ".cache" / "collections" / "ansible_collections" / "tokensmith" / "bitbucket"


def missing(target: str, packages: Sequence[str]) -> str | None:
    """What is not there, in one sentence that names the ``make`` target which brings it."""
    for package in (*PACKAGES, *packages):
        if importlib.util.find_spec(package) is None:
            return f"the Python package {package} is missing: run `make {target}`, which installs it into .venv"
    from .playbooks import program

    for name in ("ansible", "ansible-playbook", "ansible-vault"):
        if program(name) is None:
            return f"{name} was not found: run `make {target}`, which installs it into .venv"
    if not (COLLECTION / "MANIFEST.json").exists():
        return f"the collection is not in .cache/collections: run `make {target}`, which builds and installs it"
    return None
