"""A Vault that fails under the whole role: only what it refused is revoked, predecessors live, ids are named."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doubles import vault_kv2
from tests.doubles.loopback import Answer, Request
from tests.reliability.sandbox import Sandbox, sandbox

OWNERS = 3
#: More than a message tells of what merely failed.
MANY = 50


@dataclass
class Site:
    """The role with Vault for a store, and a token in it that is due for each owner."""

    place: Sandbox
    vault: vault_kv2.VaultDouble
    url: str

    def run(self) -> tuple[int, str]:
        options = {"url": self.url, "token": vault_kv2.TOKEN}
        status, said = self.place.role(store="hashi_vault:kv/team", store_options=options).run()
        return status, " ".join(said.split())

    def plant(self) -> None:
        self.place.plant(stored=False, created_days_ago=8, expires_in_days=2, last_used_days_ago=1)
        for token in self.place.tokens():
            self.put(token.owner, token.id, token.secret)

    def put(self, owner: str, token_id: str, secret: str) -> None:
        self.vault.put(f"team/{owner}/tokens/ci", {"id": token_id, "secret": secret})

    def held(self) -> dict[str, str]:
        """By owner, the id in Vault; each with a secret that works."""
        newest = {path: versions[-1] or {} for path, versions in self.vault.versions.items()}
        assert all(self.place.sim.authenticates(fields["secret"]) for fields in newest.values())
        return {path.split("/")[2]: fields["id"] for path, fields in newest.items()}

    def ids(self) -> set[str]:
        return {token.id for token in self.place.tokens()}

    def recovers(self) -> None:
        """Once Vault works, later runs leave what is declared."""
        self.vault.before, self.vault.sealed = lambda _request: None, False
        for _run in range(2):
            self.place.settle()
            assert self.run()[0] == 0
        assert self.ids() == set(self.held().values())


@pytest.fixture
def site(tmp_path: Path, request: t.Any) -> Iterator[Site]:
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(sandbox(tmp_path, owners=getattr(request, "param", OWNERS)))
        vault, url = stack.enter_context(vault_kv2.running())
        made = Site(place, vault, url)
        made.plant()
        yield made


def writes(spoil: t.Callable[[Request], Answer | None]) -> t.Callable[[Request], Answer | None]:
    return lambda request: spoil(request) if "/data/" in request.path and request.method != "GET" else None


pytestmark = pytest.mark.usefixtures("built")


def test_a_sealed_vault_stops_it_before_the_first_request(site):
    old = site.ids()
    site.vault.sealed = True
    status, said = site.run()
    assert status != 0
    assert "is sealed: unseal it, then run again. Nothing was changed." in said
    assert len(site.place.sim.requests) == 0
    assert site.ids() == old
    site.recovers()


@pytest.mark.parametrize("site", [OWNERS, pytest.param(MANY, marks=pytest.mark.long)], indirect=True)
def test_a_vault_that_is_sealed_during_the_hand_over_costs_nothing_and_ids_are_named(site):
    old, before = site.ids(), site.held()

    def seal(_request: Request) -> Answer | None:
        site.vault.sealed = True
        return Answer(503, {"errors": ["Vault is sealed"]})

    site.vault.before = writes(seal)
    status, said = site.run()
    assert status != 0
    assert "is sealed" in said
    assert site.place.sim.model.revoked == {}
    assert site.held() == before
    new = site.ids() - old
    assert len(new) == len(before)
    assert [
        token_id
        for token_id in new
        if f"Token {token_id}: whether hashi_vault:kv/team holds its secret is not known" not in said
    ] == []
    site.recovers()


def test_of_three_hand_overs_only_the_refused_one_is_revoked(site):
    """The first lands, another run was faster with the second, and Vault does not take the third."""
    old, before, sim = site.ids(), site.held(), site.place.sim
    faster = sim.add_token("projects/P02", "ci", ["REPO_READ"], expires_in_days=10)

    def spoil(request: Request) -> Answer | None:
        if "/P02/" in request.path and site.held()["P02"] != faster.id:
            site.put("projects/P02", faster.id, faster.secret)
        return Answer(400, {"errors": [f"no room for {request.body}"]}) if "/P03/" in request.path else None

    site.vault.before = writes(spoil)
    status, said = site.run()
    held = site.held()
    assert status != 0
    assert (held["P01"] not in old, held["P02"], held["P03"]) == (True, faster.id, before["P03"])
    assert [token.owner for token in sim.model.revoked.values()] == ["projects/P02"]
    assert not set(sim.model.revoked) & {*old, faster.id}
    assert old < site.ids(), "a predecessor was revoked"
    (unknown,) = [token.id for token in sim.tokens("projects/P03") if token.id not in old]
    assert f"Token {unknown}: whether hashi_vault:kv/team holds its secret is not known" in said
    site.vault.before = lambda _request: None
    site.recovers()
