"""Tokens that people rename in the UI to what another reference is called, whoever declares which."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._ansible_vault import AnsibleVaultStore

from .harness import CI, PAY, Result, Site, ci, new_site
from .stores.places import play_vault

DEPLOY = f"{PAY}/tokens/deploy"
BOTH = [ci(), ci(name="deploy")]


@pytest.fixture(params=["file", "ansible_vault"])
def site(tmp_path, request) -> Site:
    """ci, 30 days old, and deploy, ten days old, both stored and in use."""
    made = new_site(tmp_path / "secrets")
    if request.param == "ansible_vault":
        made.store = AnsibleVaultStore(made.place / "tokens.yml", play_vault())
    for name, days in (("ci", 30), ("deploy", 10)):
        token = made.sim.add_token(
            PAY, name, ["REPO_READ"], created_days_ago=days, expires_in_days=90 - days, last_used_days_ago=1
        )
        made.store.write([Entry(f"{PAY}/tokens/{name}", token.id, token.secret)])
    return made


def renamed(site: Site, **names: str) -> None:
    for token in site.sim.tokens(PAY):
        token.name = names.get(token.name, token.name)


def all_work(site: Site) -> bool:
    return all(site.sim.authenticates(site.store.secret(reference)) for reference in (CI, DEPLOY))


def settled(site: Site, *entries: Result) -> list[str]:
    """Two runs, and two more after every grace; what they did."""
    steps = []
    for days in (0, 0, 9, 0):
        site.sim.clock.advance(days=days)
        result = site.run(*entries)
        assert "failed" not in result, result["msg"]
        assert all_work(site), result["changes"]
        steps += [f"{change['step']} {change['reason']}" for change in result["changes"]]
    return steps


@pytest.mark.parametrize("declared", [BOTH[:1], BOTH[1:], BOTH], ids=["ci", "deploy", "both"])
@pytest.mark.parametrize(
    "names",
    [{"ci": "deploy"}, {"deploy": "ci"}, {"ci": "deploy", "deploy": "ci"}],
    ids=["ci to deploy", "deploy to ci", "swapped"],
)
def test_no_stored_secret_dies_and_declared_names_come_back(site, names, declared):
    ids = {reference: site.store.read([reference])[reference] for reference in (CI, DEPLOY)}
    renamed(site, **names)
    steps = settled(site, *declared)
    assert set(steps) <= {"update name"}
    tokens = {token.id: token.name for token in site.sim.tokens(PAY)}
    for entry in declared:
        assert tokens[ids[f"{PAY}/tokens/{entry['name']}"]] == entry["name"]


@pytest.mark.parametrize("right", ["REPO_ADMIN", "REPO_READ"])
def test_what_another_reference_stores_keeps_its_rights(site, right):
    (one,) = [token for token in site.sim.tokens(PAY) if token.name == "ci"]
    one.permissions = (right,)
    renamed(site, ci="deploy")
    settled(site, BOTH[1])
    assert one.permissions == (right,)


def test_one_that_is_due_is_replaced_and_the_renamed_one_lives(site):
    renamed(site, ci="deploy")
    steps = settled(site, ci(name="deploy", rotate_before_days=80, grace_days=7))
    assert steps == ["issue expiring", "revoke superseded"]


@pytest.mark.parametrize("grace", [0, 7])
@pytest.mark.parametrize("names", [{"ci": "deploy"}, {"ci": "deploy", "deploy": "ci"}], ids=["renamed", "swapped"])
def test_a_renamed_one_that_is_due_itself_is_replaced_and_the_other_lives(site, names, grace):
    held = site.store.read([CI, DEPLOY])
    renamed(site, **names)
    # Now, and again when the successor has come as near to its end.
    steps = settled(site, ci(rotate_before_days=80, grace_days=grace))
    assert (
        {"issue expiring", "revoke superseded"} <= set(steps) <= {"update name", "issue expiring", "revoke superseded"}
    )
    assert site.store.read([DEPLOY]) == {DEPLOY: held[DEPLOY]}
    assert site.store.read([CI]) != {CI: held[CI]}


@pytest.mark.parametrize("names", [{"ci": "deploy"}, {"ci": "deploy", "deploy": "ci"}], ids=["renamed", "swapped"])
def test_without_a_grace_the_renamed_one_lives_too(site, names):
    held = site.store.read([CI])
    renamed(site, **names)
    steps = settled(site, ci(name="deploy", rotate_before_days=85, grace_days=0))
    assert {"issue expiring", "revoke superseded"} <= set(steps)
    assert site.store.read([CI]) == held


def test_what_shall_be_absent_takes_no_stored_token_of_another_name_with_it(site):
    renamed(site, ci="deploy")
    result = site.run(ci(name="deploy", state="absent"))
    assert [change["step"] for change in result["changes"]] == ["revoke"]
    assert site.sim.authenticates(site.store.secret(CI))


def test_pruning_spares_what_was_renamed_and_takes_what_is_no_longer_declared(site):
    renamed(site, ci="deploy")
    site.run(BOTH[1], prune=["*"])
    assert all_work(site)
    renamed(site, deploy="ci")
    result = site.run(BOTH[1], prune=["*"])
    assert [(change["step"], change["reason"]) for change in result["changes"]][-1] == ("revoke", "undeclared")
    assert site.sim.authenticates(site.store.secret(DEPLOY))


def test_what_else_lies_beside_stops_nothing(tmp_path):
    site = new_site(tmp_path / "secrets")
    (site.place / f"{PAY}/tokens/a-folder.token").mkdir(parents=True)
    (site.place / f"{PAY}/tokens/noise.token").write_bytes(b"\xff\xfe\x00")
    assert "failed" not in site.run(ci())
    assert site.sim.authenticates(site.secret())
