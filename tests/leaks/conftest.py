"""The same switch and the same collection as the reliability tests, and the ansible-cores to try them on."""

from __future__ import annotations

import sys
import tempfile
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.leaks.cores import CORES, NO_INTERPRETER
from tests.promises import FULL
from tests.reliability.conftest import built

__all__ = ["built", "programs", "tmp_path"]

MINE = "the one in .venv"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Shorter than pytest's own: ansible-core 2.21 puts a socket below it, whose path may have 108 characters."""
    with tempfile.TemporaryDirectory(prefix="leaks-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.fixture(params=[core.name for core in CORES] if FULL else [MINE])
def programs(request: t.Any) -> Path:
    """Where the programs of one ansible-core are."""
    for core in CORES:
        if core.name == request.param:
            if not (core.programs / "ansible-playbook").exists():
                missing = core.excuse.read_text(encoding="utf-8") if core.excuse.exists() else "run make test-leaks"
                if NO_INTERPRETER in missing:
                    pytest.skip(missing)
                pytest.fail(f"no ansible-core {core.name}: {missing}")
            return core.programs
    return Path(sys.executable).parent
