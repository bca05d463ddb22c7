"""Every page does what it prints, as printed."""

from __future__ import annotations

import pytest

from tests.documented import results
from tests.documented.page import follow, kind, size
from tests.documented.pages import pages, prepare
from tests.documented.sandbox import ROOT, sandbox

FOUND = pages()
BUILT = ROOT / ".cache" / "collections" / "ansible_collections" / "tokensmith" / "bitbucket" / "MANIFEST.json"


@pytest.mark.skipif(not BUILT.exists(), reason="the collection is not built: make build")
@pytest.mark.parametrize("page", FOUND)
def test_a_page_does_what_it_prints(page, record_property):
    with sandbox() as place:
        prepare(page, place)
        outcome = follow(FOUND[page], place)
        results.check(page, place)
    assert outcome.run + outcome.not_run.total() == sum(map(size, FOUND[page]))
    record_property("documented commands: run", outcome.run)
    for reason, number in outcome.not_run.items():
        record_property(f"documented commands: not run ({reason})", number)


@pytest.mark.parametrize("page", FOUND)
def test_every_block_is_run_or_says_why_not(page):
    kinds = [kind(block) for block in FOUND[page]]
    shown = [block for block, what in zip(FOUND[page], kinds, strict=True) if what == "text"]
    assert [block.place for block in shown if block.language in ("", "bash", "sh", "shell", "yml")] == []
    assert [block.place for block in shown if block.text.startswith("$ ")] == []
