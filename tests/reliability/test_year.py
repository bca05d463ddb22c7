"""A simulated year of daily runs against servers that do not grant the lifetimes they are asked for."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._file import FileStore
from tests.unit.plugins.plugin_utils.harness import CI, PAY, Site, ci, new_site

YEAR = 365
MOST = 6


def daily(site: Site, lifetime: int | None) -> tuple[int, int]:
    """How many tokens were issued and lived, and on how many days the run failed."""
    lived, failed = set[str](), 0
    for _day in range(YEAR):
        result = site.run(ci(expires_in_days=lifetime))
        failed += bool(result.get("failed"))
        stored = site.stored()
        assert stored is None or site.sim.authenticates(site.secret()), "a stored secret is dead"
        assert len(site.ids()) <= 2, "tokens pile up"
        lived |= set(site.ids())
        assert site.run(ci(expires_in_days=lifetime))["changed"] is False, "a second run at once changed something"
        site.sim.clock.advance(days=1)
    return len(lived), failed


@pytest.mark.parametrize(
    "server",
    [
        {"expiry_rounding": "up"},
        {"expiry_rounding": "down"},
        {"expiry_shift_hours": 1},
        {"expiry_shift_hours": -1},
        {"expiry_clamp_days": 3},
        {"expiry_clamp_days": 15},
        {"expiry_ignored": True},
        {},
    ],
    ids=str,
)
@pytest.mark.parametrize("lifetime", [90, 365, None])
def test_a_year_of_daily_runs_issues_few_tokens_or_none_that_lives(tmp_path, server, lifetime, record_property):
    site = new_site(tmp_path / "secrets")
    site.store = FileStore(site.place, single=False)
    site.sim.switches.update(server)
    lived, failed = daily(site, lifetime)
    record_property("daily runs: made", 2 * YEAR)
    assert (lived <= MOST and failed == 0) or (lived == 0 and failed == YEAR), (lived, failed)
    assert failed or site.counts()["PUT"] == lived, "tokens were issued and taken back unseen"
    assert all(token.name == "ci" for token in site.sim.tokens(PAY))
    assert (site.stored(CI) is None) == (lived == 0)
