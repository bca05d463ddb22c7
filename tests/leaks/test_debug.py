"""ANSIBLE_DEBUG shows the results of modules whole. With a store no module runs, and so it shows no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.sandbox import PASSWORD, sandbox


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_debug_output_shows_no_secret(tmp_path: Path, kind: str, programs: Path) -> None:
    with sandbox(tmp_path, kind, owners=2, grace=0) as place:
        place.plant(stored=True, created_days_ago=8, expires_in_days=2, last_used_days_ago=1)
        planted = place.stored()
        role = place.role()
        role.options, role.programs = (*role.options, "-vvvv", "--diff"), programs
        status, output = role.run(ANSIBLE_DEBUG="1")
        assert status == 0, output
        issued = place.stored()
    assert not set(planted.values()) & set(issued.values())
    assert "_low_level_execute_command" not in output, "a module ran"
    assert "RUNNING CLEANUP" in output, "this is no debug output"
    shown = [text for text in (*planted.values(), *issued.values(), PASSWORD) if text in output]
    assert shown == []
