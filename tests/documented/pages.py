"""Which pages there are, and what each assumes: the hidden preambles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.documented.blocks import Block, blocks_of
from tests.documented.stage import ROOT, Stage, copy_checkout

Preamble = Callable[[Stage], None]
#: What is printed for people, by glob.
PAGES = ("README.md",)
_PREAMBLES: dict[str, Preamble] = {}


def pages() -> dict[str, list[Block]]:
    """Every page that prints a block, by its path."""
    files = sorted(path for pattern in PAGES for path in ROOT.glob(pattern))
    found = {path.relative_to(ROOT).as_posix(): blocks_of(Path(path), ROOT) for path in files}
    return {page: blocks for page, blocks in found.items() if blocks}


def prepare(page: str, stage: Stage) -> None:
    """Make what a page assumes. Tasks without a command line sign in as the user of the examples."""
    _PREAMBLES.get(page, _assume_nothing)(stage)


def _assume_nothing(stage: Stage) -> None:
    """The company alone."""
    stage.variables["bitbucket_password"] = stage.passwords["automation"]


def _page(*names: str) -> Callable[[Preamble], Preamble]:
    def register(preamble: Preamble) -> Preamble:
        _PREAMBLES.update(dict.fromkeys(names, preamble))
        return preamble

    return register


@_page("README.md")
def _readme(stage: Stage) -> None:
    """A checkout with the built artifact and no collection installed yet, a log with a leaked secret, two hosts."""
    stage.environment["ANSIBLE_COLLECTIONS_PATH"] = str(stage.place / "collections")
    copy_checkout(stage, ".cache/dist")
    stage.leak(stage.home / "build.log", "projects/SHOP")
    stage.hosts("build1", "build2")
