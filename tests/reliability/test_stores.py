"""Stores that fail under the whole role: predecessors live, only what was refused is revoked, one sentence says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readonly import read_only
from tests.reliability.sandbox import Sandbox, sandbox


def rotating(place: Sandbox) -> dict[str, str | None]:
    """By reference the ids of tokens that are due."""
    place.plant(stored=True, created_days_ago=8, expires_in_days=2, last_used_days_ago=1)
    return place.store().read(place.references)


def ids(place: Sandbox) -> set[str | None]:
    return {token.id for token in place.tokens()}


def kept(place: Sandbox, old: dict[str, str | None], said: str, *, superseded: bool) -> list[str]:
    """The references whose stored secret is still the predecessor's. Exactly what the store did not take is named; what
    was revoked are the predecessors of what it took, or nothing; no temporary file is left.
    """
    held = place.store().read(place.references)
    taken = {reference for reference in old if held[reference] != old[reference]}
    new = ids(place) - set(old.values())
    refused = new - set(held.values())
    assert len(new) == len(old), "one successor for each"
    assert {token_id for token_id in new if token_id and token_id in said} == refused, said
    assert set(place.sim.model.revoked) == {old[reference] for reference in taken if superseded}
    assert ids(place) == new | set(old.values()) - set(place.sim.model.revoked)
    assert (place.dead(), list(place.store_place.rglob("*.tmp"))) == ([], [])
    return [reference for reference in old if reference not in taken]


def recovers(place: Sandbox) -> None:
    """Once the store works, later runs leave what is declared."""
    for _run in range(2):
        place.settle()
        assert not place.run().get("failed")
    assert (place.dead(), place.strays()) == ([], [])


@pytest.mark.usefixtures("built")
def test_a_wrong_vault_password_stops_it_before_the_first_request(tmp_path):
    with sandbox(tmp_path, "ansible_vault", owners=2) as place:
        old = rotating(place)
        role = place.role()
        Path(role.options[1]).write_text("another one", encoding="utf-8")
        status, said = role.run()
        assert status != 0
        assert "none of the vault secrets given" in " ".join(said.split())
        assert len(place.sim.requests) == 0
        assert ids(place) == set(old.values())
        recovers(place)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_a_directory_that_cannot_be_written_stops_it_before_the_first_request(tmp_path, kind):
    with sandbox(tmp_path, kind, owners=2) as place:
        old, before = rotating(place), place.stored()
        with read_only(place.store_place):
            status, said = place.role().run()
        assert status != 0
        sentence = f"{place.store_place} is not writable for the user who runs this. Nothing was changed."
        assert sentence in " ".join(said.split())
        assert len(place.sim.requests) == 0
        assert (ids(place), place.stored(), place.dead()) == (set(old.values()), before, [])
        recovers(place)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
@pytest.mark.parametrize("step", ["open-tmp", "fsync-tmp", "rename-tmp", "fsync-directory"])
def test_a_write_that_fails_half_way_is_told_with_ids_and_costs_no_predecessor(tmp_path, kind, step):
    """The second of three files, or the first write of the only one. What other writes took is retired. After
    ``fsync-directory`` the write has landed: it is read back.
    """
    number = 2 if kind == "file" else 1
    with sandbox(tmp_path, kind, owners=3, grace=0) as place:
        old = rotating(place)
        point = f"{step} {number}"
        status, said = place.role().run(RELIABILITY_STORE=str(place.store_place), RELIABILITY_FULL=point)
        landed = step == "fsync-directory"
        assert (status == 0) == landed, said
        left = kept(place, old, said, superseded=True)
        # A vault file takes in one write what was issued in the meantime: one secret, or several.
        assert len(left) in ([0] if landed else [1] if kind == "file" else [1, 2, 3]), said
        assert status == 0 or "cannot be written: No space left on device" in " ".join(said.split())
        recovers(place)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_a_file_that_does_not_fit_is_the_same(tmp_path, kind):
    """The system stops the write where half of the new file is on the disk."""
    with sandbox(tmp_path, kind, owners=3, grace=0) as place:
        old = rotating(place)
        half = max(path.stat().st_size for path in place.store_place.rglob("*") if path.is_file()) // 2
        status, said = place.role().run(RELIABILITY_STORE=str(place.store_place), RELIABILITY_SIZE=str(half))
        assert status != 0, said
        assert kept(place, old, said, superseded=False) == place.references
        assert "cannot be written: File too large" in " ".join(said.split())
        recovers(place)
