"""Secrets move to another store: the playbook, run as a process with the built collection."""

from __future__ import annotations

from tests.integration.team import PROVISION, assert_nothing_shown, assert_succeeded

MIGRATE = "tokensmith.bitbucket.migrate_store"


def test_secrets_move_to_another_store_without_rotating_and_without_being_shown(team):
    assert_succeeded(team.play(PROVISION))
    before = team.stored()
    place = team.place / "moved"
    place.mkdir()
    options = ["-vvvv", "--diff", "-e", f"migrate_store_to=file:{place}"]
    assert_succeeded(predicted := team.play(MIGRATE, *options, "--check"))
    assert list(place.iterdir()) == []
    assert "12 would be copied, 0 there already" in predicted.output
    assert_succeeded(moved := team.play(MIGRATE, *options))
    assert predicted.changed == moved.changed == 1
    kept = {str(path.relative_to(place)): path.read_text(encoding="utf-8").strip() for path in place.rglob("*.token")}
    assert kept == {f"{reference}.token": secret for reference, secret in before.items()}
    assert_nothing_shown(team, predicted.output + moved.output, list(before.values()))
    assert team.play(MIGRATE, *options).changed == 0
    assert team.play(PROVISION, store=f"file:{place}").changed == 0


def test_a_migration_without_a_place_to_go_to_says_what_to_name(team):
    assert "Name the new store" in team.play(MIGRATE).failure
