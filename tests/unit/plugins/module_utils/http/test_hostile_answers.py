"""Answers that no Bitbucket gives, to whole modules: an error in one sentence or a result, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.unit.plugins import hostile_cloud_cases
from tests.unit.plugins.hostile_cases import MODULES, SLOW, run_case
from tests.unit.plugins.hostile_server import Lie, lies

QUICK = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
FEW = settings(QUICK, max_examples=20)


@pytest.mark.parametrize("module", list(MODULES))
def test_without_a_lie_a_module_succeeds(module):
    assert run_case(module, []) == "ok"


@pytest.mark.parametrize("module", list(MODULES))
def test_whatever_the_server_says_ends_in_a_sentence_or_a_result(module):
    @(FEW if module in SLOW else QUICK)
    @given(lies)
    def endure(drawn: list[Lie]) -> None:
        run_case(module, drawn)

    endure()


@pytest.mark.parametrize("module", list(hostile_cloud_cases.MODULES))
def test_without_a_lie_a_module_of_the_cloud_succeeds(module):
    assert hostile_cloud_cases.run_case(module, []) == "ok"


@pytest.mark.parametrize("module", list(hostile_cloud_cases.MODULES))
def test_whatever_the_cloud_says_ends_in_a_sentence_or_a_result(module):
    @QUICK
    @given(lies)
    def endure(drawn: list[Lie]) -> None:
        hostile_cloud_cases.run_case(module, drawn)

    endure()
