"""The limits under the whole role: in check mode every victim shows, and for real nothing happens."""

from __future__ import annotations

import pytest

from tests.reliability.sandbox import Sandbox, sandbox

pytestmark = pytest.mark.usefixtures("built")


def checked(place: Sandbox, **given: object) -> tuple[int, str]:
    role = place.role(**given)
    role.options += ("--check", "--diff")
    return role.run()


@pytest.mark.parametrize("victims", [11, 50])
def test_check_mode_shows_every_token_that_would_go(tmp_path, victims):
    with sandbox(tmp_path, owners=victims) as place:
        old = [place.sim.add_token(owner, "old-jenkins") for owner in place.owners]
        place.sim.requests.clear()
        status, said = checked(place, prune=["old-*"])
        diff = said.partition("--- before")[2].partition("TASK")[0]
        assert [token.id for token in old if f'-  "{token.id}"' not in diff.replace("        ", "  ")] == []
        assert [owner for owner in place.owners if f"{owner}/tokens/old-jenkins" not in diff] == []
        words = " ".join(said.split())
        assert (
            f"{victims} tokens would be revoked as undeclared or absent, and `project_tokens_max_revocations` is 10"
            in words
        )
        assert status != 0
        assert place.role(prune=["old-*"]).run()[0] != 0
        assert set(place.sim.requests.counts()) == {"GET"}


@pytest.mark.parametrize("victims", [11, 50])
def test_check_mode_shows_every_token_that_would_be_issued_anew(tmp_path, victims):
    with sandbox(tmp_path, owners=victims) as place:
        place.plant(stored=False, created_days_ago=1, expires_in_days=9, last_used_days_ago=1)
        place.sim.requests.clear()
        status, said = checked(place, missing_secret="reissue")
        diff = said.partition("--- before")[2].partition("TASK")[0]
        assert [reference for reference in place.references if reference not in diff] == []
        words = " ".join(said.split())
        assert f"The store holds no secret of {victims} declared tokens that exist and are in use" in words
        assert status != 0
        assert place.role(missing_secret="reissue").run()[0] != 0
        assert (set(place.sim.requests.counts()), place.stored()) == ({"GET"}, {})
