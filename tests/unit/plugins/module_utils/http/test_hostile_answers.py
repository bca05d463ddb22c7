"""Answers that no Bitbucket gives, to whole modules: an error in one sentence or a result, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _errors
from tests.unit.plugins import hostile_cloud_cases
from tests.unit.plugins.hostile_cases import MODULES, SLOW, run_case
from tests.unit.plugins.hostile_server import Lie, lies

#: A sample: `make test-reliability` draws a thousand sets of lies for each module (tests/reliability/test_hostile.py).
QUICK = settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
FEW = settings(QUICK, max_examples=8)
THOROUGH = settings(QUICK, max_examples=60)
MOST_USED = ("access_token", "access_token_set")


@pytest.mark.parametrize("module", list(MODULES))
def test_without_a_lie_a_module_succeeds(module):
    assert run_case(module, []) == "ok"


@pytest.mark.parametrize("module", list(MODULES))
def test_whatever_the_server_says_ends_in_a_sentence_or_a_result(module):
    run_sample(module, FEW if module in SLOW else THOROUGH if module in MOST_USED else QUICK)


def run_sample(module: str, extent: settings) -> None:
    @extent
    @given(lies)
    def endure(drawn: list[Lie]) -> None:
        run_case(module, drawn)

    endure()


def finds_a_defect(module: str) -> bool:
    try:
        run_sample(module, settings(THOROUGH, phases=[Phase.generate], report_multiple_bugs=False))
    except AssertionError:
        return True
    return False


def test_the_sample_finds_a_defect(monkeypatch):
    """Messages that show a server's control characters."""
    monkeypatch.setattr(_errors, "visible", lambda text: text)
    assert any(map(finds_a_defect, MOST_USED))


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
