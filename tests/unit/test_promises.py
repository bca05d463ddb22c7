"""What ``make test-reliability`` runs and counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.promises import PROMISES, figure_of, paths

ROOT = Path(__file__).resolve().parents[2]


def test_every_promise_has_its_tests():
    assert [path for path in PROMISES if not (ROOT / path).exists()] == []


def test_every_file_of_tests_is_counted():
    files = [file for path in paths() for file in [ROOT / path, *(ROOT / path).rglob("test_*.py")] if file.is_file()]
    names = {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}
    assert "tests/reliability/test_crashes.py" in names
    uncounted = [name for name, text in names.items() if not figure_of(f"{name}::") and "record_property(" not in text]
    assert uncounted == [], "give them a figure in tests/promises.py, or let them record one"


def test_no_test_is_run_twice():
    assert "tests/reliability" in paths()
    inside = [(a, b) for a in paths() for b in paths() if a != b and Path(a).is_relative_to(b)]
    assert inside == []
    assert all(any(Path(path).is_relative_to(run) for run in paths()) for path in PROMISES)


@pytest.mark.parametrize(
    ("test", "figure"),
    [
        ("tests/reliability/test_tls.py::test_x[1]", "networks"),
        ("tests/reliability/test_crashes.py::test_x", ""),
        ("tests/reliability/test_guards.py::test_x[11]", "guards and plans"),
        ("tests/integration/test_migrate_store.py::test_x", "stores"),
        ("tests/integration/test_playbooks.py::test_x", ""),
        ("tests/unit/plugins/module_utils/http/test_pages.py::test_x", "hostile answers"),
        ("tests/unit/plugins/module_utils/http/test_connection.py::test_x", "networks"),
        ("tests/unit/plugins/plugin_utils/stores/test_helper.py::test_x", "stores"),
        ("tests/unit/plugins/module_utils/core/test_model.py::test_x", ""),
    ],
)
def test_it_counts_under_the_promise_that_fits_best(test, figure):
    assert figure_of(test) == figure
