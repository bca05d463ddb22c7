"""What ``make test-reliability`` runs and counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promises import PROMISES, figure_of, paths

ROOT = Path(__file__).resolve().parents[2]


def test_every_promise_has_its_tests():
    assert [path for path in PROMISES if not (ROOT / path).exists()] == []


def test_no_test_is_run_twice():
    assert "tests/reliability" in paths()
    assert "tests/reliability/test_tls.py" not in paths()


@pytest.mark.parametrize(
    ("test", "figure"),
    [
        ("tests/reliability/test_tls.py::test_x[1]", "networks"),
        ("tests/reliability/test_crashes.py::test_x", ""),
        ("tests/unit/plugins/module_utils/http/test_pages.py::test_x", "hostile answers"),
        ("tests/unit/plugins/module_utils/http/test_connection.py::test_x", "networks"),
        ("tests/unit/plugins/plugin_utils/stores/test_helper.py::test_x", "stores"),
        ("tests/unit/plugins/module_utils/core/test_model.py::test_x", ""),
    ],
)
def test_it_counts_under_the_promise_that_fits_best(test, figure):
    assert figure_of(test) == figure
