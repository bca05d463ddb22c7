"""Servers that lie, at length: modules of both Bitbuckets against drawn lies, and against half a character anywhere."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.promises import FULL
from tests.unit.plugins import hostile_cases as here
from tests.unit.plugins import hostile_cloud_cases
from tests.unit.plugins.hostile_server import Lie, lies

#: How many sets of lies each module is told. The unit tests draw the same few each time, here they are always others.
EXAMPLES = 1_000 if FULL else 50
#: About as many values are in all the answers that one module gets.
VALUES = 160
#: After so many the connections of earlier ones are collected.
COLLECTED = 100


@pytest.fixture
def collected_between() -> Iterator[None]:
    """Nothing is collected inside an example: what an earlier one left would be finalized at the bottom of a deep
    answer, where the interpreter has no stack left for it. A module is a process of its own, and leaves nothing behind.
    """
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("collected_between")
@pytest.mark.parametrize(
    ("cases", "module"), [(each, name) for each in (here, hostile_cloud_cases) for name in each.MODULES]
)
def test_whatever_the_server_says_ends_in_a_sentence_or_a_result(cases, module, record_property):
    tried: list[str] = []
    examples = EXAMPLES // 5 if module in here.SLOW else EXAMPLES

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), phases=set(Phase))
    @given(lies)
    def endure(drawn: list[Lie]) -> None:
        tried.append(cases.run_case(module, drawn))
        if len(tried) % COLLECTED == 0:
            gc.collect()

    endure()
    record_property("sets of lies: tried", len(tried))
    record_property("sets of lies: ended in a result", tried.count("ok"))
    record_property("sets of lies: ended in a sentence", len(tried) - tried.count("ok"))


@pytest.mark.usefixtures("collected_between")
@pytest.mark.parametrize(
    ("cases", "module"), [(each, name) for each in (here, hostile_cloud_cases) for name in each.MODULES]
)
def test_half_a_surrogate_pair_harms_nothing_wherever_it_stands(cases, module, record_property):
    """Drawn lies rarely meet each of the some hundred values of a module's answers."""
    places = range(0, VALUES, 1 if FULL else 16)
    for where in places:
        cases.run_case(module, [Lie(-1, "replace", where, "\ud800")])
    record_property("half a character: tried", len(places))
