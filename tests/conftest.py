"""Lets tests import the working tree as ansible_collections.tokensmith.bitbucket, under make and in a bare pytest."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / ".cache" / "source"


def lay_source_link() -> None:
    link = SOURCE / "ansible_collections" / "tokensmith" / "bitbucket"
    link.parent.mkdir(parents=True, exist_ok=True)
    # Another worker may be first.
    with contextlib.suppress(FileExistsError):
        link.symlink_to(Path("../../../.."), target_is_directory=True)


lay_source_link()
sys.path.insert(0, str(SOURCE))
