"""How many owners a call looks at, and when that is given up."""

from __future__ import annotations

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._limits import BATCH
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._pace import Pace

MANY = [f"projects/P{number}" for number in range(BATCH)]


def test_calls_that_do_nothing_halve_and_those_that_do_double_what_the_next_looks_at():
    pace = Pace()
    seen = []
    for _call in range(3):
        assert pace.note(MANY[: pace.most], MANY[: pace.most], done=False) == []
        seen.append(pace.most)
    for _call in range(4):
        pace.note(MANY[: pace.most], [], done=True)
        seen.append(pace.most)
    assert seen == [100, 50, 25, 50, 100, 200, 200]


def test_an_owner_that_is_looked_at_alone_in_vain_is_given_up_and_three_in_a_row_are_enough():
    pace = Pace()
    for number in range(2):
        assert pace.note([MANY[number]], [MANY[number]], done=False) == [MANY[number]]
    pace.note(MANY[:1], [], done=True)
    for number in range(3):
        assert not pace.hopeless
        assert pace.note([MANY[number]], [MANY[number]], done=False) == [MANY[number]]
    assert pace.hopeless


def test_an_owner_that_comes_back_for_ever_is_given_up():
    pace = Pace()
    given_up = [pace.note(MANY[:1], MANY[:1], done=True) for _call in range(101)]
    assert given_up == [*[[]] * 100, MANY[:1]]
