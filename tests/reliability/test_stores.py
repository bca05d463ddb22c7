"""Stores that fail under the whole role: predecessors live, only what was refused is revoked, one sentence says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_path
from tests.readonly import read_only
from tests.reliability.world import World, world


def rotating(place: World) -> set[str]:
    place.plant(stored=True, created_days_ago=8, expires_in_days=2, last_used_days_ago=1)
    return {token.id for token in place.tokens()}


def recovers(place: World) -> None:
    """Once the store works, later runs leave what is declared."""
    for _run in range(2):
        place.settle()
        assert not place.run().get("failed")
    assert (place.dead(), place.strays()) == ([], [])


@pytest.mark.usefixtures("built")
def test_a_wrong_vault_password_stops_it_before_the_first_request(tmp_path):
    with world(tmp_path, "ansible_vault", owners=2) as place:
        old = rotating(place)
        role = place.role()
        Path(role.options[1]).write_text("another one", encoding="utf-8")
        status, said = role.run()
        assert status != 0
        assert "none of the vault secrets given" in " ".join(said.split())
        assert len(place.sim.requests) == 0
        assert {token.id for token in place.tokens()} == old
        recovers(place)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_a_directory_that_cannot_be_written_stops_it_before_the_first_request(tmp_path, kind):
    with world(tmp_path, kind, owners=2) as place:
        old, before = rotating(place), place.stored()
        with read_only(place.store_place):
            status, said = place.role().run()
        assert status != 0
        sentence = f"{place.store_place} is not writable for the user who runs this. Nothing was changed."
        assert sentence in " ".join(said.split())
        assert len(place.sim.requests) == 0
        assert ({token.id for token in place.tokens()}, place.stored(), place.dead()) == (old, before, [])
        recovers(place)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
@pytest.mark.parametrize("step", ["open-tmp", "fsync-tmp", "rename-tmp", "fsync-directory"])
def test_a_write_that_fails_half_way_is_told_with_ids_and_costs_no_predecessor(tmp_path, kind, step):
    """The second of three files, or the one there is; after ``fsync-directory`` the write has landed all the same."""
    number = 2 if kind == "file" else 1
    with world(tmp_path, kind, owners=3, grace=0) as place:
        old, before = rotating(place), place.stored()
        point = f"{step} {number}"
        status, said = place.role().run(RELIABILITY_STORE=str(place.store_place), RELIABILITY_FULL=point)
        said = " ".join(said.split())
        after = place.stored()
        assert place.dead() == []
        kept = [reference for reference in before if after[reference] == before[reference]]
        landed = step == "fsync-directory"
        assert len(kept) == (0 if landed else 3 if kind == "ansible_vault" else 1), said
        assert landed or status != 0
        named = [token.id for token in place.tokens() if token.id not in old and token.id in said]
        assert len(named) == len(kept), "the ids of what a hand may have to look at"
        for reference in kept:
            assert any(token.id in old for token in place.sim.tokens(owner_path(reference)))
        recovers(place)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_a_file_that_does_not_fit_is_the_same(tmp_path, kind):
    """The system stops the write where half of the new file is on the disk."""
    with world(tmp_path, kind, owners=3, grace=0) as place:
        old, before = rotating(place), place.stored()
        half = max(path.stat().st_size for path in place.store_place.rglob("*") if path.is_file()) // 2
        status, said = place.role().run(RELIABILITY_STORE=str(place.store_place), RELIABILITY_SIZE=str(half))
        assert status != 0, said
        assert (place.stored(), place.dead()) == (before, [])
        assert old <= {token.id for token in place.tokens()}
        assert "File too large" in " ".join(said.split())
        recovers(place)
