"""No credential and no issued secret shows anywhere but in the documented return keys and the stores."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from tests.leaks import runs
from tests.leaks.cases import Case
from tests.leaks.file_cases import TASKS
from tests.leaks.host_cases import HOSTS
from tests.leaks.inventory_cases import INVENTORIES
from tests.leaks.sandbox import sandbox
from tests.promises import FULL

ROOT = Path(__file__).resolve().parents[2]
#: Playbooks that the sample leaves to the whole: they have a host for each of many files.
SLOW = ("retire_app_passwords",)
BOTH_WAYS = ["real", "check mode"] if FULL else ["real"]

pytestmark = pytest.mark.usefixtures("built")


def check(report: runs.Report, record_property: t.Any) -> None:
    for name, number in report.figures.items():
        record_property(f"leaks: {name}", number)
    assert not report.problems, "\n".join(report.problems)


@pytest.mark.parametrize("way", BOTH_WAYS)
def test_tasks_show_no_secret(tmp_path, programs, way, record_property):
    with sandbox(tmp_path) as place:
        # The sample's own cases run under the runner, below.
        cases = TASKS.cases if FULL else runs.others()
        check(runs.tasks(place, programs, cases, check=way != "real"), record_property)


@pytest.mark.parametrize("way", BOTH_WAYS)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long if name in SLOW else ()) for name in runs.playbooks()]
)
def test_playbooks_and_roles_show_no_secret(tmp_path, programs, name, way, record_property):
    with sandbox(tmp_path) as place:
        check(runs.playbook(place, programs, name, check=way != "real"), record_property)


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(runs.sample(INVENTORIES.cases), id="one that works and one that fails"),
        pytest.param(INVENTORIES.cases, id="all", marks=pytest.mark.long),
    ],
)
def test_inventories_show_no_secret(tmp_path, programs, cases, record_property):
    with sandbox(tmp_path) as place:
        check(runs.inventories(place, programs, cases), record_property)


def test_the_runner_keeps_no_secret_in_its_artifacts(tmp_path, programs, record_property):
    with sandbox(tmp_path) as place:
        check(runs.runner(place, programs, TASKS.cases if FULL else runs.sample()), record_property)


@pytest.mark.parametrize("name", runs.playbooks() if FULL else ["provision"])
def test_the_runner_keeps_no_secret_of_a_playbook(tmp_path, programs, name, record_property):
    with sandbox(tmp_path) as place:
        check(runs.playbook_by_runner(place, programs, name), record_property)


# That nothing was forgotten


def there() -> list[str]:
    """Every part of the collection that a playbook can name."""
    kinds = ("modules", "lookup", "inventory")
    plugins = [f"{kind}/{path.stem}" for kind in kinds for path in _files(f"plugins/{kind}")]
    roles = [f"roles/{path.name}" for path in (ROOT / "roles").iterdir() if path.is_dir()]
    return sorted([*plugins, *roles, *(f"playbooks/{path.stem}" for path in (ROOT / "playbooks").glob("*.yml"))])


def _files(folder: str) -> list[Path]:
    return [path for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py"]


def covered(succeeds: bool) -> set[str]:
    cases: list[Case] = [*TASKS.cases, *HOSTS.cases, *INVENTORIES.cases]
    return {path for case in cases if case.succeeds is succeeds for path in case.covers}


def test_everything_has_a_case_that_works_and_one_that_fails():
    both = covered(True) & covered(False)
    assert sorted(set(there()) - both) == [], "write cases for these in tests/leaks"
    assert sorted((covered(True) | covered(False)) - set(there())) == [], "there are cases of what is not there"
